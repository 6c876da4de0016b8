//! Places and shapes (TS 29.572, TS 29.558, TS 29.122, TS 29.437), and OGC GeoPose.

mod area;
mod geopose;
mod local;
mod location;
mod pose;
mod service_area;

pub use area::{GadShape, GeographicArea, GeographicalCoordinates, UncertaintyEllipse};
pub use area::{MAX_POINTS, MIN_POINTS};
pub use geopose::{GeoPose, GeoPosition, NORM_TOLERANCE, NoAxis, Quaternion};
pub use local::{
    Local3dPointUncertaintyEllipsoid, LocalOrigin, RelativeCartesianLocation, UncertaintyEllipsoid,
};
pub use location::LocationInfo;
pub use pose::{Fov, Orientation, Pose};
pub use service_area::{GeographicalServiceArea, ServiceArea, TopologicalServiceArea};
pub use service_area::{MAX_AREAS, MAX_CIVIC};

/// Largest coordinate of a local system, in metres: farther away nothing is local. Own value.
pub const MAX_LOCAL_M: f64 = 1.0e7;

/// Largest uncertainty or radius, in metres: half the circumference of the Earth. Own value.
pub const MAX_UNCERTAINTY_M: f64 = 2.1e7;

/// Altitude, in metres (TS 29.572 `Altitude`).
pub const ALTITUDE_M: (f64, f64) = (-32_767.0, 32_767.0);
