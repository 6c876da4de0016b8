//! Pushed authorization requests (RFC 9126): the client authenticates first, and the user's browser carries a reference.

use authorization::Reason;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use jose::sha256;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use store::grants::pushed::{self, PushedRequest};

use super::begin::URN_PREFIX;
use super::grant::object;
use super::request;
use crate::sim_s::authenticate::{Front, authenticate};
use crate::sim_s::error::{ErrorCode, OAuthError, no_store};
use crate::sim_s::form::Form;
use crate::sim_s::token::use_up;
use crate::sim_s::{dpop, world};
use api_types::oauth::ParResponse;

/// `POST /par`.
pub async fn push(State(front): State<Front>, ctx: Ctx, headers: HeaderMap, body: Bytes) -> Response {
    match answer(&front, &ctx, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(front: &Front, ctx: &Ctx, headers: &HeaderMap, body: &[u8]) -> Result<Response, OAuthError> {
    let form = Form::of_body(headers, body)?;
    let sim = &front.sim;
    let client = authenticate(front, ctx, headers, &form).await?;
    let proof = dpop::proof(front, headers, "POST", "/par", None)?;
    // RFC 9126 2.1: a reference inside of a pushed request leads nowhere.
    if form.has("request_uri") {
        return Err(OAuthError::malformed());
    }
    let config = sim.config();
    let (now_s, life_s) = (sim.now_s(), config.pushed_request_s);
    let uri = format!("{URN_PREFIX}{}", sim.kit().ambient.random_secret());
    let hash = sha256(uri.as_bytes());
    let (server, servers, ctx) = (sim.clone(), config.servers.clone(), ctx.clone());
    sim.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                client.still_stands(&server, tx).await?;
                use_up(tx, proof.as_ref(), client.once.as_ref()).await?;
                let record = client.record()?;
                let directory = world::directory(tx, &servers).await?;
                let redirect_uri = request::redirect_uri(&form, record)?;
                let mut request = request::read(&form, record, redirect_uri, &directory)?;
                // RFC 9449 10.1: a proof here binds the code as dpop_jkt does.
                if let Some(proof) = &proof {
                    if request.dpop_jkt.as_ref().is_some_and(|jkt| *jkt != proof.jkt) {
                        return Err(OAuthError::new(ErrorCode::InvalidDpopProof, Reason::HolderWrong));
                    }
                    request.dpop_jkt = Some(proof.jkt.clone());
                }
                let text = serde_json::to_string(&request)
                    .map_err(|_| OAuthError::new(ErrorCode::ServerError, Reason::StoreFailed))?;
                let new = PushedRequest {
                    urn_hash: hash.to_vec(),
                    client_id: record.client_id.as_str().to_owned(),
                    request: text,
                    expires_s: now_s.saturating_add(life_s),
                };
                pushed::insert(tx, &new).await?;
                let actor = Actor::ue(record.client_id.as_str());
                let permit = Permit::new("sim.par").object(object(&record.client_id)).units(0).status(201);
                ledger::record(tx, &ctx, &actor, &permit).await?;
                Ok::<_, OAuthError>(())
            })
        })
        .await?;
    let body = ParResponse { request_uri: uri, expires_in: life_s };
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    no_store(&mut response);
    dpop::offer_nonce(sim, &mut response);
    Ok(response)
}
