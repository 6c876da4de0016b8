//! `GET /{apfId}/service-apis/{serviceApiId}`

use api_types::capif::publish::ServiceAPIDescription;
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;

use super::{own_api, publisher};
use crate::ccf::{CcfServer, published};

/// `GET /published-apis/v1/{apfId}/service-apis/{serviceApiId}`
pub(crate) async fn read(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((apf, api)): Path<(String, String)>,
) -> Result<Json<ServiceAPIDescription>, Refusal> {
    let server = ccf.clone();
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let by = publisher(&server, tx, &ctx, &apf).await?;
                let row = own_api(tx, &ctx, &by, &api).await?;
                let description = published::read(&row)?;
                let object = format!("service-apis/{}", row.api_id);
                let permit = Permit::new("ccf.publish.read").object(object).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok(Json(description))
            })
        })
        .await
}
