//! The routes of the listener for OpenCAPIF clients, as data: those that OpenCAPIF has, and its `register` service.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, map_request};
use http::Method;
use service_http::guard;
use service_http::peer::CertRole;
use service_http::routes::{MountError, RouteSpec};

use super::{answers, register, rewrite, token};
use crate::ccf::{
    CcfServer, access_control, discover, events, invoker, logs, provider, publish, routing, security,
};

const INVOKER: &[CertRole] = &[CertRole::Invoker];
const AEF: &[CertRole] = &[CertRole::Aef];
const AMF: &[CertRole] = &[CertRole::Amf];
const APF: &[CertRole] = &[CertRole::Apf];

const REGISTRATION: &str = "/api-provider-management/v1/registrations/{registrationId}";
const ONBOARDED: &str = "/api-invoker-management/v1/onboardedInvokers/{onboardingId}";
const PUBLISHED: &str = "/published-apis/v1/{apfId}/service-apis";
const PUBLISHED_ONE: &str = "/published-apis/v1/{apfId}/service-apis/{serviceApiId}";
const SUBSCRIPTION: &str = "/capif-events/v1/{subscriberId}/subscriptions/{subscriptionId}";
const TRUSTED: &str = "/capif-security/v1/trustedInvokers/{apiInvokerId}";
const TRUSTED_UPDATE: &str = "/capif-security/v1/trustedInvokers/{apiInvokerId}/update";
const TRUSTED_DELETE: &str = "/capif-security/v1/trustedInvokers/{apiInvokerId}/delete";
const SUBSCRIPTIONS: &str = "/capif-events/v1/{subscriberId}/subscriptions";
const POLICIES: &str = "/access-control-policy/v1/accessControlPolicyList/{serviceApiId}";

/// Every route of this listener. Operations that the other listener has too have the name that they have there.
pub const OPENCAPIF_ROUTES: &[RouteSpec] = &[
    RouteSpec::public(Method::GET, "/getauth", "OpenCapifGetAuth").cost(8),
    RouteSpec::public(Method::POST, "/login", "OpenCapifLogin").cost(8),
    RouteSpec::public(Method::POST, "/createUser", "OpenCapifCreateUser").cost(8),
    RouteSpec::public(Method::GET, "/getUsers", "OpenCapifListUsers").cost(4),
    RouteSpec::public(Method::DELETE, "/deleteUser/{uuid}", "OpenCapifDeleteUser").cost(4),
    RouteSpec::public(Method::POST, "/api-provider-management/v1/registrations", "RegisterProvider").cost(8),
    RouteSpec::mtls(Method::PUT, REGISTRATION, "ReplaceProvider", AMF).cost(8),
    RouteSpec::mtls(Method::PATCH, REGISTRATION, "ModifyProvider", AMF).cost(8),
    RouteSpec::mtls(Method::DELETE, REGISTRATION, "DeregisterProvider", AMF),
    RouteSpec::public(Method::POST, "/api-invoker-management/v1/onboardedInvokers", "OnboardInvoker").cost(4),
    RouteSpec::mtls(Method::PUT, ONBOARDED, "ReplaceInvoker", INVOKER).cost(4),
    RouteSpec::mtls(Method::PATCH, ONBOARDED, "ModifyInvoker", INVOKER).cost(4),
    RouteSpec::mtls(Method::DELETE, ONBOARDED, "OffboardInvoker", INVOKER),
    RouteSpec::mtls(Method::POST, PUBLISHED, "PublishServiceApi", APF),
    RouteSpec::mtls(Method::GET, PUBLISHED, "ListServiceApis", APF).cost(4),
    RouteSpec::mtls(Method::GET, PUBLISHED_ONE, "GetServiceApi", APF),
    RouteSpec::mtls(Method::PUT, PUBLISHED_ONE, "ReplaceServiceApi", APF),
    RouteSpec::mtls(Method::PATCH, PUBLISHED_ONE, "ModifyServiceApi", APF),
    RouteSpec::mtls(Method::DELETE, PUBLISHED_ONE, "UnpublishServiceApi", APF),
    RouteSpec::mtls(Method::GET, "/service-apis/v1/allServiceAPIs", "DiscoverServiceApis", INVOKER).cost(4),
    RouteSpec::mtls(Method::PUT, TRUSTED, "CreateSecurityContext", INVOKER),
    RouteSpec::mtls(Method::GET, TRUSTED, "ObtainSecurityContext", AEF),
    RouteSpec::mtls(Method::DELETE, TRUSTED, "RemoveSecurityContext", AEF).unlimited(),
    RouteSpec::mtls(Method::POST, TRUSTED_UPDATE, "UpdateSecurityContext", INVOKER),
    RouteSpec::mtls(Method::POST, TRUSTED_DELETE, "RevokeAuthorization", AEF).unlimited(),
    RouteSpec::mtls(
        Method::POST,
        "/capif-security/v1/securities/{securityId}/token",
        "ObtainAccessToken",
        INVOKER,
    ),
    RouteSpec::mtls(Method::POST, SUBSCRIPTIONS, "SubscribeToEvents", events::SUBSCRIBERS).cost(2),
    RouteSpec::mtls(Method::PUT, SUBSCRIPTION, "ReplaceEventSubscription", events::SUBSCRIBERS).cost(2),
    RouteSpec::mtls(Method::PATCH, SUBSCRIPTION, "ModifyEventSubscription", events::SUBSCRIBERS).cost(2),
    RouteSpec::mtls(Method::DELETE, SUBSCRIPTION, "UnsubscribeFromEvents", events::SUBSCRIBERS),
    RouteSpec::mtls(Method::GET, POLICIES, "ListAccessControlPolicies", AEF),
    RouteSpec::mtls(Method::POST, "/api-invocation-logs/v1/{aefId}/logs", "AppendInvocationLog", AEF)
        .body_limit(1024 * 1024)
        .cost(2),
    RouteSpec::mtls(Method::GET, "/logs/v1/apiInvocationLogs", "AuditInvocationLogs", AMF).cost(8),
    RouteSpec::mtls(
        Method::GET,
        "/capif-routing-info/v1/service-apis/{serviceApiId}",
        "ObtainRoutingInfo",
        AEF,
    ),
];

impl CcfServer {
    /// The listener for OpenCAPIF clients, of a server that [`CcfServer::for_opencapif`] made.
    ///
    /// # Errors
    /// When table and handlers do not fit; a fault of the program.
    pub fn opencapif_router(&self) -> Result<Router, MountError> {
        let routes = guard::mount::<Self>(self.kit(), OPENCAPIF_ROUTES)
            .on("OpenCapifGetAuth", register::getauth)
            .on("OpenCapifLogin", register::login)
            .on("OpenCapifCreateUser", register::create_user)
            .on("OpenCapifListUsers", register::list_users)
            .on("OpenCapifDeleteUser", register::delete_user)
            .on("RegisterProvider", provider::register)
            .on("ReplaceProvider", provider::replace)
            .on("ModifyProvider", provider::modify)
            .on("DeregisterProvider", provider::deregister)
            .on("OnboardInvoker", invoker::onboard)
            .on("ReplaceInvoker", invoker::replace)
            .on("ModifyInvoker", invoker::modify)
            .on("OffboardInvoker", invoker::offboard)
            .on("PublishServiceApi", publish::create)
            .on("ListServiceApis", publish::list)
            .on("GetServiceApi", publish::read)
            .on("ReplaceServiceApi", publish::replace)
            .on("ModifyServiceApi", publish::modify)
            .on("UnpublishServiceApi", publish::unpublish)
            .on("DiscoverServiceApis", discover::discover)
            .on("CreateSecurityContext", security::create)
            .on("ObtainSecurityContext", security::obtain)
            .on("RemoveSecurityContext", security::remove)
            .on("UpdateSecurityContext", security::update)
            .on("RevokeAuthorization", security::revoke)
            .on("ObtainAccessToken", token::token)
            .on("SubscribeToEvents", events::subscribe)
            .on("ReplaceEventSubscription", events::replace)
            .on("ModifyEventSubscription", events::modify)
            .on("UnsubscribeFromEvents", events::unsubscribe)
            .on("ListAccessControlPolicies", access_control::list)
            .on("AppendInvocationLog", logs::append)
            .on("AuditInvocationLogs", logs::audit)
            .on("ObtainRoutingInfo", routing::obtain)
            .finish()?;
        let told = routes.with_state(self.clone()).layer(from_fn(answers::told));
        // Outside of everything, because a path is corrected before a route is sought for it.
        let served = guard::serve(self.kit(), told);
        Ok(Router::new().fallback_service(served).layer(map_request(meant)))
    }
}

async fn meant(mut request: Request) -> Request {
    *request.uri_mut() = rewrite::meant(request.uri().clone());
    request
}
