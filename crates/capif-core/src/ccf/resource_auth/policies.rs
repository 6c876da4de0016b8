//! `GET` and `PUT /owners/{ownerId}/resources/{aefId}/{resourceId}/policies`: what an owner keeps at the core function
//! beside what its server has told. Its server hears of it, so that it decides likewise.

use api_types::capif::resource_auth::{OwnerPolicies, ResourceAuthEvent, ResourceAuthNotification};
use api_types::problem::Cause;
use authorization::Reason;
use authorization::capif::owner_policy::{ResourceAuth, is_narrowing};
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::resources::{self, ResourceRow};
use store::capif::{owner_policies, tokens};

use super::of_segment;
use super::read::absent;
use super::record::{info, invoker, judged, own_policies, written};
use super::telling::tell;
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// What a path names: owner, function and resource.
type Named = (String, String, String);

/// `GET /capif-resource-auth/v1/owners/{ownerId}/resources/{aefId}/{resourceId}/policies`: by the owner, or by the function
/// that serves the resource.
pub(crate) async fn policies(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((owner, aef, segment)): Path<Named>,
) -> Result<Json<OwnerPolicies>, Refusal> {
    let named = (owner, aef, of_segment(&segment));
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &ctx, &[CertRole::Invoker, CertRole::Aef]).await?;
                match party.role {
                    CertRole::Aef => own(&ctx, &party, &named.1, "aefId")?,
                    _ => own(&ctx, &party, &named.0, "ownerId")?,
                }
                let row = owned(tx, &ctx, &named).await?;
                let kept = owner_policies::find(tx, (&named.1, &named.2)).await?;
                let policies = OwnerPolicies {
                    auth_policies: own_policies(kept.as_ref(), &row.owner)?,
                    policy_version: Some(kept.map_or(0, |kept| kept.version)),
                };
                record(tx, &ctx, "ccf.resource_auth.policies.read", &named).await?;
                Ok::<_, Refusal>(Json(policies))
            })
        })
        .await
}

/// `PUT /capif-resource-auth/v1/owners/{ownerId}/resources/{aefId}/{resourceId}/policies`
pub(crate) async fn set_policies(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((owner, aef, segment)): Path<Named>,
    JsonBody(body): JsonBody<OwnerPolicies>,
) -> Result<Json<OwnerPolicies>, Refusal> {
    let named = (owner, aef, of_segment(&segment));
    let server = ccf.clone();
    let (kept, epoch): (OwnerPolicies, Option<u64>) = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { set(tx, &server, &ctx, &named, body).await }))
        .await?;
    ccf.events().wake();
    ccf.acknowledge(epoch).await?;
    Ok(Json(kept))
}

async fn set(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    named: &Named,
    body: OwnerPolicies,
) -> Result<(OwnerPolicies, Option<u64>), Refusal> {
    let party = party(tx, ctx, &[CertRole::Invoker]).await?;
    own(ctx, &party, &named.0, "ownerId")?;
    let row = owned(tx, ctx, named).await?;
    let at = (named.1.as_str(), named.2.as_str());
    let before = owner_policies::find(tx, at).await?;
    const VERSION: &str = "the version that is there, or none";
    let there = before.as_ref().map_or(0, |kept| kept.version);
    if body.policy_version.is_some_and(|version| version != there) {
        ctx.fail("policyVersion", VERSION, "another one");
        return Err(Refusal::open(Reason::StalePolicy));
    }
    let (told, default) = (info(&row)?, ccf.config().default_decision);
    let new = ResourceAuth::from_wire(&told, &body.auth_policies, default, true)
        .map_err(|faults| Refusal::input(Cause::MandatoryIeIncorrect, faults))?;
    let old = judged(&told, &own_policies(before.as_ref(), &row.owner)?, default)?;
    let lost = match is_narrowing(&old, &new) {
        true => tokens::of_resource_but(tx, at, &party.id, ccf.now_s()).await?,
        false => Vec::new(),
    };
    let version = owner_policies::put(tx, at, &row.owner, &written(&body.auth_policies)?).await?;
    let notification = ResourceAuthNotification {
        subscription_id: None,
        event: ResourceAuthEvent::Updated,
        aef_id: told.aef_id,
        resource_id: told.resource_id,
        policy_version: Some(version),
        auth_policies: Some(body.auth_policies.clone()),
        ask: None,
    };
    tell(tx, ccf, Some(ctx), at.0, &notification).await?;
    record(tx, ctx, "ccf.resource_auth.policies.set", named).await?;
    let kept = OwnerPolicies { auth_policies: body.auth_policies, policy_version: Some(version) };
    Ok((kept, ccf.note(tx, ccf.end_tokens(lost)).await?))
}

/// The resource, which is of the API invoker that the path names as its owner. Another one's is as if it were not there.
async fn owned(tx: &mut dyn Sql, ctx: &Ctx, named: &Named) -> Result<ResourceRow, Refusal> {
    let row = resources::held(tx, &named.1, &named.2).await?.ok_or_else(|| absent(ctx))?;
    if row.owner != invoker(&named.0) {
        ctx.fail("owner", "the one of the path", "another one");
        return Err(Refusal::hidden(Reason::NotOwner));
    }
    ctx.pass("owner", "the one of the path", "held");
    Ok(row)
}

async fn record(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    action: &'static str,
    (owner, aef, resource): &Named,
) -> Result<(), Refusal> {
    let object = format!("resources/{aef}/{resource}");
    let permit = Permit::new(action).object(object).owner(owner.as_str()).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await
}
