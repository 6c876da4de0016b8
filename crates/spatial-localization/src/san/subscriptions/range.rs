//! In range and out of range (TS 29.437 `RangeFilter`, `DetectedEvent`). Pure.
//!
//! What is told is the crossing. Whoever came in has left again when it is a tenth farther away than the range: at the
//! edge nobody is told again and again.

use api_types::san::RangeFilter;

use crate::shared::geometry::{LonLat, centre_of, place_of as place_of_local};

/// How much farther than the range one must be to have left. Own value.
const HYSTERESIS: f64 = 1.1;

/// How far it must be looked for whoever is still in range, in metres.
pub(super) fn reach_m(range_m: f64) -> f64 {
    range_m * HYSTERESIS
}

/// Whether something at this distance is in range, given whether it was before.
pub(super) fn is_in(distance_m: f64, range_m: f64, was_in: bool) -> bool {
    distance_m <= if was_in { reach_m(range_m) } else { range_m }
}

/// The place that a filter names: that of the pose, else that of the user. The direction of the pose does not narrow
/// the range.
pub(super) fn place_of(filter: &RangeFilter) -> Option<LonLat> {
    let pose = filter.pose.as_ref().and_then(|pose| pose.position.as_ref());
    let user = || filter.usr_loc.as_ref()?.geographic_area.as_ref();
    match pose {
        Some(local) => place_of_local(local),
        None => centre_of(user()?).map(|at| (at.lon, at.lat)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_came_in_leaves_a_tenth_farther_out() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("at the edge, from outside",        100.0, false, true),  ("just outside",                   100.1, false, false),
            ("just outside, from inside",        100.1, true,  true),  ("a tenth farther, from inside",   110.0, true,  true),
            ("more than a tenth, from inside",   110.1, true,  false), ("in the band, from outside",      105.0, false, false),
            ("there",                            0.0,   false, true),
        ];
        for (what, distance_m, was_in, expected) in rows {
            assert_eq!(is_in(distance_m, 100.0, was_in), expected, "{what}");
        }
        assert!(is_in(0.0, 0.0, false) && !is_in(0.1, 0.0, true), "a range of nothing");
    }
}
