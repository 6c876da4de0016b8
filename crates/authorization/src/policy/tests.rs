use super::*;
use crate::area::Shape;

type SpoiledCondition = (&'static str, fn(&mut Policy), fn(&mut Ask<'static>), Option<&'static str>);
type Decided = (&'static str, Vec<Policy>, Option<Reason>, Option<&'static str>);

const NOW: i64 = 1_800_000_000;
const INSIDE: Position = Position::At(Point::new(1.0, 1.0));
const OUTSIDE: Position = Position::At(Point::new(5.0, 5.0));

fn policy(id: &str, class: Class, effect: Effect) -> Policy {
    Policy {
        id: id.parse().unwrap(),
        version: 7,
        class,
        effect,
        subjects: vec![],
        services: vec![],
        actions: vec![],
        resources: vec![],
        area: None,
        period: None,
    }
}

fn area() -> Option<Area> {
    Some(Area(vec![Shape::Box { west: 0.0, south: 0.0, east: 2.0, north: 2.0 }]))
}

const ASK: Ask<'static> = Ask {
    subjects: &["ue-1", "alice"],
    service: Some("anchors"),
    action: Some("discover"),
    resource: Some("7"),
    position: INSIDE,
    now_s: NOW,
};

/// A rule with every condition, each of which [`ASK`] meets.
fn full(class: Class, effect: Effect) -> Policy {
    Policy {
        subjects: vec!["bob".into(), "alice".into()],
        services: vec!["anchors".into()],
        actions: vec!["read".into(), "discover".into()],
        resources: vec!["7".into()],
        area: area(),
        period: Some(Period { start_s: NOW, stop_s: NOW + 1 }),
        ..policy("full", class, effect)
    }
}

#[test]
fn one_condition_that_fails_spoils_a_match() {
    #[rustfmt::skip] // a table stays a table
    let rows: [SpoiledCondition; 15] = [
        ("as it is", |_| {}, |_| {}, None),
        ("other subjects", |p| p.subjects = vec!["bob".into()], |_| {}, Some("subjects")),
        ("nobody asks", |_| {}, |a| a.subjects = &[], Some("subjects")),
        ("client instead of user", |p| p.subjects = vec!["ue-1".into()], |_| {}, None),
        ("other case", |p| p.subjects = vec!["Alice".into()], |_| {}, Some("subjects")),
        ("other service", |_| {}, |a| a.service = Some("maps"), Some("services")),
        ("other action", |_| {}, |a| a.action = Some("write"), Some("actions")),
        ("other resource", |_| {}, |a| a.resource = Some("8"), Some("resources")),
        ("outside", |_| {}, |a| a.position = OUTSIDE, Some("area")),
        ("a second early", |_| {}, |a| a.now_s = NOW - 1, Some("period")),
        ("at the end", |_| {}, |a| a.now_s = NOW + 1, Some("period")),
        ("any service", |p| p.services.clear(), |a| a.service = Some("maps"), None),
        ("any action", |p| p.actions.clear(), |a| a.action = Some("write"), None),
        ("any area", |p| p.area = None, |a| a.position = OUTSIDE, None),
        ("any subject", |p| p.subjects.clear(), |a| a.subjects = &[], None),
    ];
    for effect in [Effect::Permit, Effect::Deny] {
        for (what, spoil_policy, spoil_ask, failed) in rows {
            let (mut policy, mut ask) = (full(Class::Local, effect), ASK);
            spoil_policy(&mut policy);
            spoil_ask(&mut ask);
            let rules = [policy, self::policy("all", Class::Local, Effect::Permit)];
            assert_eq!(explain(&rules, &ask)[0].failed, failed, "{what}, {effect}");
            let denies = effect == Effect::Deny && failed.is_none();
            assert_eq!(decide(&rules, &ask).is_permit(), !denies, "{what}, {effect}");
        }
    }
}

#[test]
fn classes_and_effects() {
    use Class::{Local, Operator, Regulatory};
    use Effect::{Deny, Permit};
    let other = |class, effect| Policy { subjects: vec!["bob".into()], ..policy("bob", class, effect) };
    let elsewhere = |class, effect| Policy { services: vec!["maps".into()], ..policy("maps", class, effect) };
    let base = || policy("base", Local, Permit);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Decided> = vec![
        ("no rule", vec![], Some(Reason::NotEntitled), None),
        ("local permit", vec![base()], None, Some("base")),
        ("local permit of another", vec![other(Local, Permit)], Some(Reason::NotEntitled), None),
        ("local deny", vec![base(), policy("d", Local, Deny)], Some(Reason::NotEntitled), Some("d")),
        ("local deny of another", vec![base(), other(Local, Deny)], None, Some("base")),
        ("operator deny", vec![base(), policy("d", Operator, Deny)], Some(Reason::OperatorRule), Some("d")),
        ("regulatory deny", vec![base(), policy("d", Regulatory, Deny)], Some(Reason::RegulatoryRule), Some("d")),
        ("both deny", vec![base(), policy("o", Operator, Deny), policy("r", Regulatory, Deny)], Some(Reason::RegulatoryRule), Some("r")),
        ("deny before permit of a higher class", vec![base(), policy("p", Regulatory, Permit), policy("d", Operator, Deny)], Some(Reason::OperatorRule), Some("d")),
        ("order does not matter", vec![policy("d", Operator, Deny), policy("p", Operator, Permit), base()], Some(Reason::OperatorRule), Some("d")),
        ("operator permit alone entitles nobody", vec![policy("p", Operator, Permit)], Some(Reason::NotEntitled), None),
        ("operator permit of another closes the list", vec![base(), other(Operator, Permit)], Some(Reason::OperatorRule), Some("bob")),
        ("regulatory permit of another closes the list", vec![base(), other(Regulatory, Permit)], Some(Reason::RegulatoryRule), Some("bob")),
        ("operator permit for something else closes nothing", vec![base(), elsewhere(Operator, Permit)], None, Some("base")),
        ("on the list", vec![base(), other(Operator, Permit), full(Operator, Permit)], None, Some("base")),
    ];
    for (what, rules, denied, by) in rows {
        let decision = decide(&rules, &ASK);
        assert_eq!(decision.denied, denied, "{what}");
        assert_eq!(decision.check(), denied.map_or(Ok(()), Err), "{what}");
        assert_eq!(
            decision.deciding().map(|(id, version)| (id.as_str(), version)),
            by.map(|id| (id, 7)),
            "{what}"
        );
    }
}

#[test]
fn a_server_may_leave_the_local_class_out() {
    let above = [Class::Operator, Class::Regulatory];
    assert_eq!(decide_by(&[], &ASK, &above), Decision { denied: None, by: None });
    let rules = [policy("d", Class::Local, Effect::Deny)];
    assert!(decide_by(&rules, &ASK, &above).is_permit());
    let rules = [policy("d", Class::Operator, Effect::Deny)];
    assert_eq!(decide_by(&rules, &ASK, &above).check(), Err(Reason::OperatorRule));
}

#[test]
fn what_is_open_is_decided_later_and_what_is_unknown_is_denied() {
    let token = Ask { action: None, resource: None, position: Position::Later, ..ASK };
    let lost = Ask { position: Position::Unknown, ..ASK };
    let permit = [full(Class::Local, Effect::Permit)];
    let deny = [policy("all", Class::Local, Effect::Permit), full(Class::Operator, Effect::Deny)];
    assert!(decide(&permit, &token).is_permit());
    assert!(decide(&deny, &token).is_permit());
    assert_eq!(decide(&permit, &lost).check(), Err(Reason::NotEntitled));
    assert_eq!(decide(&deny, &lost).check(), Err(Reason::OperatorRule));
    let closed = [
        policy("all", Class::Local, Effect::Permit),
        Policy { subjects: vec!["bob".into()], ..full(Class::Operator, Effect::Permit) },
    ];
    assert!(decide(&closed, &token).is_permit(), "the list is about a resource that is not known yet");
    assert_eq!(decide(&closed, &ASK).check(), Err(Reason::OperatorRule));
}

#[test]
fn rules_are_read_as_written() {
    let read = |policy: serde_json::Value| {
        Policy::from_wire("p".parse().unwrap(), 3, &serde_json::from_value(policy).unwrap())
    };
    let wire = serde_json::json!({
        "class": "operator", "effect": "DENY", "subjects": ["alice"], "services": ["anchors"], "actions": ["read"],
        "resources": ["7"], "period": { "startTime": "2027-01-15T08:00:00Z", "stopTime": "2027-01-15T09:00:00+00:00" },
        "area": { "geoServAr": { "geoArs": [{ "shape": "POINT", "point": { "lon": 1, "lat": 1 } }] } },
    });
    let policy = read(wire.clone()).unwrap();
    assert_eq!((policy.class, policy.effect, policy.version), (Class::Operator, Effect::Deny, 3));
    assert_eq!(policy.period, Some(Period { start_s: 1_800_000_000, stop_s: 1_800_003_600 }));
    assert!(decide(&[policy], &Ask { action: Some("read"), ..ASK }).check() == Err(Reason::OperatorRule));
    for (what, member, value) in [
        (
            "empty period",
            "period",
            serde_json::json!({ "startTime": "2027-01-15T08:00:00Z", "stopTime": "2027-01-15T08:00:00Z" }),
        ),
        ("area of cells", "area", serde_json::json!({ "topServAr": { "tais": [{}] } })),
    ] {
        let mut wire = wire.clone();
        wire[member] = value;
        assert!(read(wire).unwrap_err()[0].param.starts_with(&format!("/{member}")), "{what}");
    }
}
