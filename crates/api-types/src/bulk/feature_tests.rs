//! Lines of an import: good ones, and what is said of bad ones.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn good() -> Value {
    json!({
        "type": "Feature",
        "id": 17,
        "geometry": { "type": "Point", "coordinates": [2.35, 48.85, 35.0] },
        "properties": {
            "list": "l1", "label": "a1", "incarnation": "12", "listIncarnation": "9223372036854775807",
            "owner": { "issuer": "https://sim.example", "subject": "vs-1", "kind": "CLIENT" },
            "valServInfo": { "serviceId": "museum-guide", "endPt": { "uri": "https://val.example/guide" } },
            "anchor": { "posInfo": { "spaMapPos": { "spaMapId": "17" } }, "rules": { "valServiceList": ["s"] } },
        },
    })
}

fn defaults() -> ImportDefaults {
    ImportDefaults {
        owner: OwnerRef { issuer: None, subject: "vs-1".into(), kind: OwnerKind::Client },
        service_id: "museum-guide".parse().unwrap(),
        end_pt: "https://val.example/guide".into(),
    }
}

#[test]
fn one_spoiled_member_is_named() {
    assert!(AnchorFeature::read(good().to_string().as_bytes(), None).is_ok());
    type Spoil = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str); 16] = [
        ("another type",         |v| v["type"] = json!("FeatureCollection"), "/type"),
        ("no geometry member",   |v| drop(v["properties"].as_object_mut().unwrap().remove("anchor")), ""),
        ("negative id",          |v| v["id"] = json!(-1), "/id"),
        ("text id",              |v| v["id"] = json!("17"), "/id"),
        ("too large an id",      |v| v["id"] = json!(4_294_967_296_u64), "/id"),
        ("a line",               |v| v["geometry"]["type"] = json!("LineString"), "/geometry/type"),
        ("one coordinate",       |v| v["geometry"]["coordinates"] = json!([1]), "/geometry/coordinates"),
        ("latitude first",       |v| v["geometry"]["coordinates"] = json!([48.85, 200.0]), "/geometry/coordinates"),
        ("a path as list",       |v| v["properties"]["list"] = json!("../x"), "/properties/list"),
        ("an empty label",       |v| v["properties"]["label"] = json!(""), "/properties/label"),
        ("a control character",  |v| v["properties"]["label"] = json!("a\u{1}"), "/properties/label"),
        ("a negative life",      |v| v["properties"]["incarnation"] = json!("-1"), "/properties/incarnation"),
        ("a life with a zero",   |v| v["properties"]["incarnation"] = json!("012"), "/properties/incarnation"),
        ("no owner",             |v| drop(v["properties"].as_object_mut().unwrap().remove("owner")), "/properties/owner"),
        ("owner is a robot",     |v| v["properties"]["owner"]["kind"] = json!("ROBOT"), "/properties/owner/kind"),
        ("empty rules",          |v| v["properties"]["anchor"]["rules"] = json!({}), "/properties/anchor/rules"),
    ];
    for (what, spoil, param) in rows {
        let mut line = good();
        spoil(&mut line);
        let got = AnchorFeature::read(line.to_string().as_bytes(), None);
        if param.is_empty() {
            assert!(got.is_ok(), "{what}: the geometry makes an anchor");
            continue;
        }
        assert_eq!(got.expect_err(what).param, param, "{what}");
    }
    let whole = good().to_string();
    for (what, line) in [
        ("nothing", String::new()),
        ("a member twice", whole.replacen("\"id\":17", "\"id\":17,\"id\":18", 1)),
        ("cut off", whole[..whole.len() - 1].to_owned()),
        ("two objects", format!("{whole}{whole}")),
        ("too long", format!("{whole}{}", " ".repeat(MAX_LINE))),
        ("too deep", format!("{}{}", "[".repeat(50), "]".repeat(50))),
    ] {
        let error = AnchorFeature::read(line.as_bytes(), None).expect_err(what);
        assert_eq!(error.param, "", "{what}");
    }
}

#[test]
fn a_plain_feature_is_an_anchor_by_what_the_operator_says() {
    let plain = json!({
        "type": "Feature", "geometry": { "type": "Point", "coordinates": [2.35, 48.85] },
        "properties": { "name": "door", "colour": "red" },
    });
    assert!(AnchorFeature::read(plain.to_string().as_bytes(), None).is_err(), "nobody owns it");
    let read = AnchorFeature::read(plain.to_string().as_bytes(), Some(&defaults())).unwrap();
    let anchor = read.properties.anchor.unwrap();
    assert_eq!(anchor.name.as_deref(), Some("door"));
    let place = anchor.pos_info.pos.unwrap().geo_position().unwrap();
    assert_eq!((place.lon, place.lat, place.h), (2.35, 48.85, 0.0));
    let nowhere = json!({ "type": "Feature", "geometry": null, "properties": { "name": "door" } });
    let error = AnchorFeature::read(nowhere.to_string().as_bytes(), Some(&defaults())).unwrap_err();
    assert_eq!(error.param, "/properties/anchor");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = AnchorFeature::read(&bytes, Some(&defaults()));
    }

    #[test]
    fn no_change_of_a_line_makes_the_reader_panic(at in 0_usize..600, byte in any::<u8>(), cut in 0_usize..40) {
        let mut line = good().to_string().into_bytes();
        let at = at % line.len();
        line[at] = byte;
        line.drain(at..(at + cut).min(line.len()));
        let _ = AnchorFeature::read(&line, None);
    }

    #[test]
    fn a_feature_comes_back(lon in -180.0..=180.0_f64, lat in -90.0..=90.0_f64, h in -99.0..999.0_f64, id in any::<u32>()) {
        let mut line = good();
        line["id"] = json!(id);
        line["geometry"]["coordinates"] = json!([lon, lat, h]);
        let once = AnchorFeature::read(line.to_string().as_bytes(), None).unwrap();
        let again = AnchorFeature::read(&serde_json::to_vec(&once).unwrap(), None).unwrap();
        prop_assert_eq!(&once.properties, &again.properties);
        prop_assert_eq!(once.id, again.id);
    }
}
