//! A service API of somebody else behind the checks of an API exposing function (TS 33.122 6.5.2.3): token, holder,
//! revocation, scope, access control; and the log of what was invoked.

use authorization::capif::invocation::Grants;
use authorization::holder::{self, Scheme};
use authorization::{AccessClaims, Reason};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::request::Parts;
use service_http::exposure::{Exposure as _, Invocation};
use service_http::guard::Credentials;
use service_http::json_body::JsonBody;
use service_http::peer::{CertRole, Peer};
use service_http::refusal::Refusal;

use api_types::capif::aef_security::{
    CheckAuthenticationReq, CheckAuthenticationRsp, RevokeAuthorizationReq, RevokeAuthorizationRsp,
};

use crate::aef::Aef;
use crate::security_api::{CHECK_AUTHENTICATION, REVOKE_AUTHORIZATION, features};

/// What a token opens: an extension of each request that [`Aef::protect`] lets through.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The claims of the token.
    pub claims: AccessClaims,
    /// What of the service API is opened.
    pub grants: Grants,
}

impl Grant {
    /// The API invoker.
    #[must_use]
    pub fn invoker(&self) -> &str {
        &self.claims.sub
    }
}

impl Aef {
    /// Puts the checks before every route of `router`, which serves the service API `api`, and reports what was invoked. The
    /// router is then served over TLS that asks for certificates of the CAPIF root (`service_http::edge::serve`).
    pub fn protect(&self, api: &'static str, router: Router) -> Router {
        router.route_layer(from_fn_with_state((self.clone(), api), guarded))
    }

    /// The routes of `AEF_Security`, to be merged with those of the service APIs.
    pub fn security_routes(&self) -> Router {
        Router::new()
            .route(CHECK_AUTHENTICATION.path, post(check_authentication))
            .route(REVOKE_AUTHORIZATION.path, post(revoke_authorization))
            .with_state(self.clone())
    }

    /// Decides about a request to the service API `api`: form, signature and claims of the token, its holder, revocations,
    /// the scope. What is within the service API is for the caller to decide by the [`Grant`]. Counts nothing.
    ///
    /// # Errors
    /// The first check that fails; the answer to it.
    pub async fn verify(&self, parts: &Parts, api: &str) -> Result<Grant, Refusal> {
        let token = self.held(parts).await?;
        self.opened(parts, &token, api).map_err(Refusal::open)
    }

    /// The token, of whoever proved to hold it.
    async fn held(&self, parts: &Parts) -> Result<service_http::verifier::VerifiedToken, Refusal> {
        let verifier = self.0.config.verifier.as_ref();
        let verifier = verifier.ok_or(Refusal::open(Reason::IssuerUnreachable))?;
        let credentials = Credentials::of(parts)?;
        let token = verifier.verify(credentials.token, |_| {}).await.map_err(Refusal::open)?;
        let claims = token.claims();
        let certificate = invoker(parts).ok_or(Refusal::open(Reason::HolderWrong))?;
        let refused = |reason| Refusal::open(reason);
        // The core function binds each token to the certificate of its API invoker; nothing unbound is taken.
        let x5t = Some(certificate.x5t_s256.as_str());
        holder::check(claims.cnf.as_ref(), Scheme::Bearer, x5t, None, false).map_err(refused)?;
        holder::check_client(claims.client_id.as_str(), Some(&certificate.name)).map_err(refused)?;
        if credentials.scheme != Scheme::Bearer || claims.sub != claims.client_id.as_str() {
            return Err(Refusal::open(Reason::HolderWrong));
        }
        Ok(token)
    }

    fn opened(
        &self,
        parts: &Parts,
        token: &service_http::verifier::VerifiedToken,
        api: &str,
    ) -> Result<Grant, Reason> {
        let x5t = invoker(parts).map(|certificate| certificate.x5t_s256.as_str());
        token.check_revoked(&self.0.config.ambient, x5t)?;
        let grants = Grants::of_token(token.claims(), self.id().as_str())?;
        if !grants.permits_api(api) {
            return Err(Reason::ScopeNarrow);
        }
        Ok(Grant { claims: token.claims().clone(), grants })
    }
}

fn invoker(parts: &Parts) -> Option<&service_http::peer::PeerCertificate> {
    parts.extensions.get::<Peer>()?.certificate_as(&[CertRole::Invoker])
}

async fn guarded(State((aef, api)): State<(Aef, &'static str)>, request: Request, next: Next) -> Response {
    let began = aef.0.config.ambient.monotonic();
    let at_ms = aef.0.config.ambient.now_ms();
    let (mut parts, body) = request.into_parts();
    let token = match aef.held(&parts).await {
        Ok(token) => token,
        // Whoever does not hold the token is not its API invoker: nothing is reported of it.
        Err(refusal) => return refusal.into_response(),
    };
    let resource = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let mut invocation = Invocation {
        issuer: token.claims().iss.clone(),
        invoker: token.claims().sub.clone(),
        api: api.to_owned(),
        resource: resource.unwrap_or_else(|| parts.uri.path().to_owned()),
        uri: parts.uri.path().to_owned(),
        method: parts.method.clone(),
        version: parts.version,
        status: 0,
        at_ms,
        took: std::time::Duration::ZERO,
    };
    let decided = match aef.opened(&parts, &token, api) {
        Err(reason) => Err(Refusal::open(reason)),
        Ok(grant) => aef.admitted(&grant, api).await.map(|()| grant),
    };
    let response = match decided {
        Err(refusal) => refusal.into_response(),
        Ok(grant) => {
            parts.extensions.insert(grant);
            next.run(Request::from_parts(parts, body)).await
        }
    };
    invocation.status = response.status().as_u16();
    invocation.took = aef.0.config.ambient.monotonic().saturating_sub(began);
    aef.ended(invocation);
    response
}

impl Aef {
    async fn admitted(&self, grant: &Grant, api: &str) -> Result<(), Refusal> {
        let decided = match self.admit(&grant.claims, api) {
            Some(decided) => decided,
            None => self.admit_asked(&grant.claims, api).await,
        };
        decided.map_err(|over| {
            let refusal = Refusal::open(over.reason);
            match over.retry_after_s.and_then(|seconds| u32::try_from(seconds).ok()) {
                Some(seconds) => refusal.retry_after(seconds),
                None => refusal,
            }
        })
    }
}

/// The certificate of one of the roles.
fn certified(peer: Option<axum::Extension<Peer>>, role: CertRole) -> Result<String, Refusal> {
    let certificate = peer.and_then(|peer| peer.0.certificate_as(&[role]).cloned());
    certificate.map(|certificate| certificate.name).ok_or(Refusal::open(Reason::PeerRefused))
}

async fn check_authentication(
    State(aef): State<Aef>,
    peer: Option<axum::Extension<Peer>>,
    JsonBody(body): JsonBody<CheckAuthenticationReq>,
) -> Result<Json<CheckAuthenticationRsp>, Refusal> {
    let name = certified(peer, CertRole::Invoker)?;
    if body.api_invoker_id.as_str() != name {
        return Err(Refusal::open(Reason::NotOwner));
    }
    service_http::exposure::Exposure::check_authentication(&aef, &name).await.map_err(Refusal::open)?;
    Ok(Json(CheckAuthenticationRsp { supported_features: features(&body.supported_features) }))
}

async fn revoke_authorization(
    State(aef): State<Aef>,
    peer: Option<axum::Extension<Peer>>,
    JsonBody(body): JsonBody<RevokeAuthorizationReq>,
) -> Result<Json<RevokeAuthorizationRsp>, Refusal> {
    let name = certified(peer, CertRole::Ccf)?;
    service_http::exposure::Exposure::revoked(&aef, &name, &body.revoke_info).await.map_err(Refusal::open)?;
    Ok(Json(RevokeAuthorizationRsp { supported_features: features(&body.supported_features) }))
}
