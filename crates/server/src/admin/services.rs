//! `/services`: which scopes a spatial service has. A new service is a row (GEN-7).

use api_types::admin::{Page, Service};
use api_types::function::Function;
use api_types::ids::ServiceId;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::everywhere::{self, Kept, Kind};
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
    let body = serde_json::to_string(&service).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    let act = ("admin.service.put", format!("services/{id}"));
    let (this, name, new) = (admin.clone(), id.clone(), service.clone());
    let work = async move {
        let _turn = this.turn_of_documents().await;
        if let Some(sim) = &this.sim {
            sim.put_service(&name, new).await?;
        }
        let has_it = this.sim.as_ref().map(|_| Function::Sim);
        everywhere::put(&this, Kind::Service, name.as_str(), &body, has_it).await
    };
    let put = record::act(&admin, &ctx, act, everywhere::status, work).await?;
    everywhere::wrote(&put, id.as_str(), service)
}

/// `GET /v1/services/{serviceId}`
pub(super) async fn get(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Response, Refusal> {
    everywhere::read::<Service>(&admin, service_id(id)?.as_str()).await
}

/// `GET /v1/services?limit&cursor`
pub(super) async fn list(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<Service>>, Refusal> {
    everywhere::list(&admin, &filters).await
}

/// `DELETE /v1/services/{serviceId}`: tokens for it are revoked before this is answered.
pub(super) async fn delete(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = service_id(id)?;
    let (act, this) = (("admin.service.delete", format!("services/{id}")), admin.clone());
    let work = async move {
        let _turn = this.turn_of_documents().await;
        if let Some(sim) = &this.sim {
            sim.delete_service(&id).await?;
        }
        everywhere::delete(&this, Kind::Service, id.as_str()).await
    };
    record::act(&admin, &ctx, act, |()| 204, work).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Kept for Service {
    const KIND: Kind = Kind::Service;

    fn shown(self, id: &str, _: u64) -> Option<Self> {
        Some(Self { service_id: Some(ServiceId::try_from(id).ok()?), ..self })
    }
}

fn service_id(text: String) -> Result<ServiceId, Refusal> {
    ServiceId::try_from(text).map_err(|_| refuse("serviceId", "is not an identifier"))
}
