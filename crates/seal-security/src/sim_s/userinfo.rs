//! Userinfo (OpenID Connect Core 5.3): the same subject as in the ID token.

use api_types::oauth::UserInfo;
use authorization::claims::SubType;
use authorization::holder::{self, Scheme};
use authorization::{AccessClaims, Reason};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::{Sql, clients};

use super::authenticate::Front;
use super::directory::OPENID;
use super::entitlement::Party;
use super::error::{ErrorCode, OAuthError, no_store};
use super::form::Form;
use super::own_token;
use super::provisioning::membership;
use super::token::use_up;
use super::{SimServer, dpop};

/// `GET /userinfo` and `POST /userinfo`.
pub(crate) async fn userinfo(
    State(front): State<Front>,
    ctx: Ctx,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    // RFC 9700 4.3.2: a token in a query ends up in logs and histories.
    let in_query =
        Form::parse(query.unwrap_or_default().as_bytes()).is_ok_and(|form| form.has("access_token"));
    let in_body = Form::of_body(&headers, &body).is_ok_and(|form| form.has("access_token"));
    if in_query || in_body {
        return OAuthError::new(ErrorCode::InvalidRequest, Reason::TokenInQuery).into_response();
    }
    match answer(&front, &ctx, method.as_str(), &headers).await {
        Ok(info) => {
            let mut response = Json(info).into_response();
            no_store(&mut response);
            response
        }
        Err(refused) => refused,
    }
}

async fn answer(front: &Front, ctx: &Ctx, method: &str, headers: &HeaderMap) -> Result<UserInfo, Response> {
    let sim = &front.sim;
    let refused = |reason| Refusal::open(reason).into_response();
    let (scheme, token) = credentials(headers).map_err(refused)?;
    let own = own_token::read(sim, token, sim.now_s()).map_err(refused)?;
    if own.claims.aud.one() != Some(sim.config().issuer.as_str()) {
        return Err(refused(Reason::AudienceWrong));
    }
    let ath = jose::sha256_b64url(token);
    let proof = dpop::proof(front, headers, method, "/userinfo", Some(&ath));
    let proof = proof.map_err(|error| match error.code {
        ErrorCode::UseDpopNonce => error.into_response(),
        _ => refused(Reason::DpopInvalid),
    })?;
    let certificate = front.certificate(ctx);
    holder::check(
        own.claims.cnf.as_ref(),
        scheme,
        certificate.as_ref().map(|certificate| certificate.x5t_s256.as_str()),
        proof.as_ref().map(|proof| proof.jkt.as_str()),
        true,
    )
    .map_err(refused)?;
    if own.claims.sub_type != SubType::User || !own.claims.scope.contains(OPENID) {
        return Err(refused(Reason::ScopeNarrow));
    }
    let (sim, ctx) = (sim.clone(), ctx.clone());
    let done: Result<Result<UserInfo, Reason>, OAuthError> = front
        .sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                use_up(tx, proof.as_ref(), None).await?;
                if let Err(reason) = own_token::check_revoked(tx, &own.claims, &own.kid).await? {
                    return Ok(Err(reason));
                }
                about(tx, &sim, &ctx, &own.claims).await
            })
        })
        .await;
    match done {
        Ok(Ok(info)) => Ok(info),
        Ok(Err(reason)) => Err(refused(reason)),
        Err(error) if error.reason == Reason::Replayed => Err(refused(Reason::Replayed)),
        Err(error) => Err(error.into_response()),
    }
}

async fn about(
    tx: &mut dyn Sql,
    sim: &SimServer,
    ctx: &Ctx,
    claims: &AccessClaims,
) -> Result<Result<UserInfo, Reason>, OAuthError> {
    let client = clients::find(tx, claims.client_id.as_str()).await?;
    let user = membership::find_user(tx, &claims.sub, claims.val_ue_id.as_ref()).await?;
    let (Some(client), Some(user)) = (client, user) else { return Ok(Err(Reason::SubjectWrong)) };
    let actor = Actor::user(ctx.kit(), &claims.sub, claims.client_id.as_str());
    ledger::record(tx, ctx, &actor, &Permit::new("sim.userinfo").units(0)).await?;
    let pairwise = client.registration.subject_type == "pairwise";
    let services = Party::user(&user.profile, &client).val_services;
    Ok(Ok(UserInfo {
        sub: sim.subject_for(&client, user.user_id.as_str()),
        val_user_id: (!pairwise).then(|| user.profile.val_user_id.as_str().to_owned()),
        val_service_id: services.iter().map(|service| service.as_str().to_owned()).collect(),
    }))
}

fn credentials(headers: &HeaderMap) -> Result<(Scheme, &str), Reason> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Reason::TokenMissing) };
    let text = value.to_str().map_err(|_| Reason::TokenMalformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(Reason::TokenMissing)?;
    Ok((Scheme::from_name(scheme).ok_or(Reason::TokenMissing)?, token.trim_start_matches(' ')))
}
