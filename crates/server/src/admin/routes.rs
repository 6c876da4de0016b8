//! The routes of the admin API, as data.

use axum::Router;
use http::Method;
use seal_security::sim_s::passkey::ACR_PASSKEY;
use service_http::guard;
use service_http::peer::CertRole;
use service_http::routes::{MountError, RouteSpec};

use super::{
    Admin, accounts, audit, bulk, capif, charging, clock, elsewhere, enrolments, health, keys, policies,
    positions, revocations, services, traces, udm, verifiers, views,
};

const OPERATE: &[CertRole] = &[CertRole::Admin, CertRole::Operator];
const READ: &[CertRole] = &[CertRole::Admin, CertRole::Operator, CertRole::Auditor];
const AUDIT: &[CertRole] = &[CertRole::Admin, CertRole::Auditor];
const DISCLOSE: &[CertRole] = &[CertRole::Admin, CertRole::Disclosure];
const ADMINISTER: &[CertRole] = &[CertRole::Admin];

/// A policy of how often and when an API invoker may use a service API.
const ACCESS_CONTROL: &str = "/v1/capif/access-control/{apiInvokerId}/{serviceApiId}";

/// What a subscriber says about a purpose; a withdrawal is never shed.
const CONSENT: &str = "/v1/subscribers/{gpsi}/consents/{purpose}";

/// How old an operator's login by passkey may be where keys, accounts or what counts change, in seconds. Own value.
const FRESH_S: u32 = 300;

const fn get(path: &'static str, operation: &'static str, roles: &'static [CertRole]) -> RouteSpec {
    RouteSpec::mtls(Method::GET, path, operation, roles).or_operator()
}

const fn put(path: &'static str, operation: &'static str, roles: &'static [CertRole]) -> RouteSpec {
    RouteSpec::mtls(Method::PUT, path, operation, roles).or_operator()
}

const fn post(path: &'static str, operation: &'static str, roles: &'static [CertRole]) -> RouteSpec {
    RouteSpec::mtls(Method::POST, path, operation, roles).or_operator()
}

const fn delete(path: &'static str, operation: &'static str, roles: &'static [CertRole]) -> RouteSpec {
    RouteSpec::mtls(Method::DELETE, path, operation, roles).or_operator()
}

/// Every route of contract section 5.
pub const ROUTES: &[RouteSpec] = &[
    get("/v1/users", "ListUsers", OPERATE),
    get("/v1/users/{userId}", "GetUser", OPERATE),
    put("/v1/users/{userId}", "PutUser", OPERATE).step_up(ACR_PASSKEY, FRESH_S),
    delete("/v1/users/{userId}", "DeleteUser", OPERATE).step_up(ACR_PASSKEY, FRESH_S),
    delete("/v1/users/{userId}/passkeys", "RemovePasskeys", ADMINISTER).step_up(ACR_PASSKEY, FRESH_S),
    get("/v1/clients", "ListClients", OPERATE),
    get("/v1/clients/{clientId}", "GetClient", OPERATE),
    put("/v1/clients/{clientId}", "PutClient", OPERATE).step_up(ACR_PASSKEY, FRESH_S),
    delete("/v1/clients/{clientId}", "DeleteClient", OPERATE).step_up(ACR_PASSKEY, FRESH_S),
    get("/v1/services", "ListServices", OPERATE),
    get("/v1/services/{serviceId}", "GetService", OPERATE),
    put("/v1/services/{serviceId}", "PutService", OPERATE),
    delete("/v1/services/{serviceId}", "DeleteService", OPERATE),
    get("/v1/policies", "ListPolicies", OPERATE),
    post("/v1/policies/explain", "ExplainPolicies", OPERATE),
    get("/v1/policies/{policyId}", "GetPolicy", OPERATE),
    put("/v1/policies/{policyId}", "PutPolicy", OPERATE),
    delete("/v1/policies/{policyId}", "DeletePolicy", OPERATE),
    post("/v1/revocations", "Revoke", OPERATE).unlimited().step_up(ACR_PASSKEY, FRESH_S),
    get("/v1/keys", "ListKeys", READ),
    post("/v1/keys/{role}/rotate", "RotateKey", ADMINISTER).unlimited().step_up(ACR_PASSKEY, FRESH_S),
    get("/v1/audit", "ListAudit", AUDIT),
    get("/v1/audit/verify", "VerifyAudit", AUDIT),
    get("/v1/charging", "ListCharging", READ),
    get("/v1/traces", "ListTraces", READ),
    get("/v1/traces/{trace}", "GetTrace", READ),
    get("/v1/traces/{trace}/why", "ExplainTrace", READ),
    put("/v1/positions/{valUeId}", "PutPosition", OPERATE),
    get("/v1/anchors/export", "ExportAnchors", OPERATE),
    put("/v1/anchors/imports/{importId}", "PutAnchorImport", OPERATE),
    get("/v1/anchors/imports/{importId}", "GetAnchorImport", OPERATE),
    post("/v1/anchors/imports/{importId}/lines", "PostAnchorLines", OPERATE)
        .body_limit(api_types::bulk::MAX_BATCH_BYTES),
    get("/v1/views/anchors", "ViewAnchors", OPERATE).cost(2),
    get("/v1/views/maps", "ViewMaps", OPERATE).cost(2),
    get("/v1/views/maps/{mapId}/content", "ViewMapContent", OPERATE).cost(2),
    get("/v1/verifiers", "ListVerifiers", READ),
    get("/v1/health", "GetHealth", READ).unlimited(),
    get("/v1/metrics", "GetMetrics", READ).unlimited(),
    get("/v1/config", "GetConfig", READ),
    put("/v1/test/clock", "PutTestClock", ADMINISTER),
    get("/v1/enrolments", "ListEnrolments", OPERATE),
    post("/v1/enrolments", "CreateEnrolment", OPERATE),
    delete("/v1/enrolments/{enrolmentId}", "WithdrawEnrolment", OPERATE),
    get("/v1/capif/invokers", "ListCapifInvokers", OPERATE).cost(2),
    get("/v1/capif/invokers/{apiInvokerId}", "GetCapifInvoker", OPERATE),
    delete("/v1/capif/invokers/{apiInvokerId}", "DeleteCapifInvoker", OPERATE)
        .unlimited()
        .step_up(ACR_PASSKEY, FRESH_S),
    get("/v1/capif/providers", "ListCapifProviders", OPERATE).cost(2),
    get("/v1/capif/providers/{registrationId}", "GetCapifProvider", OPERATE),
    delete("/v1/capif/providers/{registrationId}", "DeleteCapifProvider", OPERATE)
        .unlimited()
        .step_up(ACR_PASSKEY, FRESH_S),
    get("/v1/capif/refusals/{partyId}", "ListCapifRefusals", READ).cost(2),
    get("/v1/capif/apis", "ListCapifApis", OPERATE).cost(2),
    get("/v1/capif/apis/{serviceApiId}", "GetCapifApi", OPERATE),
    get("/v1/capif/apis/{serviceApiId}/invokers", "ListCapifApiUsers", OPERATE).cost(2),
    get("/v1/capif/open-apis", "GetOpenApis", OPERATE),
    put("/v1/capif/open-apis", "PutOpenApis", OPERATE),
    delete("/v1/capif/open-apis", "DeleteOpenApis", OPERATE),
    get("/v1/capif/contexts", "ListCapifContexts", OPERATE).cost(2),
    get("/v1/capif/contexts/{apiInvokerId}", "GetCapifContext", OPERATE),
    get("/v1/capif/resources", "ListCapifResources", OPERATE).cost(2),
    post("/v1/capif/resources/explain", "ExplainCapifResource", OPERATE),
    get("/v1/capif/asks", "ListCapifAsks", OPERATE),
    get("/v1/capif/access-control", "ListCapifAccessControl", OPERATE),
    get(ACCESS_CONTROL, "GetCapifAccessControl", OPERATE),
    put(ACCESS_CONTROL, "PutCapifAccessControl", OPERATE),
    delete(ACCESS_CONTROL, "DeleteCapifAccessControl", OPERATE),
    get("/v1/capif/routing/{serviceApiId}", "GetCapifRouting", OPERATE),
    put("/v1/capif/routing/{serviceApiId}", "PutCapifRouting", OPERATE),
    delete("/v1/capif/routing/{serviceApiId}", "DeleteCapifRouting", OPERATE),
    get("/v1/subscribers", "ListSubscribers", OPERATE),
    get("/v1/subscribers/{gpsi}", "GetSubscriber", OPERATE),
    put("/v1/subscribers/{gpsi}", "PutSubscriber", OPERATE),
    get("/v1/subscribers/{gpsi}/consents", "ListConsents", OPERATE),
    get(CONSENT, "GetConsent", OPERATE),
    put(CONSENT, "PutConsent", OPERATE).unlimited(),
    delete(CONSENT, "DeleteConsent", OPERATE).unlimited(),
    get("/v1/subscribers/{gpsi}/privacy", "GetPrivacy", OPERATE),
    put("/v1/subscribers/{gpsi}/privacy", "PutPrivacy", OPERATE),
    get("/v1/purposes", "ListPurposes", OPERATE),
    get("/v1/purposes/{purpose}", "GetPurpose", OPERATE),
    put("/v1/purposes/{purpose}", "PutPurpose", OPERATE),
    delete("/v1/purposes/{purpose}", "DeletePurpose", OPERATE),
    // Functions that no process of this version runs: told, so that nobody takes it for a wrong path.
    put("/v1/entitlements/{impu}/{avatarId}", "PutEntitlement", OPERATE),
    get("/v1/disclosures", "ListDisclosures", DISCLOSE),
];

/// The router over `admin`.
///
/// # Errors
/// When the table and the handlers do not fit; a fault of the program.
pub fn router(admin: Admin) -> Result<Router, MountError> {
    let kit = admin.kit.clone();
    let mut mount = guard::mount(&kit, ROUTES)
        .on("ListUsers", accounts::list_users)
        .on("GetUser", accounts::get_user)
        .on("PutUser", accounts::put_user)
        .on("DeleteUser", accounts::delete_user)
        .on("RemovePasskeys", accounts::remove_passkeys)
        .on("ListClients", accounts::list_clients)
        .on("GetClient", accounts::get_client)
        .on("PutClient", accounts::put_client)
        .on("DeleteClient", accounts::delete_client)
        .on("ListServices", services::list)
        .on("GetService", services::get)
        .on("PutService", services::put)
        .on("DeleteService", services::delete)
        .on("ListPolicies", policies::list)
        .on("ExplainPolicies", policies::explain)
        .on("GetPolicy", policies::get)
        .on("PutPolicy", policies::put)
        .on("DeletePolicy", policies::delete)
        .on("Revoke", revocations::post)
        .on("ListKeys", keys::list)
        .on("RotateKey", keys::rotate)
        .on("ListAudit", audit::list)
        .on("VerifyAudit", audit::verify)
        .on("ListCharging", charging::list)
        .on("ListTraces", traces::list)
        .on("GetTrace", traces::steps)
        .on("ExplainTrace", traces::why)
        .on("PutPosition", positions::put)
        .on("ExportAnchors", bulk::export)
        .on("PutAnchorImport", bulk::begin)
        .on("GetAnchorImport", bulk::run)
        .on("PostAnchorLines", bulk::lines)
        .on("ViewAnchors", views::anchors)
        .on("ViewMaps", views::maps)
        .on("ViewMapContent", views::content)
        .on("ListVerifiers", verifiers::list)
        .on("GetHealth", health::health)
        .on("GetMetrics", health::metrics)
        .on("GetConfig", health::config)
        .on("PutTestClock", clock::put)
        .on("CreateEnrolment", enrolments::create)
        .on("ListEnrolments", capif::enrolments)
        .on("WithdrawEnrolment", capif::withdraw_enrolment)
        .on("ListCapifInvokers", capif::invokers)
        .on("GetCapifInvoker", capif::invoker)
        .on("DeleteCapifInvoker", capif::delete_invoker)
        .on("ListCapifProviders", capif::providers)
        .on("GetCapifProvider", capif::provider)
        .on("DeleteCapifProvider", capif::delete_provider)
        .on("ListCapifRefusals", capif::refusals)
        .on("ListCapifApis", capif::apis)
        .on("GetCapifApi", capif::api)
        .on("ListCapifApiUsers", capif::users_of_api)
        .on("GetOpenApis", capif::open_apis)
        .on("PutOpenApis", capif::put_open_apis)
        .on("DeleteOpenApis", capif::delete_open_apis)
        .on("ListCapifContexts", capif::contexts)
        .on("GetCapifContext", capif::context)
        .on("ListCapifResources", capif::resources)
        .on("ExplainCapifResource", capif::explain)
        .on("ListCapifAsks", capif::asks)
        .on("ListCapifAccessControl", capif::access_control_list)
        .on("GetCapifAccessControl", capif::access_control)
        .on("PutCapifAccessControl", capif::put_access_control)
        .on("DeleteCapifAccessControl", capif::delete_access_control)
        .on("GetCapifRouting", capif::routing)
        .on("PutCapifRouting", capif::put_routing)
        .on("DeleteCapifRouting", capif::delete_routing)
        .on("ListSubscribers", udm::subscribers)
        .on("GetSubscriber", udm::subscriber)
        .on("PutSubscriber", udm::put_subscriber)
        .on("ListConsents", udm::consents)
        .on("GetConsent", udm::consent)
        .on("PutConsent", udm::put_consent)
        .on("DeleteConsent", udm::delete_consent)
        .on("GetPrivacy", udm::privacy)
        .on("PutPrivacy", udm::put_privacy)
        .on("ListPurposes", udm::purposes)
        .on("GetPurpose", udm::get_purpose)
        .on("PutPurpose", udm::put_purpose)
        .on("DeletePurpose", udm::delete_purpose);
    for operation in ["PutEntitlement", "ListDisclosures"] {
        mount = mount.on(operation, elsewhere::refuse);
    }
    Ok(guard::serve(&kit, mount.finish()?.with_state(admin)))
}
