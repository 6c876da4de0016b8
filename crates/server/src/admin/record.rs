//! The record of an operator's act, before it is answered.

use api_types::ids::TraceId;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;

use super::Admin;

/// Records that the operator of this request did `action` on `object`.
pub(super) async fn act(
    admin: &Admin,
    ctx: &Ctx,
    action: &'static str,
    object: impl Into<String>,
    status: u16,
) -> Result<(), Refusal> {
    let ctx = ctx.clone();
    let permit = Permit::new(action).object(object).status(status).units(0);
    admin
        .kit
        .store
        .write(move |tx| {
            Box::pin(async move {
                let actor = Actor::peer(ctx.peer());
                ledger::record(tx, &ctx, &actor, &permit).await
            })
        })
        .await
}

/// The trace of a record; all zeros where it has none (a count of refusals, for example).
pub(super) fn trace_id(text: Option<String>) -> TraceId {
    let none = || TraceId::try_from("0".repeat(32)).ok();
    // 32 zeros are an identifier like any other.
    text.and_then(|text| TraceId::try_from(text).ok()).or_else(none).unwrap_or_else(|| unreachable!())
}
