//! `/traces`: procedure steps, and why a request was decided as it was.

use std::collections::BTreeSet;

use api_types::admin::{Page, TraceStep, TraceSummary, Why};
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use service_http::refusal::Refusal;

use super::Admin;
use super::query::Filters;

/// Requests of a trace of which is looked what they have set off. Own value.
const CAUSES: usize = 200;

/// Newest traces of all functions that `GET /v1/traces` looks through for a page. Own value.
const LOOKED_AT: u32 = 1_000;

/// `GET /v1/traces?function&procedure&limit`: the newest traces, newest first.
pub(super) async fn list(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<TraceSummary>>, Refusal> {
    let limit = filters.limit()? as usize;
    let mut items: Vec<TraceSummary> = Vec::new();
    for kit in admin.chosen(filters.function()?) {
        kit.flush().await;
        let (found, _) = kit.traces.recent(None, LOOKED_AT).await?;
        for summary in found {
            match items.iter_mut().find(|known| known.trace == summary.trace) {
                None => items.push(summary),
                Some(known) => {
                    known.steps += summary.steps;
                    known.procedures.extend(summary.procedures);
                    known.procedures.dedup();
                    known.link = known.link.take().or(summary.link);
                    known.operations.extend(summary.operations);
                    known.operations.dedup();
                    known.verdict = known.verdict.take().or(summary.verdict);
                }
            }
        }
    }
    if let Some(procedure) = filters.text("procedure") {
        items.retain(|summary| summary.procedures.iter().any(|one| one == procedure));
    }
    items.sort_by_key(|summary| std::cmp::Reverse(summary.at.unix_ms()));
    items.truncate(limit);
    Ok(Json(Page { items, next: None }))
}

/// `GET /v1/traces/{trace}`: the steps of a trace, of every function, in the order of time.
///
/// `trace` is an id of ours or one that a client sent along (decision 0003).
///
/// With `caused=true` also the steps of what the requests of that trace have set off, as the publication of an anchor.
pub(super) async fn steps(
    State(admin): State<Admin>,
    Path(trace): Path<String>,
    filters: Filters,
) -> Result<Json<Page<TraceStep>>, Refusal> {
    let trace = trace_id(&trace)?;
    let mut known = false;
    for kit in &admin.functions {
        kit.flush().await;
        known |= kit.traces.why(trace).await?.is_some();
    }
    let mut items = of_trace(&admin, trace).await?;
    if items.is_empty() && !known {
        return Err(Refusal::open(Reason::NotFound));
    }
    if filters.text("caused") == Some("true") {
        let mut seen = BTreeSet::from([trace.to_owned()]);
        let requests: Vec<String> = items.iter().map(|step| step.trace.to_string()).collect();
        for request in requests {
            if seen.len() <= CAUSES && seen.insert(request.clone()) {
                let caused = of_trace(&admin, &request).await?;
                items.extend(caused.into_iter().filter(|step| step.trace.as_str() != request));
            }
        }
    }
    items.sort_by_key(|step: &TraceStep| step.at.unix_ms());
    Ok(Json(Page { items, next: None }))
}

/// `GET /v1/traces/{trace}/why`: the decision. Of several in one trace the refusal, else the last.
pub(super) async fn why(State(admin): State<Admin>, Path(trace): Path<String>) -> Result<Json<Why>, Refusal> {
    let trace = trace_id(&trace)?;
    let mut found: Option<Why> = None;
    for kit in &admin.functions {
        kit.flush().await;
        let Some(why) = kit.traces.why(trace).await? else { continue };
        // A decision that only names this trace as a link never stands before one of the trace itself.
        let is_own = |why: &Why| why.trace.as_str() == trace;
        let stays = found.as_ref().is_some_and(|known| match (is_own(known), is_own(&why)) {
            (true, false) => true,
            (false, true) => false,
            _ => known.reason.is_some(),
        });
        if !stays {
            found = Some(why);
        }
    }
    found.map(Json).ok_or_else(|| Refusal::open(Reason::NotFound))
}

/// The steps of a trace, and of those that link to it.
async fn of_trace(admin: &Admin, trace: &str) -> Result<Vec<TraceStep>, Refusal> {
    let mut items = Vec::new();
    for kit in &admin.functions {
        items.extend(kit.traces.steps(trace).await?);
    }
    Ok(items)
}

fn trace_id(text: &str) -> Result<&str, Refusal> {
    let good = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if good { Ok(text) } else { Err(Refusal::open(Reason::NotFound)) }
}
