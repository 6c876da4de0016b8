//! Token revocation (RFC 7009): the client that holds a token ends it. The answer to a token of anybody else, and to what
//! is no token, is the same, and nothing happens (A34).

use authorization::Reason;
use authorization::revocation::Kind;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use jose::sha256;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use store::grants::{families, tokens};

use super::authenticate::{Front, authenticate};
use super::error::{OAuthError, no_store};
use super::form::Form;
use super::own_token;
use super::token::use_up;

/// `POST /revoke`.
pub(crate) async fn revoke(
    State(front): State<Front>,
    ctx: Ctx,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer(&front, &ctx, &headers, &body).await {
        Ok(()) => {
            let mut response = StatusCode::OK.into_response();
            no_store(&mut response);
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn answer(front: &Front, ctx: &Ctx, headers: &HeaderMap, body: &[u8]) -> Result<(), OAuthError> {
    let form = Form::of_body(headers, body)?;
    let client = authenticate(front, ctx, headers, &form).await?;
    let text = form.one("token").ok_or(OAuthError::malformed())?.to_owned();
    let (sim, now_s) = (&front.sim, front.sim.now_s());
    let own = own_token::read(sim, &text, now_s);
    let ctx = ctx.clone();
    let this = sim.clone();
    let epoch: Option<u64> = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                use_up(tx, None, client.once.as_ref()).await?;
                let ended = match own {
                    Ok(own)
                        if client.function().is_none() && client.name() == own.claims.client_id.as_str() =>
                    {
                        vec![own.claims.jti]
                    }
                    Err(Reason::TokenMalformed) => {
                        let token = families::find_refresh(tx, &sha256(text.as_bytes())).await?;
                        let family = match token {
                            Some(token) => families::find(tx, &token.family).await?,
                            None => None,
                        };
                        match family.filter(|family| family.client_id == client.name()) {
                            Some(family) => {
                                families::revoke(tx, &family.family, now_s).await?;
                                tokens::of_family(tx, &family.family).await?
                            }
                            None => Vec::new(),
                        }
                    }
                    _ => Vec::new(),
                };
                let actor = Actor::client(client.name());
                let permit = Permit::new("sim.revoke").object(format!("{} tokens", ended.len())).units(0);
                ledger::record(tx, &ctx, &actor, &permit).await?;
                if ended.is_empty() {
                    return Ok(None);
                }
                Ok::<_, OAuthError>(Some(this.end(tx, Kind::Token, ended).await?))
            })
        })
        .await?;
    // Answered when no verifier of ours accepts them any more.
    if let Some(epoch) = epoch {
        sim.revocations().acknowledge(epoch).await?;
    }
    Ok(())
}
