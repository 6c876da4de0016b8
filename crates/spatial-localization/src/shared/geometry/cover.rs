//! Boxes that cover a long thin shape closely: a search reads what lies in the boxes, so that a wire of 20,000 km must
//! not be searched by the rectangle around it.

use super::GeoBox;

/// Radius of the sphere with the area of the ellipsoid, in metres.
const AUTHALIC_M: f64 = 6_371_007.2;

/// A cover so many times as large as its shape is close enough. Own value: a circle needs 1.27, a square on its tip 2.
const CLOSE: f64 = 2.5;

/// Boxes together smaller than this are not worth a further look into the index, in square metres. Own value.
const SMALL_M2: f64 = 1.0e6;

/// Halves the largest of the boxes, and keeps of each half what `within` leaves of it, until they are close to a shape
/// of `area_m2` or there are `most` of them.
pub(super) fn cover(
    mut boxes: Vec<GeoBox>,
    area_m2: f64,
    within: impl Fn(&GeoBox) -> Option<GeoBox>,
    most: usize,
) -> Vec<GeoBox> {
    // Each round halves one box; a shape that cannot be told from its boxes ends it.
    for _ in 0..most * 8 {
        let covered: f64 = boxes.iter().map(box_m2).sum();
        if boxes.len() >= most || covered <= SMALL_M2 || covered <= area_m2 * CLOSE {
            break;
        }
        let sizes = boxes.iter().map(box_m2).enumerate();
        let Some((largest, _)) = sizes.max_by(|(_, a), (_, b)| a.total_cmp(b)) else { break };
        let halves = halves(&boxes.swap_remove(largest));
        boxes.extend(halves.iter().filter_map(&within));
    }
    boxes
}

/// Square metres of a box.
fn box_m2(area: &GeoBox) -> f64 {
    let tall = area.max_lat.to_radians().sin() - area.min_lat.to_radians().sin();
    AUTHALIC_M * AUTHALIC_M * (area.max_lon - area.min_lon).to_radians() * tall
}

/// A box cut across its longer side.
fn halves(area: &GeoBox) -> [GeoBox; 2] {
    let GeoBox { min_lon, min_lat, max_lon, max_lat } = *area;
    let middle = f64::midpoint(min_lat, max_lat);
    if (max_lon - min_lon) * middle.to_radians().cos() >= max_lat - min_lat {
        let cut = f64::midpoint(min_lon, max_lon);
        [GeoBox { max_lon: cut, ..*area }, GeoBox { min_lon: cut, ..*area }]
    } else {
        [GeoBox { max_lat: middle, ..*area }, GeoBox { min_lat: middle, ..*area }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::geometry::{Arc, Ellipse, LonLat, Polygon, WGS84, canonical};
    use geographiclib_rs::DirectGeodesic as _;
    use proptest::prelude::*;

    fn beyond(from: LonLat, azimuth: f64, metres: f64) -> LonLat {
        let (lat, lon): (f64, f64) = WGS84.direct(from.1, from.0, azimuth, metres);
        canonical((lon, lat))
    }

    fn covered_m2(boxes: &[GeoBox]) -> f64 {
        boxes.iter().map(box_m2).sum()
    }

    #[test]
    fn a_wire_is_covered_closely_and_a_square_by_one_box() {
        let wire = Polygon::new(&[(-80.0, -40.0), (80.0, 40.0), (80.0, 40.000_001)]).unwrap();
        let (whole, closely) = (covered_m2(&wire.boxes()), covered_m2(&wire.search_boxes(16)));
        assert!(closely < whole / 7.0, "{closely} of {whole}");
        let square = Polygon::new(&[(2.0, 48.0), (2.1, 48.0), (2.1, 48.1), (2.0, 48.1)]).unwrap();
        assert_eq!(square.search_boxes(16), square.boxes());
        let thin =
            Ellipse { centre: (2.0, 48.0), semi_major_m: 4.0e6, semi_minor_m: 1.0, orientation_deg: 45.0 };
        assert!(covered_m2(&thin.search_boxes(16)) < covered_m2(&thin.boxes()) / 2.0);
        let ring =
            Arc { centre: (2.0, 0.0), inner_m: 1.0e6, width_m: 1.0, offset_deg: 0.0, included_deg: 360.0 };
        assert!(covered_m2(&ring.search_boxes(16)) < covered_m2(&ring.boxes()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What a shape holds, its cover holds.
        #[test]
        fn nothing_is_left_out(
            lon in -180.0..180.0_f64, lat in -90.0..90.0_f64, turn in 0.0..360.0_f64, long in 1.0..1.9e7_f64, wide in 0.1..1.0e5_f64,
            along in 0.0..1.0_f64, azimuth in 0.0..360.0_f64, most in 1..33_usize,
        ) {
            let centre = canonical((lon, lat));
            // One step of the index is its margin.
            let held = |boxes: &[GeoBox], (lon, lat): LonLat| {
                let grain = 1e-7;
                let near = |one: &GeoBox| {
                    one.min_lon - grain <= lon && lon <= one.max_lon + grain
                        && one.min_lat - grain <= lat && lat <= one.max_lat + grain
                };
                boxes.iter().any(near)
            };
            let ellipse =
                Ellipse { centre, semi_major_m: long, semi_minor_m: wide.min(long), orientation_deg: turn };
            let arc = Arc { centre, inner_m: long, width_m: wide, offset_deg: 0.0, included_deg: 360.0 };
            for direction in [turn, turn + 180.0, azimuth] {
                for metres in [along * long, along * wide, long * 0.999] {
                    let at = beyond(centre, direction, metres);
                    prop_assert!(!ellipse.holds(at) || held(&ellipse.search_boxes(most), at), "{at:?}");
                }
                let at = beyond(centre, direction, long + along * wide);
                prop_assert!(!arc.holds(at) || held(&arc.search_boxes(most), at), "{at:?}");
            }
            // Along the line between two corners, as straight as a polygon sees it.
            let corner = (lon + (azimuth - 180.0) * 0.9, (lat * 0.5 + turn / 4.0 - 45.0).clamp(-89.0, 89.0));
            if let Some(polygon) = Polygon::new(&[centre, canonical(corner), (centre.0, (centre.1 + 0.001).min(90.0))]) {
                for at in [centre, canonical(corner)] {
                    prop_assert!(!polygon.holds(at) || held(&polygon.search_boxes(most), at), "{at:?}");
                }
                let middle = canonical((lon + (azimuth - 180.0) * 0.9 * along, centre.1 + (corner.1 - centre.1) * along));
                prop_assert!(!polygon.holds(middle) || held(&polygon.search_boxes(most), middle), "{middle:?}");
            }
        }
    }
}
