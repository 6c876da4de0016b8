//! `POST /{aefId}/logs`: an API exposing function reports how it was invoked (TS 29.222 8.7.2.2).

use std::collections::BTreeMap;

use api_types::capif::logging::{InvocationLog, LOGGING_SLICE_BASED_API_EXPOSURE, Log};
use api_types::capif::profile::Operation;
use api_types::common_data::SupportedFeatures;
use api_types::problem::{Cause, InvalidParam};
use api_types::validate::{child, item};
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::invocations::{self, InvocationRow};
use store::capif::service_apis;
use store::{Sql, StoreError};

use super::PATH;
use crate::ccf::events::{Happening, aefs_of, note};
use crate::ccf::identifier::fresh;
use crate::ccf::party::{Party, own, party};
use crate::ccf::{CcfServer, published};

/// Features of the API that are served.
const FEATURES: [u32; 1] = [LOGGING_SLICE_BASED_API_EXPOSURE];

/// `POST /api-invocation-logs/v1/{aefId}/logs`
pub(crate) async fn append(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(aef): Path<String>,
    JsonBody(mut body): JsonBody<InvocationLog>,
) -> Result<Response, Refusal> {
    let server = ccf.clone();
    body.supported_features =
        body.supported_features.take().map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)));
    let (location, body): (String, InvocationLog) = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { keep(tx, &server, &ctx, &aef, body).await }))
        .await?;
    let location = HeaderValue::try_from(location).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)).into_response())
}

async fn keep(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    aef: &str,
    body: InvocationLog,
) -> Result<(String, InvocationLog), Refusal> {
    let caller = party(tx, ctx, &[CertRole::Aef]).await?;
    own(ctx, &caller, aef, "aefId in the path")?;
    own(ctx, &caller, body.aef_id.as_str(), "aefId in the body")?;
    exposed(tx, ctx, &caller, &body.logs).await?;
    let now_ms = ccf.kit().ambient.now_ms();
    let log_id = fresh("LOG", &ccf.kit().ambient);
    let rows = body.logs.iter().map(|entry| row(&body, entry, &log_id, now_ms)).collect::<Result<_, _>>()?;
    invocations::append_many(tx, rows).await?;
    note(tx, ccf, Happening::Invoked { log: Box::new(body.clone()) }).await?;
    let object = format!("{aef}/logs/{log_id}");
    let permit = Permit::new("ccf.logs.append").object(object).owner(aef).status(201).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok((ccf.at(&format!("{PATH}/{aef}/logs/{log_id}")), body))
}

/// Refuses entries about a service API that is published, but not at the caller, or by another name. One that was
/// unpublished meanwhile may still be reported, and so may an API invoker that was offboarded: what happened, happened.
async fn exposed(tx: &mut dyn Sql, ctx: &Ctx, caller: &Party, logs: &[Log]) -> Result<(), Refusal> {
    const EXPECTED: &str = "service APIs that the caller exposes";
    let mut known: BTreeMap<&str, Option<(String, bool)>> = BTreeMap::new();
    let mut faults = Vec::new();
    for (index, entry) in logs.iter().enumerate() {
        let id = entry.api_id.as_str();
        if !known.contains_key(id) {
            let row = service_apis::find(tx, id).await?;
            let api = row.as_ref().map(published::read).transpose()?;
            let here = |api: &_| aefs_of(api).iter().any(|aef| aef.as_str() == caller.id);
            known.insert(id, api.map(|api| (api.api_name.as_str().to_owned(), here(&api))));
        }
        let here = item("/logs", index);
        match known.get(id) {
            Some(Some((_, false))) => {
                faults.push(InvalidParam::new(child(&here, "apiId"), "is not exposed by the caller"))
            }
            Some(Some((name, true))) if name != entry.api_name.as_str() => {
                faults
                    .push(InvalidParam::new(child(&here, "apiName"), "is not the name of this service API"));
            }
            _ => {}
        }
    }
    if faults.is_empty() {
        ctx.pass("service APIs", EXPECTED, "held");
        return Ok(());
    }
    ctx.fail("service APIs", EXPECTED, "others among them");
    Err(Refusal::input(Cause::MandatoryIeIncorrect, faults))
}

fn row(log: &InvocationLog, entry: &Log, log_id: &str, now_ms: i64) -> Result<InvocationRow, StoreError> {
    Ok(InvocationRow {
        log_id: log_id.to_owned(),
        at_ms: entry.invocation_time.map_or(now_ms, |at| at.unix_ms()),
        aef_id: log.aef_id.as_str().to_owned(),
        invoker_id: log.api_invoker_id.as_str().to_owned(),
        api_id: entry.api_id.as_str().to_owned(),
        api_name: entry.api_name.as_str().to_owned(),
        api_version: entry.api_version.clone(),
        resource_name: entry.resource_name.clone(),
        protocol: entry.protocol.as_str().to_owned(),
        operation: entry.operation.as_ref().map(|operation| Operation::as_str(operation).to_owned()),
        result: entry.result.clone(),
        body: serde_json::to_string(entry)
            .map_err(|_| StoreError::Damaged("an invocation cannot be written"))?,
    })
}
