//! Published service APIs, security contexts, and what anybody may discover.

use api_types::admin::{CapifApi, CapifContext, CapifUser, OpenApis, Page};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use capif_core::ccf::Versioned;
use http::StatusCode;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::{Admin, Filters, ccf, id, part, tagged};
use crate::admin::{everywhere, record};

/// `GET /v1/capif/apis?limit&cursor`
pub(in crate::admin) async fn apis(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<CapifApi>>, Refusal> {
    Ok(Json(ccf(&admin)?.service_apis(part(&filters)?).await?))
}

/// `GET /v1/capif/apis/{serviceApiId}`
pub(in crate::admin) async fn api(
    State(admin): State<Admin>,
    Path(api): Path<String>,
) -> Result<Json<CapifApi>, Refusal> {
    Ok(Json(ccf(&admin)?.service_api(&id("serviceApiId", api)?).await?))
}

/// `GET /v1/capif/apis/{serviceApiId}/invokers?limit&cursor`: who may use it.
pub(in crate::admin) async fn users_of_api(
    State(admin): State<Admin>,
    Path(api): Path<String>,
    filters: Filters,
) -> Result<Json<Page<CapifUser>>, Refusal> {
    Ok(Json(ccf(&admin)?.users_of(&id("serviceApiId", api)?, part(&filters)?).await?))
}

/// `GET /v1/capif/contexts?limit&cursor`
pub(in crate::admin) async fn contexts(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<CapifContext>>, Refusal> {
    Ok(Json(ccf(&admin)?.contexts(part(&filters)?).await?))
}

/// `GET /v1/capif/contexts/{apiInvokerId}`
pub(in crate::admin) async fn context(
    State(admin): State<Admin>,
    Path(invoker): Path<String>,
) -> Result<Json<CapifContext>, Refusal> {
    Ok(Json(ccf(&admin)?.context(&id("apiInvokerId", invoker)?).await?))
}

/// `GET /v1/capif/open-apis`; entity tag `"0"`: nobody has written it yet, it is that of the configuration.
pub(in crate::admin) async fn open_apis(State(admin): State<Admin>) -> Result<Response, Refusal> {
    Ok(tagged(ccf(&admin)?.open_apis().await?))
}

/// `PUT /v1/capif/open-apis`
pub(in crate::admin) async fn put_open_apis(
    State(admin): State<Admin>,
    ctx: Ctx,
    JsonBody(list): JsonBody<OpenApis>,
) -> Result<Response, Refusal> {
    let (ccf, new) = (ccf(&admin)?.clone(), list.clone());
    let act = ("admin.capif.open_apis.put", "open-apis");
    let work = async move { ccf.put_open_apis(&new).await };
    let put = record::act(&admin, &ctx, act, everywhere::status, work).await?;
    let status = if put.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, tagged(Versioned { body: list, version: put.version })).into_response())
}

/// `DELETE /v1/capif/open-apis`: what the configuration says counts again.
pub(in crate::admin) async fn delete_open_apis(
    State(admin): State<Admin>,
    ctx: Ctx,
) -> Result<StatusCode, Refusal> {
    let ccf = ccf(&admin)?.clone();
    let act = ("admin.capif.open_apis.delete", "open-apis");
    record::act(&admin, &ctx, act, |()| 204, async move { ccf.delete_open_apis().await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
