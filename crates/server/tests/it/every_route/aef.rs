//! `AEF_Security` at the servers: every certificate that must not, and good ones on what is not theirs.

use sdk::Request;
use serde_json::{Value, json};
use service_http::peer::CertRole;
use service_http::routes::RouteSpec;

use super::{Refused, expect, refused};
use crate::harness::Site;

/// Where its routes are, and that by which the core function tells of what owners keep there.
const PATHS: [&str; 2] = ["/aef-security/", "/capif-resource-auth/v1/notifications"];

/// Whether a route of a server is one of these.
pub(super) fn is_one(path: &str) -> bool {
    PATHS.iter().any(|own| path.starts_with(own))
}

const NOBODY: Refused = refused(403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED");
const OTHERS: Refused = refused(403, "UNAUTHORIZED_OPERATION", "NOT_OWNER");
const ABSENT: Refused = refused(404, "RESOURCE_NOT_FOUND", "NOT_FOUND");

fn body(operation: &str, aef: Option<&str>) -> Value {
    match operation {
        "CheckAuthentication" => json!({ "apiInvokerId": "INV1", "supportedFeatures": "0" }),
        "NotifyResourceAuth" => json!({
            "event": "RESOURCE_AUTH_UPDATED", "aefId": aef.unwrap_or("AEF0"), "resourceId": "list/7", "policyVersion": 9,
            "authPolicies": [{ "policyId": "p", "subjects": ["ANY_ONBOARDED"], "actions": ["read"], "effect": "DENY" }],
        }),
        _ => json!({
            "revokeInfo": { "apiInvokerId": "INV1", "apiIds": ["API0"], "cause": "OTHER_REASON", "aefId": aef },
            "supportedFeatures": "0",
        }),
    }
}

pub(super) async fn route(site: &Site, interface: &str, spec: &RouteSpec, roles: &[CertRole]) -> Vec<String> {
    let of_sbi = [CertRole::Function, CertRole::Client, CertRole::Notifier].map(|role| ("sbi", role));
    let of_capif = [CertRole::Invoker, CertRole::Aef, CertRole::Apf, CertRole::Amf, CertRole::Ccf];
    let all = of_sbi.into_iter().chain(of_capif.map(|role| ("capif", role)));
    let wrong = all.filter(|(_, role)| !roles.contains(role));
    let mut rows: Vec<_> =
        wrong.map(|(root, role)| (Some((root, role.as_str(), "INV1")), None, NOBODY)).collect();
    rows.push((None, None, NOBODY));
    match spec.operation {
        "CheckAuthentication" => {
            rows.push((Some(("capif", "invoker", "INV2")), None, OTHERS));
            // On no record: a certificate alone makes nobody known.
            rows.push((Some(("capif", "invoker", "INV1")), None, ABSENT));
        }
        "NotifyResourceAuth" => {
            rows.push((Some(("capif", "ccf", "another")), None, NOBODY));
            rows.push((Some(("capif", "ccf", "ccf")), Some("AEF0"), OTHERS));
        }
        _ => {
            rows.push((Some(("capif", "ccf", "another")), None, NOBODY));
            rows.push((Some(("capif", "ccf", "ccf")), Some("AEF0"), OTHERS));
            rows.push((Some(("capif", "ccf", "ccf")), None, ABSENT));
        }
    }
    let mut faults = Vec::new();
    for (holder, aef, want) in rows {
        let identity = holder.map(|(root, role, name)| site.identity(root, role, name));
        let link = site.link_as(identity.as_ref());
        let asked = Request::post(site.path(interface, spec.path)).json(&body(spec.operation, aef));
        faults.extend(expect(site, &format!("{holder:?}"), &link, asked, want).await);
    }
    faults
}
