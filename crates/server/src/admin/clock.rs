//! `PUT /v1/test/clock`: moves the clock of every function. A demo has it, nothing else.

use api_types::admin::TestClock;
use authorization::Reason;
use axum::Json;
use axum::extract::State;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::{Admin, record};

/// Sets the offset from the machine's clock, in seconds; also backward.
pub(super) async fn put(
    State(admin): State<Admin>,
    ctx: Ctx,
    JsonBody(clock): JsonBody<TestClock>,
) -> Result<Json<TestClock>, Refusal> {
    let Some(offset) = admin.clock.clone() else { return Err(Refusal::open(Reason::NotFound)) };
    let work = async move {
        offset.set_offset_s(clock.offset_s);
        Ok(clock)
    };
    Ok(Json(record::act(&admin, &ctx, ("admin.test_clock.put", "test/clock"), |_| 200, work).await?))
}
