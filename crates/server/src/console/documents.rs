//! `GET /api/documents/{name}`: the program's own OpenAPI documents.

use authorization::Reason;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use service_http::refusal::Refusal;

use super::sessions::Operator;

/// `index` lists them; each other name is a document.
pub(super) async fn document(_: Operator, Path(name): Path<String>) -> Result<Response, Refusal> {
    if name == "index" {
        let interfaces = crate::openapi::interfaces();
        let list: Vec<_> = interfaces
            .iter()
            .map(|interface| serde_json::json!({ "name": interface.name, "title": interface.title }))
            .collect();
        return Ok(Json(serde_json::json!({ "items": list, "next": null })).into_response());
    }
    let document = crate::openapi::document(&name).ok_or_else(|| Refusal::open(Reason::NotFound))?;
    Ok(Json(document).into_response())
}
