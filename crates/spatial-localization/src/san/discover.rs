//! Discover spatial anchors (TS 23.437 8.3.4; TS 29.437 GET `/spatial-anchors`).
//!
//! The permission is part of the query, so that what the caller may not discover influences neither the answers, nor
//! their number, nor the pages. Cost: O(log n + answers), by the class-aware spatial index, and bounded for a page: one
//! that ends at the bound is short, also empty, and names the next.

use std::collections::BTreeSet;

use api_types::geo::ServiceArea;
use api_types::query::Query;
use api_types::san::{SpatialAnchorProfile, SpatialAnchorsDiscResp};
use authorization::capif::details::Action as Granted;
use authorization::{Caller, CallerKind, Principal, Reason};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderValue, StatusCode, Uri};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::StoreError;
use store::anchors::{Batch, Filter, Found, discovery, records};

use super::access::Asker;
use super::stored::{self, Anchor};
use super::subscriptions::happening::{self, Happening};
use super::{ANCHORS, DISCOVER, SanServer, granted, shown};
use crate::shared::geometry::Area;
use crate::shared::operator_rules::Action;
use crate::shared::paging::{Page, Paged, Rows};
use crate::shared::supp_feat::SuppFeat;
use crate::shared::{input, rules};

pub(super) const FIND: Action = Action { verb: "discover", scope: DISCOVER };

/// A question that was read.
pub(super) struct Question {
    area: Option<Area>,
    anchor_ids: Option<Vec<u32>>,
    svc_id: Option<String>,
    anch_inf: Option<Vec<u8>>,
    feat: SuppFeat,
    paged: Paged,
}

/// # Errors
/// The stage that refuses.
pub(super) async fn discover(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    uri: Uri,
) -> Result<Response, Refusal> {
    let question = read(&san, &call, uri.query(), "ssan-disc").await?;
    answer(&san, &call, question, ANCHORS).await
}

/// The answer to a question that was asked at `path`.
///
/// # Errors
/// The stage that refuses.
pub(super) async fn answer(
    san: &SanServer,
    call: &Call,
    question: Question,
    path: &str,
) -> Result<Response, Refusal> {
    check_area(san, call, &question).await?;
    let asker = asker(san, call, &question).await?;
    let page = find(san, call, &question, &asker).await?;

    let link = question.paged.link(san.kit(), &san.0.cursors, path, &page).await?;
    let mut answer = SpatialAnchorsDiscResp {
        results: page.found.into_iter().map(|(_, profile)| profile).collect(),
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
        .policy_version(asker.around.policy_version());
    if let Some(svc_id) = &question.svc_id {
        permit = permit.service(svc_id.as_str());
    }
    let ids =
        answer.results.iter().filter_map(|profile| profile.anch_info.anchor_id).map(|id| id.0).collect();
    permitted(san, call, permit, ids).await?;
    let ids = answer.results.iter().filter_map(|profile| profile.anch_info.anchor_id);
    san.tally().discovered(ids.map(|id| id.0));
    granted(call);

    let mut response = (StatusCode::OK, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// Records the permit; that a UE has discovered anchors may interest their owners.
async fn permitted(san: &SanServer, call: &Call, permit: Permit, anchors: Vec<u32>) -> Result<(), Refusal> {
    let ue = match (&call.caller.kind, &call.caller.ue) {
        (CallerKind::ValClient, Some(ue)) if !anchors.is_empty() => ue.as_str().to_owned(),
        _ => return ledger::permit_read(&san.kit().store, call, permit).await,
    };
    let by = call.clone();
    let recorded = san.kit().store.write(move |tx| {
        Box::pin(async move {
            let trace = Some(by.ctx.trace().trace.to_string());
            happening::note(tx, by.ctx.ambient(), trace, &Happening::Discovered { ue, anchors }).await?;
            ledger::permit(tx, &by, &permit).await
        })
    });
    recorded.await
}

impl Question {
    /// Only these anchors.
    pub(super) fn narrow(&mut self, to: &BTreeSet<u32>) {
        let asked = self.anchor_ids.take();
        let wanted = |id: &u32| asked.as_ref().is_none_or(|asked| asked.contains(id));
        self.anchor_ids = Some(to.iter().copied().filter(wanted).collect());
    }
}

/// Reads the query; `operation` is what its cursors are bound to.
///
/// # Errors
/// 400.
pub(super) async fn read(
    san: &SanServer,
    call: &Call,
    text: Option<&str>,
    operation: &str,
) -> Result<Question, Refusal> {
    let query = input::query(text)?;
    let bad = input::bad_parameter;
    let anch_inf = query.base64("anch-inf").map_err(bad)?;
    Ok(Question {
        area: area(&query)?,
        anchor_ids: query.csv_u32("anchor-ids").map_err(bad)?,
        svc_id: query.text("svc-id").map_err(bad)?,
        anch_inf: anch_inf.and_then(|text| STANDARD.decode(text).ok()),
        feat: input::features(&query)?,
        paged: Paged::read(san.kit(), &san.0.cursors, call, operation, &query, text).await?,
    })
}

fn area(query: &Query) -> Result<Option<Area>, Refusal> {
    let named: Option<ServiceArea> = query.valid("area-int").map_err(input::bad_query)?;
    let searched = named.as_ref().map(Area::of).transpose();
    searched.map_err(|_| input::parameter("area-int", "names no geographic area that can be searched"))
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

/// Who asks; the stage `operator`, for the question as a whole.
async fn asker(san: &SanServer, call: &Call, question: &Question) -> Result<Asker, Refusal> {
    let (server, asking) = (san.clone(), call.clone());
    let read =
        san.kit().store.read(|tx| Box::pin(async move { Asker::new(&server, tx, &asking, FIND).await }));
    let asker = read.await?;
    asker.check_action(question.svc_id.as_deref())?;
    Ok(asker)
}

/// Everything that somebody may find now; the permission is in it.
pub(super) fn everything_for(caller: &Caller, now_s: i64) -> Filter {
    Filter {
        held: rules::held(caller),
        owner_key: rules::owner_key(&caller.principal()),
        now_s,
        ..Filter::default()
    }
}

async fn find(
    san: &SanServer,
    call: &Call,
    question: &Question,
    asker: &Asker,
) -> Result<Page<SpatialAnchorProfile>, StoreError> {
    let filter = Filter {
        boxes: question.area.as_ref().map(Area::search_boxes),
        anchor_ids: question.anchor_ids.clone(),
        service_id: question.svc_id.clone(),
        spec_hash: question.anch_inf.as_deref().map(records::spec_hash),
        bounds: san.config().search,
        ..everything_for(&call.caller, asker.around.now_s)
    };
    let fetch = |after, limit| {
        let batch = Filter { after, limit, ..filter.clone() };
        san.kit().store.read(|tx| {
            Box::pin(async move {
                let Batch { found, next } = discovery::find(tx, &batch).await?;
                Ok(Rows { rows: found, next })
            })
        })
    };
    question
        .paged
        .fill(
            fetch,
            |found| found.anchor.anchor_id,
            |found| found.anchor.body.len(),
            |found| profile(asker, question, found),
        )
        .await
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
    if !asker.names(&anchor, Granted::Discover) {
        return Ok(None);
    }
    // What the reader is not shown cannot be searched for either.
    if question.anch_inf.is_some() && access.hidden.contains("specInfo") {
        return Ok(None);
    }
    Ok(Some(SpatialAnchorProfile {
        anch_info: shown::anchor(&anchor, &access, question.feat),
        val_svc_inf: stored::parsed(&found.serv_info)?,
    }))
}
