//! `/services`: which scopes a spatial service has. A new service is a row (GEN-7).

use api_types::admin::{Page, Service};
use api_types::function::Function;
use api_types::ids::ServiceId;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;
use store::Document;

use super::everywhere::{self, Kind};
use super::query::{Filters, refuse};
use super::{Admin, record};

/// `PUT /v1/services/{serviceId}`: every function of the process has it when this is answered.
pub(super) async fn put(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(service): JsonBody<Service>,
) -> Result<Response, Refusal> {
    let id = service_id(id)?;
    let service = Service { service_id: None, ..service };
    if let Some(sim) = &admin.sim {
        sim.put_service(&id, service.clone()).await?;
    }
    let body = serde_json::to_string(&service).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    let put = everywhere::put(&admin, Kind::Service, id.as_str(), &body, admin.sim.as_ref().map(|_| Function::Sim)).await?;
    let status = if put.created { StatusCode::CREATED } else { StatusCode::OK };
    record::act(&admin, &ctx, "admin.service.put", format!("services/{id}"), status.as_u16()).await?;
    let etag = [(header::ETAG, format!("\"{}\"", put.version))];
    Ok((status, etag, Json(Service { service_id: Some(id), ..service })).into_response())
}

/// `GET /v1/services/{serviceId}`
pub(super) async fn get(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id = service_id(id)?;
    let document = everywhere::find(&admin, Kind::Service, id.as_str()).await?;
    let etag = [(header::ETAG, format!("\"{}\"", document.version))];
    Ok((etag, Json(shown(&document)?)).into_response())
}

/// `GET /v1/services?limit&cursor`
pub(super) async fn list(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<Service>>, Refusal> {
    let (documents, next) = everywhere::page(&admin, Kind::Service, &filters).await?;
    Ok(Json(Page { items: documents.iter().map(shown).collect::<Result<_, _>>()?, next }))
}

/// `DELETE /v1/services/{serviceId}`: tokens for it are revoked before this is answered.
pub(super) async fn delete(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = service_id(id)?;
    if let Some(sim) = &admin.sim {
        sim.delete_service(&id).await?;
    }
    everywhere::delete(&admin, Kind::Service, id.as_str()).await?;
    record::act(&admin, &ctx, "admin.service.delete", format!("services/{id}"), 204).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(document: &Document) -> Result<Service, Refusal> {
    let damaged = || Refusal::open(Reason::StoreFailed);
    let service: Service = serde_json::from_str(&document.body).map_err(|_| damaged())?;
    let id = ServiceId::try_from(document.id.as_str()).map_err(|_| damaged())?;
    Ok(Service { service_id: Some(id), ..service })
}

fn service_id(text: String) -> Result<ServiceId, Refusal> {
    ServiceId::try_from(text).map_err(|_| refuse("serviceId", "is not an identifier"))
}
