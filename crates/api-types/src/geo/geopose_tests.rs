//! GeoPose: what is refused, and what is kept on the way there and back.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::strict_json;

fn good() -> Value {
    json!({
        "position": { "lat": 47.5, "lon": -122.25, "h": 0.22 },
        "quaternion": { "x": 0.0827, "y": 0.1052, "z": 0.6147, "w": -0.7773 },
    })
}

fn read(text: &str) -> Result<GeoPose, String> {
    let pose: GeoPose =
        strict_json::from_slice(text.as_bytes(), 4).map_err(|e| format!("{} {}", e.param, e.reason))?;
    pose.validate("").map_err(|faults| faults[0].param.clone())?;
    Ok(pose)
}

#[test]
fn one_spoiled_member_is_refused_by_its_name() {
    assert!(read(&good().to_string()).is_ok());
    type Spoil = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str); 17] = [
        ("no position",            |v| drop(v.as_object_mut().unwrap().remove("position")), "/position"),
        ("no quaternion",          |v| drop(v.as_object_mut().unwrap().remove("quaternion")), "/quaternion"),
        ("angles instead",         |v| { let o = v.as_object_mut().unwrap(); o.remove("quaternion"); o.insert("angles".into(), json!({"yaw": 1, "pitch": 2, "roll": 3})); }, "/quaternion"),
        ("no height",              |v| drop(v["position"].as_object_mut().unwrap().remove("h")), "/position/h"),
        ("no w",                   |v| drop(v["quaternion"].as_object_mut().unwrap().remove("w")), "/quaternion/w"),
        ("height is null",         |v| v["position"]["h"] = Value::Null, "/position/h"),
        ("latitude is text",       |v| v["position"]["lat"] = json!("47.5"), "/position/lat"),
        ("latitude just too large",|v| v["position"]["lat"] = json!(90.000_000_1), "/position/lat"),
        ("longitude too small",    |v| v["position"]["lon"] = json!(-180.000_000_1), "/position/lon"),
        ("height out of range",    |v| v["position"]["h"] = json!(32_767.5), "/position/h"),
        ("all zero",               |v| v["quaternion"] = json!({"x": 0, "y": 0, "z": 0, "w": 0}), "/quaternion"),
        ("just too long",          |v| v["quaternion"] = json!({"x": 0, "y": 0, "z": 0, "w": 1.0011}), "/quaternion"),
        ("just too short",         |v| v["quaternion"] = json!({"x": 0, "y": 0, "z": 0, "w": 0.9989}), "/quaternion"),
        ("axis and degrees",       |v| v["quaternion"] = json!({"x": 0, "y": 0, "z": 1, "w": 90}), "/quaternion"),
        ("infinite",               |v| v["quaternion"]["x"] = json!(1e308), "/quaternion"),
        ("position is a list",     |v| v["position"] = json!([47.5, -122.25, 0.22]), "/position"),
        ("no object",              |v| *v = json!([]), ""),
    ];
    for (what, spoil, param) in rows {
        let mut value = good();
        spoil(&mut value);
        let fault = read(&value.to_string()).expect_err(what);
        assert!(fault.split(' ').next() == Some(param), "{what}: {fault}");
    }
    for (what, text) in [
        ("a member twice", good().to_string().replacen("\"lat\":47.5", "\"lat\":1,\"lat\":47.5", 1)),
        ("not a number", good().to_string().replacen("47.5", "NaN", 1)),
        ("trailing bytes", format!("{} x", good())),
    ] {
        assert!(read(&text).is_err(), "{what}");
    }
    // The permissive encoding: members that the standard does not know do no harm.
    let mut more = good();
    more["validTime"] = json!(1);
    assert!(read(&more.to_string()).is_ok());
}

#[test]
fn axis_and_angle_are_no_quaternion() {
    let half = std::f64::consts::FRAC_1_SQRT_2;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Orientation, Option<Quaternion>); 7] = [
        ("quarter turn to the left", Orientation { x: 0.0, y: 0.0, z: 1.0, w: 90 },  Some(Quaternion { x: 0.0, y: 0.0, z: half, w: half })),
        ("long axis",                Orientation { x: 0.0, y: 0.0, z: 9e300, w: 90 },Some(Quaternion { x: 0.0, y: 0.0, z: half, w: half })),
        ("half turn",                Orientation { x: 1.0, y: 0.0, z: 0.0, w: 180 }, Some(Quaternion { x: 1.0, y: 0.0, z: 0.0, w: 0.0 })),
        ("full turn",                Orientation { x: 1.0, y: 0.0, z: 0.0, w: 360 }, Some(Quaternion::IDENTITY)),
        ("nothing",                  Orientation::default(),                         Some(Quaternion::IDENTITY)),
        ("no axis",                  Orientation { w: 1, ..Orientation::default() }, None),
        ("no finite axis",           Orientation { x: f64::NAN, y: 0.0, z: 0.0, w: 1 }, None),
    ];
    for (what, orientation, expected) in rows {
        let got = Quaternion::try_from(&orientation).ok();
        match (got, expected) {
            (Some(got), Some(expected)) => assert!(got.degrees_to(expected) < 1e-9, "{what}: {got:?}"),
            (got, expected) => assert_eq!(got, expected, "{what}"),
        }
    }
}

fn turn() -> impl Strategy<Value = Quaternion> {
    let part = -1.0..1.0_f64;
    (part.clone(), part.clone(), part.clone(), part)
        .prop_map(|(x, y, z, w)| Quaternion { x, y, z, w })
        .prop_filter("has a length", |q| q.norm() > 1e-3)
        .prop_map(|q| {
            let n = q.norm();
            Quaternion { x: q.x / n, y: q.y / n, z: q.z / n, w: q.w / n }
        })
}

fn pose() -> impl Strategy<Value = GeoPose> {
    (-90.0..=90.0_f64, -180.0..=180.0_f64, -500.0..9_000.0_f64, turn())
        .prop_map(|(lat, lon, h, quaternion)| GeoPose { position: GeoPosition { lat, lon, h }, quaternion })
}

proptest! {
    #[test]
    fn a_place_comes_back_exactly(pose in pose()) {
        prop_assert!(pose.validate("").is_ok());
        let location = pose.to_location("geopose:a");
        prop_assert!(location.validate("").is_ok());
        prop_assert_eq!(location.geo_position(), Some(pose.position));
    }

    #[test]
    fn a_turn_comes_back_within_half_a_degree(pose in pose()) {
        let said = pose.to_pose("geopose:a");
        prop_assert!(said.validate("").is_ok());
        let back = Quaternion::try_from(&said.orientation).unwrap();
        prop_assert!(back.degrees_to(pose.quaternion) <= 0.5 + 1e-9);
        prop_assert!((back.norm() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn whole_degrees_come_back_exactly(x in -1.0..1.0_f64, y in -1.0..1.0_f64, z in 0.1..1.0_f64, w in 0_u32..=360) {
        let turn = Quaternion::about([x, y, z], f64::from(w)).unwrap();
        let said = Orientation::from(turn);
        prop_assert_eq!(said.w % 360, w % 360);
        prop_assert!(Quaternion::try_from(&said).unwrap().degrees_to(turn) < 1e-6);
    }

    #[test]
    fn turns_add_up(a in turn(), b in turn(), c in turn()) {
        let left = a.within(b).within(c);
        let right = a.within(b.within(c));
        prop_assert!(left.degrees_to(right) < 1e-6);
        prop_assert!(a.within(Quaternion::IDENTITY).degrees_to(a) < 1e-9);
    }

    #[test]
    fn text_comes_back(pose in pose()) {
        let text = serde_json::to_vec(&pose).unwrap();
        let back: GeoPose = strict_json::from_slice(&text, 4).unwrap();
        // The reader of JSON may miss a decimal fraction by its last bit: far below a nanometre.
        let near = |a: f64, b: f64| (a - b).abs() <= a.abs() * f64::EPSILON;
        prop_assert!(near(pose.position.lat, back.position.lat) && near(pose.position.lon, back.position.lon));
        prop_assert!(near(pose.position.h, back.position.h));
        prop_assert!(pose.quaternion.degrees_to(back.quaternion) < 1e-6);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(text in "\\PC{0,80}") {
        let _ = read(&text);
    }
}
