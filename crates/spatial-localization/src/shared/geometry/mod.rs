//! Places and areas on the WGS 84 ellipsoid (TS 23.032 shapes as TS 29.572 spells them).
//!
//! Distances and areas are geodesic. The edges of a polygon are straight in longitude and latitude, the way that the
//! indexes of both engines see them; across the antimeridian and around a pole they are followed, not cut.

mod area;
mod cover;
mod origin;
mod polygon;
mod round;

use std::sync::LazyLock;

use geographiclib_rs::{Geodesic, InverseGeodesic as _};

pub use area::{Area, AreaError, Shape};
pub use origin::{centre_of, place_of};
pub use polygon::Polygon;
pub(crate) use round::circle_around;
pub use round::{Arc, Ellipse};
pub use store::spatial_index::GeoBox;

/// Longitude and latitude in degrees.
pub type LonLat = (f64, f64);

/// The ellipsoid, made once.
pub(crate) static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// One name for each place: longitude in (-180, 180], and 0 at a pole.
pub fn canonical((lon, lat): LonLat) -> LonLat {
    if lat.abs() >= 90.0 {
        return (0.0, 90_f64.copysign(lat));
    }
    if lon > -180.0 && lon <= 180.0 {
        return (lon, lat);
    }
    let turned = (lon + 180.0).rem_euclid(360.0);
    (if turned == 0.0 { 180.0 } else { turned - 180.0 }, lat)
}

/// Metres between two places, and the azimuth at the first in degrees clockwise from north.
pub fn distance_and_azimuth(from: LonLat, to: LonLat) -> (f64, f64) {
    let (s12, azi1, _azi2, _a12): (f64, f64, f64, f64) = WGS84.inverse(from.1, from.0, to.1, to.0);
    (s12, azi1)
}

/// Boxes for an interval of longitudes that may run over the antimeridian, and one of latitudes.
pub(crate) fn boxes(west: f64, east: f64, south: f64, north: f64) -> Vec<GeoBox> {
    let (south, north) = (south.max(-90.0), north.min(90.0));
    let piece = |min_lon: f64, max_lon: f64| GeoBox { min_lon, min_lat: south, max_lon, max_lat: north };
    if east - west >= 360.0 {
        return vec![piece(-180.0, 180.0)];
    }
    let start = (west + 180.0).rem_euclid(360.0) - 180.0;
    let end = start + (east - west);
    let mut pieces = match end > 180.0 {
        true => vec![piece(start, 180.0), piece(-180.0, end - 360.0)],
        false => vec![piece(start, end)],
    };
    // Places on the antimeridian itself are kept as +180.
    if start <= -180.0 && end < 180.0 {
        pieces.push(piece(180.0, 180.0));
    }
    // A pole is kept at longitude 0, and every box that reaches it holds it.
    for pole in [-90.0, 90.0] {
        let reaches = (pole < 0.0 && south <= -90.0) || (pole > 0.0 && north >= 90.0);
        let at_pole = GeoBox { min_lon: 0.0, min_lat: pole, max_lon: 0.0, max_lat: pole };
        if reaches && !pieces.iter().any(|piece| piece.holds((0.0, pole))) {
            pieces.push(at_pole);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_name() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(LonLat, LonLat); 6] = [
            ((2.0, 48.0), (2.0, 48.0)), ((-180.0, 10.0), (180.0, 10.0)), ((180.0, 10.0), (180.0, 10.0)),
            ((190.0, 0.0), (-170.0, 0.0)), ((77.0, 90.0), (0.0, 90.0)), ((-3.0, -90.0), (0.0, -90.0)),
        ];
        for (from, to) in rows {
            assert_eq!(canonical(from), to, "{from:?}");
        }
    }

    #[test]
    fn boxes_are_cut_at_the_antimeridian() {
        let held = |boxes: &[GeoBox], at| boxes.iter().any(|b| b.holds(at));
        let over = boxes(179.0, 181.0, -1.0, 1.0);
        assert_eq!(over.len(), 2);
        for (lon, inside) in [(179.5, true), (180.0, true), (-179.5, true), (178.9, false), (-178.9, false)] {
            assert_eq!(held(&over, (lon, 0.0)), inside, "{lon}");
        }
        // The same interval, named from the other side.
        assert!(held(&boxes(-181.0, -179.0, -1.0, 1.0), (179.5, 0.0)));
        assert!(held(&boxes(-180.0, -179.0, -1.0, 1.0), (180.0, 0.0)), "the antimeridian is kept as +180");
        assert_eq!(boxes(-200.0, 200.0, 0.0, 1.0).len(), 1);
        assert!(held(&boxes(10.0, 11.0, 89.0, 95.0), (0.0, 90.0)), "a pole has every longitude");
    }
}
