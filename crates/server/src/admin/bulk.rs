//! Anchors in bulk (decision 0041): `/v1/anchors/export`, `/v1/anchors/imports/{importId}` and its lines.
//!
//! Rows that carry owners and rules are more than any access token may bring or take: these routes are for operators,
//! and each request is an act on record.

use api_types::bulk::{ImportBegin, ImportRun, NDJSON};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderName, HeaderValue, StatusCode};
use service_http::call::Ctx;
use service_http::json_body::{self, JsonBody};
use service_http::refusal::Refusal;
use spatial_localization::san::SanServer;
use spatial_localization::san::bulk::Batch;

use super::elsewhere::not_here;
use super::query::{Filters, refuse};
use super::{Admin, record};

/// How many anchors there are, on each page of an export: a progress bar needs an end.
const TOTAL: HeaderName = HeaderName::from_static("metaseal-total");

/// `PUT /v1/anchors/imports/{importId}`: begins an import, or tells how far it is.
pub(super) async fn begin(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(begin): JsonBody<ImportBegin>,
) -> Result<Response, Refusal> {
    let (san, id) = (san(&admin)?, import_id(id)?);
    let object = format!("anchors-imports/{id}");
    let status = |(_, created): &(ImportRun, bool)| if *created { 201 } else { 200 };
    let work = async move { san.begin_import(&id, &begin).await };
    let done = record::act(&admin, &ctx, ("admin.anchors.import.begin", object), status, work).await?;
    let code = if done.1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok((code, Json(done.0)).into_response())
}

/// `GET /v1/anchors/imports/{importId}`
pub(super) async fn run(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<ImportRun>, Refusal> {
    Ok(Json(san(&admin)?.import_run(&import_id(id)?).await?))
}

/// `POST /v1/anchors/imports/{importId}/lines?first&last&skip-bad`
pub(super) async fn lines(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    filters: Filters,
    request: Request,
) -> Result<Json<ImportRun>, Refusal> {
    let (san, import_id) = (san(&admin)?, import_id(id)?);
    let first = filters.number("first")?.filter(|first| *first > 0 && i64::try_from(*first).is_ok());
    let first = first.ok_or_else(|| refuse("first", "is not the number of a line"))?;
    let (last, skip_bad) = (flag(&filters, "last")?, flag(&filters, "skip-bad")?);
    // Requests are kept in the order in which they began, while they are read side by side.
    let turn = san.import_turn();
    let (lines, headers) = json_body::read(request).await?;
    json_body::check_type(&headers, &[NDJSON])?;
    let object = format!("anchors-imports/{import_id}/lines/{first}");
    let batch = Batch { import_id, first, last, skip_bad, lines };
    let work = async move { san.import_lines(batch, turn).await };
    Ok(Json(record::act(&admin, &ctx, ("admin.anchors.import", object), |_| 200, work).await?))
}

/// `GET /v1/anchors/export?limit&cursor`: a page of lines; the first begins with what the file is.
pub(super) async fn export(
    State(admin): State<Admin>,
    ctx: Ctx,
    filters: Filters,
) -> Result<Response, Refusal> {
    let san = san(&admin)?;
    let (limit, after) = (filters.limit()?, filters.text("cursor").map(place).transpose()?);
    let mut lines = if after.is_none() { san.export_header()? } else { Vec::new() };
    let page = san.export_page(after, limit).await?;
    lines.extend(&page.lines);
    let total = san.count_anchors().await?;
    record::looked(&admin, &ctx, "admin.anchors.export", "anchors").await?;
    let mut response = lines.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    headers.insert(TOTAL, HeaderValue::from(total));
    if let Some((list, label)) = &page.next {
        let cursor = URL_SAFE_NO_PAD.encode(serde_json::json!([list, label]).to_string());
        let link = format!("</v1/anchors/export?limit={limit}&cursor={cursor}>; rel=\"next\"");
        headers.extend(HeaderValue::try_from(link).ok().map(|link| (LINK, link)));
    }
    Ok(response)
}

fn san(admin: &Admin) -> Result<SanServer, Refusal> {
    admin.san.clone().ok_or_else(not_here)
}

fn import_id(id: String) -> Result<String, Refusal> {
    if api_types::ids::is_id(&id) { Ok(id) } else { Err(refuse("importId", "is not an identifier")) }
}

fn flag(filters: &Filters, name: &str) -> Result<bool, Refusal> {
    match filters.text(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(refuse(name, "is neither true nor false")),
    }
}

fn place(cursor: &str) -> Result<(String, String), Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.ok_or_else(|| refuse("cursor", "is not one that this program gave"))
}
