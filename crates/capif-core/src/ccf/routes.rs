//! The routes, as data.

use axum::Router;
use http::Method;
use service_http::guard;
use service_http::peer::CertRole;
use service_http::routes::{MountError, RouteSpec};

use super::{
    CcfServer, access_control, discover, events, invoker, logs, metadata, open_discover, provider, publish,
    resource_auth, routing, security,
};

/// Who follows the feed.
const VERIFIERS: &[CertRole] = &[CertRole::Function, CertRole::Aef];

const INVOKER: &[CertRole] = &[CertRole::Invoker];
const AEF: &[CertRole] = &[CertRole::Aef];
const AMF: &[CertRole] = &[CertRole::Amf];
/// Who publishes: a function of a domain of ours, or a core function of another domain (CAPIF-6).
const PUBLISHERS: &[CertRole] = &[CertRole::Apf, CertRole::Ccf];
/// Who discovers: likewise.
const DISCOVERERS: &[CertRole] = &[CertRole::Invoker, CertRole::Ccf];

const REGISTRATION: &str = "/api-provider-management/v1/registrations/{registrationId}";
const ONBOARDED: &str = "/api-invoker-management/v1/onboardedInvokers/{onboardingId}";
const PUBLISHED: &str = "/published-apis/v1/{apfId}/service-apis";
const PUBLISHED_ONE: &str = "/published-apis/v1/{apfId}/service-apis/{serviceApiId}";
const SUBSCRIPTION: &str = "/capif-events/v1/{subscriberId}/subscriptions/{subscriptionId}";
const TRUSTED: &str = "/capif-security/v1/trustedInvokers/{apiInvokerId}";

const RESOURCE: &str = "/capif-resource-auth/v1/{aefId}/resources/{resourceId}";
const OWNER_POLICIES: &str =
    "/capif-resource-auth/v1/owners/{ownerId}/resources/{aefId}/{resourceId}/policies";

/// The procedure of solution #2 (TR 33.721 6.2.2).
const S2: &str = "TR33.721-S2";

/// The procedure of solution #3 (TR 33.721 6.3.2).
const S3: &str = resource_auth::PROCEDURE;

/// Every route of the core function.
pub const ROUTES: &[RouteSpec] = &[
    RouteSpec::public(Method::GET, "/.well-known/oauth-authorization-server", "AuthorizationServerMetadata"),
    RouteSpec::public(Method::GET, "/jwks", "JsonWebKeySet"),
    RouteSpec::mtls(Method::GET, "/revocations", "Revocations", VERIFIERS).unlimited(),
    RouteSpec::public(Method::POST, "/api-provider-management/v1/registrations", "RegisterProvider").cost(8),
    RouteSpec::mtls(Method::PUT, REGISTRATION, "ReplaceProvider", AMF).cost(8),
    RouteSpec::mtls(Method::PATCH, REGISTRATION, "ModifyProvider", AMF).cost(8),
    RouteSpec::mtls(Method::DELETE, REGISTRATION, "DeregisterProvider", AMF),
    RouteSpec::public(Method::POST, "/api-invoker-management/v1/onboardedInvokers", "OnboardInvoker").cost(4),
    RouteSpec::mtls(Method::PUT, ONBOARDED, "ReplaceInvoker", INVOKER).cost(4),
    RouteSpec::mtls(Method::PATCH, ONBOARDED, "ModifyInvoker", INVOKER).cost(4),
    RouteSpec::mtls(Method::DELETE, ONBOARDED, "OffboardInvoker", INVOKER),
    RouteSpec::mtls(Method::POST, PUBLISHED, "PublishServiceApi", PUBLISHERS),
    RouteSpec::mtls(Method::GET, PUBLISHED, "ListServiceApis", PUBLISHERS).cost(4),
    RouteSpec::mtls(Method::GET, PUBLISHED_ONE, "GetServiceApi", PUBLISHERS),
    RouteSpec::mtls(Method::PUT, PUBLISHED_ONE, "ReplaceServiceApi", PUBLISHERS),
    RouteSpec::mtls(Method::PATCH, PUBLISHED_ONE, "ModifyServiceApi", PUBLISHERS),
    RouteSpec::mtls(Method::DELETE, PUBLISHED_ONE, "UnpublishServiceApi", PUBLISHERS),
    RouteSpec::mtls(Method::GET, "/service-apis/v1/allServiceAPIs", "DiscoverServiceApis", DISCOVERERS)
        .cost(4),
    // As the prose of TS 29.222 spells it.
    RouteSpec::mtls(
        Method::GET,
        "/service-apis/v1/allServiceApis",
        "DiscoverServiceApisByProse",
        DISCOVERERS,
    )
    .cost(4),
    RouteSpec::public(Method::GET, "/open-api-disc/v1/service-apis", "OpenDiscoverServiceApis").cost(4),
    RouteSpec::mtls(Method::PUT, TRUSTED, "CreateSecurityContext", INVOKER).step(
        S3,
        "0",
        "onboarded and authenticated: security context",
    ),
    RouteSpec::mtls(Method::GET, TRUSTED, "ObtainSecurityContext", AEF),
    RouteSpec::mtls(Method::DELETE, TRUSTED, "RemoveSecurityContext", AEF).unlimited(),
    RouteSpec::mtls(
        Method::POST,
        "/capif-security/v1/trustedInvokers/{apiInvokerId}/update",
        "UpdateSecurityContext",
        INVOKER,
    ),
    RouteSpec::mtls(
        Method::POST,
        "/capif-security/v1/trustedInvokers/{apiInvokerId}/delete",
        "RevokeAuthorization",
        AEF,
    )
    .unlimited(),
    RouteSpec::mtls(
        Method::POST,
        "/capif-security/v1/securities/{securityId}/token",
        "ObtainAccessToken",
        INVOKER,
    )
    .step(S2, "1", "access token request"),
    RouteSpec::mtls(
        Method::POST,
        "/capif-events/v1/{subscriberId}/subscriptions",
        "SubscribeToEvents",
        events::SUBSCRIBERS,
    )
    .cost(2),
    RouteSpec::mtls(Method::PUT, SUBSCRIPTION, "ReplaceEventSubscription", events::SUBSCRIBERS).cost(2),
    RouteSpec::mtls(Method::PATCH, SUBSCRIPTION, "ModifyEventSubscription", events::SUBSCRIBERS).cost(2),
    RouteSpec::mtls(Method::DELETE, SUBSCRIPTION, "UnsubscribeFromEvents", events::SUBSCRIBERS),
    RouteSpec::mtls(
        Method::GET,
        "/capif-events/v1/{subscriberId}/subscriptions/{subscriptionId}/websocket",
        "ConnectToNotifications",
        events::SUBSCRIBERS,
    ),
    RouteSpec::mtls(
        Method::GET,
        "/access-control-policy/v1/accessControlPolicyList/{serviceApiId}",
        "ListAccessControlPolicies",
        AEF,
    ),
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
    RouteSpec::mtls(Method::PUT, RESOURCE, "PutResource", AEF).step(
        S3,
        "4",
        "publish resource, owner and policies",
    ),
    RouteSpec::mtls(Method::GET, RESOURCE, "GetResource", AEF),
    RouteSpec::mtls(Method::PATCH, RESOURCE, "ModifyResource", AEF).step(S3, "4", "publish a changed policy"),
    RouteSpec::mtls(Method::DELETE, RESOURCE, "RemoveResource", AEF).unlimited(),
    RouteSpec::mtls(Method::GET, "/capif-resource-auth/v1/{aefId}/resources", "ListResources", AEF).cost(4),
    RouteSpec::mtls(Method::POST, "/capif-resource-auth/v1/{aefId}/resources/batch", "PutResources", AEF)
        .body_limit(4 * 1024 * 1024)
        .cost(8)
        .step(S3, "4", "publish many resources"),
    RouteSpec::mtls(
        Method::GET,
        "/capif-resource-auth/v1/owners/{ownerId}/resources",
        "ListOwnedResources",
        INVOKER,
    )
    .cost(4),
    RouteSpec::mtls(Method::GET, OWNER_POLICIES, "GetOwnerPolicies", resource_auth::SUBSCRIBERS),
    RouteSpec::mtls(Method::PUT, OWNER_POLICIES, "SetOwnerPolicies", INVOKER),
    RouteSpec::mtls(Method::GET, "/capif-resource-auth/v1/owners/{ownerId}/asks", "ListAsks", INVOKER),
    RouteSpec::mtls(
        Method::POST,
        "/capif-resource-auth/v1/owners/{ownerId}/asks/{askId}/decision",
        "DecideAsk",
        INVOKER,
    ),
    RouteSpec::mtls(
        Method::POST,
        "/capif-resource-auth/v1/subscriptions",
        "SubscribeToResources",
        resource_auth::SUBSCRIBERS,
    )
    .cost(2),
    RouteSpec::mtls(
        Method::DELETE,
        "/capif-resource-auth/v1/subscriptions/{subscriptionId}",
        "UnsubscribeFromResources",
        resource_auth::SUBSCRIBERS,
    ),
];

impl CcfServer {
    /// The listener.
    ///
    /// # Errors
    /// When table and handlers do not fit; a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        let routes = guard::mount::<Self>(self.kit(), ROUTES)
            .on("AuthorizationServerMetadata", metadata::metadata)
            .on("JsonWebKeySet", metadata::jwks)
            .on("Revocations", metadata::revocations)
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
            .on("DiscoverServiceApisByProse", discover::discover)
            .on("OpenDiscoverServiceApis", open_discover::discover)
            .on("CreateSecurityContext", security::create)
            .on("ObtainSecurityContext", security::obtain)
            .on("RemoveSecurityContext", security::remove)
            .on("UpdateSecurityContext", security::update)
            .on("RevokeAuthorization", security::revoke)
            .on("ObtainAccessToken", security::token)
            .on("SubscribeToEvents", events::subscribe)
            .on("ReplaceEventSubscription", events::replace)
            .on("ModifyEventSubscription", events::modify)
            .on("UnsubscribeFromEvents", events::unsubscribe)
            .on("ConnectToNotifications", events::connect)
            .on("ListAccessControlPolicies", access_control::list)
            .on("AppendInvocationLog", logs::append)
            .on("AuditInvocationLogs", logs::audit)
            .on("ObtainRoutingInfo", routing::obtain)
            .on("PutResource", resource_auth::put)
            .on("GetResource", resource_auth::read)
            .on("ModifyResource", resource_auth::change)
            .on("RemoveResource", resource_auth::remove)
            .on("ListResources", resource_auth::list)
            .on("PutResources", resource_auth::batch)
            .on("ListOwnedResources", resource_auth::profile)
            .on("GetOwnerPolicies", resource_auth::policies)
            .on("SetOwnerPolicies", resource_auth::set_policies)
            .on("ListAsks", resource_auth::asks)
            .on("DecideAsk", resource_auth::decide)
            .on("SubscribeToResources", resource_auth::subscribe)
            .on("UnsubscribeFromResources", resource_auth::unsubscribe)
            .finish()?;
        Ok(guard::serve(self.kit(), routes.with_state(self.clone())))
    }
}
