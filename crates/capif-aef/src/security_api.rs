//! `AEF_Security` (TS 29.222 8.8; sheet 1.11), as a function of this system serves it: mount the two routes with the two
//! handlers. Without an exposure there is nothing here.

use api_types::capif::aef_security::{
    CheckAuthenticationReq, CheckAuthenticationRsp, RevokeAuthorizationReq, RevokeAuthorizationRsp,
};
use api_types::common_data::SupportedFeatures;
use authorization::Reason;
use axum::Json;
use http::Method;
use service_http::call::{Actor, Ctx};
use service_http::exposure::Exposure;
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::{CertRole, PeerCertificate};
use service_http::refusal::Refusal;
use service_http::routes::RouteSpec;

/// An API invoker announces itself.
pub const CHECK_AUTHENTICATION: RouteSpec = RouteSpec::mtls(
    Method::POST,
    "/aef-security/v1/check-authentication",
    "CheckAuthentication",
    &[CertRole::Invoker],
);

/// The core function withdraws an authorization.
pub const REVOKE_AUTHORIZATION: RouteSpec = RouteSpec::mtls(
    Method::POST,
    "/aef-security/v1/revoke-authorization",
    "RevokeAuthorization",
    &[CertRole::Ccf],
)
.unlimited();

/// Features that are served: none.
pub(crate) fn features(theirs: &SupportedFeatures) -> SupportedFeatures {
    theirs.intersection(&SupportedFeatures::of(&[]))
}

/// `POST /aef-security/v1/check-authentication`
///
/// # Errors
/// `ROUTE_UNKNOWN` where there is no core function; `NOT_OWNER` for another API invoker than that of the certificate;
/// `NOT_FOUND` without a security context; `METHOD_NOT_NEGOTIATED`.
pub async fn check_authentication(
    ctx: Ctx,
    JsonBody(body): JsonBody<CheckAuthenticationReq>,
) -> Result<Json<CheckAuthenticationRsp>, Refusal> {
    let kit = ctx.kit().clone();
    let (exposure, certificate) = standing(&ctx, kit.exposed.by(), CertRole::Invoker)?;
    checked(&ctx, exposure, &certificate.name, &body).await?;
    recorded(&ctx, "aef.check_authentication", &certificate.name).await?;
    Ok(Json(CheckAuthenticationRsp { supported_features: features(&body.supported_features) }))
}

/// `POST /aef-security/v1/revoke-authorization`
///
/// # Errors
/// `ROUTE_UNKNOWN` where there is no core function; `PEER_REFUSED` for another one; `NOT_OWNER` for another API exposing
/// function; `NOT_FOUND` for service APIs that are not exposed here.
pub async fn revoke_authorization(
    ctx: Ctx,
    JsonBody(body): JsonBody<RevokeAuthorizationReq>,
) -> Result<Json<RevokeAuthorizationRsp>, Refusal> {
    let kit = ctx.kit().clone();
    let (exposure, certificate) = standing(&ctx, kit.exposed.by(), CertRole::Ccf)?;
    let done = exposure.revoked(&certificate.name, &body.revoke_info).await;
    done.map_err(|reason| told(&ctx, "authorization", "one of this function", reason))?;
    recorded(&ctx, "aef.revoke_authorization", body.revoke_info.api_invoker_id.as_str()).await?;
    Ok(Json(RevokeAuthorizationRsp { supported_features: features(&body.supported_features) }))
}

async fn checked(
    ctx: &Ctx,
    exposure: &dyn Exposure,
    name: &str,
    body: &CheckAuthenticationReq,
) -> Result<(), Refusal> {
    if body.api_invoker_id.as_str() != name {
        return Err(told(ctx, "apiInvokerId", "that of the certificate", Reason::NotOwner));
    }
    let done = exposure.check_authentication(name).await;
    done.map_err(|reason| told(ctx, "security context", "one with this function", reason))
}

/// The exposure, and the certificate that the route accepts.
fn standing<'e>(
    ctx: &'e Ctx,
    exposure: Option<&'e dyn Exposure>,
    role: CertRole,
) -> Result<(&'e dyn Exposure, &'e PeerCertificate), Refusal> {
    let certificate = ctx.peer().and_then(|peer| peer.certificate_as(&[role]));
    match (exposure, certificate) {
        (Some(exposure), Some(certificate)) => Ok((exposure, certificate)),
        (None, _) => Err(Refusal::open(Reason::RouteUnknown)),
        (_, None) => Err(Refusal::open(Reason::PeerRefused)),
    }
}

fn told(ctx: &Ctx, check: &'static str, expected: &'static str, reason: Reason) -> Refusal {
    ctx.fail(check, expected, reason.as_str());
    Refusal::open(reason)
}

async fn recorded(ctx: &Ctx, action: &'static str, invoker: &str) -> Result<(), Refusal> {
    let permit = Permit::new(action).object(format!("invokers/{invoker}")).units(0);
    let job = ctx.clone();
    ctx.kit()
        .store
        .write(move |tx| {
            Box::pin(async move { ledger::record(tx, &job, &Actor::peer(job.peer()), &permit).await })
        })
        .await
}
