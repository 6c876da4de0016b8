//! What verifiers and invokers can know of the core function beforehand: its keys, its endpoints, what it has revoked.
//! TS 29.222 has none of this; without it no AEF could verify a token offline (sheet 2.8).

use api_types::oauth::ServerMetadata;
use authorization::issuer_table::SPATIAL_DETAILS;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use service_http::call::Ctx;
use service_http::feed;
use service_http::oauth::jwks as key_set;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;

use super::CcfServer;
use super::party::party;

/// `GET /.well-known/oauth-authorization-server` (RFC 8414).
pub(crate) async fn metadata(State(ccf): State<CcfServer>) -> Response {
    let mut response = Json(document(&ccf)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}

/// `GET /jwks`.
pub(crate) async fn jwks(State(ccf): State<CcfServer>, headers: HeaderMap) -> Response {
    let max_age_s = i64::from(ccf.config().jwks_max_age_s);
    key_set::answer(ccf.signing().ring(), ccf.now_s(), max_age_s, &headers)
}

/// `GET /revocations?after&wait_s`, for functions and API exposing functions.
pub(crate) async fn revocations(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    // A certificate counts while its record says so; that of a function of ours is of another root.
    if ctx.peer().is_some_and(|peer| peer.certificate_as(&[CertRole::Aef]).is_some()) {
        let asked = ctx.clone();
        let read =
            ccf.kit().store.read(|tx| Box::pin(async move { Ok(party(tx, &asked, &[CertRole::Aef]).await) }));
        read.await??;
    }
    feed::revocations(ccf.revocations(), &ctx, query.as_deref()).await
}

fn document(ccf: &CcfServer) -> ServerMetadata {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    ServerMetadata {
        issuer: ccf.config().issuer.clone(),
        // The endpoint is one per invoker (TS 29.222 8.5.2.3): the id takes the place of the braces.
        token_endpoint: ccf.at("/capif-security/v1/securities/{securityId}/token"),
        jwks_uri: ccf.at("/jwks"),
        grant_types_supported: texts(&["client_credentials"]),
        token_endpoint_auth_methods_supported: texts(&["tls_client_auth"]),
        authorization_details_types_supported: texts(&SPATIAL_DETAILS),
        tls_client_certificate_bound_access_tokens: true,
        ..ServerMetadata::default()
    }
}
