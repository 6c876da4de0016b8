//! OGC GeoPose 1.0, Basic-Quaternion, and how it is said in the types of TS 29.437.
//!
//! **Units and frames.** `lat` and `lon` are degrees on WGS 84, `h` is metres above its ellipsoid. The quaternion turns
//! the frame of the object against the frame that is tangent to the ellipsoid at the position: x to the east, y to the
//! north, z up. `Orientation` of TS 29.437 holds an axis and an angle in **whole degrees**; the four numbers of one are
//! never the four numbers of the other.
//!
//! Said in a local coordinate system, the origin is the position and the point is zero; the height is the altitude of the
//! origin's `area`, since `LocalOrigin.point` has none. That way back and forth is exact. An `Orientation` keeps the turn
//! within half a degree.

use serde::{Deserialize, Serialize};

use super::{
    ALTITUDE_M, GeographicArea, GeographicalCoordinates, Local3dPointUncertaintyEllipsoid, Orientation, Pose,
    RelativeCartesianLocation,
};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// How far the length of a quaternion may be from 1. Own value: what four decimals of each component cost.
pub const NORM_TOLERANCE: f64 = 1e-3;

/// A place on the Earth (GeoPose `position`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GeoPosition {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lon: f64,
    /// Metres above the ellipsoid.
    pub h: f64,
}

/// A turn against the frame east, north, up (GeoPose `quaternion`); of length 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Quaternion {
    /// Component along east.
    pub x: f64,
    /// Component along north.
    pub y: f64,
    /// Component along up.
    pub z: f64,
    /// Cosine of half the angle.
    pub w: f64,
}

/// A pose on the Earth (OGC GeoPose 1.0, Basic-Quaternion). Further members are read over and not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GeoPose {
    /// Where.
    pub position: GeoPosition,
    /// How turned.
    pub quaternion: Quaternion,
}

impl Default for Quaternion {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Quaternion {
    /// No turn.
    pub const IDENTITY: Self = Self { x: 0.0, y: 0.0, z: 0.0, w: 1.0 };

    /// Its length.
    #[must_use]
    pub fn norm(self) -> f64 {
        (self.x * self.x + self.y * self.y + self.z * self.z + self.w * self.w).sqrt()
    }

    /// The turn about an axis by an angle in degrees; `None` for an axis of no length, unless nothing is turned.
    #[must_use]
    pub fn about(axis: [f64; 3], angle_deg: f64) -> Option<Self> {
        let half = angle_deg.to_radians() / 2.0;
        if angle_deg % 360.0 == 0.0 {
            return Some(Self::IDENTITY);
        }
        // The largest component first, so that no square over- or underflows.
        let most = axis.iter().fold(0.0_f64, |most, part| most.max(part.abs()));
        if !(most.is_finite() && most > 0.0) {
            return None;
        }
        let [x, y, z] = axis.map(|part| part / most);
        let scale = half.sin() / (x * x + y * y + z * z).sqrt();
        Some(Self { x: x * scale, y: y * scale, z: z * scale, w: half.cos() })
    }

    /// This turn, seen from a frame that is itself turned by `outer`.
    #[must_use]
    pub fn within(self, outer: Self) -> Self {
        let (a, b) = (outer, self);
        Self {
            w: a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
            x: a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
            y: a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
            z: a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
        }
    }

    /// The angle between two turns, in degrees, 0 to 180.
    #[must_use]
    pub fn degrees_to(self, other: Self) -> f64 {
        let inverse = Self { x: -self.x, y: -self.y, z: -self.z, w: self.w };
        let between = other.within(inverse);
        let sine = (between.x * between.x + between.y * between.y + between.z * between.z).sqrt();
        2.0 * sine.atan2(between.w.abs()).to_degrees()
    }
}

impl Validate for GeoPosition {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.lat, -90.0, 90.0, at, "lat");
        faults.range(self.lon, -180.0, 180.0, at, "lon");
        faults.range(self.h, ALTITUDE_M.0, ALTITUDE_M.1, at, "h");
        faults.done()
    }
}

impl Validate for Quaternion {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let unit = (self.norm() - 1.0).abs() <= NORM_TOLERANCE;
        if !unit {
            faults.add(at, "is not of length 1");
        }
        faults.done()
    }
}

impl Validate for GeoPose {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.position), at, "position");
        faults.part(Some(&self.quaternion), at, "quaternion");
        faults.done()
    }
}

/// Axis and angle as a turn; `None` where an axis of no length is to be turned about.
impl TryFrom<&Orientation> for Quaternion {
    type Error = NoAxis;

    fn try_from(orientation: &Orientation) -> Result<Self, NoAxis> {
        let Orientation { x, y, z, w } = *orientation;
        Self::about([x, y, z], f64::from(w)).ok_or(NoAxis)
    }
}

/// An orientation turns about an axis of no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("turns about an axis of no length")]
pub struct NoAxis;

impl From<Quaternion> for Orientation {
    /// The nearest whole degree about the same axis.
    fn from(turn: Quaternion) -> Self {
        let sine = (turn.x * turn.x + turn.y * turn.y + turn.z * turn.z).sqrt();
        let degrees = (2.0 * sine.atan2(turn.w).to_degrees()).round();
        if sine == 0.0 || degrees == 0.0 || degrees == 360.0 {
            return Self { x: 0.0, y: 0.0, z: 1.0, w: 0 };
        }
        // Between 1 and 359 by now.
        Self { x: turn.x / sine, y: turn.y / sine, z: turn.z / sine, w: degrees as u32 }
    }
}

impl GeoPose {
    /// The place as TS 29.572 says it, in a coordinate system of its own that is named `coordinate_id`.
    #[must_use]
    pub fn to_location(&self, coordinate_id: &str) -> Local3dPointUncertaintyEllipsoid {
        let GeoPosition { lat, lon, h } = self.position;
        let origin = GeographicalCoordinates { lon, lat };
        let zero = RelativeCartesianLocation { x: 0.0, y: 0.0, z: Some(0.0) };
        let mut location = Local3dPointUncertaintyEllipsoid::at(coordinate_id, origin, zero);
        location.local_origin.area = Some(GeographicArea::PointAltitude { point: origin, altitude: h });
        location
    }

    /// The pose as TS 29.437 says it: exact in place, within half a degree in turn.
    #[must_use]
    pub fn to_pose(&self, coordinate_id: &str) -> Pose {
        Pose {
            orientation: self.quaternion.into(),
            position: Some(self.to_location(coordinate_id)),
            fov: None,
        }
    }
}

impl Local3dPointUncertaintyEllipsoid {
    /// The place on the Earth, where the point is the origin itself; an offset is the business of who knows the
    /// ellipsoid. Without an altitude of the origin, heights are counted from the ellipsoid.
    #[must_use]
    pub fn geo_position(&self) -> Option<GeoPosition> {
        let (x, y) = (self.point.x, self.point.y);
        let GeographicalCoordinates { lon, lat } = self.local_origin.point?;
        (x == 0.0 && y == 0.0).then(|| GeoPosition { lat, lon, h: self.height_m() })
    }

    /// Metres above the ellipsoid: altitude of the origin, zero where it has none, and the third coordinate.
    #[must_use]
    pub fn height_m(&self) -> f64 {
        let origin = match &self.local_origin.area {
            Some(
                GeographicArea::PointAltitude { altitude, .. }
                | GeographicArea::PointAltitudeUncertainty { altitude, .. },
            ) => *altitude,
            _ => 0.0,
        };
        origin + self.point.z.unwrap_or(0.0)
    }
}

#[cfg(test)]
#[path = "geopose_tests.rs"]
mod tests;
