//! Modify spatial anchors (TS 23.437 8.3.2; TS 29.437 PATCH `/anchors-lists/{anchorsListId}`; RFC 7396).
//!
//! The owner patches anything; a VAL server that the rules of an anchor list patches its own service information there
//! and nothing else (contract, section 7). A patch is made whole or not at all.

use api_types::merge_patch;
use api_types::san::SpatialAnchorsList;
use authorization::capif::details::Action as Granted;
use authorization::{Reason, parts};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use service_http::call::{Authorized, Call};
use service_http::refusal::Refusal;
use store::{Sql, StoreError};

use super::access::Access;
use super::input::{forget_sync, strip};
use super::replace_list::{UPDATE, finish, record};
use super::shown::{self, Representation};
use super::stored::{Anchor, List};
use super::{SanServer, change, granted, represented};
use crate::shared::input::{self, Input, PathId};
use crate::shared::serv_infos;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::{etag, grants};

const ACTION: &str = "san.anchors_list.modify";

/// # Errors
/// The stage that refuses.
pub(super) async fn modify_list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    PathId(list_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { headers, body: patch, features } = input::read(request, input::PATCH, strip).await?;

    let (server, caller) = (san.clone(), call.clone());
    let shown: Representation = san
        .kit()
        .store
        .write(move |tx| Box::pin(modify(server, tx, caller, list_id, headers, patch, features)))
        .await?;
    san.wake_notifier();
    san.wake_publisher();
    granted(&call);
    represented(StatusCode::OK, shown.body, &shown.tag, None)
}

async fn modify(
    san: SanServer,
    tx: &mut dyn Sql,
    call: Call,
    list_id: String,
    headers: HeaderMap,
    patch: Value,
    feat: SuppFeat,
) -> Result<Representation, Refusal> {
    grants::check_list(&call, &list_id, Granted::Update)?;
    let (list, asker) = change::locked(tx, &san, &call, &list_id, UPDATE).await?;
    let open = asker.open_anchors(&list)?;
    let tags = shown::tags(&list, &open)?;
    let check_version = || etag::check_if_match(&headers, &tags);

    if call.caller.is(&list.owner()) {
        check_version()?;
        let mut wanted = patched(&call, &list.whole(), &patch)?;
        let identity = change::identity(&list, &wanted)?;
        let before = change::relabelled(&list, &identity);
        change::decide_as_owner(&call, &list.row.list_id, &before, &mut wanted)?;
        return finish(&san, tx, &call, &asker, list, wanted, identity, feat, ACTION).await;
    }

    let wanted = as_provider(&call, &list, &open, &patch)?;
    check_version()?;
    let identity = change::identity(&list, &wanted)?;
    let (list, touched) = change::write(&san, tx, &call, list, &wanted, &identity).await?;
    let open = asker.open_anchors(&list)?;
    let shown = Representation::of(&shown::list(&list, &open, feat))?;
    record(tx, &call, &asker, &list, touched, &shown, ACTION).await?;
    Ok(shown)
}

/// The list that the patch makes of `base`. The array `servInfos` is the sender's part of the entries.
///
/// # Errors
/// 400: what would come out is no list; so is a list without anchors.
fn patched(call: &Call, base: &SpatialAnchorsList, patch: &Value) -> Result<SpatialAnchorsList, Refusal> {
    let mut value =
        serde_json::to_value(base).map_err(|_| StoreError::Damaged("a list cannot be written"))?;
    merge_patch::apply(&mut value, patch);
    let mut wanted: SpatialAnchorsList = input::typed(value)?;
    forget_sync(&mut wanted);
    let provider = call.caller.client_id.as_str();
    for (label, member) in patch.get("anchors").and_then(Value::as_object).into_iter().flatten() {
        let names_entries = member.as_object().is_some_and(|anchor| anchor.contains_key("servInfos"));
        if let (true, Some(anchor)) = (names_entries, wanted.anchors.get_mut(label)) {
            let stored =
                base.anchors.get(label).and_then(|anchor| anchor.serv_infos.as_deref()).unwrap_or_default();
            let proposed = anchor.serv_infos.take().unwrap_or_default();
            anchor.serv_infos = Some(serv_infos::patched(stored, &proposed, provider));
        }
    }
    Ok(wanted)
}

/// What a patch of somebody who is not the owner makes of the list: the caller's own service information, in anchors
/// that stand open and list it. It is judged by what the caller is shown, so that a member or anchor that is hidden is
/// no other than one that is absent.
fn as_provider(
    call: &Call,
    list: &List,
    open: &[(&str, &Anchor, Access)],
    patch: &Value,
) -> Result<SpatialAnchorsList, Refusal> {
    let not_owner = || change::refused(call, Reason::NotOwner);
    let listed = |label: &str| open.iter().any(|(own, _, access)| *own == label && access.listed);
    let shown = {
        let all = SuppFeat::parse(Some("1")).unwrap_or_default();
        shown::list(list, open, all)
    };
    let named = match patch.get("anchors") {
        Some(Value::Object(anchors)) => anchors.iter().collect::<Vec<_>>(),
        None => Vec::new(),
        Some(_) => return Err(not_owner()),
    };
    let reaches = |(label, member): &(&String, &Value)| member.is_object() && listed(label);
    if patch.get("valServInfo").is_some_and(Value::is_null) || named.is_empty() || !named.iter().all(reaches)
    {
        return Err(not_owner());
    }
    let mut wanted = patched(call, &shown, patch)?;
    let touched = parts::touched(&shown, &wanted);
    parts::check(&call.caller, false, &touched, listed).map_err(|reason| change::refused(call, reason))?;
    change::check_granted(call, &list.row.list_id, &shown, &touched)?;
    call.ctx.pass("parts", "only parts of the caller", "held");

    let mut whole = list.whole();
    for (label, anchor) in &mut wanted.anchors {
        let Some(stored) = whole.anchors.get_mut(label) else { continue };
        let entries = stored.serv_infos.take().unwrap_or_default();
        serv_infos::assign(&mut anchor.serv_infos, &entries, call.caller.client_id.as_str());
        stored.serv_infos = anchor.serv_infos.take();
    }
    Ok(whole)
}
