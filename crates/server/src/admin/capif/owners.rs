//! Resources and the policies of their owners (TR 33.721 6.3).

use api_types::admin::{CapifAsk, CapifExplain, CapifExplained, CapifResource, Page};
use axum::Json;
use axum::extract::State;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::{Admin, Filters, ccf, part, refuse};
use crate::admin::record;

/// `GET /v1/capif/resources?aef&owner&limit&cursor`
pub(in crate::admin) async fn resources(
    State(admin): State<Admin>,
    ctx: Ctx,
    filters: Filters,
) -> Result<Json<Page<CapifResource>>, Refusal> {
    let of = (filters.text("aef"), filters.text("owner"));
    let page = ccf(&admin)?.resources(of, part(&filters)?).await?;
    // An owner may be a person.
    record::looked(&admin, &ctx, "admin.capif.resources.read", "resources").await?;
    Ok(Json(page))
}

/// `POST /v1/capif/resources/explain`: what would be decided, without doing anything.
pub(in crate::admin) async fn explain(
    State(admin): State<Admin>,
    ctx: Ctx,
    JsonBody(asked): JsonBody<CapifExplain>,
) -> Result<Json<CapifExplained>, Refusal> {
    let explained = ccf(&admin)?.explain(&asked).await?;
    let object = format!("resources/{}/{}", asked.aef_id, asked.resource_id);
    record::looked(&admin, &ctx, "admin.capif.explain", object).await?;
    Ok(Json(explained))
}

/// `GET /v1/capif/asks?open&limit&cursor`
pub(in crate::admin) async fn asks(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<CapifAsk>>, Refusal> {
    let open = match filters.text("open") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(refuse("open", "is neither true nor false")),
    };
    Ok(Json(ccf(&admin)?.asks(part(&filters)?, open).await?))
}
