//! From a local coordinate system to the Earth (TS 29.572 `LocalOrigin`).

use api_types::geo::{GeographicArea, GeographicalCoordinates, Local3dPointUncertaintyEllipsoid};
use geographiclib_rs::DirectGeodesic as _;

use super::{LonLat, WGS84, canonical};

/// Where a local point lies, if its origin is on the Earth: the origin's `point`, else the centre of its `area`.
///
/// The second local axis points to `horizAxesOrientation`, clockwise from north; the text leaves open which axis it
/// is. The offset is followed along the geodesic, so that neither the poles nor the antimeridian disturb.
pub fn place_of(local: &Local3dPointUncertaintyEllipsoid) -> Option<LonLat> {
    let origin = local.local_origin.point.or_else(|| centre_of(local.local_origin.area.as_ref()?))?;
    let turn_deg = f64::from(local.local_origin.horiz_axes_orientation.unwrap_or(0)) / 10.0;
    let (x, y) = (local.point.x, local.point.y);
    if x == 0.0 && y == 0.0 {
        return Some(canonical((origin.lon, origin.lat)));
    }
    let azimuth_deg = x.atan2(y).to_degrees() + turn_deg;
    let (lat, lon): (f64, f64) = WGS84.direct(origin.lat, origin.lon, azimuth_deg, x.hypot(y));
    (lat.is_finite() && lon.is_finite()).then(|| canonical((lon, lat)))
}

/// The point that a shape is around, if it is around one.
pub fn centre_of(area: &GeographicArea) -> Option<GeographicalCoordinates> {
    match area {
        GeographicArea::Point { point }
        | GeographicArea::PointAltitude { point, .. }
        | GeographicArea::PointUncertaintyCircle { point, .. }
        | GeographicArea::PointUncertaintyEllipse { point, .. }
        | GeographicArea::PointAltitudeUncertainty { point, .. } => Some(*point),
        // A polygon or an arc says where the system is used, not where it begins.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use api_types::geo::RelativeCartesianLocation;

    use super::*;
    use crate::shared::geometry::distance_and_azimuth;

    fn local(lon: f64, lat: f64, x: f64, y: f64, turn: u32) -> Local3dPointUncertaintyEllipsoid {
        let point = RelativeCartesianLocation { x, y, z: None };
        let mut local =
            Local3dPointUncertaintyEllipsoid::at("hall", GeographicalCoordinates { lon, lat }, point);
        local.local_origin.horiz_axes_orientation = Some(turn);
        local
    }

    #[test]
    fn an_offset_is_followed_from_its_origin() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, f64, f64, u32, f64, f64); 6] = [
            ("second axis is north", 0.0, 100.0, 0, 100.0, 0.0), ("first axis is east", 100.0, 0.0, 0, 100.0, 90.0),
            ("turned by 90 degrees", 0.0, 100.0, 900, 100.0, 90.0), ("both", 30.0, 40.0, 0, 50.0, 36.8699),
            ("west", -10.0, 0.0, 0, 10.0, -90.0), ("full turn", 0.0, 5.0, 3600, 5.0, 0.0),
        ];
        for (what, x, y, turn, metres, azimuth) in rows {
            let place = place_of(&local(2.35, 48.85, x, y, turn)).unwrap();
            let (got_m, got_deg) = distance_and_azimuth((2.35, 48.85), place);
            assert!(
                (got_m - metres).abs() < 1e-6 && (got_deg - azimuth).abs() < 1e-3,
                "{what}: {got_m} {got_deg}"
            );
        }
        assert_eq!(place_of(&local(2.35, 48.85, 0.0, 0.0, 0)), Some((2.35, 48.85)));
        let (lon, _) = place_of(&local(179.9999, 0.0, 100.0, 0.0, 0)).unwrap();
        assert!((-180.0..-179.9).contains(&lon), "{lon}");
        let (_, lat) = place_of(&local(0.0, 89.9999, 0.0, 100.0, 0)).unwrap();
        assert!((89.99..=90.0).contains(&lat));
    }

    #[test]
    fn without_an_origin_on_the_earth_there_is_no_place() {
        let mut without = local(0.0, 0.0, 1.0, 1.0, 0);
        without.local_origin.point = None;
        assert_eq!(place_of(&without), None);
        let point = GeographicalCoordinates { lon: 1.0, lat: 1.0 };
        without.local_origin.area = Some(GeographicArea::PointUncertaintyCircle { point, uncertainty: 5.0 });
        assert!(place_of(&without).is_some());
    }
}
