//! Places in a local coordinate system (TS 29.572 `Local3dPointUncertaintyEllipsoid`).

use serde::{Deserialize, Serialize};

use super::area::{GadShape, GeographicArea, GeographicalCoordinates};
use super::{MAX_LOCAL_M, MAX_UNCERTAINTY_M};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// A place relative to an origin, in metres (TS 29.572).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RelativeCartesianLocation {
    /// First axis.
    pub x: f64,
    /// Second axis.
    pub y: f64,
    /// Third axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
}

impl Validate for RelativeCartesianLocation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.x, -MAX_LOCAL_M, MAX_LOCAL_M, at, "x");
        faults.range(self.y, -MAX_LOCAL_M, MAX_LOCAL_M, at, "y");
        faults.range(self.z.unwrap_or(0.0), -MAX_LOCAL_M, MAX_LOCAL_M, at, "z");
        faults.done()
    }
}

/// An ellipsoid of uncertainty, in metres (TS 29.572).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UncertaintyEllipsoid {
    /// Semi-major axis.
    pub semi_major: f64,
    /// Semi-minor axis.
    pub semi_minor: f64,
    /// Vertical semi-axis.
    pub vertical: f64,
    /// Orientation of the major axis, 0 to 180 degrees.
    pub orientation_major: u32,
}

impl Validate for UncertaintyEllipsoid {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.semi_major, 0.0, MAX_UNCERTAINTY_M, at, "semiMajor");
        faults.range(self.semi_minor, 0.0, MAX_UNCERTAINTY_M, at, "semiMinor");
        faults.range(self.vertical, 0.0, MAX_UNCERTAINTY_M, at, "vertical");
        faults.require(self.orientation_major <= 180, at, "orientationMajor", "is out of range");
        faults.done()
    }
}

/// Where a local coordinate system has its origin (TS 29.572).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalOrigin {
    /// Name of the coordinate system.
    pub coordinate_id: String,
    /// The origin on the Earth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<GeographicalCoordinates>,
    /// The area where the system is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<GeographicArea>,
    /// Turn of the axes, clockwise from northing, in tenths of a degree, 0 to 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horiz_axes_orientation: Option<u32>,
}

impl Validate for LocalOrigin {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.coordinate_id, 256, at, "coordinateId");
        faults.part(self.point.as_ref(), at, "point");
        faults.part(self.area.as_ref(), at, "area");
        let turn = self.horiz_axes_orientation.unwrap_or(0);
        faults.require(turn <= 3600, at, "horizAxesOrientation", "is out of range");
        faults.done()
    }
}

/// A point in space in a local coordinate system (TS 29.572).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Local3dPointUncertaintyEllipsoid {
    /// `LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID`.
    pub shape: GadShape,
    /// The origin.
    pub local_origin: LocalOrigin,
    /// The point.
    pub point: RelativeCartesianLocation,
    /// The uncertainty.
    pub uncertainty_ellipsoid: UncertaintyEllipsoid,
    /// Per cent.
    pub confidence: u32,
    /// Per cent, of the third axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v_confidence: Option<u32>,
}

impl Local3dPointUncertaintyEllipsoid {
    /// A point without uncertainty around an origin on the Earth.
    #[must_use]
    pub fn at(
        coordinate_id: &str,
        origin: GeographicalCoordinates,
        point: RelativeCartesianLocation,
    ) -> Self {
        Self {
            shape: GadShape::Local3d,
            local_origin: LocalOrigin {
                coordinate_id: coordinate_id.to_owned(),
                point: Some(origin),
                ..LocalOrigin::default()
            },
            point,
            uncertainty_ellipsoid: UncertaintyEllipsoid::default(),
            confidence: 100,
            v_confidence: None,
        }
    }
}

impl Validate for Local3dPointUncertaintyEllipsoid {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        // The enumeration is open, but another known shape would be another object.
        let fits = self.shape == GadShape::Local3d || !self.shape.is_known();
        faults.require(fits, at, "shape", "is not the shape of this object");
        faults.part(Some(&self.local_origin), at, "localOrigin");
        faults.part(Some(&self.point), at, "point");
        faults.part(Some(&self.uncertainty_ellipsoid), at, "uncertaintyEllipsoid");
        faults.require(self.confidence <= 100, at, "confidence", "is out of range");
        faults.require(self.v_confidence.unwrap_or(0) <= 100, at, "vConfidence", "is out of range");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut Local3dPointUncertaintyEllipsoid);

    #[test]
    fn one_spoiled_member_is_named() {
        let good = || {
            let origin = GeographicalCoordinates { lon: 2.35, lat: 48.85 };
            Local3dPointUncertaintyEllipsoid::at("hall-1", origin, RelativeCartesianLocation::default())
        };
        assert!(good().validate("").is_ok());
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &str); 11] = [
            ("other shape", |p| p.shape = GadShape::Point, "/shape"),
            ("no name", |p| p.local_origin.coordinate_id.clear(), "/localOrigin/coordinateId"),
            ("longitude", |p| p.local_origin.point = Some(GeographicalCoordinates { lon: -181.0, lat: 0.0 }), "/localOrigin/point/lon"),
            ("turn", |p| p.local_origin.horiz_axes_orientation = Some(3601), "/localOrigin/horizAxesOrientation"),
            ("x", |p| p.point.x = f64::NAN, "/point/x"),
            ("z", |p| p.point.z = Some(f64::INFINITY), "/point/z"),
            ("semiMinor", |p| p.uncertainty_ellipsoid.semi_minor = -1.0, "/uncertaintyEllipsoid/semiMinor"),
            ("vertical", |p| p.uncertainty_ellipsoid.vertical = -0.01, "/uncertaintyEllipsoid/vertical"),
            ("orientation", |p| p.uncertainty_ellipsoid.orientation_major = 181, "/uncertaintyEllipsoid/orientationMajor"),
            ("confidence", |p| p.confidence = 101, "/confidence"),
            ("vConfidence", |p| p.v_confidence = Some(101), "/vConfidence"),
        ];
        for (what, spoil, param) in rows {
            let mut point = good();
            spoil(&mut point);
            let faults = point.validate("").unwrap_err();
            assert_eq!((faults.len(), faults[0].param.as_str()), (1, param), "{what}");
        }
        let mut edge = good();
        edge.shape = GadShape::Other("LATER".into());
        edge.confidence = 100;
        edge.local_origin.horiz_axes_orientation = Some(3600);
        edge.uncertainty_ellipsoid.orientation_major = 180;
        assert!(edge.validate("").is_ok());
    }
}
