//! `GET /allServiceAPIs`: an API invoker looks for service APIs (TS 29.222 8.1.2.2.3.1). Found is what is active, what its
//! enrolment allows, and what fits each filter.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use api_types::capif::discover::DiscoverFilter;
use api_types::capif::publish::ServiceAPIDescription;
use api_types::common_data::SupportedFeatures;
use api_types::problem::Cause;
use api_types::query::Query;
use authorization::Reason;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::invokers::{self, InvokerState};
use store::{Sql, StoreError, subscriptions};

use super::{Entry, FEATURES, Json, Published, Viewer, filter};
use crate::ccf::CcfServer;
use crate::ccf::events::{ApiAt, FAMILY, Happening, note};
use crate::ccf::federation::partner;
use crate::ccf::identifier::Realm;
use crate::ccf::party::{own, own_name, party};

/// `GET /service-apis/v1/allServiceAPIs`
pub(crate) async fn discover(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    RawQuery(text): RawQuery,
) -> Result<Response, Refusal> {
    let filter = DiscoverFilter::parse(&query(text.as_deref())?)
        .map_err(|faults| Refusal::input(Cause::InvalidQueryParam, faults))?;
    let (server, asking, asked) = (ccf.clone(), ctx.clone(), filter.clone());
    let read =
        ccf.kit().store.read(|tx| Box::pin(async move { Ok(look(&server, tx, &asking, &asked).await) }));
    let Looked { viewer, published, counted } = read.await??;
    let found = find(&filter, &viewer, &published, ccf.now_s());
    let event = counted.then(|| happening(&filter, &viewer, &published, &found));
    let json = answer(&filter, found)?;
    let permit = Permit::new("ccf.discover").object("service-apis").units(0).bytes(json.len() as u64);
    let server = ccf.clone();
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(event) = event {
                    note(tx, &server, event).await?;
                }
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await
            })
        })
        .await?;
    Ok(json.into_response())
}

/// The query of a request.
///
/// # Errors
/// 400.
pub(crate) fn query(text: Option<&str>) -> Result<Query, Refusal> {
    let read = Query::parse(text.unwrap_or_default());
    read.map_err(|fault| Refusal::input(Cause::InvalidQueryParam, vec![fault]))
}

/// What one snapshot shows.
struct Looked {
    /// Who asks.
    viewer: Viewer,
    /// All that is published.
    published: Arc<Published>,
    /// Whether somebody subscribed to events.
    counted: bool,
}

async fn look(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    filter: &DiscoverFilter,
) -> Result<Looked, Refusal> {
    const EXPECTED: &str = "an API invoker that is onboarded, by an enrolment that is on record";
    // CAPIF-6 (TS 23.222 8.26): a partner names itself where an API invoker does.
    if let Some(partner) = partner(ccf, ctx)? {
        own_name(ctx, &partner.ccf_id, filter.api_invoker_id.as_str(), "api-invoker-id")?;
        let viewer = Viewer { apis: Vec::new(), domain: Some(partner.domain.clone()), realm: Realm::Native };
        return Ok(Looked { viewer, published: ccf.catalogue().at(tx).await?, counted: false });
    }
    let party = party(tx, ctx, &[CertRole::Invoker]).await?;
    own(ctx, &party, filter.api_invoker_id.as_str(), "api-invoker-id")?;
    let row = invokers::find(tx, &party.id).await?;
    let now_s = ccf.now_s();
    let onboarded =
        row.filter(|row| row.state == InvokerState::Onboarded && row.expires_s.is_none_or(|end| now_s < end));
    let viewer = match onboarded {
        Some(row) => Viewer::enrolled(tx, &row.enrolment_id).await?,
        None => None,
    };
    let Some(viewer) = viewer else {
        ctx.fail("API invoker", EXPECTED, "none such");
        return Err(Refusal::open(Reason::PeerRefused));
    };
    ctx.pass("API invoker", EXPECTED, "onboarded");
    let counted = subscriptions::any(tx, FAMILY).await?;
    Ok(Looked { viewer, published: ccf.catalogue().at(tx).await?, counted })
}

/// A service API that was found.
struct Found<'p> {
    entry: &'p Entry,
    narrowed: Cow<'p, ServiceAPIDescription>,
    wished: bool,
}

/// Those that may fit by name or identifier, as far as the viewer may know of them.
fn candidates<'p>(filter: &DiscoverFilter, viewer: &Viewer, published: &'p Published) -> Vec<&'p Entry> {
    let once = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<BTreeSet<_>>();
    let seen = |entry: &&Entry| viewer.sees_entry(entry);
    match (&filter.api_ids, &filter.api_name) {
        (Some(ids), _) => {
            let ids = once(&mut ids.iter().map(|id| id.as_str()));
            ids.iter().filter_map(|id| published.of_id(id)).filter(seen).collect()
        }
        (None, Some(name)) => published.named(name.as_str()).filter(seen).collect(),
        (None, None) if viewer.apis.is_empty() => published.all().filter(seen).collect(),
        // Few names are looked up instead of all being compared.
        (None, None) => {
            let names = once(&mut viewer.apis.iter().map(String::as_str));
            names.iter().flat_map(|name| published.named(name)).filter(seen).collect()
        }
    }
}

fn find<'p>(
    filter: &DiscoverFilter,
    viewer: &Viewer,
    published: &'p Published,
    now_s: i64,
) -> Vec<Found<'p>> {
    let fitting = candidates(filter, viewer, published).into_iter().filter_map(|entry| {
        let api = &entry.description;
        if !filter::fits(filter, api) {
            return None;
        }
        let criteria = filter::criteria(filter, api, now_s);
        let narrowed = criteria.narrow(api)?;
        Some(Found { entry, wished: criteria.is_wished(&narrowed), narrowed })
    });
    let mut found: Vec<_> = fitting.collect();
    found.sort_by_key(|found| !found.wished);
    found
}

/// What the counts of discoveries are made of: what was asked for by its name, and what was told.
fn happening(
    filter: &DiscoverFilter,
    viewer: &Viewer,
    published: &Published,
    found: &[Found<'_>],
) -> Happening {
    let named = filter.api_name.is_some() || filter.api_ids.is_some();
    let asked = named.then(|| candidates(filter, viewer, published));
    let asked = asked.into_iter().flatten().filter_map(|entry| ApiAt::of(&entry.description)).collect();
    let told = found.iter().filter_map(|found| ApiAt::of(&found.narrowed)).collect();
    Happening::Discovered { asked, told }
}

/// None found: no list (TS 29.222 `DiscoveredAPIs`).
fn answer(filter: &DiscoverFilter, found: Vec<Found<'_>>) -> Result<Json, StoreError> {
    let items: Result<Vec<Bytes>, _> = found
        .iter()
        .map(|found| match &found.narrowed {
            Cow::Borrowed(_) => Ok(found.entry.body.clone()),
            Cow::Owned(narrowed) => serde_json::to_vec(narrowed).map(Bytes::from),
        })
        .collect();
    let items = items.map_err(|_| StoreError::Damaged("an answer cannot be written"))?;
    let features = filter.supported_features.as_ref();
    let features = features.map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)));
    // A mask is hex digits and needs no escape.
    let features = features.map(|both| format!("\"suppFeat\":\"{}\"", both.as_str())).unwrap_or_default();
    Ok(match (items.is_empty(), features.is_empty()) {
        (true, _) => Json::list("{", [], format!("{features}}}")),
        (false, true) => Json::list("{\"serviceAPIDescriptions\":[", items, "]}".to_owned()),
        (false, false) => Json::list("{\"serviceAPIDescriptions\":[", items, format!("],{features}}}")),
    })
}
