//! `DELETE /{subscriberId}/subscriptions/{subscriptionId}` (TS 29.222 8.3.2.4): what waits is not told any more.

use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use store::subscriptions;

use super::subscription;
use crate::ccf::CcfServer;

/// `DELETE /capif-events/v1/{subscriberId}/subscriptions/{subscriptionId}`
pub(crate) async fn unsubscribe(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((subscriber, sub_id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let server = ccf.clone();
    let _: () = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = subscription::subscriber(tx, &ctx, &subscriber).await?;
                let row = subscription::held(tx, &server, &ctx, &party, &sub_id).await?;
                subscriptions::remove(tx, &row.sub_id).await?;
                subscription::record(tx, &ctx, &row, "ccf.events.unsubscribe", 204).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
