//! Entry points for fuzzing: bytes from outside never panic.

use api_types::geo::ServiceArea;
use api_types::strict_json;
use api_types::validate::Validate;

use crate::shared::geometry::{Area, GeoBox};

/// The body of POST, PUT and PATCH.
pub fn fuzz_anchors_list(bytes: &[u8]) {
    super::input::fuzz_body(bytes);
}

/// The bodies of subscriptions and of reports of usage.
pub fn fuzz_anchors_subscription(bytes: &[u8]) {
    super::subscriptions::fuzz_body(bytes);
}

/// The parameter `cursor`.
pub fn fuzz_cursor(bytes: &[u8]) {
    crate::shared::cursor::fuzz_cursor(bytes);
}

/// Lines of an import, in bounded memory, each read strictly.
pub fn fuzz_anchor_lines(bytes: &[u8]) {
    use super::bulk::{Line, Lines};
    let mut lines = Lines::new(bytes);
    while let Ok(Some(line)) = lines.next_line() {
        let Line::Whole(line) = line else { continue };
        let _ = api_types::bulk::ExportHeader::read(line);
        let Ok(feature) = api_types::bulk::AnchorFeature::read(line, None) else { continue };
        // What was taken is written and taken again.
        let again = serde_json::to_vec(&feature).unwrap_or_default();
        let fits = again.len() <= api_types::bulk::MAX_LINE;
        let taken = api_types::bulk::AnchorFeature::read(&again, None).is_ok();
        assert!(taken || !fits, "a line that is ours is refused");
        if let Some(anchor) = &feature.properties.anchor {
            let _ = crate::shared::geo_pose::of_anchor(anchor);
        }
    }
}

/// A world anchor, and its UUID.
pub fn fuzz_world_anchor(bytes: &[u8]) {
    super::faces::fuzz_world_anchor(bytes);
}

/// A step of the spatial index.
const STEP_DEG: f64 = 1e-7;

/// The parameter `area-int`, and what is done with an area.
pub fn fuzz_area(bytes: &[u8]) {
    let Ok(area) = strict_json::from_slice::<ServiceArea>(bytes, 16) else { return };
    if area.validate("area-int").is_err() {
        return;
    }
    if let Ok(area) = Area::of(&area) {
        let (boxes, closer) = (area.boxes(), area.search_boxes());
        assert!(area.area_m2() >= 0.0);
        for place in [(0.0, 0.0), (180.0, 45.0), (-179.9, -45.0), (0.0, 90.0), (0.0, -90.0)] {
            // What the shape holds, a box holds: the index leaves nothing out. It has a step of margin for rounding.
            let near = |one: &GeoBox| {
                let steps =
                    [(0.0, 0.0), (STEP_DEG, 0.0), (-STEP_DEG, 0.0), (0.0, STEP_DEG), (0.0, -STEP_DEG)];
                steps.iter().any(|(x, y)| one.holds((place.0 + x, place.1 + y)))
            };
            assert!(!area.holds(place) || boxes.iter().any(near), "outside of every box");
            assert!(!area.holds(place) || closer.iter().any(near), "outside of the closer boxes");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn shape() -> impl Strategy<Value = serde_json::Value> {
        let edge = prop_oneof![Just(0.0), Just(180.0), Just(-180.0), Just(179.999), -180.0..180.0];
        let height = prop_oneof![Just(90.0), Just(-90.0), Just(0.0), Just(89.999), -90.0..90.0];
        let point = (edge, height).prop_map(|(lon, lat)| json!({ "lon": lon, "lat": lat }));
        let metres = prop_oneof![Just(0.0), 0.0..100.0, 0.0..2.0e6];
        prop_oneof![
            point.clone().prop_map(|point| json!({ "shape": "POINT", "point": point })),
            (point.clone(), metres.clone()).prop_map(|(point, radius)| {
                json!({ "shape": "POINT_UNCERTAINTY_CIRCLE", "point": point, "uncertainty": radius })
            }),
            (point.clone(), metres.clone(), metres.clone(), 0..=180_u32).prop_map(|(point, a, b, turn)| json!({
                "shape": "POINT_UNCERTAINTY_ELLIPSE", "point": point, "confidence": 90,
                "uncertaintyEllipse": { "semiMajor": a, "semiMinor": b, "orientationMajor": turn },
            })),
            (point.clone(), 0..327_675_u32, metres, 0..=360_u32, 0..=360_u32).prop_map(
                |(point, inner, width, offset, included)| json!({
                    "shape": "ELLIPSOID_ARC", "point": point, "innerRadius": inner, "uncertaintyRadius": width,
                    "offsetAngle": offset, "includedAngle": included, "confidence": 90,
                })
            ),
            prop::collection::vec(point, 3..=15).prop_map(|points| json!({ "shape": "POLYGON", "pointList": points })),
        ]
    }

    proptest! {
        #[test]
        fn no_area_panics_or_leaves_its_boxes(shapes in prop::collection::vec(shape(), 1..4)) {
            fuzz_area(json!({ "geoServAr": { "geoArs": shapes } }).to_string().as_bytes());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text in "[\\[\\]{}\":,a-z0-9.-]{0,60}") {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                fuzz_area(bytes);
                fuzz_anchors_list(bytes);
            }
        }
    }
}
