//! `POST /v1/revocations`: answered when no verifier accepts it any more.

use api_types::admin::{RevocationRequest, Revoked};
use axum::Json;
use axum::extract::State;
use capif_core::ccf::CcfServer;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::elsewhere::not_here;
use super::{Admin, record};

/// Revokes at the issuer that is named; where none is, at the SIM-S, or at the core function where no SIM-S runs.
pub(super) async fn post(
    State(admin): State<Admin>,
    ctx: Ctx,
    JsonBody(request): JsonBody<RevocationRequest>,
) -> Result<Json<Revoked>, Refusal> {
    let act = ("admin.revoke", format!("revocations/{}", request.kind));
    let named = |ccf: &CcfServer| match &request.issuer {
        Some(issuer) => issuer.strip_suffix('/').unwrap_or(issuer) == ccf.config().issuer,
        None => admin.sim.is_none(),
    };
    if let Some(ccf) = admin.ccf.clone().filter(named) {
        let work = async move { ccf.revoke(&request).await };
        return Ok(Json(record::act(&admin, &ctx, act, |_| 200, work).await?));
    }
    match (admin.sim.clone(), admin.ccf.clone()) {
        (Some(sim), _) => {
            let work = async move { sim.revoke(&request).await };
            Ok(Json(record::act(&admin, &ctx, act, |_| 200, work).await?))
        }
        // It says that the issuer is another one's.
        (None, Some(ccf)) => {
            let work = async move { ccf.revoke(&request).await };
            Ok(Json(record::act(&admin, &ctx, act, |_| 200, work).await?))
        }
        (None, None) => Err(not_here()),
    }
}
