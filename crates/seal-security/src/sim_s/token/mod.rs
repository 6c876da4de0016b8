//! The token endpoint (RFC 6749 3.2; TS 33.434 A.5; TR 33.721 6.1.2-1, steps 1 and 2).

pub mod client_credentials;
pub mod code;
pub mod exchange;
pub mod guest;
pub mod mint;
pub mod narrow;
pub mod refresh;
pub mod security_token;
pub mod user;

use api_types::Secret;
use api_types::oauth::TokenResponse;
use authorization::Reason;
use authorization::revocation::Kind;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use jose::dpop::DpopChecked;
use jose::jwt;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::PeerCertificate;
use store::grants::families;
use store::grants::tokens::{self, IssuedToken};
use store::{BoxFuture, Sql, once};

use self::mint::{Binding, Issued};
use super::authenticate::{Authenticated, Front, authenticate};
use super::client_auth::Once;
use super::error::{ErrorCode, OAuthError, no_store};
use super::form::Form;
use super::partner::security_token::{SecurityClaims, Vouched};
use super::{SimServer, dpop, partner};

/// What every grant has in hand once the client is who it says.
#[derive(Clone)]
pub(crate) struct TokenRequest {
    pub(crate) sim: SimServer,
    pub(crate) ctx: Ctx,
    pub(crate) form: Form,
    pub(crate) client: Authenticated,
    pub(crate) certificate: Option<PeerCertificate>,
    pub(crate) proof: Option<DpopChecked>,
    pub(crate) now_s: i64,
    /// Identifier of the token to be.
    pub(crate) jti: String,
    /// Refresh token to be, or the salt of the one to be.
    pub(crate) fresh: String,
    /// What a partner vouches for, where that is the grant.
    pub(crate) vouched: Option<Vouched>,
}

/// What a grant comes to.
pub(crate) enum Decided {
    /// A token.
    Issued(Box<Issued>),
    /// A security token for a partner.
    Security(Box<SecurityClaims>),
    /// Something that is good once came again: its tokens are revoked with this epoch, and nothing is granted (B7, B10).
    Reused(u64),
}

/// Ends a grant and its tokens, in one transaction with the noticing.
pub(crate) async fn reused(
    tx: &mut dyn Sql,
    request: &TokenRequest,
    family: &str,
) -> Result<Decided, OAuthError> {
    families::revoke(tx, family, request.now_s).await?;
    let tokens = tokens::of_family(tx, family).await?;
    Ok(Decided::Reused(request.sim.end(tx, Kind::Token, tokens).await?))
}

type Decision<'a> = BoxFuture<'a, Result<Decided, OAuthError>>;
type Grant = for<'a> fn(&'a mut dyn Sql, &'a TokenRequest) -> Decision<'a>;

/// `POST /token`.
pub async fn token(State(front): State<Front>, ctx: Ctx, headers: HeaderMap, body: Bytes) -> Response {
    match answer(&front, &ctx, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(front: &Front, ctx: &Ctx, headers: &HeaderMap, body: &[u8]) -> Result<Response, OAuthError> {
    // step 1: the VAL UE asks for a token for one service.
    let form = Form::of_body(headers, body)?;
    let sim = &front.sim;
    let grant = grant_of(form.one("grant_type"), !sim.config().partners.is_empty())?;
    let client = authenticate(front, ctx, headers, &form).await?;
    // Before the transaction: a partner's keys may have to be fetched.
    let vouched = match form.one("grant_type") {
        Some(guest::JWT_BEARER) => {
            let assertion = form.one("assertion").ok_or(OAuthError::malformed())?;
            Some(partner::security_token::read(sim, assertion).await?)
        }
        _ => None,
    };
    let proof = dpop::proof(front, headers, "POST", "/token", None)?;
    let ambient = &sim.kit().ambient;
    let request = TokenRequest {
        sim: sim.clone(),
        ctx: ctx.clone(),
        form,
        client,
        certificate: front.certificate(ctx),
        proof,
        now_s: sim.now_s(),
        jti: ambient.record_id(),
        fresh: ambient.random_secret(),
        vouched,
    };
    let decided = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                request.client.still_stands(&request.sim, tx).await?;
                use_up(tx, request.proof.as_ref(), request.client.once.as_ref()).await?;
                grant(tx, &request).await
            })
        })
        .await?;
    // step 2: it was authorized, and the token goes back.
    match decided {
        Decided::Issued(issued) => {
            let signer = sim.signer()?;
            let mut response = Json(mint::sign(*issued, &signer)?).into_response();
            no_store(&mut response);
            ctx.step("TR33.721-S1", "2", "SIM-S", "SIM-C", "access token");
            dpop::offer_nonce(sim, &mut response);
            Ok(response)
        }
        Decided::Security(claims) => {
            let failed = |_| OAuthError::new(ErrorCode::TemporarilyUnavailable, Reason::KeyUnavailable);
            let text = jwt::sign(&sim.signer()?, "JWT", &claims).map_err(failed)?;
            let mut response = Json(TokenResponse {
                access_token: Secret::new(text),
                // RFC 8693 2.2.1: it is no access token.
                token_type: "N_A".to_owned(),
                expires_in: claims.exp.saturating_sub(claims.iat),
                scope: None,
                refresh_token: None,
                id_token: None,
                issued_token_type: Some(security_token::JWT_TYPE.to_owned()),
                authorization_details: None,
            })
            .into_response();
            no_store(&mut response);
            dpop::offer_nonce(sim, &mut response);
            Ok(response)
        }
        Decided::Reused(epoch) => {
            ctx.fail("grant", "used once", "used again");
            sim.revocations().acknowledge(epoch).await?;
            Err(OAuthError::new(ErrorCode::InvalidGrant, Reason::Replayed))
        }
    }
}

/// The grant of a type; that of partners only where there are some.
fn grant_of(grant_type: Option<&str>, partners: bool) -> Result<Grant, OAuthError> {
    match grant_type {
        Some("authorization_code") => Ok(|tx, request| Box::pin(code::redeem(tx, request))),
        Some("refresh_token") => Ok(|tx, request| Box::pin(refresh::refresh(tx, request))),
        Some("client_credentials") => Ok(|tx, request| Box::pin(client_credentials::issue(tx, request))),
        Some("urn:ietf:params:oauth:grant-type:token-exchange") => {
            Ok(|tx, request| Box::pin(exchange::exchange(tx, request)))
        }
        Some(guest::JWT_BEARER) if partners => Ok(|tx, request| Box::pin(guest::issue(tx, request))),
        Some(_) => Err(OAuthError::new(ErrorCode::UnsupportedGrantType, Reason::GrantWrong)),
        None => Err(OAuthError::malformed()),
    }
}

/// Uses up what is good once, in the transaction that grants.
pub(crate) async fn use_up(
    tx: &mut dyn Sql,
    proof: Option<&DpopChecked>,
    assertion: Option<&Once>,
) -> Result<(), OAuthError> {
    if let Some(proof) = proof {
        let value = format!("{}:{}", proof.jkt, proof.jti);
        if !once::consume(tx, ledger::DPOP_JTI, &value, proof.forget_at_s()).await? {
            return Err(OAuthError::new(ErrorCode::InvalidDpopProof, Reason::Replayed));
        }
    }
    if let Some(assertion) = assertion
        && !once::consume(tx, assertion.kind, &assertion.value, assertion.expires_s).await?
    {
        return Err(OAuthError::new(ErrorCode::InvalidClient, Reason::Replayed));
    }
    Ok(())
}

impl TokenRequest {
    /// How the token is bound.
    pub(crate) fn binding(&self) -> Result<Binding, OAuthError> {
        Binding::of(self.proof.as_ref(), self.certificate.as_ref(), self.client.may_have_bearer())
    }

    /// The `resource` parameters.
    pub(crate) fn resources(&self) -> Vec<&str> {
        self.form.all("resource").collect()
    }

    /// Notes the token and records the permit.
    pub(crate) async fn keep(
        &self,
        tx: &mut dyn Sql,
        issued: &Issued,
        family: Option<&str>,
        policy_version: u64,
    ) -> Result<(), OAuthError> {
        let access = &issued.access;
        let token = IssuedToken {
            jti: access.jti.clone(),
            family: family.map(str::to_owned),
            client_id: access.client_id.as_str().to_owned(),
            subject: access.sub.clone(),
            scope: access.scope.iter().collect::<Vec<_>>().join(" "),
            expires_s: access.exp.0.saturating_add(authorization::token::LEEWAY_S),
        };
        tokens::insert(tx, &token).await?;
        let actor = match access.sub_type {
            authorization::claims::SubType::User => {
                Actor::user(self.ctx.kit(), &access.sub, access.client_id.as_str())
            }
            authorization::claims::SubType::Client => Actor::client(access.client_id.as_str()),
        };
        let audience = access.aud.one().unwrap_or_default();
        let permit = Permit::new("sim.token").object(audience).units(0).policy_version(policy_version);
        ledger::record(tx, &self.ctx, &actor, &permit).await?;
        Ok(())
    }
}
