//! `POST /{apfId}/service-apis`: a service API is published.

use api_types::capif::ServiceApiId;
use api_types::capif::publish::ServiceAPIDescription;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::Write;
use store::capif::service_apis::{self, ServiceApiRow};

use super::consequences::is_active;
use super::rules;
use super::{MOST_OF_DOMAIN, aefs, publisher, text};
use crate::ccf::CcfServer;
use crate::ccf::events::{Happening, note};

/// `POST /published-apis/v1/{apfId}/service-apis`
pub(crate) async fn create(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(apf): Path<String>,
    JsonBody(body): JsonBody<ServiceAPIDescription>,
) -> Result<Response, Refusal> {
    let server = ccf.clone();
    let published: Result<_, Refusal> = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { publish(&server, tx, &ctx, &apf, body).await }))
        .await;
    let (path, api) = published?;
    let location = HeaderValue::try_from(ccf.at(&path)).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(api)).into_response())
}

async fn publish(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    apf: &str,
    body: ServiceAPIDescription,
) -> Result<(String, ServiceAPIDescription), Refusal> {
    let by = publisher(ccf, tx, ctx, apf).await?;
    let mut api = rules::negotiated(body, None);
    by.admit(tx, ctx, &mut api).await?;
    if service_apis::count(tx, &by.registration).await? >= u64::from(MOST_OF_DOMAIN) {
        return Err(Refusal::open(Reason::TooLarge));
    }
    let id = ccf.identifier("API");
    api.api_id = ServiceApiId::try_from(id.as_str()).ok();
    let row = ServiceApiRow {
        api_id: id,
        apf_id: by.apf,
        registration_id: by.registration,
        api_name: api.api_name.as_str().to_owned(),
        body: text(&api)?,
        version: 1,
        created_s: ccf.now_s(),
    };
    if service_apis::insert(tx, &row, &aefs(&api)).await? != Write::Done {
        ctx.fail("apiName", "one that no other service API has at these functions", "taken");
        return Err(Refusal::open(Reason::IdTaken));
    }
    if is_active(&api) {
        note(tx, ccf, Happening::ServiceApiAvailable { api: Box::new(api.clone()) }).await?;
    }
    let object = format!("service-apis/{}", row.api_id);
    let permit = Permit::new("ccf.publish.create").object(object).status(201).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok((format!("/published-apis/v1/{}/service-apis/{}", row.apf_id, row.api_id), api))
}
