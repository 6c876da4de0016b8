//! Discover spatial anchors (TS 23.437 8.3.4; TS 29.437 GET `/spatial-anchors`).
//!
//! The permission is part of the query, so that what the caller may not discover influences neither the answers, nor
//! their number, nor the pages. Cost: O(log n + answers), by the class-aware spatial index.

use std::collections::BTreeSet;

use api_types::geo::ServiceArea;
use api_types::query::Query;
use api_types::san::{SpatialAnchorProfile, SpatialAnchorsDiscResp};
use api_types::validate::Validate;
use authorization::access_rules::held_by;
use authorization::{Principal, Reason};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderValue, StatusCode, Uri};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::anchors::{Filter, Found, discovery, records};
use store::{Sql, StoreError};
use url::form_urlencoded;

use super::access::Asker;
use super::stored::{self, Anchor};
use super::{ANCHORS, DISCOVER, SanServer, granted, input, shown};
use crate::shared::cursor::Bound;
use crate::shared::geometry::Area;
use crate::shared::operator_rules::Action;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::{paging, rules};

const FIND: Action = Action { verb: "discover", scope: DISCOVER };

/// Most rows that are read beyond a page because the exact shape or a rule left some out, at a time. Own value.
const BATCH_MAX: u32 = 1_000;

/// A question that was read.
struct Question {
    area: Option<Area>,
    anchor_ids: Option<Vec<u32>>,
    svc_id: Option<String>,
    anch_inf: Option<Vec<u8>>,
    feat: SuppFeat,
    limit: u32,
    after: Option<u32>,
    bound: Bound,
    pairs: Vec<(String, String)>,
}

/// # Errors
/// The stage that refuses.
pub(super) async fn discover(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = read(&san, &call, uri.query()).await?;
    check_area(&san, &call, &question).await?;
    let Page { found, more, rules_version } = find(&san, &call, &question).await?;

    let last = found.last().map(|profile| profile.0);
    let mut answer = SpatialAnchorsDiscResp {
        results: found.into_iter().map(|(_, profile)| profile).collect(),
        supp_feat: question.feat.negotiated().and_then(|bits| bits.to_owned().try_into().ok()),
    };
    if !question.feat.own_members() {
        answer.strip_own_members();
    }
    let body = serde_json::to_vec(&answer).map_err(|_| StoreError::Damaged("an answer cannot be written"))?;
    let mut permit = Permit::new("san.anchors.discover")
        .object("spatial-anchors")
        // A search that finds nothing was served all the same.
        .units((answer.results.len() as u64).max(1))
        .bytes(body.len() as u64)
        .policy_version(rules_version);
    if let Some(svc_id) = &question.svc_id {
        permit = permit.service(svc_id.as_str());
    }
    ledger::permit_read(&san.kit().store, &call, permit).await?;
    granted(&call);

    let mut response = (StatusCode::OK, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let (true, Some(last)) = (more, last) {
        let key = san.0.cursors.key(san.kit()).await?;
        let cursor = key
            .seal(san.kit().ambient.random_bytes(), &question.bound, &last.to_string())
            .map_err(|_| StoreError::Damaged("a cursor cannot be sealed"))?;
        let url = format!("{}{ANCHORS}", san.kit().origin);
        if let Ok(link) = HeaderValue::try_from(paging::next_link(&url, &question.pairs, &cursor)) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

/// Reads the query.
async fn read(san: &SanServer, call: &Call, text: Option<&str>) -> Result<Question, Refusal> {
    let query = input::parameters(text)?;
    let feat = input::supp_feats(&query)?;
    let area = area(&query)?;
    let anchor_ids = query.csv_u32("anchor-ids").map_err(input::parameter)?;
    let svc_id = query.text("svc-id").map_err(input::parameter)?;
    let anch_inf = query.base64("anch-inf").map_err(input::parameter)?;
    let limit = paging::limit(query.raw("limit")).map_err(|_| input::query("limit", "must be 1 to 1000"))?;

    let text = text.unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let Principal { issuer, subject } = call.caller.principal();
    let bound = paging::bound("ssan-disc", &[&issuer, &subject, call.caller.client_id.as_str()], &pairs);
    let after = match query.raw("cursor") {
        None => None,
        Some(cursor) => {
            let foreign = || input::query("cursor", "is not a cursor of this caller and query");
            let key = san.0.cursors.key(san.kit()).await?;
            let place = key.open(&bound, cursor).map_err(|_| foreign())?;
            Some(place.parse().map_err(|_| foreign())?)
        }
    };
    let anch_inf = anch_inf.and_then(|text| STANDARD.decode(text).ok());
    Ok(Question { area, anchor_ids, svc_id, anch_inf, feat, limit, after, bound, pairs })
}

fn area(query: &Query) -> Result<Option<Area>, Refusal> {
    let named: Option<ServiceArea> = query.json("area-int").map_err(input::parameter)?;
    let Some(named) = named else { return Ok(None) };
    named.validate("area-int").map_err(|faults| {
        let mut refusal = input::query("area-int", "has an unacceptable value");
        refusal.invalid = faults;
        refusal
    })?;
    match Area::of(&named) {
        Ok(area) => Ok(Some(area)),
        Err(_) => Err(input::query("area-int", "names no geographic area that can be searched")),
    }
}

/// An ordinary consumer searches a bounded area; only who asks for its own anchors by name is not held to it.
async fn check_area(san: &SanServer, call: &Call, question: &Question) -> Result<(), Refusal> {
    let Some(area) = &question.area else { return Ok(()) };
    if area.area_m2() <= san.config().area_max_m2 {
        return Ok(());
    }
    if let Some(ids) = question.anchor_ids.clone() {
        let (owner, asked) = (rules::owner_key(&call.caller.principal()), ids.len() as u64);
        let own =
            san.kit().store.read(|tx| Box::pin(async move { discovery::count_own(tx, &owner, &ids).await }));
        if own.await? == asked {
            return Ok(());
        }
    }
    call.ctx.fail("admission", "at most 10,000 square kilometres", "a larger area");
    Err(Refusal::open(Reason::AreaTooLarge))
}

/// What was found.
struct Page {
    /// At most `limit` anchors, by identifier.
    found: Vec<(u32, SpatialAnchorProfile)>,
    /// Whether there is one more.
    more: bool,
    rules_version: u64,
}

async fn find(san: &SanServer, call: &Call, question: &Question) -> Result<Page, Refusal> {
    let wanted = question.limit as usize;
    let mut filter = Filter {
        held: held_by(&call.caller)
            .iter()
            .map(ToString::to_string)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        owner_key: rules::owner_key(&call.caller.principal()),
        boxes: question.area.as_ref().map(Area::boxes),
        anchor_ids: question.anchor_ids.clone(),
        service_id: question.svc_id.clone(),
        spec_hash: question.anch_inf.as_deref().map(records::spec_hash),
        now_s: san.kit().ambient.now_s(),
        after: question.after,
        limit: (question.limit + 1).min(BATCH_MAX),
    };
    let mut page = Vec::with_capacity(wanted.min(256) + 1);
    let (server, asking) = (san.clone(), call.clone());
    let read =
        san.kit().store.read(|tx| Box::pin(async move { Asker::new(&server, tx, &asking, FIND).await }));
    let asker = read.await?;
    asker.check_action(question.svc_id.as_deref())?;
    loop {
        let batch = filter.clone();
        let rows = san.kit().store.read(|tx| Box::pin(async move { rows(tx, &batch).await })).await?;
        let complete = (rows.len() as u32) < filter.limit;
        filter.after = rows.last().map(|found| found.anchor.anchor_id).or(filter.after);
        for found in rows {
            let anchor_id = found.anchor.anchor_id;
            if let Some(profile) = profile(&asker, question, found)? {
                if page.len() == wanted {
                    return Ok(Page { found: page, more: true, rules_version: asker.rules.version });
                }
                page.push((anchor_id, profile));
            }
        }
        if complete {
            return Ok(Page { found: page, more: false, rules_version: asker.rules.version });
        }
    }
}

async fn rows(tx: &mut dyn Sql, filter: &Filter) -> Result<Vec<Found>, StoreError> {
    discovery::find(tx, filter).await
}

/// The profile of an anchor that the query found, unless the exact shape, a service area or a rule leaves it out.
fn profile(
    asker: &Asker,
    question: &Question,
    found: Found,
) -> Result<Option<SpatialAnchorProfile>, StoreError> {
    if let Some(area) = &question.area
        && !found.anchor.at.is_some_and(|at| area.holds(at))
    {
        return Ok(None);
    }
    let owner = Principal::new(found.owner_issuer, found.owner_subject);
    let anchor = Anchor::of(found.anchor, owner)?;
    // The same decision as for a single anchor, in the same order; what the query selected by classes holds again.
    let Ok(access) = asker.access(&anchor) else { return Ok(None) };
    Ok(Some(SpatialAnchorProfile {
        anch_info: shown::anchor(&anchor.body, access.owner, question.feat),
        val_svc_inf: stored::parsed(&found.serv_info)?,
    }))
}
