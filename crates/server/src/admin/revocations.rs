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
    let Some(sim) = &admin.sim else { return Err(not_here()) };
    let revoked = sim.revoke(&request).await?;
    record::act(&admin, &ctx, "admin.revoke", format!("revocations/{}", request.kind), 200).await?;
    Ok(Json(revoked))
}
