//! Pose and field of view (TS 29.437).

use serde::{Deserialize, Serialize};

use super::local::Local3dPointUncertaintyEllipsoid;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Axis `x y z` and the angle `w` about it, in whole degrees: **not** a quaternion.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Orientation {
    /// First component of the axis.
    pub x: f64,
    /// Second component of the axis.
    pub y: f64,
    /// Third component of the axis.
    pub z: f64,
    /// Angle, 0 to 360 degrees.
    pub w: u32,
}

/// Field of view, in degrees, 0 to 360 each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fov {
    /// To the left.
    pub angle_left: u32,
    /// To the right.
    pub angle_right: u32,
    /// Up.
    pub angle_up: u32,
    /// Down.
    pub angle_down: u32,
}

/// A pose (TS 29.437 `Pose`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pose {
    /// Orientation.
    pub orientation: Orientation,
    /// Position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Local3dPointUncertaintyEllipsoid>,
    /// Field of view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fov: Option<Fov>,
}

impl Validate for Orientation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.finite(self.x, at, "x");
        faults.finite(self.y, at, "y");
        faults.finite(self.z, at, "z");
        faults.require(self.w <= 360, at, "w", "is out of range");
        faults.done()
    }
}

impl Validate for Fov {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        for (key, angle) in [
            ("angleLeft", self.angle_left),
            ("angleRight", self.angle_right),
            ("angleUp", self.angle_up),
            ("angleDown", self.angle_down),
        ] {
            faults.require(angle <= 360, at, key, "is out of range");
        }
        faults.done()
    }
}

impl Validate for Pose {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.orientation), at, "orientation");
        faults.part(self.position.as_ref(), at, "position");
        faults.part(self.fov.as_ref(), at, "fov");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn w_is_an_angle_in_whole_degrees() {
        let pose = |w: serde_json::Value| {
            serde_json::from_value::<Pose>(json!({"orientation": {"x": 0, "y": 0, "z": 1, "w": w}}))
        };
        assert!(pose(json!(360)).unwrap().validate("").is_ok());
        assert_eq!(pose(json!(361)).unwrap().validate("").unwrap_err()[0].param, "/orientation/w");
        assert!(pose(json!(0.7)).is_err());
        assert!(pose(json!(-1)).is_err());
    }

    #[test]
    fn each_angle_of_view_has_its_range() {
        let good = Fov { angle_left: 0, angle_right: 360, angle_up: 45, angle_down: 45 };
        assert!(good.validate("").is_ok());
        assert!(Fov { angle_up: 361, ..good }.validate("").is_err());
    }
}
