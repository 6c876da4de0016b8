//! `/keys`: the signing keys of the functions that issue.

use api_types::admin::{KeyInfo, KeyRotated, Page, Rotate};
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::Ctx;
use service_http::json_body::OptionalJsonBody;
use service_http::refusal::Refusal;

use super::elsewhere::not_here;
use super::{Admin, record};

/// Roles that sign.
const SIM: &str = "sim";
const CCF: &str = "ccf";

/// `GET /v1/keys`
pub(super) async fn list(State(admin): State<Admin>) -> Result<Json<Page<KeyInfo>>, Refusal> {
    let mut items = admin.sim.as_ref().map(|sim| sim.keys()).unwrap_or_default();
    items.extend(admin.ccf.iter().flat_map(|ccf| ccf.signing().list(CCF)));
    Ok(Json(Page { items, next: None }))
}

/// `POST /v1/keys/{role}/rotate`: has taken effect when it is answered.
pub(super) async fn rotate(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(role): Path<String>,
    OptionalJsonBody(rotate): OptionalJsonBody<Rotate>,
) -> Result<Json<KeyRotated>, Refusal> {
    let emergency = rotate.unwrap_or_default().emergency;
    let (sim, ccf) = match role.as_str() {
        SIM => (admin.sim.clone(), None),
        CCF => (None, admin.ccf.clone()),
        _ => (None, None),
    };
    if sim.is_none() && ccf.is_none() {
        return Err(not_here());
    }
    let work = async move {
        match (sim, ccf) {
            (Some(sim), _) => sim.rotate(emergency).await,
            (None, Some(ccf)) => ccf.signing().rotate(emergency).await,
            (None, None) => Err(not_here()),
        }
    };
    let act = ("admin.key.rotate", format!("keys/{role}"));
    Ok(Json(record::act(&admin, &ctx, act, |_| 200, work).await?))
}
