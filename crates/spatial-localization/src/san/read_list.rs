//! Get spatial anchors (TS 23.437 8.5 `SS_SAnManagement_Get`; TS 29.437 GET `/anchors-lists/{anchorsListId}`).

use std::sync::Arc;

use authorization::Reason;
use authorization::capif::details::Action as Granted;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Outcome, Permit};
use service_http::refusal::Refusal;
use store::anchors::lists;

use super::access::{Access, Asker};
use super::change;
use super::shown::{self, Representation};
use super::stored::{Anchor, List};
use super::{READ, SanServer, granted, represented};
use crate::shared::input::{self, PathId};
use crate::shared::operator_rules::Action;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::{etag, grants, reach};

const GET: Action = Action { verb: "read", scope: READ };

/// # Errors
/// The stage that refuses; one 404 for a list that is not there and one of which the caller may discover nothing.
pub(super) async fn read_list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    PathId(list_id): PathId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let feat = input::features(&input::query(uri.query())?)?;
    grants::check_list(&call, &list_id, Granted::Read)?;
    // Asked for before anything is read.
    let settled = san.kit().store.settled();
    if let Some((asker, list)) = settled.and_then(|settled| san.kept(&call, &list_id, settled))
        && let Some(open) = asker.open_or_none(&list)
    {
        return answer(&san, &call, &headers, feat, &asker, &list, open).await;
    }
    // What is hidden is told before it is read; else one indexed read brings the list and all that decides about it.
    let (server, caller, id) = (san.clone(), call.clone(), list_id.clone());
    let read = san.kit().store.read(|tx| {
        Box::pin(async move {
            let mut asker = Asker::new(&server, tx, &caller, GET).await?;
            let reached = lists::reach(tx, &id, &reach::reader(&caller, asker.around.now_s)).await?;
            let by_owners = asker.by_owners(&server, tx, &id).await?;
            let list = match reach::check_permitted(reached, by_owners) {
                Ok(()) => lists::with_anchors(tx, &id).await?.ok_or(Reason::NotFound),
                Err(reason) => Err(reason),
            };
            Ok((asker, list))
        })
    });
    let (asker, list) = read.await?;
    let list = Arc::new(List::of(list.map_err(|reason| change::hidden(&call, reason))?)?);
    let open = asker.open_anchors(&list)?;
    if let Some(settled) = settled {
        san.keep(&call, &asker, &list, settled);
    }
    answer(&san, &call, &headers, feat, &asker, &list, open).await
}

impl SanServer {
    /// The list as it was read before, for a caller that reached it then.
    fn kept(&self, call: &Call, list_id: &str, settled: u64) -> Option<(Asker, Arc<List>)> {
        let list = self.0.kept.find(settled, list_id, &call.caller)?;
        Some((Asker::settled(self, call, GET, settled)?, list))
    }

    fn keep(&self, call: &Call, asker: &Asker, list: &Arc<List>, settled: u64) {
        asker.around.settle(self.rules(), settled);
        self.0.kept.keep(settled, list, &call.caller);
    }
}

/// Records the permit, and shows what stands open.
async fn answer(
    san: &SanServer,
    call: &Call,
    headers: &HeaderMap,
    feat: SuppFeat,
    asker: &Asker,
    list: &List,
    mut open: Vec<(&str, &Anchor, Access)>,
) -> Result<Response, Refusal> {
    let id = &list.row.list_id;
    open.retain(|(_, anchor, _)| grants::names_anchor(call, id, anchor.row.anchor_id, Granted::Read));
    if open.is_empty() {
        return Err(change::hidden(call, Reason::NotVisible));
    }
    let shown = Representation::of(&shown::list(list, &open, feat))?;

    let partial = open.len() < list.anchors.len();
    let permit = Permit::new("san.anchors_list.read")
        .object(format!("anchors-lists/{}", list.row.list_id))
        .owner(list.row.owner_name.as_str())
        .service(list.row.service_id.as_str())
        .policy_version(asker.around.policy_version())
        .outcome(if partial { Outcome::Partial } else { Outcome::Served });
    if etag::is_not_modified(headers, &shown.tag) {
        // Nothing is delivered, and nothing charged; that it was permitted is on record.
        ledger::permit_read(&san.kit().store, call, permit.units(0).status(304)).await?;
        granted(call);
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        if let Ok(tag) = HeaderValue::try_from(shown.tag.header()) {
            response.headers_mut().insert(ETAG, tag);
        }
        return Ok(response);
    }
    let permit = permit.units(open.len() as u64).bytes(shown.body.len() as u64);
    ledger::permit_read(&san.kit().store, call, permit).await?;
    granted(call);
    represented(StatusCode::OK, shown.body, &shown.tag, None)
}
