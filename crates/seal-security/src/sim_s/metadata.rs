//! What a client can know of the server beforehand (RFC 8414, OpenID Connect Discovery), and its keys (RFC 7517).

use api_types::oauth::{MtlsEndpointAliases, ServerMetadata};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use service_http::oauth::jwks as key_set;

use super::SimServer;
use super::authenticate::Front;
use super::authorize::request::ACR_PASSWORD;
use super::config::SimConfig;
use super::directory::Directory;
use super::error::OAuthError;
use super::passkey::ACR_PASSKEY;
use super::token::guest::JWT_BEARER;
use super::world;

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`.
pub(crate) async fn metadata(State(sim): State<SimServer>) -> Response {
    let servers = sim.config().servers.clone();
    let read = sim.kit().store.read(|tx| Box::pin(async move { world::directory(tx, &servers).await })).await;
    match read {
        Ok(directory) => {
            let mut response = Json(document(sim.config(), &directory)).into_response();
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
            response
        }
        Err(error) => OAuthError::from(error).into_response(),
    }
}

/// `GET /jwks`.
pub(crate) async fn jwks(State(front): State<Front>, headers: HeaderMap) -> Response {
    let sim = &front.sim;
    key_set::answer(sim.ring(), sim.now_s(), sim.config().jwks_max_age_s, &headers)
}

/// The document, of one text for both addresses.
#[must_use]
pub(crate) fn document(config: &SimConfig, directory: &Directory) -> ServerMetadata {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let at = |path: &str| format!("{}{path}", config.issuer);
    let by_certificate = config.mtls_origin.as_ref().map(|origin| {
        let at = |path: &str| Some(format!("{origin}{path}"));
        MtlsEndpointAliases {
            token_endpoint: at("/token"),
            pushed_authorization_request_endpoint: at("/par"),
            introspection_endpoint: at("/introspect"),
            revocation_endpoint: at("/revoke"),
            userinfo_endpoint: at("/userinfo"),
        }
    });
    let mut methods = texts(&["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    if by_certificate.is_some() {
        methods.push("tls_client_auth".to_owned());
    }
    ServerMetadata {
        issuer: config.issuer.clone(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        jwks_uri: at("/jwks"),
        pushed_authorization_request_endpoint: Some(at("/par")),
        introspection_endpoint: Some(at("/introspect")),
        revocation_endpoint: Some(at("/revoke")),
        userinfo_endpoint: Some(at("/userinfo")),
        tls_client_certificate_bound_access_tokens: by_certificate.is_some(),
        mtls_endpoint_aliases: by_certificate,
        scopes_supported: directory.scopes().into_iter().collect(),
        response_types_supported: texts(&["code"]),
        response_modes_supported: texts(&["query"]),
        grant_types_supported: {
            let mut all = texts(&[
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ]);
            all.extend((!config.partners.is_empty()).then(|| JWT_BEARER.to_owned()));
            all
        },
        subject_types_supported: texts(&["public", "pairwise"]),
        id_token_signing_alg_values_supported: texts(&["ES256"]),
        claims_supported: texts(&[
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "nonce",
            "auth_time",
            "acr",
            "amr",
            "at_hash",
            "val_user_id",
            "val_service_id",
        ]),
        acr_values_supported: texts(&[ACR_PASSWORD, ACR_PASSKEY]),
        code_challenge_methods_supported: texts(&["S256"]),
        token_endpoint_auth_methods_supported: methods.clone(),
        token_endpoint_auth_signing_alg_values_supported: texts(&["ES256", "Ed25519", "EdDSA", "PS256"]),
        introspection_endpoint_auth_methods_supported: methods.clone(),
        revocation_endpoint_auth_methods_supported: methods,
        authorization_details_types_supported: Vec::new(),
        dpop_signing_alg_values_supported: texts(&["ES256", "Ed25519", "PS256"]),
        authorization_response_iss_parameter_supported: true,
        require_pushed_authorization_requests: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
        service_documentation: None,
    }
}
