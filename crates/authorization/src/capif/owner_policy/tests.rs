use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::area::Point;

const NOW: i64 = 1_800_000_000; // 2027-01-15T08:00:00Z

fn auth(info: &Value) -> ResourceAuth {
    let info: ResourceAuthInfo = serde_json::from_value(info.clone()).unwrap();
    ResourceAuth::from_wire(&info, &[], DefaultDecision::Deny, true).unwrap()
}

/// An anchor of `vs1` that `vs2` may read and discover.
fn info() -> Value {
    json!({
        "resourceId": "l/7", "resourceType": "3gpp_spatial_anchor", "aefId": "aef1", "apiId": "api1",
        "owner": { "apiInvokerId": "vs1" }, "visibility": "LISTED", "policyVersion": 1,
        "authPolicies": [
            { "policyId": "p1", "subjects": [{ "apiInvokerId": "vs2" }], "actions": ["read", "discover"], "effect": "PERMIT" },
        ],
    })
}

fn policy(v: &mut Value) -> &mut Value {
    &mut v["authPolicies"][0]
}

fn add(v: &mut Value, policy: Value) {
    v["authPolicies"].as_array_mut().unwrap().push(policy);
}

fn vs2() -> Ask<'static> {
    Ask {
        who: Asker {
            invoker: "vs2",
            groups: &["partners"],
            val_services: &["tour"],
            gpsi: Some("msisdn-491700000002"),
        },
        action: Action::Read,
        target: Target::Whole,
        purpose: None,
        position: Position::Later,
        now_s: NOW,
    }
}

#[test]
fn one_thing_spoiled_decides_otherwise() {
    use Reason::{NotAllowedEntity, NotSynchronised, NotVisible, OutsidePeriod, OwnerDenied};
    use Verdict::{Deny, Permit};
    type Row = (&'static str, fn(&mut Value), fn(&mut Ask<'_>), Verdict, Option<&'static str>);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 52] = [
        ("as it is", |_| {}, |_| {}, Permit, Some("p1")),
        ("discovery", |_| {}, |a| a.action = Action::Discover, Permit, Some("p1")),
        ("another action", |_| {}, |a| a.action = Action::Update, Deny(NotAllowedEntity), None),
        ("another invoker", |_| {}, |a| a.who.invoker = "vs3", Deny(NotAllowedEntity), None),
        ("invoker in capitals", |_| {}, |a| a.who.invoker = "VS2", Deny(NotAllowedEntity), None),
        ("the owner", |_| {}, |a| { a.who.invoker = "vs1"; a.action = Action::Delete; }, Permit, None),
        ("the owner against a DENY", |v| policy(v)["effect"] = "DENY".into(), |a| { a.who.invoker = "vs1"; a.action = Action::Read; }, Permit, None),
        ("a subscriber owns it", |v| v["owner"] = json!({ "resOwnerId": { "gpsi": "msisdn-491700000002" } }), |a| a.action = Action::Delete, Permit, None),
        ("another subscriber owns it", |v| v["owner"] = json!({ "resOwnerId": { "gpsi": "msisdn-491700000003" } }), |a| a.action = Action::Delete, Deny(NotAllowedEntity), None),
        ("an owner whose subscriber is not proven", |v| v["owner"] = json!({ "resOwnerId": { "gpsi": "msisdn-491700000002" } }), |a| { a.who.gpsi = None; a.action = Action::Delete; }, Deny(NotAllowedEntity), None),
        ("an invoker named like the subscriber", |v| v["owner"] = json!({ "resOwnerId": { "gpsi": "vs2" } }), |a| a.action = Action::Delete, Deny(NotAllowedEntity), None),
        ("no policy", |v| v["authPolicies"] = json!([]), |_| {}, Deny(NotAllowedEntity), None),
        ("no policy, the owner is asked", |v| { v["authPolicies"] = json!([]); v["defaultDecision"] = "ASK_OWNER".into(); }, |_| {}, Verdict::Ask, None),
        ("no policy that fits, the owner is asked", |v| v["defaultDecision"] = "ASK_OWNER".into(), |a| a.action = Action::Update, Verdict::Ask, None),
        ("nobody is asked what is denied", |v| { v["defaultDecision"] = "ASK_OWNER".into(); policy(v)["effect"] = "DENY".into(); }, |_| {}, Deny(OwnerDenied), Some("p1")),
        ("DENY", |v| policy(v)["effect"] = "DENY".into(), |_| {}, Deny(OwnerDenied), Some("p1")),
        ("DENY behind PERMIT", |v| add(v, json!({ "policyId": "p2", "subjects": ["ANY_ONBOARDED"], "actions": ["read"], "effect": "DENY" })), |_| {}, Deny(OwnerDenied), Some("p2")),
        ("DENY of another action", |v| add(v, json!({ "policyId": "p2", "subjects": ["ANY_ONBOARDED"], "actions": ["update"], "effect": "DENY" })), |_| {}, Permit, Some("p1")),
        ("DENY of another invoker", |v| add(v, json!({ "policyId": "p2", "subjects": [{ "apiInvokerId": "vs3" }], "actions": ["read"], "effect": "DENY" })), |_| {}, Permit, Some("p1")),
        ("group", |v| policy(v)["subjects"] = json!([{ "apiInvokerGroup": "partners" }]), |_| {}, Permit, Some("p1")),
        ("another group", |v| policy(v)["subjects"] = json!([{ "apiInvokerGroup": "guests" }]), |_| {}, Deny(NotAllowedEntity), None),
        ("a group named like the invoker", |v| policy(v)["subjects"] = json!([{ "apiInvokerGroup": "vs2" }]), |_| {}, Deny(NotAllowedEntity), None),
        ("VAL service", |v| policy(v)["subjects"] = json!([{ "valServiceId": "tour" }]), |_| {}, Permit, Some("p1")),
        ("another VAL service", |v| policy(v)["subjects"] = json!([{ "valServiceId": "game" }]), |_| {}, Deny(NotAllowedEntity), None),
        ("subscriber", |v| policy(v)["subjects"] = json!([{ "gpsi": "msisdn-491700000002" }]), |_| {}, Permit, Some("p1")),
        ("another subscriber", |v| policy(v)["subjects"] = json!([{ "gpsi": "msisdn-491700000003" }]), |_| {}, Deny(NotAllowedEntity), None),
        ("anybody", |v| policy(v)["subjects"] = json!(["ANY_ONBOARDED"]), |a| a.who = Asker { invoker: "vs9", ..Asker::default() }, Permit, Some("p1")),
        ("one of two subjects", |v| policy(v)["subjects"] = json!([{ "apiInvokerId": "vs9" }, { "valServiceId": "tour" }]), |_| {}, Permit, Some("p1")),
        ("inside the window", |v| policy(v)["timeWindows"] = json!([{ "startTime": "2027-01-15T08:00:00Z", "stopTime": "2027-01-15T08:00:01Z" }]), |_| {}, Permit, Some("p1")),
        ("before the window", |v| policy(v)["timeWindows"] = json!([{ "startTime": "2027-01-15T08:00:01Z", "stopTime": "2027-01-15T09:00:00Z" }]), |_| {}, Deny(NotAllowedEntity), None),
        ("at the end of the window", |v| policy(v)["timeWindows"] = json!([{ "startTime": "2027-01-15T07:00:00Z", "stopTime": "2027-01-15T08:00:00Z" }]), |_| {}, Deny(NotAllowedEntity), None),
        ("in the second window", |v| policy(v)["timeWindows"] = json!([{ "startTime": "2026-01-15T07:00:00Z", "stopTime": "2026-01-15T08:00:00Z" }, { "startTime": "2027-01-01T00:00:00Z", "stopTime": "2028-01-01T00:00:00Z" }]), |_| {}, Permit, Some("p1")),
        ("purpose", |v| policy(v)["purposes"] = json!(["tourism"]), |a| a.purpose = Some("tourism"), Permit, Some("p1")),
        ("another purpose", |v| policy(v)["purposes"] = json!(["tourism"]), |a| a.purpose = Some("ads"), Deny(NotAllowedEntity), None),
        ("purpose not said", |v| policy(v)["purposes"] = json!(["tourism"]), |_| {}, Deny(NotAllowedEntity), None),
        ("any purpose", |_| {}, |a| a.purpose = Some("ads"), Permit, Some("p1")),
        ("DENY of a purpose that is not said", |v| { policy(v)["purposes"] = json!(["ads"]); policy(v)["effect"] = "DENY".into(); }, |_| {}, Deny(OwnerDenied), Some("p1")),
        ("DENY of another purpose", |v| { policy(v)["purposes"] = json!(["ads"]); policy(v)["effect"] = "DENY".into(); }, |a| a.purpose = Some("tourism"), Deny(NotAllowedEntity), None),
        ("inside the area", |v| policy(v)["serviceArea"] = area(), |a| a.position = Position::At(Point::new(7.4, 46.9)), Permit, Some("p1")),
        ("outside the area", |v| policy(v)["serviceArea"] = area(), |a| a.position = Position::At(Point::new(7.5, 46.9)), Deny(NotAllowedEntity), None),
        ("area decided later", |v| policy(v)["serviceArea"] = area(), |_| {}, Permit, Some("p1")),
        ("place unknown", |v| policy(v)["serviceArea"] = area(), |a| a.position = Position::Unknown, Deny(NotAllowedEntity), None),
        ("DENY of an area, place unknown", |v| { policy(v)["serviceArea"] = area(); policy(v)["effect"] = "DENY".into(); }, |a| a.position = Position::Unknown, Deny(OwnerDenied), Some("p1")),
        ("DENY of an area, decided later", |v| { policy(v)["serviceArea"] = area(); policy(v)["effect"] = "DENY".into(); }, |_| {}, Deny(NotAllowedEntity), None),
        ("not ended", |v| v["expTime"] = "2027-01-15T08:00:01Z".into(), |_| {}, Permit, Some("p1")),
        ("ended", |v| v["expTime"] = "2027-01-15T08:00:00Z".into(), |_| {}, Deny(OutsidePeriod), None),
        ("ended, for the owner", |v| v["expTime"] = "2027-01-15T08:00:00Z".into(), |a| a.who.invoker = "vs1", Permit, None),
        ("private, found", |v| v["visibility"] = "PRIVATE".into(), |a| a.action = Action::Discover, Deny(NotVisible), None),
        ("private, read by its identifier", |v| v["visibility"] = "PRIVATE".into(), |_| {}, Permit, Some("p1")),
        ("no visibility is private", |v| { v.as_object_mut().unwrap().remove("visibility"); }, |a| a.action = Action::Discover, Deny(NotVisible), None),
        ("universal, found by anybody", |v| v["visibility"] = "UNIVERSAL".into(), |a| { a.action = Action::Discover; a.who = Asker { invoker: "vs9", ..Asker::default() }; }, Permit, None),
        ("universal, read by nobody else", |v| v["visibility"] = "UNIVERSAL".into(), |a| a.who = Asker { invoker: "vs9", ..Asker::default() }, Deny(NotAllowedEntity), None),
    ];
    for (what, spoil, change, verdict, by) in rows {
        let (mut value, mut ask) = (info(), vs2());
        spoil(&mut value);
        change(&mut ask);
        let auth = auth(&value);
        assert_eq!(auth.decide(&ask), Decision { verdict: verdict.clone(), by }, "{what}");
        if ask.action == Action::Discover && ask.position == Position::Later {
            assert_eq!(auth.may_discover(ask.who, NOW), verdict == Permit, "{what}");
        }
        let pending = ResourceAuth { synchronised: false, ..auth };
        let mine = ask.who.owns(&pending.owner);
        let ended = pending.exp_s.is_some_and(|end| end <= NOW);
        let expected = if mine { Permit } else { Deny(if ended { OutsidePeriod } else { NotSynchronised }) };
        assert_eq!(pending.decide(&ask).verdict, expected, "{what}, before it is synchronised");
    }
}

fn area() -> Value {
    let circle = json!({ "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": 7.4, "lat": 46.9 }, "uncertainty": 100.0 });
    json!({ "geoServAr": { "geoArs": [circle] } })
}

/// `p`: PERMIT, `d`: DENY; the letters behind the colon are parts, `*` is all of it.
fn of_parts(text: &str) -> ResourceAuth {
    let mut value = info();
    value["authPolicies"] = json!([]);
    for (number, word) in text.split_ascii_whitespace().enumerate() {
        let (effect, parts) = word.split_once(':').unwrap();
        let mut policy = json!({ "policyId": format!("{}{number}", effect), "subjects": ["ANY_ONBOARDED"], "actions": ["update"],
            "effect": if effect == "p" { "PERMIT" } else { "DENY" } });
        if parts != "*" {
            policy["servInfoIds"] = parts.chars().map(String::from).collect::<Vec<_>>().into();
        }
        add(&mut value, policy);
    }
    auth(&value)
}

#[test]
fn parts_are_permitted_one_by_one() {
    const NO: &str = "no";
    const NOT: &str = "denied";
    #[rustfmt::skip] // a table stays a table
    let rows = [
        // policies, the whole, all parts, parts a and b
        ("nothing", "", [NO, NO, NO]),
        ("everything", "p:*", ["yes", "yes", "ab"]),
        ("nothing at all", "d:*", [NOT, NOT, NOT]),
        ("everything denied", "p:* d:*", [NOT, NOT, NOT]),
        ("one part", "p:a", [NO, "a", "a"]),
        ("two parts in two policies", "p:b p:a", [NO, "ba", "ab"]),
        ("parts that were not asked for", "p:c", [NO, "c", NO]),
        ("a part denied", "d:a", [NOT, NOT, NOT]),
        ("everything but a part", "p:* d:a", [NOT, NOT, "b"]),
        ("everything but both", "p:* d:ab", [NOT, NOT, NOT]),
        ("everything but another part", "p:* d:c", [NOT, NOT, "ab"]),
        ("a part permitted and denied", "p:a d:a", [NOT, NOT, NOT]),
        ("one of two denied", "p:ab d:a", [NOT, "b", "b"]),
        ("everything and a part", "p:* p:a", ["yes", "yes", "ab"]),
        ("everything, a part, another denied", "p:* p:a d:c", [NOT, "a", "ab"]),
    ];
    for (what, policies, expected) in rows {
        let auth = of_parts(policies);
        let asked = ["a".to_owned(), "b".to_owned()];
        for (target, expected) in
            [Target::Whole, Target::AllParts, Target::Parts(&asked)].into_iter().zip(expected)
        {
            let decision = auth.decide(&Ask { action: Action::Update, target, ..vs2() });
            let seen = match &decision.verdict {
                Verdict::Permit => "yes".to_owned(),
                Verdict::PermitParts(parts) => parts.concat(),
                Verdict::Deny(Reason::OwnerDenied) => NOT.to_owned(),
                Verdict::Deny(Reason::NotAllowedEntity) => NO.to_owned(),
                other => panic!("{what}: {other:?}"),
            };
            assert_eq!(seen, expected, "{what}: {target:?}");
            assert_eq!(decision.by.is_some(), seen != NO, "{what}: a policy decided, or none");
        }
    }
}

#[test]
fn what_cannot_decide_is_refused() {
    let good = json!({
        "policyId": "p", "subjects": ["ANY_ONBOARDED"], "actions": ["read"], "servInfoIds": ["a"], "purposes": ["x"],
        "timeWindows": [{ "startTime": "2027-01-01T00:00:00Z", "stopTime": "2028-01-01T00:00:00Z" }],
        "serviceArea": area(), "effect": "PERMIT",
    });
    let read = |value: &Value| {
        let wire: AuthPolicy = serde_json::from_value(value.clone()).unwrap();
        OwnerPolicy::from_wire(&wire, "/p").map(|policy| policy.id().to_owned())
    };
    assert_eq!(read(&good), Ok("p".to_owned()));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("subjects", json!([]), "/p/subjects"), ("actions", json!([]), "/p/actions"), ("servInfoIds", json!([]), "/p/servInfoIds"),
        ("purposes", json!([]), "/p/purposes"), ("timeWindows", json!([]), "/p/timeWindows"),
        ("timeWindows", json!([{ "startTime": "2028-01-01T00:00:00Z", "stopTime": "2028-01-01T00:00:00Z" }]), "/p/timeWindows/0"),
        ("serviceArea", json!({ "geoServAr": { "geoArs": [] } }), "/p/serviceArea"),
    ];
    for (member, value, at) in rows {
        let mut spoilt = good.clone();
        spoilt[member] = value;
        assert_eq!(read(&spoilt).unwrap_err()[0].param, at);
    }
    let mut value = info();
    add(&mut value, json!({ "policyId": "p2", "subjects": [], "actions": ["read"], "effect": "DENY" }));
    let wire: ResourceAuthInfo = serde_json::from_value(value).unwrap();
    let read = ResourceAuth::from_wire(&wire, &[], DefaultDecision::Deny, true);
    assert_eq!(read.unwrap_err()[0].param, "/authPolicies/1/subjects");
}

#[test]
fn policies_of_server_and_owner_count_together() {
    let wire: ResourceAuthInfo = serde_json::from_value(info()).unwrap();
    let kept: AuthPolicy = serde_json::from_value(
        json!({ "policyId": "o1", "subjects": [{ "valServiceId": "tour" }], "actions": ["read", "update"], "effect": "DENY" }),
    )
    .unwrap();
    let both = ResourceAuth::from_wire(&wire, &[kept], DefaultDecision::AskOwner, true).unwrap();
    assert_eq!(both.decide(&vs2()).by, Some("o1"));
    let ask = Ask { action: Action::Delete, ..vs2() };
    assert_eq!(both.decide(&ask).verdict, Verdict::Ask, "the default of the operator");
}

#[test]
fn a_change_that_takes_something_away_is_told() {
    type Spoil = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, Spoil, bool); 32] = [
        ("nothing", |_| {}, |_| {}, false),
        ("another version", |_| {}, |v| v["policyVersion"] = 2.into(), false),
        ("another name", |_| {}, |v| policy(v)["policyId"] = "p9".into(), false),
        ("an action more", |_| {}, |v| policy(v)["actions"] = json!(["update", "read", "discover"]), false),
        ("an action less", |_| {}, |v| policy(v)["actions"] = json!(["read"]), true),
        ("a subject more", |_| {}, |v| policy(v)["subjects"] = json!([{ "apiInvokerId": "vs3" }, { "apiInvokerId": "vs2" }]), false),
        ("another subject", |_| {}, |v| policy(v)["subjects"] = json!([{ "apiInvokerId": "vs3" }]), true),
        ("anybody", |_| {}, |v| policy(v)["subjects"] = json!(["ANY_ONBOARDED"]), false),
        ("no longer anybody", |v| policy(v)["subjects"] = json!(["ANY_ONBOARDED"]), |_| {}, true),
        ("no policy", |_| {}, |v| v["authPolicies"] = json!([]), true),
        ("another policy", |_| {}, |v| add(v, json!({ "policyId": "p2", "subjects": ["ANY_ONBOARDED"], "actions": ["update"], "effect": "PERMIT" })), false),
        ("DENY instead", |_| {}, |v| policy(v)["effect"] = "DENY".into(), true),
        ("PERMIT instead", |v| policy(v)["effect"] = "DENY".into(), |_| {}, false),
        ("a new DENY", |_| {}, |v| add(v, json!({ "policyId": "p2", "subjects": [{ "apiInvokerId": "vs9" }], "actions": ["update"], "effect": "DENY" })), true),
        ("no DENY any more", |v| add(v, json!({ "policyId": "p2", "subjects": [{ "apiInvokerId": "vs9" }], "actions": ["update"], "effect": "DENY" })), |_| {}, false),
        ("a smaller DENY", |v| add(v, json!({ "policyId": "p2", "subjects": ["ANY_ONBOARDED"], "actions": ["update", "delete"], "effect": "DENY" })), |v| add(v, json!({ "policyId": "p3", "subjects": [{ "apiInvokerId": "vs9" }], "actions": ["update"], "purposes": ["ads"], "effect": "DENY" })), false),
        ("for a purpose only", |_| {}, |v| policy(v)["purposes"] = json!(["tourism"]), true),
        ("for any purpose", |v| policy(v)["purposes"] = json!(["tourism"]), |_| {}, false),
        ("for another purpose as well", |v| policy(v)["purposes"] = json!(["a"]), |v| policy(v)["purposes"] = json!(["b", "a"]), false),
        ("parts only", |_| {}, |v| policy(v)["servInfoIds"] = json!(["a"]), true),
        ("another part", |v| policy(v)["servInfoIds"] = json!(["a"]), |v| policy(v)["servInfoIds"] = json!(["b"]), true),
        ("in a window only", |_| {}, |v| policy(v)["timeWindows"] = json!([{ "startTime": "2027-01-01T00:00:00Z", "stopTime": "2028-01-01T00:00:00Z" }]), true),
        ("a longer window", |v| policy(v)["timeWindows"] = json!([{ "startTime": "2027-02-01T00:00:00Z", "stopTime": "2028-01-01T00:00:00Z" }]), |v| policy(v)["timeWindows"] = json!([{ "startTime": "2027-01-01T00:00:00Z", "stopTime": "2028-01-01T00:00:00Z" }]), false),
        ("an area only", |_| {}, |v| policy(v)["serviceArea"] = area(), true),
        ("the same area", |v| policy(v)["serviceArea"] = area(), |v| policy(v)["serviceArea"] = area(), false),
        ("less visible", |_| {}, |v| v["visibility"] = "PRIVATE".into(), true),
        ("more visible", |_| {}, |v| v["visibility"] = "UNIVERSAL".into(), false),
        ("another owner", |_| {}, |v| v["owner"] = json!({ "apiInvokerId": "vs3" }), true),
        ("nobody is asked any more", |v| v["defaultDecision"] = "ASK_OWNER".into(), |_| {}, true),
        ("now for resource owners", |_| {}, |v| v["ownerAware"] = true.into(), true),
        ("an end", |_| {}, |v| v["expTime"] = "2030-01-01T00:00:00Z".into(), true),
        ("a later end", |v| v["expTime"] = "2030-01-01T00:00:00Z".into(), |v| v["expTime"] = "2031-01-01T00:00:00Z".into(), false),
    ];
    for (what, before, after, narrowing) in rows {
        let (mut old, mut new) = (info(), info());
        before(&mut old);
        after(&mut new);
        assert_eq!(is_narrowing(&auth(&old), &auth(&new)), narrowing, "{what}");
    }
    let pending = ResourceAuth { synchronised: false, ..auth(&info()) };
    assert!(is_narrowing(&auth(&info()), &pending) && !is_narrowing(&pending, &auth(&info())));
}

#[test]
fn versions_only_grow() {
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the first", None, 0, false, Ok(Arrival::Newer)), ("the next", Some(4), 5, false, Ok(Arrival::Newer)), ("one left out", Some(4), 9, false, Ok(Arrival::Newer)),
        ("sent again", Some(4), 4, true, Ok(Arrival::Again)), ("other content", Some(4), 4, false, Err(Reason::StalePolicy)),
        ("older", Some(4), 3, false, Err(Reason::StalePolicy)), ("older, the same", Some(4), 3, true, Err(Reason::StalePolicy)),
    ];
    for (what, known, arriving, same, expected) in rows {
        assert_eq!(check_version(known, arriving, same), expected, "{what}");
    }
}

fn some<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = Vec<T>> + use<T> {
    proptest::sample::subsequence(all.to_vec(), 1..=all.len())
}

fn policies() -> impl Strategy<Value = Vec<OwnerPolicy>> {
    let subjects = [
        json!("ANY_ONBOARDED"),
        json!({ "apiInvokerId": "vs2" }),
        json!({ "apiInvokerId": "vs3" }),
        json!({ "valServiceId": "tour" }),
    ];
    let parts = proptest::option::of(some(&["a", "b"]));
    let purposes = proptest::option::of(some(&["x", "y"]));
    let until = proptest::option::of(2026..2030_u16);
    let policy =
        (some(&subjects), some(&["read", "update", "discover"]), parts, purposes, until, any::<bool>());
    let read = |(subjects, actions, parts, purposes, until, permit)| {
        let mut policy = json!({ "policyId": "p", "subjects": subjects, "actions": actions });
        policy["effect"] = if permit { "PERMIT" } else { "DENY" }.into();
        let (parts, purposes): (Option<Vec<&str>>, Option<Vec<&str>>) = (parts, purposes);
        let until: Option<u16> = until;
        if let Some(parts) = parts {
            policy["servInfoIds"] = json!(parts);
        }
        if let Some(purposes) = purposes {
            policy["purposes"] = json!(purposes);
        }
        if let Some(year) = until {
            policy["timeWindows"] = json!([{ "startTime": "2025-01-01T00:00:00Z", "stopTime": format!("{year}-01-01T00:00:00Z") }]);
        }
        OwnerPolicy::from_wire(&serde_json::from_value(policy).unwrap(), "").unwrap()
    };
    proptest::collection::vec(policy.prop_map(read), 0..4)
}

fn auths() -> impl Strategy<Value = ResourceAuth> {
    let visibility = proptest::sample::select(Visibility::ALL.to_vec());
    (policies(), visibility, any::<bool>()).prop_map(|(policies, visibility, asks)| ResourceAuth {
        policies,
        visibility,
        default_decision: if asks { DefaultDecision::AskOwner } else { DefaultDecision::Deny },
        ..auth(&info())
    })
}

/// Every question of a small world.
fn questions(test: &mut dyn FnMut(&Ask<'_>)) {
    let (one, two) = (["a".to_owned()], ["b".to_owned(), "a".to_owned()]);
    for invoker in ["vs1", "vs2", "vs3", "vs4"] {
        for val_services in [&[][..], &["tour"]] {
            for action in [Action::Read, Action::Update, Action::Discover] {
                for purpose in [None, Some("x"), Some("z")] {
                    for target in [Target::Whole, Target::AllParts, Target::Parts(&one), Target::Parts(&two)]
                    {
                        for now_s in [NOW, NOW + 100_000_000] {
                            let who = Asker { invoker, val_services, ..Asker::default() };
                            test(&Ask { who, action, target, purpose, position: Position::Later, now_s });
                        }
                    }
                }
            }
        }
    }
}

/// Whether everything that one verdict gives, the other gives as well.
fn gives_less(old: &Verdict, new: &Verdict) -> bool {
    match (old, new) {
        (Verdict::Deny(_) | Verdict::Ask, _) | (_, Verdict::Permit) => false,
        (Verdict::Permit, _) => true,
        (Verdict::PermitParts(old), Verdict::PermitParts(new)) => !old.iter().all(|part| new.contains(part)),
        (Verdict::PermitParts(_), _) => true,
    }
}

proptest! {
    /// A change that is not called narrowing takes nothing from anybody.
    #[test]
    fn what_is_not_narrowing_takes_nothing_away(old in auths(), new in auths(), keep in any::<bool>()) {
        let mut new = new;
        if keep {
            // Else hardly any two are comparable.
            new.policies.retain(|policy| policy.effect == Effect::Permit);
            new.policies.extend(old.policies.iter().cloned());
        }
        prop_assert!(!is_narrowing(&old, &old));
        if !is_narrowing(&old, &new) {
            questions(&mut |ask| {
                let (before, after) = (old.decide(ask).verdict, new.decide(ask).verdict);
                assert!(!gives_less(&before, &after), "{ask:?}: {before:?}, then {after:?}");
            });
        }
    }

    /// One more DENY never gives anything.
    #[test]
    fn a_deny_only_takes(auth in auths(), more in policies()) {
        let mut denied = auth.clone();
        denied.policies.extend(more.into_iter().filter(|policy| policy.effect == Effect::Deny));
        questions(&mut |ask| {
            let (before, after) = (auth.decide(ask).verdict, denied.decide(ask).verdict);
            assert!(!gives_less(&after, &before), "{ask:?}: {before:?}, then {after:?}");
        });
    }

    /// Of parts, all are permitted that each alone is, and no more.
    #[test]
    fn parts_are_decided_one_by_one(auth in auths()) {
        questions(&mut |ask| {
            let Target::Parts(asked) = ask.target else { return };
            let yes = |part: &String| {
                let one = std::slice::from_ref(part);
                match auth.decide(&Ask { target: Target::Parts(one), ..*ask }).verdict {
                    Verdict::Permit => true,
                    Verdict::PermitParts(parts) => parts == one,
                    _ => false,
                }
            };
            let each: Vec<String> = asked.iter().filter(|part| yes(part)).cloned().collect();
            match auth.decide(ask).verdict {
                Verdict::Permit => assert_eq!(each, asked),
                Verdict::PermitParts(parts) => assert_eq!(each, parts),
                _ => assert!(each.is_empty(), "{ask:?}"),
            }
        });
    }
}
