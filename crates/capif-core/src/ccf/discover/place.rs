//! Where a discoverer would like its API exposing function to be (`preferred-aef-loc`). A wish orders the answer and
//! leaves nothing out (TS 29.222 clause 8.11 has it ignored where nothing matches).

use api_types::capif::profile::AefLocation;
use api_types::geo::{GeographicArea, GeographicalCoordinates};
use serde_json::Value;

/// Metres of a degree of latitude.
const METRES_OF_A_DEGREE: f64 = 111_320.0;

/// Whether a function is where it is wished: each member of the wish holds.
pub(crate) fn is_at(published: Option<&AefLocation>, wish: &AefLocation) -> bool {
    let Some(published) = published else { return false };
    let civic = wish
        .civic_addr
        .as_ref()
        .is_none_or(|wish| published.civic_addr.as_ref().is_some_and(|address| holds_all(address, wish)));
    let centre = wish.dc_id.is_none() || wish.dc_id == published.dc_id;
    let area = wish
        .geo_area
        .as_ref()
        .is_none_or(|wish| published.geo_area.as_ref().is_some_and(|area| near(area, wish)));
    civic && centre && area
}

/// Whether every line of the wished address stands in the other.
fn holds_all(address: &Value, wish: &Value) -> bool {
    let mut lines = wish.as_object().into_iter().flatten();
    lines.all(|(name, line)| address.get(name) == Some(line))
}

/// Whether two areas may overlap, by the frames around them: enough to order an answer.
fn near(one: &GeographicArea, two: &GeographicArea) -> bool {
    matches!((Frame::around(one), Frame::around(two)), (Some(one), Some(two)) if one.meets(&two))
}

/// A frame of degrees; the east may be beyond 180.
struct Frame {
    south: f64,
    north: f64,
    west: f64,
    east: f64,
}

impl Frame {
    /// `None` for a shape without a place on the Earth.
    fn around(area: &GeographicArea) -> Option<Self> {
        let (points, reach_m): (&[GeographicalCoordinates], f64) = match area {
            GeographicArea::Point { point } | GeographicArea::PointAltitude { point, .. } => {
                (std::slice::from_ref(point), 0.0)
            }
            GeographicArea::PointUncertaintyCircle { point, uncertainty } => {
                (std::slice::from_ref(point), *uncertainty)
            }
            GeographicArea::PointUncertaintyEllipse { point, uncertainty_ellipse, .. }
            | GeographicArea::PointAltitudeUncertainty { point, uncertainty_ellipse, .. } => {
                (std::slice::from_ref(point), uncertainty_ellipse.semi_major)
            }
            GeographicArea::EllipsoidArc { point, inner_radius, uncertainty_radius, .. } => {
                (std::slice::from_ref(point), f64::from(*inner_radius) + uncertainty_radius)
            }
            GeographicArea::Polygon { point_list } => (point_list, 0.0),
            GeographicArea::Other(_) => return None,
        };
        let first = points.first()?;
        let (mut south, mut north, mut west, mut east) = (first.lat, first.lat, first.lon, first.lon);
        for point in points {
            (south, north) = (south.min(point.lat), north.max(point.lat));
            (west, east) = (west.min(point.lon), east.max(point.lon));
        }
        if east - west > 180.0 {
            // The short way round crosses the antimeridian: western longitudes count on from 180.
            let beyond =
                points.iter().map(|point| if point.lon < 0.0 { point.lon + 360.0 } else { point.lon });
            (west, east) =
                beyond.fold((f64::MAX, f64::MIN), |(west, east), lon| (west.min(lon), east.max(lon)));
        }
        let high = reach_m / METRES_OF_A_DEGREE;
        let wide = high / south.abs().max(north.abs()).min(89.0).to_radians().cos();
        Some(Self { south: south - high, north: north + high, west: west - wide, east: east + wide })
    }

    fn meets(&self, other: &Self) -> bool {
        let round = |turn: f64| self.west <= other.east + turn && other.west + turn <= self.east;
        self.south <= other.north && other.south <= self.north && [-360.0, 0.0, 360.0].into_iter().any(round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_of_a_wish_must_hold() {
        let circle = |lon: f64, lat: f64, metres: f64| json!({ "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": lon, "lat": lat }, "uncertainty": metres });
        let polygon = |points: &[(f64, f64)]| {
            let points: Vec<_> = points.iter().map(|(lon, lat)| json!({ "lon": lon, "lat": lat })).collect();
            json!({ "shape": "POLYGON", "pointList": points })
        };
        let madrid = json!({ "civicAddr": { "country": "ES", "A3": "Madrid" }, "dcId": "dc-1", "geoArea": circle(-3.7, 40.4, 1000.0) });
        let fiji = json!({ "geoArea": polygon(&[(179.5, -17.0), (-179.5, -17.0), (180.0, -16.0)]) });
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (&madrid, json!({}), true),
            (&madrid, json!({ "dcId": "dc-1" }), true),
            (&madrid, json!({ "dcId": "dc-2" }), false),
            (&madrid, json!({ "civicAddr": { "country": "ES" } }), true),
            (&madrid, json!({ "civicAddr": { "country": "ES", "A3": "Soria" } }), false),
            (&madrid, json!({ "civicAddr": { "country": "ES", "A6": "Gran Via" } }), false),
            (&madrid, json!({ "geoArea": circle(-3.7, 40.4, 0.0) }), true),
            (&madrid, json!({ "geoArea": circle(-3.7, 40.45, 5000.0) }), true),
            (&madrid, json!({ "geoArea": circle(-3.7, 41.4, 5000.0) }), false),
            (&madrid, json!({ "geoArea": circle(-3.7, 40.4, 0.0), "dcId": "dc-2" }), false),
            (&madrid, json!({ "geoArea": { "shape": "LOCAL_2D_POINT_UNCERTAINTY_ELLIPSE" } }), false),
            (&fiji, json!({ "geoArea": circle(-179.9, -16.5, 10.0) }), true),
            (&fiji, json!({ "geoArea": circle(179.9, -16.5, 10.0) }), true),
            (&fiji, json!({ "geoArea": circle(0.0, -16.5, 10.0) }), false),
            (&fiji, json!({ "dcId": "dc-1" }), false),
        ];
        for (published, wish, fits) in rows {
            let published: AefLocation = serde_json::from_value(published.clone()).unwrap();
            let read: AefLocation = serde_json::from_value(wish.clone()).unwrap();
            assert_eq!(is_at(Some(&published), &read), fits, "{wish}");
        }
        assert!(!is_at(None, &AefLocation::default()));
    }
}
