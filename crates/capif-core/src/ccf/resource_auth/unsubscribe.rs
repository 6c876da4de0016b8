//! `DELETE /subscriptions/{subscriptionId}`: what waits is not told any more.

use api_types::problem::Cause;
use authorization::Reason;
use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::subscriptions;

use super::{FAMILY, SUBSCRIBERS};
use crate::ccf::CcfServer;
use crate::ccf::party::party;

/// `DELETE /capif-resource-auth/v1/subscriptions/{subscriptionId}`
pub(crate) async fn unsubscribe(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(sub_id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let server = ccf.clone();
    let _: () = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &ctx, SUBSCRIBERS).await?;
                let row = subscriptions::live(tx, FAMILY, &sub_id, server.now_s()).await?;
                // Another one's is as if it were not there.
                if row.is_none_or(|row| row.owner_subject != party.id) {
                    ctx.fail("resource", "a subscription of the caller", "none");
                    let none = Refusal::open(Reason::NotFound);
                    return Err(none.answered(404, Cause::SubscriptionNotFound));
                }
                subscriptions::remove(tx, &sub_id).await?;
                let object = format!("subscriptions/{sub_id}");
                let permit = Permit::new("ccf.resource_auth.unsubscribe").object(object);
                let permit = permit.owner(party.id.as_str()).status(204).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
