//! The routes, as data.

use axum::Router;
use http::Method;
use service_http::guard;
use service_http::peer::CertRole;
use service_http::routes::{MountError, RouteSpec};

use super::{CcfServer, invoker, metadata, provider, security};

/// Who follows the feed.
const VERIFIERS: &[CertRole] = &[CertRole::Function, CertRole::Aef];

const INVOKER: &[CertRole] = &[CertRole::Invoker];
const AEF: &[CertRole] = &[CertRole::Aef];
const AMF: &[CertRole] = &[CertRole::Amf];

const REGISTRATION: &str = "/api-provider-management/v1/registrations/{registrationId}";
const ONBOARDED: &str = "/api-invoker-management/v1/onboardedInvokers/{onboardingId}";
const TRUSTED: &str = "/capif-security/v1/trustedInvokers/{apiInvokerId}";

/// The procedure of solution #2 (TR 33.721 6.2.2).
const S2: &str = "TR33.721-S2";

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
    RouteSpec::mtls(Method::PUT, TRUSTED, "CreateSecurityContext", INVOKER),
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
            .on("CreateSecurityContext", security::create)
            .on("ObtainSecurityContext", security::obtain)
            .on("RemoveSecurityContext", security::remove)
            .on("UpdateSecurityContext", security::update)
            .on("RevokeAuthorization", security::revoke)
            .on("ObtainAccessToken", security::token)
            .finish()?;
        Ok(guard::serve(self.kit(), routes.with_state(self.clone())))
    }
}
