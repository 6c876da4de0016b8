//! `GET /{apfId}/service-apis`: what a function has published, active or not.

use axum::body::Bytes;
use axum::extract::{Path, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::capif::service_apis;

use super::{MOST_OF_DOMAIN, publisher};
use crate::ccf::CcfServer;
use crate::ccf::discover::Json;

/// `GET /published-apis/v1/{apfId}/service-apis`
pub(crate) async fn list(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(apf): Path<String>,
) -> Result<Json, Refusal> {
    let (server, asking) = (ccf.clone(), ctx.clone());
    let read = ccf.kit().store.read(|tx| {
        Box::pin(async move {
            let rows = match publisher(&server, tx, &asking, &apf).await {
                Ok(by) => Ok(service_apis::of_apf(tx, &by.apf, MOST_OF_DOMAIN).await?),
                Err(refusal) => Err(refusal),
            };
            Ok(rows)
        })
    });
    let json = Json::list("[", read.await??.into_iter().map(|row| Bytes::from(row.body)), "]".to_owned());
    let permit = Permit::new("ccf.publish.list").object("service-apis").units(0).bytes(json.len() as u64);
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move { ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await })
        })
        .await?;
    Ok(json)
}
