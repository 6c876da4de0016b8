//! `/keys`: the signing keys of the functions that issue.

use api_types::admin::{KeyInfo, KeyRotated, Page, Rotate};
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::Ctx;
use service_http::json_body::OptionalJsonBody;
use service_http::refusal::Refusal;

use super::elsewhere::not_here;
use super::{Admin, record};

/// `GET /v1/keys`
pub(super) async fn list(State(admin): State<Admin>) -> Result<Json<Page<KeyInfo>>, Refusal> {
    let items = match &admin.sim {
        Some(sim) => sim.keys(),
        None => Vec::new(),
    };
    Ok(Json(Page { items, next: None }))
}

/// `POST /v1/keys/{role}/rotate`: has taken effect when it is answered.
pub(super) async fn rotate(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(role): Path<String>,
    OptionalJsonBody(rotate): OptionalJsonBody<Rotate>,
) -> Result<Json<KeyRotated>, Refusal> {
    let sim = admin.sim.as_ref().filter(|_| role == "sim").ok_or_else(not_here)?;
    let (sim, emergency) = (sim.clone(), rotate.unwrap_or_default().emergency);
    let work = async move { sim.rotate(emergency).await };
    Ok(Json(record::act(&admin, &ctx, ("admin.key.rotate", "keys/sim"), |_| 200, work).await?))
}
