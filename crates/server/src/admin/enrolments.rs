//! `POST /v1/enrolments`: a secret with which an API invoker onboards, or an API provider registers, once.

use api_types::admin::{Enrolment, EnrolmentCreated};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::elsewhere::not_here;
use super::{Admin, record};

/// The secret is told in this answer and never again.
pub(super) async fn create(
    State(admin): State<Admin>,
    ctx: Ctx,
    JsonBody(enrolment): JsonBody<Enrolment>,
) -> Result<Response, Refusal> {
    let ccf = admin.ccf.clone().ok_or_else(not_here)?;
    let act = ("admin.enrol", format!("enrolments/{}", enrolment.kind));
    let work = async move { ccf.enrol(&enrolment).await };
    let created: EnrolmentCreated = record::act(&admin, &ctx, act, |_| 201, work).await?;
    let private = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, private, Json(created)).into_response())
}
