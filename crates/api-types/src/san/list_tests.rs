use serde_json::json;

use super::*;
use crate::strict_json::Kind;

/// A body of the shape of the published API, with every member somewhere.
fn body() -> Value {
    json!({
        "valServInfo": {"serviceId": "museum-guide", "endPt": {"uri": "https://val.example/guide", "port": 65535},
            "servConInfo": {"dnn": "internet", "dnais": ["d1"]}},
        "anchors": {"a1": {
            "posInfo": {
                "pos": {"shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
                    "localOrigin": {"coordinateId": "hall-1", "point": {"lon": 2.35, "lat": 48.85}, "horizAxesOrientation": 0},
                    "point": {"x": 3.2, "y": 1.1, "z": 1.6},
                    "uncertaintyEllipsoid": {"semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0},
                    "confidence": 90},
                "spaMapPos": {"spaMapId": "17", "spaMapLayerId": ["floor-0"], "localInfo": {"localInfo": "by the door"}}},
            "specInfo": "eyJ0aXRsZSI6IngifQ==",
            "svcArea": {"geoServAr": {"geoArs": [{"shape": "POINT", "point": {"lon": 2.35, "lat": 48.85}}]}},
            "rules": {"allowedEntities": [{"type": "VAL_CLIENT", "identifier": "client-9"}, {"type": "VAL_SERVER"}],
                "valServiceList": ["museum-guide"]},
            "visibility": "RESTRICTED",
            "timePeriod": {"startTime": "2026-01-01T00:00:00Z", "stopTime": "2027-01-01T00:00:00Z"},
            "premises": "hall 1", "name": "door", "personalDataRequired": ["location"],
            "servInfos": [{"servInfoId": "s1", "info": "x"}]
        }},
        "suppFeat": "1"
    })
}

fn read(value: Value) -> Result<SpatialAnchorsList, Vec<InvalidParam>> {
    let list: SpatialAnchorsList = strict_json::from_value(value).map_err(|error| error.invalid())?;
    list.validate("").map(|()| list)
}

#[test]
fn a_full_body_goes_through_unchanged() {
    let list = read(body()).unwrap();
    assert_eq!(serde_json::to_value(&list).unwrap(), body());
    assert_eq!(
        list.anchors["a1"].pos_info.spa_map_pos.as_ref().unwrap().map_id(),
        Some(crate::ids::SpatialMapId(17))
    );
}

#[test]
fn one_spoiled_member_is_named_and_its_value_is_not() {
    let secret = "SECRET\u{7}";
    let long = |n: usize| json!("x".repeat(n));
    let a1 = "/anchors/a1";
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, &str, Value, String)> = vec![
        ("service with blank", "/valServInfo/serviceId", json!("SECRET SECRET"), "/valServInfo/serviceId".into()),
        ("no end point", "/valServInfo/endPt", json!({}), "/valServInfo/endPt".into()),
        ("two end points", "/valServInfo/endPt", json!({"uri": "https://a.example", "ipv4Addr": "192.0.2.1"}), "/valServInfo/endPt".into()),
        ("port", "/valServInfo/endPt/port", json!(65536), "/valServInfo/endPt/port".into()),
        ("no connection", "/valServInfo/servConInfo", json!({}), "/valServInfo/servConInfo".into()),
        ("no anchors", "/anchors", json!({}), "/anchors".into()),
        ("anchors a list", "/anchors", json!([]), "/anchors".into()),
        ("no position", "/anchors/a1/posInfo", json!({}), format!("{a1}/posInfo")),
        ("longitude", "/anchors/a1/posInfo/pos/localOrigin/point/lon", json!(180.1), format!("{a1}/posInfo/pos/localOrigin/point/lon")),
        ("latitude", "/anchors/a1/posInfo/pos/localOrigin/point/lat", json!(-90.1), format!("{a1}/posInfo/pos/localOrigin/point/lat")),
        ("confidence", "/anchors/a1/posInfo/pos/confidence", json!(101), format!("{a1}/posInfo/pos/confidence")),
        ("map id", "/anchors/a1/posInfo/spaMapPos/spaMapId", json!(secret), format!("{a1}/posInfo/spaMapPos/spaMapId")),
        ("no layer", "/anchors/a1/posInfo/spaMapPos/spaMapLayerId", json!([]), format!("{a1}/posInfo/spaMapPos/spaMapLayerId")),
        ("no base64", "/anchors/a1/specInfo", json!("SECRET?"), format!("{a1}/specInfo")),
        ("long base64", "/anchors/a1/specInfo", long(super::super::MAX_SPEC_INFO + 4), format!("{a1}/specInfo")),
        ("no rules", "/anchors/a1/rules", json!({}), format!("{a1}/rules")),
        ("empty entities", "/anchors/a1/rules/allowedEntities", json!([]), format!("{a1}/rules/allowedEntities")),
        ("empty entity", "/anchors/a1/rules/allowedEntities/0", json!({}), format!("{a1}/rules/allowedEntities/0")),
        ("empty services", "/anchors/a1/rules/valServiceList", json!([]), format!("{a1}/rules/valServiceList")),
        ("visibility", "/anchors/a1/visibility", json!("SECRET"), format!("{a1}/visibility")),
        ("period", "/anchors/a1/timePeriod/stopTime", json!("2026-01-01T00:00:00Z"), format!("{a1}/timePeriod/stopTime")),
        ("no time", "/anchors/a1/timePeriod/stopTime", json!("SECRET"), format!("{a1}/timePeriod/stopTime")),
        ("premises", "/anchors/a1/premises", long(super::super::MAX_PREMISES + 1), format!("{a1}/premises")),
        ("name", "/anchors/a1/name", json!(""), format!("{a1}/name")),
        ("category", "/anchors/a1/personalDataRequired/0", json!("SECRET"), format!("{a1}/personalDataRequired/0")),
        ("info id", "/anchors/a1/servInfos/0/servInfoId", json!("a/b"), format!("{a1}/servInfos/0/servInfoId")),
        ("features", "/suppFeat", json!("SECRET"), "/suppFeat".into()),
        ("anchor id", "/anchors/a1/posInfo/pos/point/x", json!("SECRET"), format!("{a1}/posInfo/pos/point/x")),
    ];
    for (what, pointer, value, param) in rows {
        let mut spoiled = body();
        *spoiled.pointer_mut(pointer).unwrap() = value;
        let faults = read(spoiled).unwrap_err();
        assert_eq!(faults[0].param, param, "{what}");
        assert!(!format!("{faults:?}").contains("SECRET"), "{what}");
    }
}

#[test]
fn mandatory_members_are_missed() {
    for pointer in
        ["/valServInfo", "/anchors", "/valServInfo/serviceId", "/valServInfo/endPt", "/anchors/a1/posInfo"]
    {
        let mut spoiled = body();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        spoiled.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        let error = strict_json::from_value::<SpatialAnchorsList>(spoiled).unwrap_err();
        assert_eq!((error.kind, error.param.as_str()), (Kind::Missing, pointer));
    }
}

#[test]
fn open_enumerations_take_what_comes() {
    let mut later = body();
    *later.pointer_mut("/anchors/a1/rules/allowedEntities/0/type").unwrap() = json!("VAL_DRONE");
    let list = read(later.clone()).unwrap();
    assert_eq!(serde_json::to_value(&list).unwrap(), later);
}

#[test]
fn lists_are_bounded() {
    let list = |n: usize| {
        let anchors: serde_json::Map<_, _> =
            (0..n).map(|i| (format!("a{i}"), json!({"posInfo": {"spaMapPos": {"spaMapId": "1"}}}))).collect();
        json!({"valServInfo": {"serviceId": "s", "endPt": {"uri": "https://v.example"}}, "anchors": anchors})
    };
    assert!(read(list(MAX_ANCHORS_PER_LIST)).is_ok());
    assert_eq!(read(list(MAX_ANCHORS_PER_LIST + 1)).unwrap_err()[0].param, "/anchors");
    let mut labelled = body();
    labelled["anchors"]["x".repeat(MAX_LABEL + 1)] = body()["anchors"]["a1"].clone();
    assert!(read(labelled).is_err());
    let mut twice = body();
    twice["anchors"]["a1"]["anchorId"] = json!(1);
    twice["anchors"]["a2"] = twice["anchors"]["a1"].clone();
    assert_eq!(read(twice).unwrap_err()[0].param, "/anchors/a2/anchorId");
}

#[test]
fn a_patch_changes_what_it_names() {
    let list = read(body()).unwrap();
    let after = |patch: Value| list.patched(&patch);
    let named = after(json!({"anchors": {"a1": {"name": "gate"}}, "suppFeat": "1"})).unwrap();
    assert_eq!(named.anchors["a1"].name.as_deref(), Some("gate"));
    assert_eq!(named.anchors["a1"].pos_info, list.anchors["a1"].pos_info);
    let opened = after(json!({"anchors": {"a1": {"rules": null, "posInfo": {"spaMapPos": null}}}})).unwrap();
    assert!(opened.anchors["a1"].rules.is_none() && opened.anchors["a1"].pos_info.spa_map_pos.is_none());
    let two = after(json!({"anchors": {"a2": {"posInfo": {"spaMapPos": {"spaMapId": "1"}}}}})).unwrap();
    assert_eq!(two.anchors.len(), 2);
    assert_eq!(two.patched(&json!({"anchors": {"a1": null}})).unwrap().anchors.len(), 1);
    assert_eq!(after(json!({})).unwrap(), list);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the last anchor goes", json!({"anchors": {"a1": null}}), "/anchors"),
        ("all anchors go", json!({"anchors": null}), "/anchors"),
        ("a new anchor without place", json!({"anchors": {"a2": {"name": "x"}}}), "/anchors/a2/posInfo"),
        ("both places go", json!({"anchors": {"a1": {"posInfo": {"pos": null, "spaMapPos": null}}}}), "/anchors/a1/posInfo"),
        ("no object", json!([]), ""),
        ("wrong type", json!({"anchors": {"a1": {"name": 1}}}), "/anchors/a1/name"),
    ];
    for (what, patch, param) in rows {
        assert_eq!(after(patch).unwrap_err()[0].param, param, "{what}");
    }
}

#[test]
fn own_members_are_found_and_taken_away() {
    let mut list = read(body()).unwrap();
    assert!(list.has_own_members());
    list.strip_own_members();
    assert!(!list.has_own_members());
    let json = serde_json::to_value(&list).unwrap();
    for member in ["visibility", "timePeriod", "premises", "name", "personalDataRequired", "servInfos"] {
        assert!(json["anchors"]["a1"].get(member).is_none(), "{member}");
        let mut one = json.clone();
        one["anchors"]["a1"][member] = body()["anchors"]["a1"][member].clone();
        assert!(read(one).unwrap().has_own_members(), "{member}");
    }
}

#[test]
fn the_rules_of_a_list_have_a_bound_together() {
    let with = |anchors: usize, entries: usize| {
        let mut one = body();
        let services: Vec<String> = (0..entries).map(|number| format!("service-{number}")).collect();
        let anchor = json!({
            "posInfo": one["anchors"]["a1"]["posInfo"].clone(), "rules": { "valServiceList": services },
        });
        let all: serde_json::Map<_, _> = (0..anchors).map(|n| (format!("a{n}"), anchor.clone())).collect();
        one["anchors"] = all.into();
        read(one)
    };
    assert!(with(32, 128).is_ok());
    assert_eq!(with(33, 128).unwrap_err()[0].param, "/anchors");
}
