//! A happening of each kind, about `API1` (`ssan-sanm`), `INV1` and `AEF1` as far as it is about such things.

use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::logging::InvocationLog;
use api_types::capif::publish::ServiceAPIDescription;
use serde_json::{Value, json};

use super::note::{ApiAt, Happening};

pub(crate) fn profile(aef: &str) -> Value {
    json!({ "aefId": aef, "versions": [{ "apiVersion": "v1" }], "domainName": "san.example" })
}

pub(crate) fn service_api() -> ServiceAPIDescription {
    let text = json!({ "apiName": "ssan-sanm", "apiId": "API1", "aefProfiles": [profile("AEF1")] });
    serde_json::from_value(text).unwrap()
}

pub(crate) fn at(api: &str) -> ApiAt {
    ApiAt { api: api.parse().unwrap(), aefs: vec!["AEF1".parse().unwrap()] }
}

pub(crate) fn policy(invoker: &str) -> ApiInvokerPolicy {
    serde_json::from_value(json!({ "apiInvokerId": invoker, "allowedTotalInvocations": 5 })).unwrap()
}

/// A log of these service APIs and results.
pub(crate) fn log(entries: &[(&str, &str)]) -> InvocationLog {
    let entry = |(api, result): &(&str, &str)| {
        json!({
            "apiId": api, "apiName": "ssan-sanm", "apiVersion": "v1", "resourceName": "anchors-lists",
            "protocol": "HTTP_1_1", "operation": "GET", "result": result,
        })
    };
    let logs: Vec<_> = entries.iter().map(entry).collect();
    serde_json::from_value(json!({ "aefId": "AEF1", "apiInvokerId": "INV1", "logs": logs })).unwrap()
}

pub(crate) fn happenings() -> Vec<(&'static str, Happening)> {
    let api = || Box::new(service_api());
    let invoker = || "INV1".parse().unwrap();
    let rules = || vec![serde_json::from_value(json!({ "aefProfile": profile("AEF7") })).unwrap()];
    let criteria = || vec![serde_json::from_value(json!({ "secMethods": ["OAUTH"] })).unwrap()];
    vec![
        ("available", Happening::ServiceApiAvailable { api: api() }),
        ("unavailable", Happening::ServiceApiUnavailable { api: api() }),
        ("updated", Happening::ServiceApiUpdated { api: api() }),
        ("onboarded", Happening::InvokerOnboarded { invoker: invoker() }),
        ("offboarded", Happening::InvokerOffboarded { invoker: invoker() }),
        ("invoker updated", Happening::InvokerUpdated { invoker: invoker() }),
        ("invoked", Happening::Invoked { log: Box::new(log(&[("API1", "200")])) }),
        (
            "access control updated",
            Happening::AccessControlUpdated { api: at("API1"), policies: vec![policy("INV1")] },
        ),
        ("access control gone", Happening::AccessControlGone { api: at("API1") }),
        (
            "revoked",
            Happening::AuthorizationRevoked {
                invoker: invoker(),
                aef: Some("AEF1".parse().unwrap()),
                apis: vec!["API1".parse().unwrap()],
            },
        ),
        ("hidden", Happening::TopologyHidden { api: at("API1"), rules: rules() }),
        ("shown", Happening::TopologyShown { api: at("API1"), rules: rules() }),
        ("criteria failed", Happening::CriteriaFailed { invoker: Some(invoker()), criteria: criteria() }),
        ("asked", Happening::AskedAtOnboarding { apis: vec![at("API1")] }),
        ("discovered", Happening::Discovered { asked: vec![at("API1")], told: vec![at("API1")] }),
    ]
}
