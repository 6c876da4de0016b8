//! `GET /owners/{ownerId}/resources`: what is told of the resources of an API invoker, the "VAL server 1 profile" of
//! TR 33.721 6.3.2.1 step 5. It is shown to its owner alone.

use api_types::capif::resource_auth::ResourceAuthPage;
use api_types::query::Query;
use api_types::validate::cause_of;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::StoreError;
use store::capif::resources;

use super::list::{cursor, place};
use super::record::{info, invoker};
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `GET /capif-resource-auth/v1/owners/{ownerId}/resources?limit&cursor`
pub(crate) async fn profile(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(owner): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ResourceAuthPage>, Refusal> {
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(|fault| {
        let faults = vec![fault];
        Refusal::input(cause_of(&faults), faults)
    })?;
    let (after, limit) = place::<(String, String)>(&query)?;
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &ctx, &[CertRole::Invoker]).await?;
                own(&ctx, &party, &owner, "ownerId")?;
                let (aef, resource) = after.unwrap_or_default();
                let rows = resources::of_owner(tx, &invoker(&party.id), (&aef, &resource), limit).await?;
                let next = match rows.last() {
                    Some(last) if rows.len() == limit as usize => {
                        Some(cursor(&(&last.aef_id, &last.resource_id))?)
                    }
                    _ => None,
                };
                let items = rows.iter().map(info).collect::<Result<_, StoreError>>()?;
                let permit = Permit::new("ccf.resource_auth.profile").object(format!("owners/{owner}"));
                let permit = permit.owner(party.id.as_str()).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(Json(ResourceAuthPage { items, next }))
            })
        })
        .await
}
