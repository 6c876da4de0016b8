//! `DELETE /{apfId}/service-apis/{serviceApiId}`: contexts, tokens, policies and routes for the service API end with it.

use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;

use super::{own_api, publisher};
use crate::ccf::CcfServer;

/// `DELETE /published-apis/v1/{apfId}/service-apis/{serviceApiId}`
pub(crate) async fn unpublish(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((apf, api)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let server = ccf.clone();
    let ended: Result<_, Refusal> = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let by = publisher(&server, tx, &ctx, &apf).await?;
                let row = own_api(tx, &ctx, &by, &api).await?;
                let entries = server.end_api(tx, &row).await?;
                let object = format!("service-apis/{}", row.api_id);
                let permit = Permit::new("ccf.publish.delete").object(object).status(204).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok(server.note(tx, entries).await?)
            })
        })
        .await;
    ccf.acknowledge(ended?).await?;
    Ok(StatusCode::NO_CONTENT)
}
