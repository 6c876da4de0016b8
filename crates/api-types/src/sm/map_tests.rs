use serde_json::json;

use super::*;

fn area() -> Value {
    json!({"geoServAr": {"geoArs": [{"shape": "POLYGON",
        "pointList": [{"lon": 2.35, "lat": 48.85}, {"lon": 2.351, "lat": 48.85}, {"lon": 2.351, "lat": 48.851}]}]}})
}

fn request() -> Value {
    json!({"svcId": "museum-guide", "areaInt": area(), "notifUri": "https://val.example/cb/maps",
        "mapInf": {"lyrInf": [{"mapAsc": "floor-0"}], "augLyrInf": [{"augWith": "SPATIAL_ANCHORS"}]}})
}

fn map() -> Value {
    json!({"svcId": "museum-guide", "smProf": {"mapId": 17, "mapCov": area(),
        "mapLyrList": {"lyrList": [{"mapLyrId": "floor-0", "mapLyrInf": {"area": area()}}]},
        "allwEnt": {"valServiceList": ["museum-guide"]}, "objList": [{"objId": "o1", "objType": "door"}],
        "visibility": "UNIVERSAL"},
        "augLyrInf": {"augWith": "SPATIAL_ANCHORS", "augLyrDet": ["1", "2"]}})
}

fn read<T: serde::de::DeserializeOwned + Validate>(value: Value) -> Result<T, Vec<InvalidParam>> {
    let body: T = strict_json::from_value(value).map_err(|error| error.invalid())?;
    body.validate("").map(|()| body)
}

#[test]
fn the_bodies_of_the_source_go_through_unchanged() {
    assert_eq!(serde_json::to_value(read::<SpatialMapCreateReq>(request()).unwrap()).unwrap(), request());
    assert_eq!(serde_json::to_value(read::<SpatialMap>(map()).unwrap()).unwrap(), map());
}

#[test]
fn one_spoiled_member_of_a_request_is_named() {
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("service", "/svcId", json!(""), "/svcId"),
        ("corners", "/areaInt/geoServAr/geoArs/0/pointList", json!([]), "/areaInt/geoServAr/geoArs/0/pointList"),
        ("no URI", "/notifUri", json!("SECRET"), "/notifUri"),
        ("empty information", "/mapInf", json!({}), "/mapInf"),
        ("no layer", "/mapInf/lyrInf", json!([]), "/mapInf/lyrInf"),
        ("empty layer", "/mapInf/lyrInf/0", json!({}), "/mapInf/lyrInf/0"),
        ("augmentation without kind", "/mapInf/augLyrInf/0", json!({}), "/mapInf/augLyrInf/0/augWith"),
    ];
    assert!(read::<SpatialMapCreateReq>(request()).is_ok());
    for (what, pointer, value, param) in rows {
        let mut spoiled = request();
        *spoiled.pointer_mut(pointer).unwrap() = value;
        assert_eq!(read::<SpatialMapCreateReq>(spoiled).unwrap_err()[0].param, param, "{what}");
    }
}

#[test]
fn one_spoiled_member_of_a_map_is_named() {
    let layer = map()["smProf"]["mapLyrList"]["lyrList"][0].clone();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no layers", "/smProf/mapLyrList/lyrList", json!([]), "/smProf/mapLyrList/lyrList"),
        ("layer twice", "/smProf/mapLyrList/lyrList", json!([layer, layer]), "/smProf/mapLyrList/lyrList/1/mapLyrId"),
        ("object without kind", "/smProf/objList/0", json!({"objId": "o1"}), "/smProf/objList/0/objType"),
        ("object twice", "/smProf/objList", json!([{"objId": "o", "objType": "t"}, {"objId": "o", "objType": "t"}]), "/smProf/objList/1/objId"),
        ("map id as text", "/smProf/mapId", json!("17"), "/smProf/mapId"),
        ("map id too large", "/smProf/mapId", json!(4_294_967_296_u64), "/smProf/mapId"),
        ("visibility", "/smProf/visibility", json!("OPEN"), "/smProf/visibility"),
        ("no augmentation", "/augLyrInf", json!([]), "/augLyrInf"),
    ];
    for (what, pointer, value, param) in rows {
        let mut spoiled = map();
        *spoiled.pointer_mut(pointer).unwrap() = value;
        assert_eq!(read::<SpatialMap>(spoiled).unwrap_err()[0].param, param, "{what}");
    }
}

#[test]
fn one_augmentation_is_an_object_and_several_are_a_list() {
    let one = json!({"augWith": "VAL_USERS"});
    for (given, out) in [
        (one.clone(), one.clone()),
        (json!([one]), one.clone()),
        (json!([one, {"augWith": "LATER"}]), json!([one, {"augWith": "LATER"}])),
    ] {
        let mut body = map();
        body["augLyrInf"] = given;
        let map: SpatialMap = read(body).unwrap();
        assert_eq!(serde_json::to_value(&map).unwrap()["augLyrInf"], out);
    }
    let mut none = map();
    none.as_object_mut().unwrap().remove("augLyrInf");
    let map: SpatialMap = read(none).unwrap();
    assert!(serde_json::to_value(&map).unwrap().get("augLyrInf").is_none());
}

#[test]
fn the_identifier_stays_the_one_of_the_path() {
    let body: SpatialMap = read(map()).unwrap();
    assert!(body.validate_at(SpatialMapId(17)).is_ok());
    assert_eq!(body.validate_at(SpatialMapId(18)).unwrap_err()[0].param, "/smProf/mapId");
    assert_eq!(body.patched(&json!({"smProf": {"mapId": 18}})).unwrap_err()[0].param, "/smProf/mapId");
    let changed =
        body.patched(&json!({"smProf": {"allwEnt": null}, "augLyrInf": [{"augWith": "VAL_USERS"}]})).unwrap();
    assert!(changed.sm_prof.allw_ent.is_none());
    assert_eq!(changed.aug_lyr_inf.as_ref().map(|list| list[0].aug_with.as_str()), Some("VAL_USERS"));
    assert_eq!(
        body.patched(&json!({"smProf": {"mapLyrList": null}})).unwrap_err()[0].param,
        "/smProf/mapLyrList"
    );
}

#[test]
fn own_members_are_found_and_taken_away() {
    let mut body: SpatialMap = read(map()).unwrap();
    assert!(body.has_own_members());
    body.strip_own_members();
    assert!(!body.has_own_members());
    let mut wanted: SpatialMapCreateReq = read(request()).unwrap();
    assert!(!wanted.has_own_members());
    wanted.map_inf.get_or_insert_default().name = Some("hall".into());
    assert!(wanted.has_own_members());
    wanted.strip_own_members();
    assert!(!wanted.has_own_members());
}
