//! `DELETE /{ueId}/sdm-subscriptions/{subscriptionId}`: what waits is not told any more (TS 29.503 5.2.2.4).

use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::udm::sdm_subscriptions;

use super::UdmServer;
use super::subscription::held;

/// `DELETE /nudm-sdm/v2/{ueId}/sdm-subscriptions/{subscriptionId}`
pub(super) async fn unsubscribe(
    State(udm): State<UdmServer>,
    ctx: Ctx,
    Path((ue_id, sub_id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let server = udm.clone();
    let _: () = udm
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (of, row) = held(tx, &server, &ctx, (&ue_id, &sub_id)).await?;
                sdm_subscriptions::remove(tx, &row.sub_id).await?;
                let permit = Permit::new("udm.sdm.unsubscribe");
                let permit = permit.object(server.object(&of, "sdm-subscriptions")).status(204).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
