//! `/subscribers` and `/purposes`: what the UDM keeps. A SUPI goes in and never out.

use api_types::admin::{Consent, Page, Privacy, Purpose, Subscriber};
use api_types::ids::Gpsi;
use api_types::nudm_sdm::UcPurpose;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use operator_core::udm::{UdmServer, Versioned, Written};
use serde::Serialize;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::elsewhere::not_here;
use super::query::{Filters, refuse};
use super::{Admin, record};

/// `GET /v1/subscribers?limit&cursor`
pub(super) async fn subscribers(
    State(admin): State<Admin>,
    ctx: Ctx,
    filters: Filters,
) -> Result<Json<Page<Subscriber>>, Refusal> {
    let after = filters.text("cursor").unwrap_or_default();
    let page = udm(&admin)?.subscribers(after, filters.limit()?).await?;
    record::looked(&admin, &ctx, "admin.subscribers.read", "subscribers").await?;
    Ok(Json(page))
}

/// `GET /v1/subscribers/{gpsi}`
pub(super) async fn subscriber(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<Subscriber>, Refusal> {
    let found = udm(&admin)?.subscriber(&gpsi(id.clone())?).await?;
    record::looked(&admin, &ctx, "admin.subscribers.read", object(&admin, &id, "")).await?;
    Ok(Json(found))
}

/// `PUT /v1/subscribers/{gpsi}`
pub(super) async fn put_subscriber(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Subscriber>,
) -> Result<Response, Refusal> {
    let act = ("admin.subscriber.put", object(&admin, &id, ""));
    let (id, udm) = (gpsi(id)?, udm(&admin)?.clone());
    let work = async move { udm.put_subscriber(&id, body).await };
    Ok(wrote(record::act(&admin, &ctx, act, status, work).await?))
}

/// `GET /v1/subscribers/{gpsi}/consents`
pub(super) async fn consents(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<Page<Consent>>, Refusal> {
    let found = udm(&admin)?.consents(&gpsi(id.clone())?).await?;
    record::looked(&admin, &ctx, "admin.consents.read", object(&admin, &id, "/consents")).await?;
    Ok(Json(found))
}

/// `GET /v1/subscribers/{gpsi}/consents/{purpose}`
pub(super) async fn consent(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path((id, about)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let found = udm(&admin)?.consent(&gpsi(id.clone())?, &purpose(&about)?).await?;
    record::looked(&admin, &ctx, "admin.consents.read", object(&admin, &id, "/consents")).await?;
    Ok(read(found))
}

/// `PUT /v1/subscribers/{gpsi}/consents/{purpose}`: it counts when it is answered.
pub(super) async fn put_consent(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path((id, about)): Path<(String, String)>,
    JsonBody(body): JsonBody<Consent>,
) -> Result<Response, Refusal> {
    let (about, udm) = (purpose(&about)?, udm(&admin)?.clone());
    let act = ("admin.consent.put", object(&admin, &id, &format!("/consents/{about}")));
    let id = gpsi(id)?;
    let work = async move { udm.put_consent(&id, &about, body.consent).await };
    Ok(wrote(record::act(&admin, &ctx, act, status, work).await?))
}

/// `DELETE /v1/subscribers/{gpsi}/consents/{purpose}`
pub(super) async fn delete_consent(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path((id, about)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (about, udm) = (purpose(&about)?, udm(&admin)?.clone());
    let act = ("admin.consent.delete", object(&admin, &id, &format!("/consents/{about}")));
    let id = gpsi(id)?;
    record::act(&admin, &ctx, act, |()| 204, async move { udm.delete_consent(&id, &about).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/subscribers/{gpsi}/privacy`
pub(super) async fn privacy(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let found = udm(&admin)?.privacy(&gpsi(id.clone())?).await?;
    record::looked(&admin, &ctx, "admin.privacy.read", object(&admin, &id, "/privacy")).await?;
    Ok(read(found))
}

/// `PUT /v1/subscribers/{gpsi}/privacy`
pub(super) async fn put_privacy(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Privacy>,
) -> Result<Response, Refusal> {
    let act = ("admin.privacy.put", object(&admin, &id, "/privacy"));
    let (id, udm) = (gpsi(id)?, udm(&admin)?.clone());
    let work = async move { udm.put_privacy(&id, body).await };
    Ok(wrote(record::act(&admin, &ctx, act, status, work).await?))
}

/// `GET /v1/purposes?limit&cursor`
pub(super) async fn purposes(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<Purpose>>, Refusal> {
    let after = filters.text("cursor").unwrap_or_default();
    Ok(Json(udm(&admin)?.purposes(after, filters.limit()?).await?))
}

/// `GET /v1/purposes/{purpose}`
pub(super) async fn get_purpose(
    State(admin): State<Admin>,
    Path(about): Path<String>,
) -> Result<Response, Refusal> {
    Ok(read(udm(&admin)?.purpose(&purpose(&about)?).await?))
}

/// `PUT /v1/purposes/{purpose}`
pub(super) async fn put_purpose(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(about): Path<String>,
    JsonBody(body): JsonBody<Purpose>,
) -> Result<Response, Refusal> {
    let (about, udm) = (purpose(&about)?, udm(&admin)?.clone());
    let act = ("admin.purpose.put", format!("purposes/{about}"));
    let work = async move { udm.put_purpose(&about, body).await };
    Ok(wrote(record::act(&admin, &ctx, act, status, work).await?))
}

/// `DELETE /v1/purposes/{purpose}`
pub(super) async fn delete_purpose(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(about): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (about, udm) = (purpose(&about)?, udm(&admin)?.clone());
    let act = ("admin.purpose.delete", format!("purposes/{about}"));
    record::act(&admin, &ctx, act, |()| 204, async move { udm.delete_purpose(&about).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn udm(admin: &Admin) -> Result<&UdmServer, Refusal> {
    admin.udm.as_ref().ok_or_else(not_here)
}

/// How a subscriber is named in records.
fn object(admin: &Admin, gpsi: &str, what: &str) -> String {
    format!("subscribers/{}{what}", admin.kit.pseudonym(gpsi))
}

fn gpsi(text: String) -> Result<Gpsi, Refusal> {
    Gpsi::try_from(text).map_err(|_| refuse("gpsi", "is not an identifier"))
}

fn purpose(text: &str) -> Result<UcPurpose, Refusal> {
    let purpose = UcPurpose::from(text);
    if purpose.is_plain() { Ok(purpose) } else { Err(refuse("purpose", "is not a purpose")) }
}

fn status<T>(written: &Written<T>) -> u16 {
    if written.created { 201 } else { 200 }
}

fn wrote<T: Serialize>(written: Written<T>) -> Response {
    let etag = [(header::ETAG, format!("\"{}\"", written.version))];
    let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
    (status, etag, Json(written.body)).into_response()
}

fn read<T: Serialize>(found: Versioned<T>) -> Response {
    ([(header::ETAG, format!("\"{}\"", found.version))], Json(found.body)).into_response()
}
