use proptest::prelude::*;
use serde_json::json;

use super::*;

const OTHERS: &[&str] = &["3gpp_digital_asset", "3gpp_avatar"];

fn read(value: &Value) -> Result<Details, DetailsError> {
    Details::read(value.to_string().as_bytes(), OTHERS)
}

/// One element of each level, and one of another type.
fn example() -> Value {
    json!([
        { "type": "3gpp_spatial_anchor", "locations": ["aef1"], "level": "SERVICE", "actions": ["create", "discover"] },
        { "type": "3gpp_spatial_anchor", "locations": ["aef1"], "level": "INSTANCE", "identifier": "l-1_A/7", "actions": ["read", "update"] },
        { "type": "3gpp_spatial_map", "level": "SERVICE_INFO", "identifier": "9", "datatypes": ["service-info"], "servInfoIds": ["prov1-info", "i2"], "actions": ["update"] },
        { "type": "3gpp_spatial_map", "level": "SERVICE_INFO", "identifier": "9", "servInfoScope": "ALL", "actions": ["read", "localize"] },
        { "type": "3gpp_digital_asset", "identifier": "da-1", "actions": ["get"], "appId": 7 },
    ])
}

#[test]
fn every_level_is_read() {
    let details = read(&example()).unwrap();
    let map = || Instance::map(9);
    let expected = [
        (Kind::SpatialAnchor, Level::Service, vec![Action::Create, Action::Discover]),
        (
            Kind::SpatialAnchor,
            Level::Instance(Instance::anchor("l-1_A", 7)),
            vec![Action::Read, Action::Update],
        ),
        (
            Kind::SpatialMap,
            Level::ServiceInfo(map(), Parts::These(vec!["prov1-info".into(), "i2".into()])),
            vec![Action::Update],
        ),
        (Kind::SpatialMap, Level::ServiceInfo(map(), Parts::All), vec![Action::Read, Action::Localize]),
    ];
    let spatial: Vec<_> = details.elements().iter().filter_map(Element::spatial).collect();
    assert_eq!(spatial.len(), expected.len());
    for (element, (kind, level, actions)) in spatial.iter().zip(expected) {
        assert_eq!((element.kind, &element.level, &element.actions), (kind, &level, &actions));
    }
    let Some(Element::Other(other)) = details.elements().last() else { panic!("the last passes through") };
    assert_eq!((other.kind.as_str(), other.members.get("appId")), ("3gpp_digital_asset", Some(&json!(7))));
    assert_eq!(details.elements()[4].kind(), "3gpp_digital_asset");
    assert_eq!(details.elements()[2].kind(), "3gpp_spatial_map");
}

#[test]
fn what_was_read_can_stand_in_a_token() {
    let details = read(&example()).unwrap();
    let claim = details.to_claim();
    assert_eq!(Details::of_claim(&claim, OTHERS), Ok(details.clone()));
    assert_eq!(read(&serde_json::to_value(&claim).unwrap()), Ok(details));
    assert_eq!(Details::of_claim(&[], OTHERS), Ok(Details::default()));
    let service_info = serde_json::to_value(&claim[3]).unwrap();
    assert_eq!(service_info["datatypes"], json!(["service-info"]), "whoever reads sees what it is about");
    let fault = Details::of_claim(&claim, &[]).unwrap_err();
    assert_eq!(fault.to_string(), "authorization_details/4/type is not a type that is known here");
}

#[test]
fn locations_are_of_one_function() {
    let mut value = example();
    assert_eq!(read(&value).unwrap().check_locations("aef1"), Ok(()));
    let fault = read(&value).unwrap().check_locations("aef2").unwrap_err();
    assert_eq!(
        fault.invalid_param(),
        InvalidParam::new("/authorization_details/0/locations/0", "must be the function of the scope")
    );
    value[1]["locations"] = json!(["aef1", "aef2"]);
    assert_eq!(read(&value).unwrap().check_locations("aef1").unwrap_err().at, "/1/locations/1");
    let details = read(&value).unwrap();
    let spatial: Vec<_> = details.elements().iter().filter_map(Element::spatial).collect();
    assert_eq!([0, 1, 2].map(|n| spatial[n].is_at("aef2")), [false, true, true]);
}

/// The element that a row spoils.
fn element(at: usize) -> Value {
    example()[at].clone()
}

#[test]
fn one_thing_spoiled_is_refused_where_it_stands() {
    for at in 0..5 {
        assert!(read(&json!([element(at)])).is_ok(), "{at}");
    }
    let many_parts: Vec<_> = (0..=MAX_PARTS).map(|n| n.to_string()).collect();
    let many_places: Vec<_> = (0..=MAX_LOCATIONS).map(|n| format!("a{n}")).collect();
    type Row = (&'static str, usize, &'static str, Value, &'static str, &'static str);
    const ANCHOR: &str = "must be <anchorsListId>/<anchorId> of one anchor";
    const MAP: &str = "must be the spatialMapId of one map";
    const PART: &str = "must be the servInfoId of one entry";
    const ONLY_INFO: &str = "is for level SERVICE_INFO only";
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row> = vec![
        // what, element, member, its value (null: taken away), where, what it must be
        ("no type", 0, "type", Value::Null, "/0/type", "is mandatory"),
        ("type is a number", 0, "type", json!(1), "/0/type", "must be a string"),
        ("unknown type", 0, "type", json!("3gpp_spatial"), "/0/type", "is not a type that is known here"),
        ("type in capitals", 0, "type", json!("3GPP_SPATIAL_ANCHOR"), "/0/type", "is not a type that is known here"),
        ("no level", 0, "level", Value::Null, "/0/level", "is mandatory"),
        ("unknown level", 0, "level", json!("LIST"), "/0/level", "must be SERVICE, INSTANCE or SERVICE_INFO"),
        ("level in small letters", 0, "level", json!("service"), "/0/level", "must be SERVICE, INSTANCE or SERVICE_INFO"),
        ("level is a list", 0, "level", json!(["SERVICE"]), "/0/level", "must be a string"),
        ("no actions", 0, "actions", Value::Null, "/0/actions", "is mandatory"),
        ("empty actions", 0, "actions", json!([]), "/0/actions", "must not be empty"),
        ("actions is a text", 0, "actions", json!("read"), "/0/actions", "must be an array"),
        ("unknown action", 0, "actions", json!(["read", "write"]), "/0/actions/1", "is not an action of this type"),
        ("action in capitals", 0, "actions", json!(["READ"]), "/0/actions/0", "is not an action of this type"),
        ("any action", 0, "actions", json!(["*"]), "/0/actions/0", "is not an action of this type"),
        ("an action twice", 0, "actions", json!(["read", "create", "read"]), "/0/actions/2", "stands there twice"),
        ("an action that is a number", 0, "actions", json!([1]), "/0/actions/0", "must be a string"),
        ("an anchor to localize in", 0, "actions", json!(["localize"]), "/0/actions/0", "is an action of maps only"),
        ("too many actions", 0, "actions", json!(["read", "a", "b", "c", "d", "e", "f", "g"]), "/0/actions", "has too many elements"),
        ("privileges", 0, "privileges", json!(["admin"]), "/0/privileges", "is not a member of this type"),
        ("unknown member", 1, "identifiers", json!(["l/1"]), "/0/identifiers", "is not a member of this type"),
        ("alias of a member", 2, "serv_info_ids", json!(["i"]), "/0/serv_info_ids", "is not a member of this type"),
        ("identifier of the service", 0, "identifier", json!("l/1"), "/0/identifier", "is not for level SERVICE"),
        ("data types of the service", 0, "datatypes", json!(["service-info"]), "/0/datatypes", ONLY_INFO),
        ("parts of an instance", 1, "servInfoIds", json!(["i"]), "/0/servInfoIds", ONLY_INFO),
        ("all parts of an instance", 1, "servInfoScope", json!("ALL"), "/0/servInfoScope", ONLY_INFO),
        ("no identifier", 1, "identifier", Value::Null, "/0/identifier", "is mandatory at this level"),
        ("no identifier of the parts", 2, "identifier", Value::Null, "/0/identifier", "is mandatory at this level"),
        ("identifier is a number", 2, "identifier", json!(9), "/0/identifier", "must be a string"),
        ("identifier is a list", 1, "identifier", json!(["l/1", "l/2"]), "/0/identifier", "must be a string"),
        ("list only", 1, "identifier", json!("l"), "/0/identifier", ANCHOR),
        ("anchor only", 1, "identifier", json!("/7"), "/0/identifier", ANCHOR),
        ("no anchor", 1, "identifier", json!("l/"), "/0/identifier", ANCHOR),
        ("any anchor", 1, "identifier", json!("l/*"), "/0/identifier", ANCHOR),
        ("any list", 1, "identifier", json!("*/7"), "/0/identifier", ANCHOR),
        ("lists by beginning", 1, "identifier", json!("l*/7"), "/0/identifier", ANCHOR),
        ("any letter", 1, "identifier", json!("?/7"), "/0/identifier", ANCHOR),
        ("escaped slash", 1, "identifier", json!("l%2F7"), "/0/identifier", ANCHOR),
        ("escaped letter", 1, "identifier", json!("%6C/7"), "/0/identifier", ANCHOR),
        ("leading zero", 1, "identifier", json!("l/07"), "/0/identifier", ANCHOR),
        ("sign", 1, "identifier", json!("l/+7"), "/0/identifier", ANCHOR),
        ("negative", 1, "identifier", json!("l/-7"), "/0/identifier", ANCHOR),
        ("trailing slash", 1, "identifier", json!("l/7/"), "/0/identifier", ANCHOR),
        ("two slashes", 1, "identifier", json!("l//7"), "/0/identifier", ANCHOR),
        ("way up", 1, "identifier", json!("../7"), "/0/identifier", ANCHOR),
        ("colon", 1, "identifier", json!("l:1/7"), "/0/identifier", ANCHOR),
        ("not ASCII", 1, "identifier", json!("ä/7"), "/0/identifier", ANCHOR),
        ("blank", 1, "identifier", json!("l /7"), "/0/identifier", ANCHOR),
        ("33 bits", 1, "identifier", json!("l/4294967296"), "/0/identifier", ANCHOR),
        ("empty identifier", 1, "identifier", json!(""), "/0/identifier", ANCHOR),
        ("map named like an anchor", 2, "identifier", json!("l/7"), "/0/identifier", MAP),
        ("any map", 2, "identifier", json!("*"), "/0/identifier", MAP),
        ("maps by beginning", 2, "identifier", json!("9*"), "/0/identifier", MAP),
        ("other digits", 2, "identifier", json!("٩"), "/0/identifier", MAP),
        ("locations is a text", 0, "locations", json!("aef1"), "/0/locations", "must be an array"),
        ("empty locations", 0, "locations", json!([]), "/0/locations", "must not be empty"),
        ("any location", 0, "locations", json!(["*"]), "/0/locations/0", "must be an aefId"),
        ("a location twice", 0, "locations", json!(["a", "a"]), "/0/locations/1", "stands there twice"),
        ("too many locations", 0, "locations", json!(many_places), "/0/locations", "has too many elements"),
        ("other data type", 2, "datatypes", json!(["premises"]), "/0/datatypes/0", "must be service-info"),
        ("two data types", 2, "datatypes", json!(["service-info", "premises"]), "/0/datatypes", "has too many elements"),
        ("neither parts nor all", 2, "servInfoIds", Value::Null, "/0/servInfoIds", "is mandatory at this level, or servInfoScope"),
        ("empty parts", 2, "servInfoIds", json!([]), "/0/servInfoIds", "must not be empty"),
        ("any part", 2, "servInfoIds", json!(["*"]), "/0/servInfoIds/0", PART),
        ("parts by beginning", 2, "servInfoIds", json!(["a", "prov1*"]), "/0/servInfoIds/1", PART),
        ("empty part", 2, "servInfoIds", json!([""]), "/0/servInfoIds/0", PART),
        ("a part twice", 2, "servInfoIds", json!(["a", "a"]), "/0/servInfoIds/1", "stands there twice"),
        ("too many parts", 2, "servInfoIds", json!(many_parts), "/0/servInfoIds", "has too many elements"),
        ("parts and all", 2, "servInfoScope", json!("ALL"), "/0/servInfoScope", "does not go with servInfoIds"),
        ("other scope of parts", 3, "servInfoScope", json!("OWN"), "/0/servInfoScope", "must be ALL"),
        ("scope in small letters", 3, "servInfoScope", json!("all"), "/0/servInfoScope", "must be ALL"),
    ];
    for (what, at, member, value, place, must) in rows {
        let mut spoilt = element(at);
        if value.is_null() {
            spoilt.as_object_mut().unwrap().remove(member);
        } else {
            spoilt[member] = value;
        }
        let fault = read(&json!([spoilt])).unwrap_err();
        assert_eq!((fault.at.as_str(), fault.must), (place, must), "{what}");
        assert_eq!(Reason::from(fault), Reason::DetailsUnknown);
    }
}

#[test]
fn the_array_is_strict_json_of_bounded_size() {
    let many = Value::Array(vec![element(0); MAX_DETAILS + 1]).to_string();
    let long = format!("{}{}", example(), " ".repeat(MAX_BYTES));
    let deep = format!(r#"[{{"type":"3gpp_avatar","x":{}1{}}}]"#, "[".repeat(8), "]".repeat(8));
    let long_type = json!([{ "type": "x".repeat(MAX_TYPE + 1) }]).to_string();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("nothing", "", "", "is not JSON"), ("an object", r#"{"type":"3gpp_avatar"}"#, "", "must be an array"), ("null", "null", "", "must be an array"),
        ("empty", "[]", "", "must not be empty"), ("a text inside", r#"["x"]"#, "/0", "must be an object"), ("an array inside", "[[]]", "/0", "must be an object"),
        ("second element", r#"[{"type":"3gpp_avatar"},{}]"#, "/1/type", "is mandatory"),
        ("member twice", r#"[{"type":"3gpp_spatial_anchor","level":"SERVICE","actions":["read"],"actions":["delete"]}]"#, "", "holds a member twice"),
        ("type twice", r#"[{"type":"3gpp_avatar","type":"3gpp_spatial_anchor"}]"#, "", "holds a member twice"),
        ("twice in an object of another type", r#"[{"type":"3gpp_avatar","a":{"b":1,"b":2}}]"#, "", "holds a member twice"),
        ("something behind", "[] []", "", "is not JSON"), ("not JSON", "[{'type':1}]", "", "is not JSON"), ("too many", &many, "", "has too many elements"),
        ("too long", &long, "", "is too long"), ("too deep", &deep, "", "is nested too deeply"), ("long type", &long_type, "/0/type", "is not a type that is known here"),
    ];
    for (what, text, at, must) in rows {
        let fault = Details::read(text.as_bytes(), OTHERS).unwrap_err();
        assert_eq!((fault.at.as_str(), fault.must), (at, must), "{what}");
    }
    let most = Value::Array(vec![element(0); MAX_DETAILS]).to_string();
    assert_eq!(Details::read(most.as_bytes(), &[]).unwrap().elements().len(), MAX_DETAILS);
}

#[test]
fn identifiers_have_one_spelling() {
    for (kind, text) in [
        (Kind::SpatialAnchor, "l/0"),
        (Kind::SpatialAnchor, "B4-xY_z.9/4294967295"),
        (Kind::SpatialMap, "0"),
        (Kind::SpatialMap, "2147483647"),
    ] {
        let instance = Instance::read(kind, text).unwrap();
        assert_eq!((instance.to_string().as_str(), instance.kind()), (text, kind));
    }
    assert!(Parts::All.contains("x"));
    assert!(Parts::These(vec!["ab".into()]).contains("ab") && !Parts::These(vec!["ab".into()]).contains("a"));
    for kind in Kind::ALL {
        assert_eq!(Kind::read(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::read("3gpp_digital_asset"), None);
}

pub(crate) fn instances() -> impl Strategy<Value = Instance> {
    prop_oneof![
        ("[a-c]", 0..3_u32).prop_map(|(list, anchor)| Instance::anchor(list, anchor)),
        (0..3_u32).prop_map(Instance::map)
    ]
}

fn levels(instance: Instance) -> impl Strategy<Value = (Kind, Level)> {
    let kind = instance.kind();
    let parts = prop_oneof![
        Just(Parts::All),
        proptest::sample::subsequence(vec!["i1".to_owned(), "i2".into(), "i3".into()], 1..=3)
            .prop_map(Parts::These)
    ];
    parts.prop_flat_map(move |parts| {
        let some = vec![
            Level::Service,
            Level::Instance(instance.clone()),
            Level::ServiceInfo(instance.clone(), parts),
        ];
        proptest::sample::select(some).prop_map(move |level| (kind, level))
    })
}

pub(crate) fn spatials() -> impl Strategy<Value = Spatial> {
    let level = instances().prop_flat_map(levels);
    (level, proptest::sample::subsequence(Action::ALL.to_vec(), 1..=7), 0..3_usize).prop_map(
        |((kind, level), mut actions, places)| {
            if kind == Kind::SpatialAnchor {
                actions.retain(|action| *action != Action::Localize);
            }
            if actions.is_empty() {
                actions.push(Action::Read);
            }
            let locations = ["aef1", "aef2"][..places].iter().map(|&aef| aef.to_owned()).collect();
            Spatial { kind, locations, level, actions }
        },
    )
}

proptest! {
    #[test]
    fn what_was_written_is_read_again(elements in proptest::collection::vec(spatials(), 1..6)) {
        let details = Details::of(elements.into_iter().map(Element::Spatial).collect());
        let claim = details.to_claim();
        prop_assert_eq!(Details::of_claim(&claim, &[]), Ok(details.clone()));
        prop_assert_eq!(read(&serde_json::to_value(&claim).unwrap()), Ok(details));
    }

    #[test]
    fn a_spoilt_byte_never_panics(at in 0..2_000_usize, byte in any::<u8>()) {
        let mut bytes = example().to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(details) = Details::read(&bytes, OTHERS) {
            prop_assert_eq!(Details::of_claim(&details.to_claim(), OTHERS), Ok(details));
        }
    }
}
