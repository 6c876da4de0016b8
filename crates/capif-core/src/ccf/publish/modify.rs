//! `PATCH /{apfId}/service-apis/{serviceApiId}` (RFC 7396)

use api_types::capif::publish::ServiceAPIDescription;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use service_http::call::Ctx;
use service_http::json_body::MergePatchBody;
use service_http::refusal::Refusal;

use super::change::{Change, change};
use crate::ccf::CcfServer;

/// `PATCH /published-apis/v1/{apfId}/service-apis/{serviceApiId}`
pub(crate) async fn modify(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(path): Path<(String, String)>,
    MergePatchBody(patch): MergePatchBody<Value>,
) -> Result<Json<ServiceAPIDescription>, Refusal> {
    change(ccf, ctx, path, Change::Modify(patch)).await
}
