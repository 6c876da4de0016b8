//! From owner, visibility, rules and parts of an object to the policies that the core function decides by. Pure.
//!
//! | here | there |
//! |---|---|
//! | UNIVERSAL | every API invoker may discover and read |
//! | RESTRICTED | whom the rules name may discover, read, subscribe and localize; never change |
//! | PRIVATE | no policy: rules are ignored |
//! | a listed VAL server's entries of service information | that API invoker may update these entries |
//!
//! Rules about VAL users and UEs that CAPIF has no name for are left out: a token adds a gate, and the server goes on
//! deciding by all of its rules.

use std::collections::{BTreeMap, BTreeSet};

use api_types::admin::PolicyEffect;
use api_types::capif::ResourceId;
use api_types::capif::resource_auth::{
    AuthPolicy, DefaultDecision, MAX_ENTRIES, MAX_POLICIES, OwnerPrincipal, PolicySubject, ResourceAction,
    ResourceAuthInfo, ResourceOwner, ResourceType, ResourceVisibility,
};
use api_types::date_time::TimeWindow;
use api_types::san::{AllowedRules, EntityType, ServInfo, Visibility};
use authorization::Principal;
use authorization::access_rules::{Rules, visibility_or_default};

use super::CoreFunction;

/// How a GPSI begins (TS 23.003 28.8); other names of VAL users and UEs are no names in CAPIF.
const GPSI: [&str; 2] = ["msisdn-", "extid-"];

/// What may be done by whom the rules name.
const READER: [ResourceAction; 4] =
    [ResourceAction::Discover, ResourceAction::Read, ResourceAction::Subscribe, ResourceAction::Localize];

/// An anchor or a map, as far as it decides who may access it.
#[derive(Clone, Copy)]
pub(crate) struct Exposed<'a> {
    pub(crate) kind: ResourceType,
    pub(crate) owner: &'a Principal,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) rules: Option<&'a AllowedRules>,
    pub(crate) serv_infos: Option<&'a [ServInfo]>,
    pub(crate) period: Option<TimeWindow>,
}

/// What the core function is told of an object.
pub(crate) fn resource_auth(
    core: &CoreFunction,
    resource_id: ResourceId,
    object: &Exposed<'_>,
    policy_version: u64,
) -> ResourceAuthInfo {
    let rules = Rules::from(object.rules);
    let visibility = visibility_or_default(object.visibility, &rules);
    let policies = policies(visibility, &rules, object.serv_infos.unwrap_or_default());
    ResourceAuthInfo {
        resource_id,
        resource_type: object.kind,
        aef_id: core.aef_id.clone(),
        api_id: core.api_id.clone(),
        owner: owner(core, object.owner),
        owner_aware: None,
        visibility: Some(match visibility {
            Visibility::Universal => ResourceVisibility::Universal,
            Visibility::Restricted => ResourceVisibility::Listed,
            Visibility::Private => ResourceVisibility::Private,
        }),
        auth_policies: (!policies.is_empty()).then_some(policies),
        // Who has said anything has decided; else the core function's local policy does (CON-22).
        default_decision: (object.visibility.is_some() || object.rules.is_some())
            .then_some(DefaultDecision::Deny),
        policy_version,
        exp_time: object.period.map(|period| period.stop_time),
        supported_features: None,
    }
}

/// By the token that made the object: an API invoker of the core function, or somebody of another issuer.
fn owner(core: &CoreFunction, owner: &Principal) -> ResourceOwner {
    if core.issuer == owner.issuer
        && let Ok(id) = owner.subject.as_str().try_into()
    {
        return ResourceOwner::ApiInvokerId(id);
    }
    ResourceOwner::Principal(OwnerPrincipal { iss: owner.issuer.clone(), sub: owner.subject.clone() })
}

fn policies(visibility: Visibility, rules: &Rules, serv_infos: &[ServInfo]) -> Vec<AuthPolicy> {
    if visibility == Visibility::Private {
        return Vec::new();
    }
    let mut policies = Vec::new();
    if visibility == Visibility::Universal {
        let actions = vec![ResourceAction::Discover, ResourceAction::Read];
        policies.push(permit("everybody", vec![PolicySubject::AnyOnboarded], actions));
    }
    let Named { servers, any_server, clients } = Named::of(rules);
    let services = rules.val_services.iter().cloned().map(PolicySubject::ValServiceId).collect();
    let any = if any_server { vec![PolicySubject::AnyOnboarded] } else { Vec::new() };
    let kinds = [
        ("any-server", any),
        ("servers", servers.iter().cloned().collect()),
        ("clients", clients),
        ("services", services),
    ];
    for (name, mut subjects) in kinds {
        subjects.truncate(MAX_ENTRIES);
        if !subjects.is_empty() {
            policies.push(permit(name, subjects, READER.to_vec()));
        }
    }
    let mut of_providers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in serv_infos {
        let Some(provider) = entry.provider_id.as_deref() else { continue };
        of_providers.entry(provider).or_default().push(entry.serv_info_id.clone());
    }
    for (provider, parts) in of_providers {
        let Ok(id) = provider.try_into() else { continue };
        let subject = PolicySubject::ApiInvokerId(id);
        if policies.len() < MAX_POLICIES && (any_server || servers.contains(&subject)) {
            let policy = permit(&format!("parts-{provider}"), vec![subject], vec![ResourceAction::Update]);
            policies.push(AuthPolicy { serv_info_ids: Some(parts), ..policy });
        }
    }
    policies
}

/// Whom the rules name, as far as CAPIF has names for them.
#[derive(Default)]
struct Named {
    servers: BTreeSet<PolicySubject>,
    any_server: bool,
    clients: Vec<PolicySubject>,
}

impl Named {
    fn of(rules: &Rules) -> Self {
        let mut named = Self::default();
        for entity in &rules.entities {
            let is = |kind: EntityType| entity.kind.as_ref().is_none_or(|own| *own == kind);
            let Some(id) = entity.identifier.as_deref() else {
                named.any_server |= entity.kind == Some(EntityType::ValServer);
                continue;
            };
            if is(EntityType::ValServer)
                && let Ok(id) = id.try_into()
            {
                named.servers.insert(PolicySubject::ApiInvokerId(id));
            }
            if is(EntityType::ValClient)
                && GPSI.iter().any(|kind| id.starts_with(kind))
                && let Ok(gpsi) = id.try_into()
            {
                named.clients.push(PolicySubject::Gpsi(gpsi));
            }
        }
        named
    }
}

fn permit(name: &str, subjects: Vec<PolicySubject>, actions: Vec<ResourceAction>) -> AuthPolicy {
    AuthPolicy {
        policy_id: name.to_owned(),
        subjects,
        actions,
        serv_info_ids: None,
        time_windows: None,
        service_area: None,
        purposes: None,
        effect: PolicyEffect::Permit,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn core() -> CoreFunction {
        CoreFunction {
            issuer: "https://ccf.example".to_owned(),
            name: "ccf".to_owned(),
            aef_id: "AEF1".try_into().unwrap(),
            api_id: "API1".try_into().unwrap(),
        }
    }

    fn told(owner: (&str, &str), object: &Value) -> Value {
        let rules: Option<AllowedRules> = serde_json::from_value(object["rules"].clone()).unwrap();
        let infos: Option<Vec<ServInfo>> = serde_json::from_value(object["servInfos"].clone()).unwrap();
        let exposed = Exposed {
            kind: ResourceType::SpatialAnchor,
            owner: &Principal::new(owner.0, owner.1),
            visibility: serde_json::from_value(object["visibility"].clone()).unwrap(),
            rules: rules.as_ref(),
            serv_infos: infos.as_deref(),
            period: serde_json::from_value(object["timePeriod"].clone()).unwrap(),
        };
        let info = resource_auth(&core(), "l1/7".try_into().unwrap(), &exposed, 3);
        assert_eq!(api_types::validate::Validate::validate(&info, ""), Ok(()));
        serde_json::to_value(info).unwrap()
    }

    const INVOKER: (&str, &str) = ("https://ccf.example", "INV1");

    #[test]
    fn the_owner_is_whom_the_token_named() {
        for (owner, expected) in [
            (INVOKER, json!({ "apiInvokerId": "INV1" })),
            (
                ("https://sim.example", "vs-1"),
                json!({ "principal": { "iss": "https://sim.example", "sub": "vs-1" } }),
            ),
            (
                ("https://ccf.example", "no#id"),
                json!({ "principal": { "iss": "https://ccf.example", "sub": "no#id" } }),
            ),
        ] {
            let told = told(owner, &json!({}));
            assert_eq!(told["owner"], expected, "{owner:?}");
            assert_eq!((&told["resourceId"], &told["policyVersion"]), (&json!("l1/7"), &json!(3)));
            assert_eq!((&told["aefId"], &told["apiId"]), (&json!("AEF1"), &json!("API1")));
        }
    }

    #[test]
    fn rules_are_told_as_policies() {
        let reader = json!(["discover", "read", "subscribe", "localize"]);
        let permit = |id: &str, subjects: Value, actions: &Value| json!({ "policyId": id, "subjects": subjects, "actions": actions, "effect": "PERMIT" });
        let vs2 = json!({ "apiInvokerId": "INV2" });
        let server = |id: &str| json!({ "type": "VAL_SERVER", "identifier": id });
        let named = |entities: Value| json!({ "rules": { "allowedEntities": entities } });
        let mut parts = permit("parts-INV2", json!([vs2]), &json!(["update"]));
        parts["servInfoIds"] = json!(["tour", "menu"]);
        let infos = json!([{ "servInfoId": "tour", "providerId": "INV2", "info": "i" },
            { "servInfoId": "own", "providerId": "INV1", "info": "i" },
            { "servInfoId": "menu", "providerId": "INV2", "info": "i" },
            { "servInfoId": "none", "info": "i" }]);
        let all = json!(["ANY_ONBOARDED"]);
        #[rustfmt::skip] // a table stays a table
        let rows: Vec<(&str, Value, &str, Vec<Value>)> = vec![
            ("nothing said", json!({}), "PRIVATE", vec![]),
            ("private, rules are ignored", json!({ "visibility": "PRIVATE", "rules": { "allowedEntities": [server("INV2")] } }), "PRIVATE", vec![]),
            ("universal", json!({ "visibility": "UNIVERSAL" }), "UNIVERSAL", vec![permit("everybody", all.clone(), &json!(["discover", "read"]))]),
            ("universal with rules", json!({ "visibility": "UNIVERSAL", "rules": { "allowedEntities": [server("INV2")] } }), "UNIVERSAL",
                vec![permit("everybody", all.clone(), &json!(["discover", "read"])), permit("servers", json!([vs2]), &reader)]),
            ("restricted to nobody", json!({ "visibility": "RESTRICTED" }), "LISTED", vec![]),
            ("a server", named(json!([server("INV2")])), "LISTED", vec![permit("servers", json!([vs2]), &reader)]),
            ("a server twice", named(json!([server("INV2"), server("INV2")])), "LISTED", vec![permit("servers", json!([vs2]), &reader)]),
            ("a server that is no API invoker", named(json!([server("vs:2")])), "LISTED", vec![]),
            ("any server", named(json!([{ "type": "VAL_SERVER" }])), "LISTED", vec![permit("any-server", all.clone(), &reader)]),
            ("a subscriber", named(json!([{ "type": "VAL_CLIENT", "identifier": "msisdn-4915100" }])), "LISTED",
                vec![permit("clients", json!([{ "gpsi": "msisdn-4915100" }]), &reader)]),
            ("a VAL user", named(json!([{ "type": "VAL_CLIENT", "identifier": "alice" }])), "LISTED", vec![]),
            ("any client", named(json!([{ "type": "VAL_CLIENT" }])), "LISTED", vec![]),
            ("a type that nobody knows", named(json!([{ "type": "ROBOT", "identifier": "INV2" }])), "LISTED", vec![]),
            ("of any type", named(json!([{ "identifier": "INV2" }])), "LISTED", vec![permit("servers", json!([vs2]), &reader)]),
            ("a VAL service", json!({ "rules": { "valServiceList": ["guide"] } }), "LISTED", vec![permit("services", json!([{ "valServiceId": "guide" }]), &reader)]),
            ("parts of a listed server", json!({ "rules": { "allowedEntities": [server("INV2")] }, "servInfos": infos }), "LISTED",
                vec![permit("servers", json!([vs2]), &reader), parts]),
            ("parts of a server that is not listed", json!({ "rules": { "allowedEntities": [server("INV3")] }, "servInfos": infos }), "LISTED",
                vec![permit("servers", json!([{ "apiInvokerId": "INV3" }]), &reader)]),
            ("parts of a private one", json!({ "servInfos": infos }), "PRIVATE", vec![]),
        ];
        for (what, object, visibility, policies) in rows {
            let told = told(INVOKER, &object);
            assert_eq!(told["visibility"], visibility, "{what}");
            let said = object.get("visibility").or(object.get("rules")).map(|_| json!("DENY"));
            assert_eq!(told.get("defaultDecision").cloned(), said, "{what}");
            let expected = if policies.is_empty() { Value::Null } else { Value::from(policies) };
            assert_eq!(told.get("authPolicies").cloned().unwrap_or_default(), expected, "{what}");
        }
    }

    #[test]
    fn only_the_end_of_a_period_is_told() {
        let period = json!({ "startTime": "2026-01-01T00:00:00Z", "stopTime": "2027-01-01T00:00:00Z" });
        assert_eq!(told(INVOKER, &json!({ "timePeriod": period }))["expTime"], "2027-01-01T00:00:00Z");
        assert!(told(INVOKER, &json!({})).get("expTime").is_none());
    }
}
