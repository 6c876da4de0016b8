//! `GET /{aefId}/resources/{resourceId}`: a resource as its API exposing function told of it.

use api_types::capif::resource_auth::ResourceAuthInfo;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::resources;

use super::of_segment;
use super::record::info;
use super::version::tag;
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `GET /capif-resource-auth/v1/{aefId}/resources/{resourceId}`
pub(crate) async fn read(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((aef, segment)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let resource = of_segment(&segment);
    let told: ResourceAuthInfo = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &ctx, &[CertRole::Aef]).await?;
                own(&ctx, &party, &aef, "aefId")?;
                let row = resources::find(tx, &party.id, &resource).await?;
                let told = info(&row.ok_or_else(|| absent(&ctx))?)?;
                let object = format!("resources/{aef}/{resource}");
                let permit = Permit::new("ccf.resource_auth.read").object(object).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(told)
            })
        })
        .await?;
    Ok(([tag(told.policy_version)], Json(told)).into_response())
}

/// There is no such resource.
pub(super) fn absent(ctx: &Ctx) -> Refusal {
    ctx.fail("resource", "one that was told of", "none");
    Refusal::hidden(Reason::NotFound)
}
