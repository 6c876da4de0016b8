//! Provisioning for which TS 29.222 has no operation: access control policies and routing rules. Both are of a service API at
//! one function; `aef` names it where several expose the API.

use api_types::admin::{CapifAccessControl, Page};
use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::routing::RoutingInfo;
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use capif_core::ccf::Versioned;
use http::StatusCode;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::{Admin, Filters, aef, ccf, id, part, tagged};
use crate::admin::record;

/// `GET /v1/capif/access-control?api&invoker&limit&cursor`
pub(in crate::admin) async fn access_control_list(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<CapifAccessControl>>, Refusal> {
    let (api, invoker) = (filters.text("api"), filters.text("invoker"));
    Ok(Json(ccf(&admin)?.access_control(api, invoker, part(&filters)?).await?))
}

/// `GET /v1/capif/access-control/{apiInvokerId}/{serviceApiId}?aef`
pub(in crate::admin) async fn access_control(
    State(admin): State<Admin>,
    Path(path): Path<(String, String)>,
    filters: Filters,
) -> Result<Response, Refusal> {
    let at = Where::of(&admin, path, &filters).await?;
    Ok(tagged(ccf(&admin)?.access_control_of(&at.api, &at.aef, &at.invoker).await?))
}

/// `PUT /v1/capif/access-control/{apiInvokerId}/{serviceApiId}?aef`: counts for the next invocation; subscribers are told.
pub(in crate::admin) async fn put_access_control(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(path): Path<(String, String)>,
    filters: Filters,
    JsonBody(limits): JsonBody<CapifAccessControl>,
) -> Result<Response, Refusal> {
    let (at, ccf) = (Where::of(&admin, path, &filters).await?, ccf(&admin)?.clone());
    let policy = ApiInvokerPolicy {
        api_invoker_id: at.invoker.clone(),
        allowed_total_invocations: limits.allowed_total_invocations,
        allowed_invocations_per_second: limits.allowed_invocations_per_second,
        allowed_invocation_time_range_list: limits.allowed_invocation_time_range_list,
        net_slice_info: limits.net_slice_info,
    };
    let act = ("admin.capif.access_control.put", at.object());
    let work = async move {
        let made = ccf.put_access_control(&at.api, &at.aef, policy).await?;
        Ok((made, ccf.access_control_of(&at.api, &at.aef, &at.invoker).await?))
    };
    let put = record::act(&admin, &ctx, act, |(made, _)| if *made { 201 } else { 200 }, work).await?;
    Ok(wrote(put))
}

/// `DELETE /v1/capif/access-control/{apiInvokerId}/{serviceApiId}?aef`
pub(in crate::admin) async fn delete_access_control(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(path): Path<(String, String)>,
    filters: Filters,
) -> Result<StatusCode, Refusal> {
    let (at, ccf) = (Where::of(&admin, path, &filters).await?, ccf(&admin)?.clone());
    let act = ("admin.capif.access_control.delete", at.object());
    let work = async move { gone(ccf.delete_access_control(&at.api, &at.aef, &at.invoker).await?) };
    record::act(&admin, &ctx, act, |()| 204, work).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/capif/routing/{serviceApiId}?aef`
pub(in crate::admin) async fn routing(
    State(admin): State<Admin>,
    Path(api): Path<String>,
    filters: Filters,
) -> Result<Response, Refusal> {
    let (api, aef) = behind(&admin, api, &filters).await?;
    let ccf = ccf(&admin)?;
    let body = ccf.routing(&api, &aef).await?.ok_or(Refusal::open(Reason::NotFound))?;
    Ok(tagged(Versioned { version: ccf.routing_version(&api, &aef).await?, body }))
}

/// `PUT /v1/capif/routing/{serviceApiId}?aef`: where invocations go that arrive at that function; subscribers are told.
pub(in crate::admin) async fn put_routing(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(api): Path<String>,
    filters: Filters,
    JsonBody(rules): JsonBody<RoutingInfo>,
) -> Result<Response, Refusal> {
    let ((api, aef), ccf) = (behind(&admin, api, &filters).await?, ccf(&admin)?.clone());
    let act = ("admin.capif.routing.put", format!("routing/{api}/{aef}"));
    let work = async move {
        let made = ccf.put_routing(&api, &aef, rules.clone()).await?;
        Ok((made, Versioned { body: rules, version: ccf.routing_version(&api, &aef).await? }))
    };
    let put = record::act(&admin, &ctx, act, |(made, _)| if *made { 201 } else { 200 }, work).await?;
    Ok(wrote(put))
}

/// `DELETE /v1/capif/routing/{serviceApiId}?aef`
pub(in crate::admin) async fn delete_routing(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(api): Path<String>,
    filters: Filters,
) -> Result<StatusCode, Refusal> {
    let ((api, aef), ccf) = (behind(&admin, api, &filters).await?, ccf(&admin)?.clone());
    let act = ("admin.capif.routing.delete", format!("routing/{api}/{aef}"));
    let work = async move { gone(ccf.delete_routing(&api, &aef).await?) };
    record::act(&admin, &ctx, act, |()| 204, work).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which policy is meant.
struct Where {
    invoker: ApiInvokerId,
    api: ServiceApiId,
    aef: AefId,
}

impl Where {
    async fn of(admin: &Admin, (invoker, api): (String, String), filters: &Filters) -> Result<Self, Refusal> {
        let invoker = id("apiInvokerId", invoker)?;
        let (api, aef) = behind(admin, api, filters).await?;
        Ok(Self { invoker, api, aef })
    }

    fn object(&self) -> String {
        format!("access-control/{}/{}/{}", self.invoker, self.api, self.aef)
    }
}

/// A service API and the function that is meant.
async fn behind(admin: &Admin, api: String, filters: &Filters) -> Result<(ServiceApiId, AefId), Refusal> {
    let api = id("serviceApiId", api)?;
    let aef = ccf(admin)?.exposed_by(&api, aef(filters)?).await?;
    Ok((api, aef))
}

fn gone(was_there: bool) -> Result<(), Refusal> {
    if was_there { Ok(()) } else { Err(Refusal::open(Reason::NotFound)) }
}

fn wrote<T: serde::Serialize>((made, put): (bool, Versioned<T>)) -> Response {
    (if made { StatusCode::CREATED } else { StatusCode::OK }, tagged(put)).into_response()
}
