use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{ISSUER, server, user};

fn with_services(mut caller: Caller, services: &[&str]) -> Caller {
    caller.val_services = services.iter().map(|service| service.parse().unwrap()).collect();
    caller
}

fn item(visibility: Option<Visibility>, rules: Option<serde_json::Value>) -> Item {
    let rules: Option<AllowedRules> = rules.map(|rules| serde_json::from_value(rules).unwrap());
    Item::new(Principal::new(ISSUER, "vs-1"), visibility, rules.as_ref())
}

const OWN: Result<Grant, Reason> = Ok(Grant { owner: true });
const YES: Result<Grant, Reason> = Ok(Grant { owner: false });
const HIDDEN: Result<Grant, Reason> = Err(Reason::NotVisible);
const NO: Result<Grant, Reason> = Err(Reason::NotAllowedEntity);

/// Owner vs-1, server vs-2, alice on UE ue-a, bob on ue-b with service tour, and a function.
#[test]
fn every_rule_for_every_kind_of_caller() {
    use Visibility::{Private, Restricted, Universal};
    let mut function = server("sm");
    function.kind = CallerKind::Function;
    let callers = [
        server("vs-1"),
        server("vs-2"),
        user("alice", "ue-a"),
        with_services(user("bob", "ue-b"), &["tour"]),
        function,
    ];
    let entity = |kind: Option<&str>, id: Option<&str>| {
        let mut entity = json!({});
        if let Some(kind) = kind {
            entity["type"] = kind.into();
        }
        if let Some(id) = id {
            entity["identifier"] = id.into();
        }
        Some(json!({ "allowedEntities": [entity] }))
    };
    let (s, c) = (Some("VAL_SERVER"), Some("VAL_CLIENT"));
    let services = |list: &[&str]| Some(json!({ "valServiceList": list }));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("nothing said", None, None, [OWN, HIDDEN, HIDDEN, HIDDEN, HIDDEN]),
        ("empty rules", None, Some(json!({})), [OWN, HIDDEN, HIDDEN, HIDDEN, HIDDEN]),
        ("rules without visibility", None, entity(s, Some("vs-2")), [OWN, YES, NO, NO, NO]),
        ("restricted without rules", Some(Restricted), None, [OWN, NO, NO, NO, NO]),
        ("a server", Some(Restricted), entity(s, Some("vs-2")), [OWN, YES, NO, NO, NO]),
        ("another server", Some(Restricted), entity(s, Some("vs-3")), [OWN, NO, NO, NO, NO]),
        ("any server", Some(Restricted), entity(s, None), [OWN, YES, NO, NO, NO]),
        ("a server in another case", Some(Restricted), entity(s, Some("VS-2")), [OWN, NO, NO, NO, NO]),
        ("a user", Some(Restricted), entity(c, Some("alice")), [OWN, NO, YES, NO, NO]),
        ("a UE", Some(Restricted), entity(c, Some("ue-b")), [OWN, NO, NO, YES, NO]),
        ("any client", Some(Restricted), entity(c, None), [OWN, NO, YES, YES, NO]),
        ("a user as server", Some(Restricted), entity(s, Some("alice")), [OWN, NO, NO, NO, NO]),
        ("a server as client", Some(Restricted), entity(c, Some("vs-2")), [OWN, NO, NO, NO, NO]),
        ("an OAuth client of a user", Some(Restricted), entity(c, Some("ue-1")), [OWN, NO, NO, NO, NO]),
        ("an OAuth client of a user as server", Some(Restricted), entity(s, Some("ue-1")), [OWN, NO, NO, NO, NO]),
        ("identifier alone, user", Some(Restricted), entity(None, Some("alice")), [OWN, NO, YES, NO, NO]),
        ("identifier alone, server", Some(Restricted), entity(None, Some("vs-2")), [OWN, YES, NO, NO, NO]),
        ("neither type nor identifier", Some(Restricted), entity(None, None), [OWN, NO, NO, NO, NO]),
        ("unknown type", Some(Restricted), entity(Some("VAL_ROBOT"), None), [OWN, NO, NO, NO, NO]),
        ("unknown type, known id", Some(Restricted), entity(Some("VAL_ROBOT"), Some("alice")), [OWN, NO, NO, NO, NO]),
        ("the function by name", Some(Restricted), entity(s, Some("sm")), [OWN, NO, NO, NO, NO]),
        ("a service", Some(Restricted), services(&["tour"]), [OWN, NO, NO, YES, NO]),
        ("another service", Some(Restricted), services(&["museum"]), [OWN, NO, NO, NO, NO]),
        ("one of two services", Some(Restricted), services(&["museum", "tour"]), [OWN, NO, NO, YES, NO]),
        ("no service", Some(Restricted), services(&[]), [OWN, NO, NO, NO, NO]),
        ("lists are OR-ed", Some(Restricted), Some(json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }], "valServiceList": ["tour"] })), [OWN, YES, NO, YES, NO]),
        ("universal", Some(Universal), None, [OWN, YES, YES, YES, YES]),
        ("universal with rules", Some(Universal), entity(s, Some("vs-3")), [OWN, YES, YES, YES, YES]),
        ("private", Some(Private), None, [OWN, HIDDEN, HIDDEN, HIDDEN, HIDDEN]),
        ("private with rules", Some(Private), entity(s, Some("vs-2")), [OWN, HIDDEN, HIDDEN, HIDDEN, HIDDEN]),
        ("private with a service", Some(Private), services(&["tour"]), [OWN, HIDDEN, HIDDEN, HIDDEN, HIDDEN]),
    ];
    for (what, visibility, rules, expected) in rows {
        let item = item(visibility, rules);
        for (caller, expected) in callers.iter().zip(expected) {
            let who = caller.client_id.as_str();
            assert_eq!(may_discover(caller, &item), expected, "{what}: {who}");
            let change = match expected {
                OWN => Ok(()),
                YES => Err(Reason::NotOwner),
                refused => refused.map(drop),
            };
            assert_eq!(may_change(caller, &item), change, "{what}: {who} changes");
            assert_eq!(selected(caller, &item), expected.is_ok(), "{what}: {who} by the index");
        }
    }
}

#[test]
fn an_owner_is_issuer_and_subject() {
    let item = item(Some(Visibility::Private), None);
    let mut twin = server("vs-1");
    twin.issuer = "https://sim.other.example".into();
    assert_eq!(may_discover(&twin, &item), HIDDEN);
    assert!(!selected(&twin, &item));
}

#[test]
fn servers_are_listed_by_rules_only() {
    let named = Some(json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] }));
    let any_client = Some(json!({ "allowedEntities": [{ "type": "VAL_CLIENT" }] }));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("named", None, named.clone(), true), ("universal and named", Some(Visibility::Universal), named.clone(), true),
        ("universal alone", Some(Visibility::Universal), None, false), ("private", Some(Visibility::Private), named, false), ("not named", None, any_client.clone(), false),
    ];
    for (what, visibility, rules, expected) in rows {
        assert_eq!(lists_server(&server("vs-2"), &item(visibility, rules)), expected, "{what}");
    }
    assert!(!lists_server(&user("alice", "ue-a"), &item(None, any_client)), "no server");
}

#[test]
fn names_of_matches_do_not_collide() {
    let owner = |issuer: &str, subject: &str| Match::Owner(Principal::new(issuer, subject)).to_string();
    let names = [
        owner("a", "b:c"),
        owner("a:b", "c"),
        owner("a", "b"),
        Match::Anyone.to_string(),
        Match::AnyServer.to_string(),
        Match::AnyClient.to_string(),
        Match::Server("*".into()).to_string(),
        Match::Client("*".into()).to_string(),
        Match::ValService("*".into()).to_string(),
        Match::Server(String::new()).to_string(),
        Match::Client("s:*".into()).to_string(),
    ];
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
}

/// What an index does.
fn selected(caller: &Caller, item: &Item) -> bool {
    let held: BTreeSet<String> = held_by(caller).iter().map(ToString::to_string).collect();
    class_matches(item).iter().any(|one| held.contains(&one.to_string()))
}

const IDS: [&str; 6] = ["vs-1", "vs-2", "alice", "ue-a", "tour", "s:vs-1"];

fn id() -> impl Strategy<Value = String> {
    proptest::sample::select(IDS.to_vec()).prop_map(str::to_owned)
}

fn any_entity() -> impl Strategy<Value = Entity> {
    let kinds = vec![
        None,
        Some(EntityType::ValServer),
        Some(EntityType::ValClient),
        Some(EntityType::Other("X".into())),
    ];
    (proptest::sample::select(kinds), proptest::option::of(id()))
        .prop_map(|(kind, identifier)| Entity { kind, identifier })
}

fn any_item() -> impl Strategy<Value = Item> {
    let rules = (proptest::collection::vec(any_entity(), 0..4), proptest::collection::vec(id(), 0..3));
    let issuer = proptest::sample::select(vec![ISSUER, "https://sim.other.example"]);
    (proptest::sample::select(Visibility::ALL.to_vec()), issuer, id(), rules).prop_map(
        |(visibility, issuer, owner, (entities, services))| {
            let val_services = services.iter().map(|service| service.parse().unwrap()).collect();
            Item { owner: Principal::new(issuer, owner), visibility, rules: Rules { entities, val_services } }
        },
    )
}

fn any_caller() -> impl Strategy<Value = Caller> {
    let kind =
        proptest::sample::select(vec![CallerKind::ValServer, CallerKind::ValClient, CallerKind::Function]);
    (
        kind,
        id(),
        id(),
        proptest::option::of(id()),
        proptest::option::of(id()),
        proptest::collection::vec(id(), 0..3),
    )
        .prop_map(|(kind, subject, client, user, ue, services)| {
            let services: Vec<_> = services.iter().map(String::as_str).collect();
            let mut caller = with_services(server(&client), &services);
            caller.kind = kind;
            caller.subject = subject;
            caller.user = user.map(|user| user.parse().unwrap());
            caller.ue = ue.map(|ue| ue.parse().unwrap());
            caller
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The index selects exactly what the decision permits.
    #[test]
    fn the_index_and_the_decision_agree(item in any_item(), caller in any_caller()) {
        prop_assert_eq!(selected(&caller, &item), may_discover(&caller, &item).is_ok());
    }

    /// Items of one class are for the same callers, and the class has one name however the rules are written.
    #[test]
    fn one_class_is_for_the_same_callers(one in any_item(), two in any_item(), caller in any_caller()) {
        if class_key(&one) == class_key(&two) {
            prop_assert_eq!(may_discover(&caller, &one).is_ok(), may_discover(&caller, &two).is_ok());
        }
        let mut shuffled = one.clone();
        shuffled.rules.entities.reverse();
        shuffled.rules.entities.extend(one.rules.entities.iter().cloned());
        shuffled.rules.val_services.reverse();
        prop_assert_eq!(class_key(&one), class_key(&shuffled));
    }
}

/// A token with `act` (RFC 8693): the rules are about the server that the function acts for, never about the function.
#[test]
fn a_function_that_acts_for_a_server_has_what_that_server_has() {
    let mut acting = server("vs-2");
    acting.client_id = "sm".parse().unwrap();
    acting.actor = Some("sm".to_owned());
    let names = |id: &str| Some(json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": id }] }));
    let rows = [
        ("vs-2", None, names("vs-2"), YES),
        ("the function", None, names("sm"), NO),
        ("private", Some(Visibility::Private), names("vs-2"), HIDDEN),
    ];
    for (what, visibility, rules, expected) in rows {
        assert_eq!(may_discover(&acting, &item(visibility, rules)), expected, "{what}");
    }
    assert_eq!(held_by(&acting), held_by(&server("vs-2")));
    acting.subject = "vs-1".to_owned();
    assert_eq!(may_discover(&acting, &item(None, None)), OWN);
}
