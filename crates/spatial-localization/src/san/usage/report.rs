//! A consumer reports accesses (TS 23.437 8.5 `SS_SAnUsageReport`; TS 29.437 POST `/report`).

use std::collections::BTreeMap;

use api_types::san::SpatialAnchorUsageReportReq;
use authorization::Reason;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::anchors::usage::{self, Usage};

use crate::san::access::Asker;
use crate::san::subscriptions::look;
use crate::san::{DISCOVER, SanServer, change, granted};
use crate::shared::input;
use crate::shared::operator_rules::Action;

const REPORT: Action = Action { verb: "report", scope: DISCOVER };

/// Most accesses of one entry. Own value.
const ACCESSES: u64 = 1_000_000;

/// # Errors
/// The stage that refuses.
pub(in crate::san) async fn report(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let body = input::read(request, input::JSON, |_| {}).await?.body;
    let body: SpatialAnchorUsageReportReq = input::typed(body)?;
    let mut counted: BTreeMap<u32, Usage> = BTreeMap::new();
    for (number, one) in body.anch_usg.iter().enumerate() {
        if one.access > ACCESSES {
            return Err(input::optional(format!("/anchUsg/{number}/access"), "is out of range"));
        }
        counted.entry(one.anch_id.0).or_default().accessed += one.access;
    }
    let (server, caller) = (san.clone(), call.clone());
    let _: () = san.kit().store.write(move |tx| Box::pin(count(server, tx, caller, counted))).await?;
    granted(&call);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn count(
    san: SanServer,
    tx: &mut dyn Sql,
    call: Call,
    counted: BTreeMap<u32, Usage>,
) -> Result<(), Refusal> {
    let asker = Asker::new(&san, tx, &call, REPORT).await?;
    asker.check_action(None)?;
    // All of it or nothing: an anchor that is not there for the caller is no other than one that is not there.
    let seen = look::by_ids(tx, &asker, &counted.keys().copied().collect()).await?;
    if seen.len() != counted.len() {
        return Err(change::hidden(&call, Reason::NotFound));
    }
    let rows: Vec<(u32, Usage)> = counted.into_iter().collect();
    usage::add(tx, &rows).await?;
    let permit = Permit::new("san.usage.report")
        .object("usage")
        .units(rows.len() as u64)
        .policy_version(asker.around.policy_version())
        .status(204);
    ledger::permit(tx, &call, &permit).await
}
