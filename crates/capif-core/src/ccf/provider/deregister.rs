//! `DELETE /registrations/{registrationId}`: the domain, its functions, their certificates and their APIs end together.

use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;

use super::change::manager;
use crate::ccf::CcfServer;

/// `DELETE /api-provider-management/v1/registrations/{registrationId}`
pub(crate) async fn deregister(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(registration): Path<String>,
) -> Result<StatusCode, Refusal> {
    let server = ccf.clone();
    let epoch: Option<u64> = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let row = manager(tx, &ctx, &registration).await?;
                let actor = Actor::peer(ctx.peer());
                let entries = server.remove_provider(tx, &row.registration_id).await?;
                let object = format!("registrations/{registration}");
                let permit = Permit::new("ccf.provider.deregister").object(object).status(204).units(0);
                ledger::record(tx, &ctx, &actor, &permit).await?;
                Ok::<_, Refusal>(server.note(tx, entries).await?)
            })
        })
        .await?;
    ccf.acknowledge(epoch).await?;
    Ok(StatusCode::NO_CONTENT)
}
