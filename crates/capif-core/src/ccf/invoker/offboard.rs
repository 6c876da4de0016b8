//! `DELETE /onboardedInvokers/{onboardingId}`: certificate, tokens, security context and subscriptions end with it.

use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;

use super::itself;
use crate::ccf::CcfServer;

/// `DELETE /api-invoker-management/v1/onboardedInvokers/{onboardingId}`
pub(crate) async fn offboard(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(onboarding): Path<String>,
) -> Result<StatusCode, Refusal> {
    let server = ccf.clone();
    let epoch: Option<u64> = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (party, row) = itself(tx, &ctx, &onboarding).await?;
                let entries = server.remove_invoker(tx, &row.invoker_id).await?;
                let object = format!("invokers/{}", party.id);
                let permit = Permit::new("ccf.invoker.offboard").object(object).status(204).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(server.note(tx, entries).await?)
            })
        })
        .await?;
    ccf.acknowledge(epoch).await?;
    Ok(StatusCode::NO_CONTENT)
}
