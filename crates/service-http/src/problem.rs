//! `application/problem+json` (TS 29.571 `ProblemDetails`, RFC 9457).

use api_types::problem::{Cause, ProblemDetails};
use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

/// Media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Sent when a problem cannot be serialized, which no value of ours causes.
const LAST_RESORT: &str = r#"{"status":500,"cause":"SYSTEM_FAILURE"}"#;

/// A response with `problem` as its body. Never cached.
pub fn response(problem: &ProblemDetails) -> Response {
    let (status, body) = match serde_json::to_vec(problem) {
        Ok(body) => (problem.status, body),
        Err(_) => (500, LAST_RESORT.as_bytes().to_vec()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A response with the constant problem of `cause` under `status`.
pub fn of(status: StatusCode, cause: Cause) -> Response {
    response(&ProblemDetails::new(status.as_u16(), cause))
}
