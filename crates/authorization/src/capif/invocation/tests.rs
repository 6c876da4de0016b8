use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Action::{Create, Delete, Discover, Localize, Read, Subscribe, Update};
use super::Kind::{SpatialAnchor, SpatialMap};
use super::*;
use crate::capif::details::tests::{instances, spatials};
use crate::testing::claims;

const ALL: &str = "3gpp#aef1:ssan-sanm,ssan-disc,ssan-usg,ssan-grpm,ssm-smm,ssm-disc,ssm-loc";

fn grants(scope: &str, details: &Value) -> Grants {
    let scope: CapifScope = scope.parse().unwrap();
    let details = match details {
        Value::Null => Details::default(),
        details => Details::read(details.to_string().as_bytes(), &["3gpp_avatar"]).unwrap(),
    };
    Grants::new(&scope, &details, "aef1")
}

fn service(kind: Kind, actions: &[Action]) -> Value {
    let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
    json!({ "type": kind.as_str(), "level": "SERVICE", "actions": actions })
}

fn instance(instance: &Instance, actions: &[Action]) -> Value {
    let mut element = service(instance.kind(), actions);
    element["level"] = "INSTANCE".into();
    element["identifier"] = instance.to_string().into();
    element
}

fn info(of: &Instance, ids: Option<&[&str]>, actions: &[Action]) -> Value {
    let mut element = instance(of, actions);
    element["level"] = "SERVICE_INFO".into();
    match ids {
        Some(ids) => element["servInfoIds"] = json!(ids),
        None => element["servInfoScope"] = "ALL".into(),
    }
    element
}

fn a(anchor: u32) -> Instance {
    Instance::anchor("l", anchor)
}

/// What is needed, by what is held.
#[test]
fn each_level_grants_its_own_and_no_more() {
    let service_read = json!([service(SpatialAnchor, &[Read])]);
    let on_a1 = json!([instance(&a(1), &[Read, Update])]);
    let info_i1 = json!([info(&a(1), Some(&["i1"]), &[Update])]);
    let info_all = json!([info(&a(1), None, &[Update])]);
    let two = json!([instance(&a(1), &[Read]), instance(&a(2), &[Update])]);
    let none = Value::Null;
    let instance = |on: Instance, action| Need::Instance(on, action);
    let info = |on: Instance, id: &str, action| Need::Info(on, id.to_owned(), action);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("S2-L1 service", &service_read, Need::Service(SpatialAnchor, Read), true),
        ("S2-L1 any anchor", &service_read, instance(a(1), Read), true),
        ("S2-L1 its parts", &service_read, info(a(1), "i1", Read), true),
        ("S2-L1 another action", &service_read, Need::Service(SpatialAnchor, Update), false),
        ("S2-L1 another action on an anchor", &service_read, instance(a(1), Update), false),
        ("S2-L1 anchors are no maps", &service_read, Need::Service(SpatialMap, Read), false),
        ("S2-L1 no map of that number", &service_read, instance(Instance::map(1), Read), false),
        ("S2-L2 the anchor", &on_a1, instance(a(1), Update), true),
        ("S2-L2 another anchor", &on_a1, instance(a(2), Update), false),
        ("S2-L2 a longer number", &on_a1, instance(a(11), Update), false),
        ("S2-L2 the anchor of another list", &on_a1, instance(Instance::anchor("l2", 1), Update), false),
        ("S2-L2 a map of that number", &on_a1, instance(Instance::map(1), Update), false),
        ("S2-L2 another action", &on_a1, instance(a(1), Delete), false),
        ("S2-L2 not the service", &on_a1, Need::Service(SpatialAnchor, Update), false),
        ("S2-L2 the parts of the anchor", &on_a1, info(a(1), "i1", Update), true),
        ("S2-L2 the parts of another anchor", &on_a1, info(a(2), "i1", Update), false),
        ("S2-L3 the part", &info_i1, info(a(1), "i1", Update), true),
        ("S2-L3 another part", &info_i1, info(a(1), "i2", Update), false),
        ("S2-L3 a longer name", &info_i1, info(a(1), "i11", Update), false),
        ("S2-L3 the part in another anchor", &info_i1, info(a(2), "i1", Update), false),
        ("S2-L3 another action", &info_i1, info(a(1), "i1", Read), false),
        ("S2-L3 not the anchor", &info_i1, instance(a(1), Update), false),
        ("S2-L3 not the service", &info_i1, Need::Service(SpatialAnchor, Update), false),
        ("S2-L3 all parts", &info_all, info(a(1), "i2", Update), true),
        ("S2-L3 all parts of this one only", &info_all, info(a(2), "i2", Update), false),
        ("S2-L3 all parts are not the anchor", &info_all, instance(a(1), Update), false),
        ("actions of two elements do not mix", &two, instance(a(1), Update), false),
        ("each element for itself", &two, instance(a(2), Update), true),
        ("coarse", &none, Need::Service(SpatialAnchor, Create), true),
        ("coarse, any anchor", &none, instance(a(9), Delete), true),
        ("coarse, any part", &none, info(a(9), "x", Update), true),
        ("coarse, maps", &none, instance(Instance::map(4), Localize), true),
        ("coarse, nothing that no API does", &none, Need::Service(SpatialAnchor, Localize), false),
    ];
    for (what, details, need, granted) in rows {
        let grants = grants(ALL, details);
        assert_eq!(grants.permits_need(&need), granted, "{what}");
        assert_eq!(grants.is_coarse(), details.is_null());
        let missing = grants.check([&need]).err();
        assert_eq!(missing, (!granted).then(|| Missing(need.clone())), "{what}");
        let outside = self::grants(&ALL.replace("aef1", "aef2"), details);
        assert!(!outside.permits_need(&need), "{what}, at another function");
    }
}

#[test]
fn an_anchor_is_known_by_its_list_and_its_number() {
    let on_a1 = json!([instance(&a(1), &[Read]), instance(&Instance::map(2), &[Read])]);
    let info_a1 = json!([info(&a(1), None, &[Read])]);
    let elsewhere = json!([instance(&Instance::anchor("other", 1), &[Read])]);
    let everything = json!([service(SpatialAnchor, &[Read])]);
    let maps = json!([service(SpatialMap, &[Read])]);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the anchor", &on_a1, 1, Read, true), ("its number in another list", &elsewhere, 1, Read, false), ("another action", &on_a1, 1, Update, false), ("another anchor", &on_a1, 11, Read, false),
        ("a map of that number", &on_a1, 2, Read, false), ("its parts only", &info_a1, 1, Read, false), ("the service", &everything, 9, Read, true),
        ("the service of maps", &maps, 1, Read, false), ("coarse", &Value::Null, 9, Delete, true),
    ];
    for (what, details, anchor, action, granted) in rows {
        assert_eq!(
            grants(ALL, details).permits_anchor("l", SpatialAnchorId(anchor), action),
            granted,
            "{what}"
        );
    }
}

#[test]
fn details_never_widen_the_scope() {
    let everything = json!([service(SpatialAnchor, &[Create, Read, Update, Delete, Discover, Subscribe])]);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, &[Action]); 6] = [
        ("management", "3gpp#aef1:ssan-sanm", &[Create, Read, Update, Delete, Subscribe]),
        ("discovery", "3gpp#aef1:ssan-disc", &[Discover]),
        ("usage", "3gpp#aef1:ssan-usg", &[Read, Subscribe]),
        ("maps", "3gpp#aef1:ssm-smm,ssm-disc,ssm-loc", &[]),
        ("another function", "3gpp#aef2:ssan-sanm,ssan-disc", &[]),
        ("an API that nobody knows here", "3gpp#aef1:ssan", &[]),
    ];
    for (what, scope, opened) in rows {
        for details in [&everything, &Value::Null] {
            let grants = grants(scope, details);
            let opens = |action: &&Action| grants.any(SpatialAnchor, **action);
            let open: BTreeSet<_> = Action::ALL.iter().filter(opens).collect();
            assert_eq!(open, opened.iter().collect(), "{what}, {details}");
        }
    }
}

#[test]
fn details_that_say_nothing_here_grant_nothing() {
    let mut elsewhere = service(SpatialAnchor, &[Read]);
    elsewhere["locations"] = json!(["aef2"]);
    let mut here_too = elsewhere.clone();
    here_too["locations"] = json!(["aef2", "aef1"]);
    for (what, details, granted) in [
        ("located elsewhere", json!([elsewhere]), false),
        ("of another type", json!([{ "type": "3gpp_avatar" }]), false),
        ("located here as well", json!([here_too]), true),
        ("none", Value::Null, true),
    ] {
        assert_eq!(grants(ALL, &details).any(SpatialAnchor, Read), granted, "{what}");
    }
}

#[test]
fn a_token_is_read_as_it_was_granted() {
    let read = |spoil: &dyn Fn(&mut Value)| {
        let token = claims(|c| {
            c["scope"] = "3gpp#aef1:ssan-sanm".into();
            c["authorization_details"] = json!([instance(&a(1), &[Read])]);
            spoil(c);
        });
        Grants::of_token(&token, "aef1")
    };
    let grants = read(&|_| {}).unwrap();
    assert!(grants.permits_instance(&a(1), Read) && !grants.permits_instance(&a(2), Read));
    assert!(read(&|c| c["authorization_details"] = json!([])).unwrap().is_coarse());
    let with_others =
        read(&|c| c["authorization_details"].as_array_mut().unwrap().push(json!({ "type": "x" })));
    assert_eq!(with_others, Ok(grants), "what is of another type says nothing here");
    type Row = (&'static str, fn(&mut Value), Reason);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 5] = [
        ("scope of the SIM-S", |c| c["scope"] = "3gpp:seal:san.read".into(), Reason::ScopeNarrow),
        ("no scope", |c| c["scope"] = "".into(), Reason::ScopeNarrow),
        ("any anchor", |c| c["authorization_details"][0]["identifier"] = "l/*".into(), Reason::DetailsNarrow),
        ("unknown level", |c| c["authorization_details"][0]["level"] = "ALL".into(), Reason::DetailsNarrow),
        ("unknown member", |c| c["authorization_details"][0]["privileges"] = json!(["x"]), Reason::DetailsNarrow),
    ];
    for (what, spoil, reason) in rows {
        assert_eq!(read(&spoil), Err(reason), "{what}");
    }
}

#[test]
fn a_route_opens_by_scope_and_by_anything_of_its_kind() {
    use Reason::{DetailsNarrow, ScopeNarrow};
    let on_a1 = json!([instance(&a(1), &[Read, Update, Subscribe])]);
    let info_i1 = json!([info(&a(1), Some(&["i1"]), &[Update])]);
    let remove = json!([instance(&a(1), &[Delete])]);
    let none = Value::Null;
    const OK: Result<(), Reason> = Ok(());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("CreateSpatialAnchorsList", ALL, &none, OK), ("CreateSpatialAnchorsList", "3gpp#aef1:ssan-disc", &none, Err(ScopeNarrow)),
        ("CreateSpatialAnchorsList", "3gpp#aef2:ssan-sanm", &none, Err(ScopeNarrow)), ("CreateSpatialAnchorsList", ALL, &on_a1, Err(DetailsNarrow)),
        ("GetIndSpatialAnchorsList", ALL, &on_a1, OK), ("GetIndSpatialAnchorsList", ALL, &info_i1, Err(DetailsNarrow)), ("GetIndSpatialAnchorsList", ALL, &remove, Err(DetailsNarrow)),
        ("UpdateIndSpatialAnchorsList", ALL, &info_i1, OK), ("ModifyIndSpatialAnchorsList", ALL, &remove, OK), ("DeleteIndSpatialAnchorsList", ALL, &on_a1, Err(DetailsNarrow)),
        ("DeleteIndSpatialAnchorsSub", ALL, &on_a1, OK), ("DeleteIndSpatialAnchorsSub", ALL, &remove, Err(DetailsNarrow)),
        ("GetSpatialAnchorGroups", ALL, &on_a1, Err(DetailsNarrow)), ("UpdateIndSpatialAnchorGroup", ALL, &on_a1, Err(DetailsNarrow)),
        ("UpdateIndSpatialMap", ALL, &on_a1, Err(DetailsNarrow)), ("LocalizeInSpatialMap", ALL, &none, OK), ("LocalizeInSpatialMap", ALL, &on_a1, Err(DetailsNarrow)),
        ("CreateSmasReg", ALL, &none, Err(ScopeNarrow)),
    ];
    for (id, scope, details, expected) in rows {
        let operation = operation(id).unwrap();
        assert_eq!(grants(scope, details).check_operation(operation), expected, "{id}, {scope}, {details}");
    }
}

#[test]
fn the_table_of_operations_is_whole() {
    let ids: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert_eq!(ids.len(), OPERATIONS.len(), "no operation twice");
    for row in OPERATIONS {
        assert!(super::super::scope::is_name(row.api), "{}", row.id);
        assert_eq!(operation(row.id), Some(row));
        assert!(row.action != Localize || row.kind == SpatialMap, "{}", row.id);
    }
    assert_eq!(operation("ProtectedResourceMetadata"), None);
    for kind in Kind::ALL {
        for action in Action::ALL.iter().filter(|action| **action != Localize || kind == SpatialMap) {
            let known = OPERATIONS.iter().any(|row| (row.kind, row.action) == (kind, *action));
            assert!(known, "{} {action} is asked for and does nothing", kind.as_str());
        }
    }
}

fn entry(anchor: &str, id: &str) -> TouchedServInfo {
    TouchedServInfo { anchor: anchor.into(), serv_info_id: id.into(), provider: None }
}

#[test]
fn what_a_change_touches_is_needed_all_or_nothing() {
    let touched = Touched {
        list: true,
        anchors: vec![
            ("one".into(), AnchorChange::Changed),
            ("two".into(), AnchorChange::Removed),
            ("new".into(), AnchorChange::Added),
        ],
        serv_infos: vec![entry("one", "i1"), entry("three", "i2"), entry("three", "i2"), entry("new", "i3")],
    };
    let id_of = |label: &str| {
        let at = ["zero", "one", "two", "three"].iter().position(|own| *own == label)?;
        Some(SpatialAnchorId(u32::try_from(at).unwrap()))
    };
    let needs = needs_of_list("l", &touched, id_of);
    let info = |on: Instance, id: &str| Need::Info(on, id.to_owned(), Update);
    let expected = [
        Need::Service(SpatialAnchor, Update),
        Need::Instance(a(1), Update),
        Need::Instance(a(2), Delete),
        Need::Service(SpatialAnchor, Create),
        info(a(1), "i1"),
        info(a(3), "i2"),
    ];
    assert_eq!(needs, expected);
    assert!(needs_of_list("l", &Touched::default(), id_of).is_empty());
    let unknown = Touched { anchors: vec![("x".into(), AnchorChange::Changed)], ..Touched::default() };
    assert_eq!(needs_of_list("l", &unknown, id_of), [Need::Service(SpatialAnchor, Update)]);

    let held = json!([
        service(SpatialAnchor, &[Create]),
        instance(&a(1), &[Update]),
        instance(&a(2), &[Delete]),
        self::info(&a(3), Some(&["i2"]), &[Update]),
    ]);
    let grants = grants(ALL, &held);
    let but_the_list = Touched { list: false, ..touched.clone() };
    assert_eq!(grants.check(&needs_of_list("l", &but_the_list, id_of)), Ok(()));
    assert_eq!(grants.check(&needs), Err(Missing(expected[0].clone())), "the list needs the service");
    type Row = (&'static str, fn(&mut Touched), Need);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 5] = [
        ("another anchor changed", |t| t.anchors.insert(0, ("three".into(), AnchorChange::Changed)), Need::Instance(a(3), Update)),
        ("the changed one removed", |t| t.anchors[0].1 = AnchorChange::Removed, Need::Instance(a(1), Delete)),
        ("the removed one changed", |t| t.anchors[1].1 = AnchorChange::Changed, Need::Instance(a(2), Update)),
        ("another part", |t| t.serv_infos.push(entry("three", "i9")), Need::Info(a(3), "i9".into(), Update)),
        ("a part of another anchor", |t| t.serv_infos.insert(0, entry("zero", "i2")), Need::Info(a(0), "i2".into(), Update)),
    ];
    for (what, spoil, missing) in rows {
        let mut touched = but_the_list.clone();
        spoil(&mut touched);
        let refused = grants.check(&needs_of_list("l", &touched, id_of)).unwrap_err();
        assert_eq!(refused, Missing(missing), "{what}");
        assert_eq!(Reason::from(refused), Reason::DetailsNarrow);
    }
}

#[test]
fn a_change_of_a_map_is_asked_for_like_one_of_an_anchor() {
    let parts = [entry("", "i1"), entry("", "i2")];
    let needs = needs_of_map(4, true, &parts);
    assert_eq!(needs.len(), 3);
    let body = json!([instance(&Instance::map(4), &[Update])]);
    let one_part = json!([info(&Instance::map(4), Some(&["i1"]), &[Update])]);
    assert_eq!(grants(ALL, &body).check(&needs), Ok(()));
    let missing =
        |needs: &[Need]| grants(ALL, &one_part).check(needs).err().map(|missing| missing.to_string());
    assert_eq!(missing(&needs).unwrap(), "the token does not grant update of 3gpp_spatial_map 4");
    assert_eq!(
        missing(&needs_of_map(4, false, &parts)).unwrap(),
        "the token does not grant update of service information i2 in 3gpp_spatial_map 4"
    );
    assert_eq!(missing(&needs_of_map(4, false, &parts[..1])), None);
    let create = Missing(Need::Service(SpatialMap, Create));
    assert_eq!(create.to_string(), "the token does not grant create of 3gpp_spatial_map");
}

/// The same decision, spelt out over the elements as they stand in the token.
fn by_hand(elements: &[Spatial], need: &Need) -> bool {
    let (kind, action, instance, part) = match need {
        Need::Service(kind, action) => (*kind, *action, None, None),
        Need::Instance(instance, action) => (instance.kind(), *action, Some(instance), None),
        Need::Info(instance, id, action) => (instance.kind(), *action, Some(instance), Some(id)),
    };
    let mut granted = false;
    for element in elements {
        if element.kind != kind || !element.actions.contains(&action) || !element.is_at("aef1") {
            continue;
        }
        granted |= match (&element.level, instance, part) {
            (Level::Service, ..) => true,
            (Level::Instance(own), Some(instance), _) => own == instance,
            (Level::ServiceInfo(own, parts), Some(instance), Some(part)) => {
                own == instance && parts.contains(part)
            }
            _ => false,
        };
    }
    granted && !(kind == SpatialAnchor && action == Localize)
}

fn needs() -> impl Strategy<Value = Need> {
    let action = proptest::sample::select(Action::ALL.to_vec());
    (instances(), action, "i[1-4]", 0..3).prop_map(|(instance, action, id, level)| match level {
        0 => Need::Service(instance.kind(), action),
        1 => Need::Instance(instance, action),
        _ => Need::Info(instance, id, action),
    })
}

proptest! {
    #[test]
    fn the_decision_is_that_of_the_elements(
        elements in proptest::collection::vec(spatials(), 1..6), needs in proptest::collection::vec(needs(), 1..5),
    ) {
        let details = Details::of(elements.iter().cloned().map(Element::Spatial).collect());
        let grants = Grants::new(&ALL.parse().unwrap(), &details, "aef1");
        for need in &needs {
            prop_assert_eq!(grants.permits_need(need), by_hand(&elements, need), "{}", need);
            if grants.permits_need(need) {
                let (kind, action) = match need {
                    Need::Service(kind, action) => (*kind, *action),
                    Need::Instance(instance, action) | Need::Info(instance, _, action) => (instance.kind(), *action),
                };
                prop_assert!(grants.any(kind, action));
            }
        }
        let first = needs.iter().find(|need| !by_hand(&elements, need)).cloned();
        prop_assert_eq!(grants.check(&needs).err(), first.map(Missing));
    }

    /// A detail more never takes, and a coarse token has all that any other has.
    #[test]
    fn details_only_narrow(elements in proptest::collection::vec(spatials(), 2..6), need in needs()) {
        let grants = |elements: &[Spatial]| {
            let details = Details::of(elements.iter().cloned().map(Element::Spatial).collect());
            Grants::new(&ALL.parse().unwrap(), &details, "aef1")
        };
        let (all, fewer) = (grants(&elements), grants(&elements[1..]));
        prop_assert!(!fewer.permits_need(&need) || all.permits_need(&need));
        prop_assert!(!all.permits_need(&need) || grants(&[]).permits_need(&need));
    }
}
