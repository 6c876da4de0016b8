//! `PUT /{apfId}/service-apis/{serviceApiId}`

use api_types::capif::publish::ServiceAPIDescription;
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::change::{Change, change};
use crate::ccf::CcfServer;

/// `PUT /published-apis/v1/{apfId}/service-apis/{serviceApiId}`
pub(crate) async fn replace(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(path): Path<(String, String)>,
    JsonBody(body): JsonBody<ServiceAPIDescription>,
) -> Result<Json<ServiceAPIDescription>, Refusal> {
    change(ccf, ctx, path, Change::Replace(Box::new(body))).await
}
