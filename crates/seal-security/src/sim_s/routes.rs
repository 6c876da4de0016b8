//! The routes of both listeners, as data.

use axum::Router;
use axum::extract::{FromRef, RawQuery, State};
use axum::response::Response;
use http::Method;
use service_http::call::Ctx;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use service_http::routes::{MountError, RouteSpec};
use service_http::{feed, guard};

use super::authenticate::Front;
use super::authorize::{begin, pushed};
use super::passkey::account;
use super::provisioning::{configurations, profiles};
use super::{SimServer, callback_hosts, introspect, metadata, revoke, token, userinfo};

/// The procedure of solution #1 (TR 33.721 6.1.2).
const S1: &str = "TR33.721-S1";

const fn get(path: &'static str, operation: &'static str) -> RouteSpec {
    RouteSpec::public(Method::GET, path, operation)
}

const fn post(path: &'static str, operation: &'static str) -> RouteSpec {
    RouteSpec::public(Method::POST, path, operation)
}

/// The public listener. Clients authenticate inside of the operations, by the methods of RFC 6749 and its family.
pub const ROUTES: &[RouteSpec] = &[
    get("/.well-known/openid-configuration", "OpenIdConfiguration"),
    get("/.well-known/oauth-authorization-server", "AuthorizationServerMetadata"),
    get("/jwks", "JsonWebKeySet"),
    get("/authorize", "Authorize").step(S1, "0", "authentication request").cost(2),
    post("/authorize", "AuthorizePost").step(S1, "0", "user credentials").cost(4),
    get("/passkeys", "Passkeys").cost(2),
    post("/passkeys", "PasskeysPost").cost(4),
    post("/par", "PushedAuthorizationRequest").step(S1, "0", "pushed authentication request"),
    post("/token", "Token").step(S1, "1", "token request"),
    post("/introspect", "Introspect"),
    post("/revoke", "RevokeToken").unlimited(),
    get("/userinfo", "UserInfo"),
    post("/userinfo", "UserInfoPost"),
];

/// The listener with mutual TLS. What only functions may ask wants a certificate of theirs.
pub const MTLS_ROUTES: &[RouteSpec] = &[
    get("/.well-known/openid-configuration", "OpenIdConfiguration"),
    get("/.well-known/oauth-authorization-server", "AuthorizationServerMetadata"),
    get("/jwks", "JsonWebKeySet"),
    post("/par", "PushedAuthorizationRequest").step(S1, "0", "pushed authentication request"),
    post("/token", "Token").step(S1, "1", "token request"),
    post("/introspect", "Introspect"),
    post("/revoke", "RevokeToken").unlimited(),
    get("/userinfo", "UserInfo"),
    post("/userinfo", "UserInfoPost"),
    RouteSpec::mtls(Method::GET, "/revocations", "Revocations", &[CertRole::Function]).unlimited(),
    val_server(Method::POST, CONFIGURATIONS, "CreateValServiceConf").cost(4),
    val_server(Method::GET, CONFIGURATIONS, "RetrieveValServiceConf"),
    val_server(Method::GET, CONFIGURATION, "RetrieveIndValServicesConf"),
    val_server(Method::PUT, CONFIGURATION, "UpdateIndValServicesConf").cost(4),
    val_server(Method::PATCH, CONFIGURATION, "ModifyIndValServicesConf").cost(4),
    val_server(Method::DELETE, CONFIGURATION, "DeleteIndValServicesConf"),
    val_server(Method::GET, "/ss-upr/v1/val-services", "RetrieveValUserProfile"),
    RouteSpec::mtls(
        Method::GET,
        "/clients/{clientId}/callback-hosts",
        "CallbackHosts",
        &[CertRole::Function],
    )
    .unlimited(),
];

const CONFIGURATIONS: &str = "/ss-ipp/v1/configurations";
const CONFIGURATION: &str = "/ss-ipp/v1/configurations/{confId}";

/// A route of a VAL server, known by its certificate (TS 33.434 5.1.1.8).
const fn val_server(method: Method, path: &'static str, operation: &'static str) -> RouteSpec {
    RouteSpec::mtls(method, path, operation, &[CertRole::Client])
}

impl FromRef<Front> for SimServer {
    fn from_ref(front: &Front) -> Self {
        front.sim.clone()
    }
}

impl SimServer {
    /// The public listener.
    ///
    /// # Errors
    /// When table and handlers do not fit; a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        let routes = guard::mount::<Front>(self.kit(), ROUTES)
            .on("OpenIdConfiguration", metadata::metadata)
            .on("AuthorizationServerMetadata", metadata::metadata)
            .on("JsonWebKeySet", metadata::jwks)
            .on("Authorize", begin::authorize)
            .on("AuthorizePost", begin::authorize_post)
            .on("Passkeys", account::show)
            .on("PasskeysPost", account::answer)
            .on("PushedAuthorizationRequest", pushed::push)
            .on("Token", token::token)
            .on("Introspect", introspect::introspect)
            .on("RevokeToken", revoke::revoke)
            .on("UserInfo", userinfo::userinfo)
            .on("UserInfoPost", userinfo::userinfo)
            .finish()?;
        let front = Front { sim: self.clone(), mtls: false };
        Ok(guard::serve(self.kit(), routes.with_state(front)))
    }

    /// The listener with mutual TLS.
    ///
    /// # Errors
    /// When table and handlers do not fit; a fault of the program.
    pub fn mtls_router(&self) -> Result<Router, MountError> {
        let routes = guard::mount::<Front>(self.kit(), MTLS_ROUTES)
            .on("OpenIdConfiguration", metadata::metadata)
            .on("AuthorizationServerMetadata", metadata::metadata)
            .on("JsonWebKeySet", metadata::jwks)
            .on("PushedAuthorizationRequest", pushed::push)
            .on("Token", token::token)
            .on("Introspect", introspect::introspect)
            .on("RevokeToken", revoke::revoke)
            .on("UserInfo", userinfo::userinfo)
            .on("UserInfoPost", userinfo::userinfo)
            .on("Revocations", revocations)
            .on("CreateValServiceConf", configurations::create)
            .on("RetrieveValServiceConf", configurations::list)
            .on("RetrieveIndValServicesConf", configurations::get)
            .on("UpdateIndValServicesConf", configurations::replace)
            .on("ModifyIndValServicesConf", configurations::modify)
            .on("DeleteIndValServicesConf", configurations::delete)
            .on("RetrieveValUserProfile", profiles::read)
            .on("CallbackHosts", callback_hosts::callback_hosts)
            .finish()?;
        let front = Front { sim: self.clone(), mtls: true };
        Ok(guard::serve(self.kit(), routes.with_state(front)))
    }
}

/// `GET /revocations?after&wait_s`, for verifiers.
async fn revocations(
    State(sim): State<SimServer>,
    ctx: Ctx,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    feed::revocations(sim.revocations(), &ctx, query.as_deref()).await
}
