//! `POST /login`: the administrator logs in.

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde_json::{Value, json};
use service_http::call::Ctx;
use service_http::refusal::Refusal;

use crate::ccf::CcfServer;

/// `POST /login`
pub(in crate::ccf::compat) async fn login(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let accounts = ccf.compat()?.accounts();
    accounts.user(&ccf, &ctx, &headers, true).await?;
    let token = accounts.begin_session(&ccf);
    Ok(Json(json!({ "message": "Admin logged in successfully", "access_token": token.expose() })))
}
