//! `PATCH /{aefId}/resources/{resourceId}`: the members that are there replace those before; none can be taken away so.

use api_types::capif::resource_auth::{ResourceAuthInfo, ResourceAuthPatch};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use service_http::call::{Actor, Ctx};
use service_http::json_body::MergePatchBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::resources;

use super::keep::Keeper;
use super::record::info;
use super::version::{Condition, tag};
use super::{PROCEDURE, of_segment, read};
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `PATCH /capif-resource-auth/v1/{aefId}/resources/{resourceId}`
pub(crate) async fn change(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((aef, segment)): Path<(String, String)>,
    headers: HeaderMap,
    MergePatchBody(patch): MergePatchBody<ResourceAuthPatch>,
) -> Result<Response, Refusal> {
    let resource = of_segment(&segment);
    let (server, seen) = (ccf.clone(), ctx.clone());
    let condition = Condition::of(&headers);
    let (changed, epoch): (ResourceAuthInfo, Option<u64>) = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &seen, &[CertRole::Aef]).await?;
                own(&seen, &party, &aef, "aefId")?;
                let row = resources::held(tx, &party.id, &resource).await?;
                let row = row.ok_or_else(|| read::absent(&seen))?;
                let changed = patched(info(&row)?, patch);
                let mut keeper = Keeper::new(&server, &seen, &party.id);
                let kept = keeper.keep(tx, &condition, changed.clone()).await?;
                let object = format!("resources/{aef}/{resource}");
                let permit = Permit::new("ccf.resource_auth.change").object(object).units(0);
                ledger::record(tx, &seen, &Actor::peer(seen.peer()), &permit).await?;
                Ok::<_, Refusal>((changed, server.note(tx, server.end_tokens(kept.lost)).await?))
            })
        })
        .await?;
    ccf.events().wake();
    ccf.acknowledge(epoch).await?;
    ctx.step(PROCEDURE, "5", "CCF", "CCF", "Keep the resource in the profile of its owner");
    Ok(([tag(changed.policy_version)], Json(changed)).into_response())
}

fn patched(before: ResourceAuthInfo, patch: ResourceAuthPatch) -> ResourceAuthInfo {
    ResourceAuthInfo {
        visibility: patch.visibility.or(before.visibility),
        auth_policies: patch.auth_policies.or(before.auth_policies),
        default_decision: patch.default_decision.or(before.default_decision),
        policy_version: patch.policy_version.unwrap_or(before.policy_version),
        exp_time: patch.exp_time.or(before.exp_time),
        ..before
    }
}
