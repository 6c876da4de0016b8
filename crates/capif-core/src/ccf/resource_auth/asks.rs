//! `GET /owners/{ownerId}/asks`: the questions that an owner can answer now, for an owner that no notification reaches.

use api_types::capif::resource_auth::AuthorizationAsks;
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::{asks as questions, resources};

use super::asking::question;
use super::record::{info, invoker};
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// Most questions that are shown at once. Own value.
const MOST: u32 = 100;

/// `GET /capif-resource-auth/v1/owners/{ownerId}/asks`
pub(crate) async fn asks(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(owner): Path<String>,
) -> Result<Json<AuthorizationAsks>, Refusal> {
    let server = ccf.clone();
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &ctx, &[CertRole::Invoker]).await?;
                own(&ctx, &party, &owner, "ownerId")?;
                let mut items = Vec::new();
                let now_s = server.now_s();
                for row in questions::open_of_owner(tx, &invoker(&party.id), now_s, MOST).await? {
                    if let Some(resource) = resources::find(tx, &row.aef_id, &row.resource_id).await? {
                        items.push(question(&server, &row, &info(&resource)?)?);
                    }
                }
                let permit = Permit::new("ccf.resource_auth.asks").object(format!("owners/{owner}"));
                let permit = permit.owner(party.id.as_str()).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(Json(AuthorizationAsks { items }))
            })
        })
        .await
}
