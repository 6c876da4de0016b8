//! Areas on the Earth (TS 29.572 `GeographicArea`, TS 23.032).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ALTITUDE_M, MAX_UNCERTAINTY_M};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child, item};

/// Fewest points of a polygon (TS 29.572 `PointList`).
pub const MIN_POINTS: usize = 3;

/// Most points of a polygon (TS 29.572 `PointList`).
pub const MAX_POINTS: usize = 15;

open_enum! {
    /// The discriminator of shapes (TS 29.572 `SupportedGADShapes`).
    GadShape {
        /// Point.
        Point = "POINT",
        /// Point with a circle of uncertainty.
        PointUncertaintyCircle = "POINT_UNCERTAINTY_CIRCLE",
        /// Point with an ellipse of uncertainty.
        PointUncertaintyEllipse = "POINT_UNCERTAINTY_ELLIPSE",
        /// Polygon.
        Polygon = "POLYGON",
        /// Point with altitude.
        PointAltitude = "POINT_ALTITUDE",
        /// Point with altitude and uncertainty.
        PointAltitudeUncertainty = "POINT_ALTITUDE_UNCERTAINTY",
        /// Arc.
        EllipsoidArc = "ELLIPSOID_ARC",
        /// Local point in the plane.
        Local2d = "LOCAL_2D_POINT_UNCERTAINTY_ELLIPSE",
        /// Local point in space.
        Local3d = "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
        /// Distance and direction.
        DistanceDirection = "DISTANCE_DIRECTION",
        /// Relative place in the plane.
        Relative2d = "RELATIVE_2D_LOCATION_UNCERTAINTY_ELLIPSE",
        /// Relative place in space.
        Relative3d = "RELATIVE_3D_LOCATION_UNCERTAINTY_ELLIPSOID",
    }
}

/// A point on the Earth, WGS 84, in degrees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GeographicalCoordinates {
    /// Longitude, −180 to 180.
    pub lon: f64,
    /// Latitude, −90 to 90.
    pub lat: f64,
}

impl Validate for GeographicalCoordinates {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.lon, -180.0, 180.0, at, "lon");
        faults.range(self.lat, -90.0, 90.0, at, "lat");
        faults.done()
    }
}

/// An ellipse of uncertainty, in metres (TS 29.572).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UncertaintyEllipse {
    /// Semi-major axis.
    pub semi_major: f64,
    /// Semi-minor axis.
    pub semi_minor: f64,
    /// Orientation of the major axis, 0 to 180 degrees.
    pub orientation_major: u32,
}

impl Validate for UncertaintyEllipse {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.semi_major, 0.0, MAX_UNCERTAINTY_M, at, "semiMajor");
        faults.range(self.semi_minor, 0.0, MAX_UNCERTAINTY_M, at, "semiMinor");
        faults.require(self.orientation_major <= 180, at, "orientationMajor", "is out of range");
        faults.done()
    }
}

/// The shapes that are understood, tagged by `shape`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
enum Known {
    Point {
        point: GeographicalCoordinates,
    },
    PointUncertaintyCircle {
        point: GeographicalCoordinates,
        uncertainty: f64,
    },
    PointUncertaintyEllipse {
        point: GeographicalCoordinates,
        uncertainty_ellipse: UncertaintyEllipse,
        confidence: u32,
    },
    Polygon {
        point_list: Vec<GeographicalCoordinates>,
    },
    PointAltitude {
        point: GeographicalCoordinates,
        altitude: f64,
    },
    PointAltitudeUncertainty {
        point: GeographicalCoordinates,
        altitude: f64,
        uncertainty_ellipse: UncertaintyEllipse,
        uncertainty_altitude: f64,
        confidence: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        v_confidence: Option<u32>,
    },
    EllipsoidArc {
        point: GeographicalCoordinates,
        inner_radius: u32,
        uncertainty_radius: f64,
        offset_angle: u32,
        included_angle: u32,
        confidence: u32,
    },
}

/// An area (TS 29.572 `GeographicArea`), told apart by `shape`; a shape that is not known is kept as it came.
#[derive(Debug, Clone, PartialEq)]
pub enum GeographicArea {
    /// `POINT`
    Point {
        /// The point.
        point: GeographicalCoordinates,
    },
    /// `POINT_UNCERTAINTY_CIRCLE`
    PointUncertaintyCircle {
        /// The centre.
        point: GeographicalCoordinates,
        /// Radius, in metres.
        uncertainty: f64,
    },
    /// `POINT_UNCERTAINTY_ELLIPSE`
    PointUncertaintyEllipse {
        /// The centre.
        point: GeographicalCoordinates,
        /// The ellipse.
        uncertainty_ellipse: UncertaintyEllipse,
        /// Per cent.
        confidence: u32,
    },
    /// `POLYGON`
    Polygon {
        /// 3 to 15 corners.
        point_list: Vec<GeographicalCoordinates>,
    },
    /// `POINT_ALTITUDE`
    PointAltitude {
        /// The point.
        point: GeographicalCoordinates,
        /// Metres.
        altitude: f64,
    },
    /// `POINT_ALTITUDE_UNCERTAINTY`
    PointAltitudeUncertainty {
        /// The centre.
        point: GeographicalCoordinates,
        /// Metres.
        altitude: f64,
        /// The ellipse.
        uncertainty_ellipse: UncertaintyEllipse,
        /// Metres.
        uncertainty_altitude: f64,
        /// Per cent.
        confidence: u32,
        /// Per cent, of the altitude.
        v_confidence: Option<u32>,
    },
    /// `ELLIPSOID_ARC`
    EllipsoidArc {
        /// The centre.
        point: GeographicalCoordinates,
        /// Metres, 0 to 327675.
        inner_radius: u32,
        /// Metres.
        uncertainty_radius: f64,
        /// Degrees.
        offset_angle: u32,
        /// Degrees.
        included_angle: u32,
        /// Per cent.
        confidence: u32,
    },
    /// Any other shape, as it came.
    Other(Value),
}

impl GeographicArea {
    /// The shape's name.
    #[must_use]
    pub fn shape(&self) -> GadShape {
        match self {
            Self::Point { .. } => GadShape::Point,
            Self::PointUncertaintyCircle { .. } => GadShape::PointUncertaintyCircle,
            Self::PointUncertaintyEllipse { .. } => GadShape::PointUncertaintyEllipse,
            Self::Polygon { .. } => GadShape::Polygon,
            Self::PointAltitude { .. } => GadShape::PointAltitude,
            Self::PointAltitudeUncertainty { .. } => GadShape::PointAltitudeUncertainty,
            Self::EllipsoidArc { .. } => GadShape::EllipsoidArc,
            Self::Other(raw) => raw.get("shape").and_then(Value::as_str).unwrap_or_default().into(),
        }
    }

    fn is_understood(shape: &str) -> bool {
        let shape = GadShape::from(shape);
        matches!(
            shape,
            GadShape::Point
                | GadShape::PointUncertaintyCircle
                | GadShape::PointUncertaintyEllipse
                | GadShape::Polygon
                | GadShape::PointAltitude
                | GadShape::PointAltitudeUncertainty
                | GadShape::EllipsoidArc
        )
    }
}

macro_rules! convert {
    ($($variant:ident { $($field:ident),+ }),+ $(,)?) => {
        impl From<Known> for GeographicArea {
            fn from(known: Known) -> Self {
                match known { $(Known::$variant { $($field),+ } => Self::$variant { $($field),+ },)+ }
            }
        }

        impl Serialize for GeographicArea {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.clone() {
                    $(Self::$variant { $($field),+ } => Known::$variant { $($field),+ }.serialize(serializer),)+
                    Self::Other(raw) => raw.serialize(serializer),
                }
            }
        }
    };
}

convert! {
    Point { point },
    PointUncertaintyCircle { point, uncertainty },
    PointUncertaintyEllipse { point, uncertainty_ellipse, confidence },
    Polygon { point_list },
    PointAltitude { point, altitude },
    PointAltitudeUncertainty { point, altitude, uncertainty_ellipse, uncertainty_altitude, confidence, v_confidence },
    EllipsoidArc { point, inner_radius, uncertainty_radius, offset_angle, included_angle, confidence },
}

impl<'de> Deserialize<'de> for GeographicArea {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let raw = Value::deserialize(deserializer)?;
        if !raw.is_object() {
            return Err(D::Error::custom("invalid type"));
        }
        match raw.get("shape") {
            Some(Value::String(shape)) if Self::is_understood(shape) => {
                Known::deserialize(raw).map(Self::from).map_err(D::Error::custom)
            }
            Some(Value::String(_)) => Ok(Self::Other(raw)),
            Some(_) => Err(D::Error::custom("invalid type")),
            None => Err(D::Error::missing_field("shape")),
        }
    }
}

impl utoipa::PartialSchema for GeographicArea {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .property("shape", GadShape::schema())
            .required("shape")
            .description(Some("An area, told apart by `shape`."))
            .into()
    }
}

impl utoipa::ToSchema for GeographicArea {}

impl Validate for GeographicArea {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let per_cent = |faults: &mut Faults, value: u32, key: &str| {
            faults.require(value <= 100, at, key, "is out of range");
        };
        match self {
            Self::Point { point } => faults.part(Some(point), at, "point"),
            Self::PointUncertaintyCircle { point, uncertainty } => {
                faults.part(Some(point), at, "point");
                faults.range(*uncertainty, 0.0, MAX_UNCERTAINTY_M, at, "uncertainty");
            }
            Self::PointUncertaintyEllipse { point, uncertainty_ellipse, confidence } => {
                faults.part(Some(point), at, "point");
                faults.part(Some(uncertainty_ellipse), at, "uncertaintyEllipse");
                per_cent(&mut faults, *confidence, "confidence");
            }
            Self::Polygon { point_list } => {
                let here = child(at, "pointList");
                let good = (MIN_POINTS..=MAX_POINTS).contains(&point_list.len());
                faults.require(good, at, "pointList", "needs 3 to 15 points");
                for (index, point) in point_list.iter().take(MAX_POINTS).enumerate() {
                    faults.merge(point.validate(&item(&here, index)));
                }
            }
            Self::PointAltitude { point, altitude } => {
                faults.part(Some(point), at, "point");
                faults.range(*altitude, ALTITUDE_M.0, ALTITUDE_M.1, at, "altitude");
            }
            Self::PointAltitudeUncertainty {
                point,
                altitude,
                uncertainty_ellipse,
                uncertainty_altitude,
                confidence,
                v_confidence,
            } => {
                faults.part(Some(point), at, "point");
                faults.range(*altitude, ALTITUDE_M.0, ALTITUDE_M.1, at, "altitude");
                faults.part(Some(uncertainty_ellipse), at, "uncertaintyEllipse");
                faults.range(*uncertainty_altitude, 0.0, MAX_UNCERTAINTY_M, at, "uncertaintyAltitude");
                per_cent(&mut faults, *confidence, "confidence");
                per_cent(&mut faults, v_confidence.unwrap_or(0), "vConfidence");
            }
            Self::EllipsoidArc {
                point,
                inner_radius,
                uncertainty_radius,
                offset_angle,
                included_angle,
                confidence,
            } => {
                faults.part(Some(point), at, "point");
                faults.require(*inner_radius <= 327_675, at, "innerRadius", "is out of range");
                faults.range(*uncertainty_radius, 0.0, MAX_UNCERTAINTY_M, at, "uncertaintyRadius");
                faults.require(*offset_angle <= 360, at, "offsetAngle", "is out of range");
                faults.require(*included_angle <= 360, at, "includedAngle", "is out of range");
                per_cent(&mut faults, *confidence, "confidence");
            }
            Self::Other(_) => {}
        }
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(raw: Value) -> Vec<String> {
        let area: GeographicArea = serde_json::from_value(raw).unwrap();
        area.validate("").err().unwrap_or_default().into_iter().map(|f| f.param).collect()
    }

    #[test]
    fn one_spoiled_member_is_named() {
        let point = json!({"lon": 180.0, "lat": -90.0});
        let points = |n: usize| json!({"shape": "POLYGON", "pointList": vec![point.clone(); n]});
        let none: [&str; 0] = [];
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Value, &[&str]); 12] = [
            ("edge of the world", json!({"shape": "POINT", "point": point}), &none),
            ("too far east", json!({"shape": "POINT", "point": {"lon": 180.000001, "lat": 0}}), &["/point/lon"]),
            ("too far south", json!({"shape": "POINT", "point": {"lon": 0, "lat": -90.000001}}), &["/point/lat"]),
            ("3 points", points(3), &none), ("15 points", points(15), &none),
            ("2 points", points(2), &["/pointList"]), ("16 points", points(16), &["/pointList"]),
            ("negative radius", json!({"shape": "POINT_UNCERTAINTY_CIRCLE", "point": point, "uncertainty": -0.1}), &["/uncertainty"]),
            ("highest", json!({"shape": "POINT_ALTITUDE", "point": point, "altitude": 32767}), &none),
            ("too high", json!({"shape": "POINT_ALTITUDE", "point": point, "altitude": 32767.5}), &["/altitude"]),
            ("confidence", json!({"shape": "POINT_UNCERTAINTY_ELLIPSE", "point": point, "confidence": 101,
                "uncertaintyEllipse": {"semiMajor": 1, "semiMinor": 1, "orientationMajor": 181}}),
                &["/uncertaintyEllipse/orientationMajor", "/confidence"]),
            ("angle", json!({"shape": "ELLIPSOID_ARC", "point": point, "innerRadius": 327676, "uncertaintyRadius": 1,
                "offsetAngle": 361, "includedAngle": 360, "confidence": 100}), &["/innerRadius", "/offsetAngle"]),
        ];
        for (what, raw, params) in rows {
            assert_eq!(faults(raw), params, "{what}");
        }
    }

    #[test]
    fn a_shape_not_known_goes_out_as_it_came() {
        let raw = json!({"shape": "TORUS", "radius": [1, 2]});
        let area: GeographicArea = serde_json::from_value(raw.clone()).unwrap();
        assert!(area.validate("").is_ok());
        assert_eq!(area.shape().as_str(), "TORUS");
        assert_eq!(serde_json::to_value(&area).unwrap(), raw);
    }

    #[test]
    fn a_known_shape_is_read_strictly() {
        for raw in [
            json!({}),
            json!({"shape": 1}),
            json!([]),
            json!({"shape": "POINT"}),
            json!({"shape": "POINT", "point": 1}),
        ] {
            assert!(serde_json::from_value::<GeographicArea>(raw.clone()).is_err(), "{raw}");
        }
    }
}
