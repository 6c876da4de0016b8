//! `POST /v1/revocations`: answered when no verifier accepts it any more.

use api_types::admin::{RevocationRequest, Revoked};
use axum::Json;
use axum::extract::State;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::elsewhere::not_here;
use super::{Admin, record};

/// Revokes at the issuer that is named, or at the only one.
pub(super) async fn post(
    State(admin): State<Admin>,
    ctx: Ctx,
    JsonBody(request): JsonBody<RevocationRequest>,
) -> Result<Json<Revoked>, Refusal> {
    let sim = admin.sim.clone().ok_or_else(not_here)?;
    let act = ("admin.revoke", format!("revocations/{}", request.kind));
    Ok(Json(record::act(&admin, &ctx, act, |_| 200, async move { sim.revoke(&request).await }).await?))
}
