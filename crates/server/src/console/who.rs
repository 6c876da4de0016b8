//! `GET /api/session`: who is logged in, and what the pages can ask for.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Console;
use super::sessions::Operator;

/// Also gives the token against forged requests: another site can send a request here, and cannot read the answer.
pub(super) async fn session(State(console): State<Console>, operator: Operator) -> Json<Value> {
    let parts = console.parts();
    Json(json!({
        "user": operator.user,
        "roles": operator.roles,
        "authTime": operator.auth_time_s,
        "csrf": operator.csrf,
        "version": env!("CARGO_PKG_VERSION"),
        "demo": parts.kit.settings.demo,
        "issuer": parts.issuer,
        "servers": { "admin": true, "san": parts.san.is_some(), "sm": parts.sm.is_some() },
    }))
}
