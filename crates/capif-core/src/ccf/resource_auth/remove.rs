//! `DELETE /{aefId}/resources/{resourceId}`: the resource is gone; no token that names it is good anywhere when it is
//! answered.

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::{resources, tokens};

use super::record::invoker_of;
use super::telling::{gone, tell};
use super::version::Condition;
use super::{of_segment, read};
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `DELETE /capif-resource-auth/v1/{aefId}/resources/{resourceId}`
pub(crate) async fn remove(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((aef, segment)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let resource = of_segment(&segment);
    let server = ccf.clone();
    let condition = Condition::of(&headers);
    let epoch: Option<u64> = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &ctx, &[CertRole::Aef]).await?;
                own(&ctx, &party, &aef, "aefId")?;
                let row = resources::held(tx, &party.id, &resource).await?;
                let row = row.ok_or_else(|| read::absent(&ctx))?;
                condition.check(Some(row.policy_version))?;
                let lost = tokens::of_resource(tx, &party.id, &resource, server.now_s()).await?;
                resources::delete(tx, &party.id, &resource).await?;
                if let Some(owner) = invoker_of(&row) {
                    tell(tx, &server, Some(&ctx), owner, &gone(&row)?).await?;
                }
                let object = format!("resources/{aef}/{resource}");
                let permit = Permit::new("ccf.resource_auth.remove").object(object).status(204).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(server.note(tx, server.end_tokens(lost)).await?)
            })
        })
        .await?;
    ccf.events().wake();
    ccf.acknowledge(epoch).await?;
    Ok(StatusCode::NO_CONTENT)
}
