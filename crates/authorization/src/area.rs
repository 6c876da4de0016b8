//! Points and areas on the ground, as far as rules need them (TS 29.572 `Polygon`, `PointUncertaintyCircle`).

use api_types::geo::{GeographicArea, GeographicalCoordinates, ServiceArea};
use api_types::problem::InvalidParam;

/// Mean radius of the Earth, in metres (IUGG).
const EARTH_M: f64 = 6_371_008.8;

/// A place in WGS 84 degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// -180 to 180.
    pub lon: f64,
    /// -90 to 90.
    pub lat: f64,
}

impl Point {
    /// A place.
    #[must_use]
    pub const fn new(lon: f64, lat: f64) -> Self {
        Self { lon, lat }
    }
}

/// One shape. Its border belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// From west to east, across the antimeridian where `west > east`.
    Box {
        /// Western border.
        west: f64,
        /// Southern border.
        south: f64,
        /// Eastern border.
        east: f64,
        /// Northern border.
        north: f64,
    },
    /// A simple ring, closed or not, whose edges are straight in longitude and latitude.
    Polygon(Vec<Point>),
    /// Everything within so many metres.
    Circle {
        /// Centre.
        centre: Point,
        /// Radius in metres.
        radius_m: f64,
    },
}

/// Shapes, of which any counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Area(pub Vec<Shape>);

impl Area {
    /// Whether the place lies in the area.
    #[must_use]
    pub fn contains(&self, place: Point) -> bool {
        self.0.iter().any(|shape| shape.contains(place))
    }
}

impl From<GeographicalCoordinates> for Point {
    fn from(point: GeographicalCoordinates) -> Self {
        Self::new(point.lon, point.lat)
    }
}

impl Area {
    /// Reads an area that decides here: points, circles and polygons. What cannot be decided exactly, such as cells,
    /// civic addresses or other shapes, is refused rather than guessed.
    ///
    /// # Errors
    /// The members, below `at`, that cannot decide.
    pub fn from_service_area(area: &ServiceArea, at: &str) -> Result<Self, Vec<InvalidParam>> {
        const WHY: &str = "cannot decide here; use POINT, POINT_UNCERTAINTY_CIRCLE or POLYGON";
        let mut faults = Vec::new();
        if area.top_serv_ar.is_some() {
            faults.push(InvalidParam::new(format!("{at}/topServAr"), WHY));
        }
        let geographical = area.geo_serv_ar.as_ref();
        if geographical.is_some_and(|area| area.civic_addrs.is_some()) {
            faults.push(InvalidParam::new(format!("{at}/geoServAr/civicAddrs"), WHY));
        }
        let mut shapes = Vec::new();
        let areas = geographical.and_then(|area| area.geo_ars.as_deref()).unwrap_or_default();
        for (index, area) in areas.iter().enumerate() {
            match Shape::from_geographic_area(area) {
                Some(shape) => shapes.push(shape),
                None => faults.push(InvalidParam::new(format!("{at}/geoServAr/geoArs/{index}"), WHY)),
            }
        }
        if shapes.is_empty() && faults.is_empty() {
            faults.push(InvalidParam::new(at, "needs an area in geoServAr"));
        }
        if faults.is_empty() { Ok(Self(shapes)) } else { Err(faults) }
    }
}

impl Shape {
    fn from_geographic_area(area: &GeographicArea) -> Option<Self> {
        match area {
            GeographicArea::Point { point } => Some(Self::Circle { centre: (*point).into(), radius_m: 0.0 }),
            GeographicArea::PointUncertaintyCircle { point, uncertainty } => {
                Some(Self::Circle { centre: (*point).into(), radius_m: *uncertainty })
            }
            GeographicArea::Polygon { point_list } => {
                Some(Self::Polygon(point_list.iter().map(|point| (*point).into()).collect()))
            }
            _ => None,
        }
    }

    /// Whether the place lies in the shape. A place that is no number lies nowhere.
    #[must_use]
    pub fn contains(&self, place: Point) -> bool {
        match self {
            Self::Box { west, south, east, north } => {
                let between = if west <= east {
                    (*west..=*east).contains(&place.lon)
                } else {
                    place.lon >= *west || place.lon <= *east
                };
                between && (*south..=*north).contains(&place.lat)
            }
            Self::Polygon(ring) => polygon_contains(ring, place),
            Self::Circle { centre, radius_m } => distance_m(*centre, place) <= *radius_m,
        }
    }
}

/// The longitude nearest to `near` that means the same meridian.
fn unwrap(lon: f64, near: f64) -> f64 {
    lon - 360.0 * ((lon - near) / 360.0).round()
}

/// Even-odd rule, with every longitude unwrapped around the place, so that a ring may cross the antimeridian. A ring
/// around a pole is not a ring here.
fn polygon_contains(ring: &[Point], place: Point) -> bool {
    let (Some(first), true) = (ring.first(), ring.len() >= 3) else { return false };
    if !place.lon.is_finite() || !place.lat.is_finite() {
        return false;
    }
    // Each corner is the nearest to the one before, and the place is tried at the three meridians that mean it.
    let mut corners = Vec::with_capacity(ring.len());
    let mut near = first.lon;
    for corner in ring {
        near = unwrap(corner.lon, near);
        corners.push(Point::new(near, corner.lat));
    }
    [-360.0, 0.0, 360.0].iter().any(|turn| flat_contains(&corners, Point::new(place.lon + turn, place.lat)))
}

fn flat_contains(ring: &[Point], place: Point) -> bool {
    let mut inside = false;
    let mut from = ring[ring.len() - 1];
    for &to in ring {
        let cross =
            (to.lon - from.lon) * (place.lat - from.lat) - (to.lat - from.lat) * (place.lon - from.lon);
        let within = |a: f64, b: f64, x: f64| x >= a.min(b) && x <= a.max(b);
        if cross == 0.0 && within(from.lon, to.lon, place.lon) && within(from.lat, to.lat, place.lat) {
            return true;
        }
        if (from.lat > place.lat) != (to.lat > place.lat) {
            let at = from.lon + (place.lat - from.lat) / (to.lat - from.lat) * (to.lon - from.lon);
            inside ^= place.lon < at;
        }
        from = to;
    }
    inside
}

/// Great-circle distance in metres (haversine).
#[must_use]
pub fn distance_m(a: Point, b: Point) -> f64 {
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let h = half(b.lat - a.lat) + a.lat.to_radians().cos() * b.lat.to_radians().cos() * half(b.lon - a.lon);
    2.0 * EARTH_M * h.min(1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(corners: &[(f64, f64)]) -> Shape {
        Shape::Polygon(corners.iter().map(|(lon, lat)| Point::new(*lon, *lat)).collect())
    }

    #[test]
    fn places_lie_in_shapes() {
        let square = ring(&[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]);
        let closed = ring(&[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0)]);
        let bay = ring(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0)]);
        let dateline = ring(&[(179.0, 0.0), (-179.0, 0.0), (-179.0, 2.0), (179.0, 2.0)]);
        let bounds = Shape::Box { west: 0.0, south: 0.0, east: 2.0, north: 2.0 };
        let wrapped = Shape::Box { west: 179.0, south: 0.0, east: -179.0, north: 2.0 };
        let circle = Shape::Circle { centre: Point::new(0.0, 0.0), radius_m: 111_200.0 };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("inside", &square, (1.0, 1.0), true), ("edge", &square, (2.0, 1.0), true), ("corner", &square, (0.0, 0.0), true),
            ("outside", &square, (2.000_001, 1.0), false), ("level with a corner", &square, (3.0, 2.0), false),
            ("left, level with a corner", &square, (-1.0, 0.0), false),
            ("closed ring", &closed, (1.0, 1.0), true), ("outside closed ring", &closed, (-1.0, 1.0), false),
            ("in the bay", &bay, (2.0, 2.0), false), ("beside the bay", &bay, (0.5, 2.0), true),
            ("east of the antimeridian", &dateline, (-179.5, 1.0), true), ("west of it", &dateline, (179.5, 1.0), true),
            ("on it", &dateline, (180.0, 1.0), true), ("far from it", &dateline, (0.0, 1.0), false),
            ("box", &bounds, (2.0, 2.0), true), ("outside box", &bounds, (2.1, 1.0), false), ("above box", &bounds, (1.0, 2.1), false),
            ("wrapped box", &wrapped, (-179.5, 1.0), true), ("outside wrapped box", &wrapped, (0.0, 1.0), false),
            ("circle", &circle, (0.0, 1.0), true), ("outside circle", &circle, (0.0, 1.001), false),
            ("nowhere", &square, (f64::NAN, 1.0), false), ("nowhere in a box", &bounds, (1.0, f64::NAN), false),
            ("nowhere in a circle", &circle, (f64::NAN, 0.0), false),
        ];
        for (what, shape, (lon, lat), expected) in rows {
            assert_eq!(shape.contains(Point::new(lon, lat)), expected, "{what}");
            assert_eq!(Area(vec![shape.clone()]).contains(Point::new(lon, lat)), expected, "{what}");
        }
        assert!(!Area::default().contains(Point::new(0.0, 0.0)));
        assert!(!ring(&[(0.0, 0.0), (1.0, 1.0)]).contains(Point::new(0.5, 0.5)), "two corners");
    }

    #[test]
    fn areas_are_read_or_refused() {
        let read = |area: serde_json::Value| {
            Area::from_service_area(&serde_json::from_value(area).unwrap(), "/area")
        };
        let point = serde_json::json!({ "lon": 1.0, "lat": 1.0 });
        let corners =
            serde_json::json!([{ "lon": 0, "lat": 0 }, { "lon": 2, "lat": 0 }, { "lon": 2, "lat": 2 }]);
        let area = read(serde_json::json!({ "geoServAr": { "geoArs": [
            { "shape": "POINT_UNCERTAINTY_CIRCLE", "point": point, "uncertainty": 10.0 },
            { "shape": "POLYGON", "pointList": corners }, { "shape": "POINT", "point": point },
        ] } }));
        assert_eq!(area.unwrap().0.len(), 3);
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("nothing", serde_json::json!({}), "/area"),
            ("no shape", serde_json::json!({ "geoServAr": { "geoArs": [] } }), "/area"),
            ("cells", serde_json::json!({ "topServAr": { "tais": [{}] } }), "/area/topServAr"),
            ("address", serde_json::json!({ "geoServAr": { "civicAddrs": [{}] } }), "/area/geoServAr/civicAddrs"),
            ("unknown shape", serde_json::json!({ "geoServAr": { "geoArs": [{ "shape": "STAR" }] } }), "/area/geoServAr/geoArs/0"),
        ];
        for (what, area, at) in rows {
            let faults = read(area).unwrap_err();
            assert_eq!(faults.iter().map(|fault| fault.param.as_str()).collect::<Vec<_>>(), [at], "{what}");
        }
    }
}
