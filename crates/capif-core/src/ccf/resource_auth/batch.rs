//! `POST /{aefId}/resources/batch`: many resources at once, when an API exposing function starts or has changed much. Each
//! is kept or refused by itself, in one transaction.

use api_types::capif::resource_auth::{ResourceAuthBatch, ResourceAuthBatchItem, ResourceAuthBatchResult};
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;

use super::PROCEDURE;
use super::keep::Keeper;
use super::version::Condition;
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `POST /capif-resource-auth/v1/{aefId}/resources/batch`
pub(crate) async fn batch(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(aef): Path<String>,
    JsonBody(batch): JsonBody<ResourceAuthBatch>,
) -> Result<Json<ResourceAuthBatchResult>, Refusal> {
    let (server, seen) = (ccf.clone(), ctx.clone());
    let (results, epoch): (Vec<ResourceAuthBatchItem>, Option<u64>) = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &seen, &[CertRole::Aef]).await?;
                own(&seen, &party, &aef, "aefId")?;
                let mut keeper = Keeper::new(&server, &seen, &party.id);
                let (mut results, mut lost) = (Vec::with_capacity(batch.resources.len()), Vec::new());
                let mut all: Vec<_> = batch.resources.into_iter().enumerate().collect();
                // Held in the order of their names, as everybody holds several.
                all.sort_by(|(_, one), (_, other)| one.resource_id.as_str().cmp(other.resource_id.as_str()));
                for (place, told) in all {
                    let resource_id = told.resource_id.clone();
                    let (status, cause) = match keeper.keep(tx, &Condition::None, told).await {
                        Ok(kept) => {
                            lost.extend(kept.lost);
                            (if kept.created { 201 } else { 204 }, None)
                        }
                        // What fails inside fails all of it: nothing of it is kept then.
                        Err(refusal) if refusal.reason == Reason::StoreFailed => return Err(refusal),
                        Err(refusal) => {
                            let (status, cause) = refusal.on_the_wire();
                            (status, Some(cause.as_str().to_owned()))
                        }
                    };
                    results.push((place, ResourceAuthBatchItem { resource_id, status, cause }));
                }
                results.sort_by_key(|(place, _)| *place);
                let results: Vec<_> = results.into_iter().map(|(_, result)| result).collect();
                let object = format!("resources/{aef} ({} told)", results.len());
                let permit = Permit::new("ccf.resource_auth.batch").object(object).units(0);
                ledger::record(tx, &seen, &Actor::peer(seen.peer()), &permit).await?;
                lost.sort();
                lost.dedup();
                Ok::<_, Refusal>((results, server.note(tx, server.end_tokens(lost)).await?))
            })
        })
        .await?;
    ccf.events().wake();
    ccf.acknowledge(epoch).await?;
    ctx.step(PROCEDURE, "5", "CCF", "CCF", "Keep the resources in the profiles of their owners");
    Ok(Json(ResourceAuthBatchResult { results }))
}
