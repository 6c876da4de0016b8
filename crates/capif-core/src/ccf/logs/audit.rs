//! `GET /apiInvocationLogs`: the management function of a domain audits how its functions were invoked (TS 29.222 8.8.2.2).
//!
//! It sees the logs of the API exposing functions of its own domain; others are as if they were not there. An answer holds at
//! most [`MOST`] entries, and a link to the next (`limit` and `cursor` are our own parameters).

use api_types::capif::logging::{
    AUDITING_SLICE_BASED_API_EXPOSURE, AuditFilter, EN_QUERY_INVOKE_LOG, InvocationLogs,
    InvocationLogsRetrieveRes,
};
use api_types::common_data::SupportedFeatures;
use api_types::problem::{Cause, InvalidParam};
use api_types::query::Query;
use api_types::validate::cause_of;
use authorization::Reason;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::LINK;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::{invocations, providers};
use url::form_urlencoded;

use super::cursor::CursorKey;
use super::matching::{Found, joined, stored};
use crate::ccf::CcfServer;
use crate::ccf::party::party;

/// Most entries of one answer. Own value.
const MOST: u32 = 1_000;

/// Entries that one answer may read to find them. Own value: filters by interface and slice read each entry.
const MOST_READ: usize = 20_000;

/// Features of the API that are served.
const FEATURES: [u32; 2] = [EN_QUERY_INVOKE_LOG, AUDITING_SLICE_BASED_API_EXPOSURE];

/// Where the collection is.
const PATH: &str = "/logs/v1/apiInvocationLogs";

/// What is asked.
struct Wanted {
    filter: AuditFilter,
    limit: u32,
    cursor: Option<String>,
    /// The query without the cursor.
    query: String,
}

/// `GET /logs/v1/apiInvocationLogs`
pub(crate) async fn audit(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let wanted = wanted(query.as_deref().unwrap_or_default())
        .map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
    let server = ccf.clone();
    let (body, link): (InvocationLogsRetrieveRes, Option<String>) = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { told(tx, &server, &ctx, wanted).await }))
        .await?;
    let mut response = Json(body).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn wanted(text: &str) -> Result<Wanted, Vec<InvalidParam>> {
    let one = |fault| vec![fault];
    let query = Query::parse(text).map_err(one)?;
    let filter = AuditFilter::parse(&query)?;
    let limit = query.integer("limit").map_err(one)?.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(vec![InvalidParam::new("limit", "is out of range")]);
    }
    let cursor = query.text("cursor").map_err(one)?;
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for name in query.names().filter(|name| *name != "cursor") {
        rest.append_pair(name, query.raw(name).unwrap_or_default());
    }
    Ok(Wanted { filter, limit, cursor, query: rest.finish() })
}

async fn told(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    wanted: Wanted,
) -> Result<(InvocationLogsRetrieveRes, Option<String>), Refusal> {
    let amf = party(tx, ctx, &[CertRole::Amf]).await?;
    let functions = providers::functions(tx, &amf.registration).await?;
    let is_wanted = |id: &str| wanted.filter.aef_id.as_ref().is_none_or(|aef| aef.as_str() == id);
    let aefs: Vec<String> = functions
        .into_iter()
        .filter(|function| function.role == CertRole::Aef.as_str() && is_wanted(&function.function_id))
        .map(|function| function.function_id)
        .collect();
    let ambient = &ccf.kit().ambient;
    let (key, bound) = (CursorKey::open(tx, ambient).await?, format!("{}?{}", amf.id, wanted.query));
    let after = match &wanted.cursor {
        None => 0,
        Some(cursor) => key.opened(&bound, cursor).ok_or_else(|| {
            let fault = InvalidParam::new("cursor", "is not one of this caller and query");
            Refusal::input(Cause::InvalidQueryParam, vec![fault])
        })?,
    };
    let (found, next) = find(tx, &wanted.filter, &aefs, after, wanted.limit).await?;
    if found.entries == 0 && next.is_none() {
        // Neither shape can be empty (TS 29.222 8.8.4.2, 8.7.4.2: at least one). Hidden and absent are alike.
        ctx.fail("logs", "entries of functions of the caller's domain that fit", "none");
        return Err(Refusal::hidden(Reason::NotFound));
    }
    ctx.pass("logs", "entries of functions of the caller's domain that fit", "some");
    let permit = Permit::new("ccf.logs.audit").object("apiInvocationLogs").owner(amf.registration.as_str());
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit.units(0)).await?;
    let link = next.and_then(|next| {
        let cursor = key.seal(ambient.random_bytes(), &bound, next)?;
        let join = if wanted.query.is_empty() { "" } else { "&" };
        Some(format!("<{}?{}{join}cursor={cursor}>; rel=\"next\"", ccf.at(PATH), wanted.query))
    });
    Ok((shaped(found, wanted.filter.supported_features.as_ref())?, link))
}

/// The entries that fit, behind a place of the chain, and the place behind which there may be more.
async fn find(
    tx: &mut dyn Sql,
    filter: &AuditFilter,
    aefs: &[String],
    mut after: u64,
    limit: u32,
) -> Result<(Found, Option<u64>), Refusal> {
    let (mut found, mut read) = (Found::default(), 0);
    loop {
        let mut pages = Vec::with_capacity(aefs.len());
        for aef in aefs {
            pages.push(invocations::page(tx, &stored(filter, aef, after), limit).await?);
        }
        let (records, whole) = joined(pages, limit as usize);
        read += records.len();
        for (index, record) in records.iter().enumerate() {
            found.add(filter, record)?;
            if found.entries == limit as usize {
                let last = whole.is_none() && index + 1 == records.len();
                return Ok((found, (!last).then_some(record.seq)));
            }
        }
        match whole {
            None => return Ok((found, None)),
            Some(whole) if read >= MOST_READ => return Ok((found, Some(whole))),
            Some(whole) => after = whole,
        }
    }
}

/// One log, or several where the caller knows that there can be several.
fn shaped(
    mut found: Found,
    theirs: Option<&SupportedFeatures>,
) -> Result<InvocationLogsRetrieveRes, Refusal> {
    let agreed = theirs.map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)));
    let several = agreed.as_ref().is_some_and(|agreed| agreed.has(EN_QUERY_INVOKE_LOG));
    if several {
        let logs = InvocationLogs { multiple_invocation_logs: found.logs, supported_features: agreed };
        return Ok(InvocationLogsRetrieveRes::Several(logs));
    }
    if found.logs.len() > 1 {
        let why = "are needed: the answer would be several logs, which only EnQueryInvokeLog (supported-features=1) allows";
        let fault = |name: &str| InvalidParam::new(name, why);
        let faults = vec![fault("aef-id"), fault("api-invoker-id")];
        return Err(Refusal::input(Cause::InvalidQueryParam, faults));
    }
    let mut log = found.logs.pop().ok_or(Refusal::hidden(Reason::NotFound))?;
    log.supported_features = agreed;
    Ok(InvocationLogsRetrieveRes::One(log))
}

/// No query panics, nor its cursor.
pub(crate) fn fuzz_query(text: &str) {
    let key = CursorKey::of(&[7; 32]);
    if let (Ok(wanted), Some(key)) = (wanted(text), key) {
        let _ = key.opened(&wanted.query, wanted.cursor.as_deref().unwrap_or(text));
    }
}
