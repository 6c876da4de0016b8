//! Token introspection (RFC 7662): for the server that a token is for and the client that it was issued to. Anybody else
//! learns that a token is not active, and nothing else (A33).

use api_types::Function;
use api_types::oauth::{Confirmation, IntrospectionResponse};
use authorization::Reason;
use authorization::claims::AccessClaims;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use jose::sha256;
use service_http::call::Ctx;
use store::Sql;
use store::grants::{families, tokens};

use super::authenticate::{Authenticated, Front, authenticate};
use super::directory::scope_text;
use super::error::{OAuthError, no_store};
use super::form::Form;
use super::own_token::{self, OwnToken};
use super::token::use_up;
use super::{SimServer, world};
use crate::sim_s::authorize::grant::Permission;

/// `POST /introspect`.
pub(crate) async fn introspect(
    State(front): State<Front>,
    ctx: Ctx,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer(&front, &ctx, &headers, &body).await {
        Ok(found) => {
            let mut response = Json(found).into_response();
            no_store(&mut response);
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn answer(
    front: &Front,
    ctx: &Ctx,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<IntrospectionResponse, OAuthError> {
    let form = Form::of_body(headers, body)?;
    let client = authenticate(front, ctx, headers, &form).await?;
    let text = form.one("token").ok_or(OAuthError::malformed())?.to_owned();
    let sim = front.sim.clone();
    let own = own_token::read(&sim, &text, sim.now_s());
    ctx.skip("token", "of this server or client");
    front
        .sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                use_up(tx, None, client.once.as_ref()).await?;
                match own {
                    Ok(own) => access_token(tx, &sim, &client, own).await,
                    // Not a token that we signed: it may be a refresh token.
                    Err(Reason::TokenMalformed) => refresh_token(tx, &sim, &client, &text).await,
                    Err(_) => Ok(IntrospectionResponse::default()),
                }
            })
        })
        .await
}

async fn access_token(
    tx: &mut dyn Sql,
    sim: &SimServer,
    client: &Authenticated,
    own: OwnToken,
) -> Result<IntrospectionResponse, OAuthError> {
    let claims = own.claims;
    let directory = world::directory(tx, &sim.config().servers).await?;
    let role: Option<Function> = client.function().and_then(|name| name.parse().ok());
    let origin = role.and_then(|role| directory.origin_of(role));
    let is_audience = origin.is_some() && origin == claims.aud.one();
    let is_owner = client.function().is_none() && client.name() == claims.client_id.as_str();
    if !is_audience && !is_owner {
        return Ok(IntrospectionResponse::default());
    }
    let known = tokens::find(tx, &claims.jti).await?.is_some();
    if !known || own_token::check_revoked(tx, &claims, &own.kid).await?.is_err() {
        return Ok(IntrospectionResponse::default());
    }
    Ok(active(&claims))
}

fn active(claims: &AccessClaims) -> IntrospectionResponse {
    let cnf = claims.cnf.as_ref();
    let dpop = cnf.is_some_and(|cnf| cnf.jkt.is_some());
    IntrospectionResponse {
        active: true,
        scope: Some(claims.scope.iter().collect::<Vec<_>>().join(" ")),
        client_id: Some(claims.client_id.as_str().to_owned()),
        token_type: Some(if dpop { "DPoP" } else { "Bearer" }.to_owned()),
        exp: Some(claims.exp.0),
        iat: Some(claims.iat.0),
        nbf: claims.nbf.map(|nbf| nbf.0),
        sub: Some(claims.sub.clone()),
        aud: claims.aud.one().map(str::to_owned),
        iss: Some(claims.iss.clone()),
        jti: Some(claims.jti.clone()),
        cnf: cnf.map(|cnf| Confirmation { jkt: cnf.jkt.clone(), x5t_s256: cnf.x5t_s256.clone() }),
        authorization_details: None,
    }
}

async fn refresh_token(
    tx: &mut dyn Sql,
    sim: &SimServer,
    client: &Authenticated,
    text: &str,
) -> Result<IntrospectionResponse, OAuthError> {
    let inactive = Ok(IntrospectionResponse::default());
    let Some(token) = families::find_refresh(tx, &sha256(text.as_bytes())).await? else { return inactive };
    let Some(family) = families::find(tx, &token.family).await? else { return inactive };
    let is_owner = client.function().is_none() && client.name() == family.client_id;
    let Ok(permission) = serde_json::from_str::<Permission>(&family.permission) else { return inactive };
    if !is_owner || token.rotated_s.is_some() || !family.is_live(sim.now_s()) {
        return inactive;
    }
    Ok(IntrospectionResponse {
        active: true,
        scope: Some(scope_text(&permission.scopes)),
        client_id: Some(family.client_id),
        exp: Some(family.ends_s.min(family.idle_ends_s)),
        iss: Some(sim.config().issuer.clone()),
        ..IntrospectionResponse::default()
    })
}
