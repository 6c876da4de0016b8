//! `/health`, `/metrics`, `/config`

use std::collections::BTreeMap;

use api_types::admin::Health;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use service_http::metrics;

use super::Admin;

/// `GET /v1/health`: 200 when every function can serve, else 503 and what is wrong with which.
pub(super) async fn health(State(admin): State<Admin>) -> Response {
    let mut functions = BTreeMap::new();
    let mut well = true;
    for kit in &admin.functions {
        let stored = kit.store.read(|sql| Box::pin(async move { store::audit::head(sql).await })).await;
        let state = match (stored, &kit.verifier) {
            (Err(_), _) => "records cannot be read",
            (Ok(_), Some(verifier)) if !verifier.is_ready() => "waits for an issuer's keys and revocations",
            (Ok(_), _) => "ok",
        };
        well &= state == "ok";
        functions.insert(kit.function.as_str().to_owned(), state.to_owned());
    }
    let health = Health {
        status: if well { "ok" } else { "degraded" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        functions,
        compat: admin
            .config
            .pointer("/compat/clients")
            .and_then(|clients| clients.as_str())
            .map(str::to_owned),
    };
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

/// `GET /v1/metrics`: for Prometheus; labels never name a user, a client or an object.
pub(super) async fn metrics() -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::render()).into_response()
}

/// `GET /v1/config`: what the program runs with, without secrets.
pub(super) async fn config(State(admin): State<Admin>) -> Json<serde_json::Value> {
    Json(admin.config.clone())
}
