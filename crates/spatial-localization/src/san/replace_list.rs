//! Update spatial anchors (TS 23.437 8.3.2; TS 29.437 PUT `/anchors-lists/{anchorsListId}`).

use api_types::san::SpatialAnchorsList;
use authorization::Reason;
use authorization::capif::details::Action as Granted;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;

use super::access::Asker;
use super::change::{self, Identity};
use super::input::{forget_sync, strip};
use super::shown::{self, Representation};
use super::stored::List;
use super::{SanServer, WRITE, granted, represented};
use crate::shared::input::{self, PathId};
use crate::shared::operator_rules::Action;
use crate::shared::own_members;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::{etag, grants};

pub(super) const UPDATE: Action = Action { verb: "update", scope: WRITE };

/// # Errors
/// The stage that refuses.
pub(super) async fn replace_list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    PathId(list_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let input = input::read(request, input::JSON, strip).await?;
    let mut wanted: SpatialAnchorsList = input::typed(input.body)?;
    forget_sync(&mut wanted);

    let (server, caller) = (san.clone(), call.clone());
    let shown: Representation = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(replace(server, tx, caller, list_id, input.headers, wanted, input.features))
        })
        .await?;
    san.wake_notifier();
    san.wake_publisher();
    granted(&call);
    represented(StatusCode::OK, shown.body, &shown.tag, None)
}

async fn replace(
    san: SanServer,
    tx: &mut dyn Sql,
    call: Call,
    list_id: String,
    headers: HeaderMap,
    mut wanted: SpatialAnchorsList,
    feat: SuppFeat,
) -> Result<Representation, Refusal> {
    grants::check_list(&call, &list_id, Granted::Update)?;
    let (list, asker) = change::locked(tx, &san, &call, &list_id, UPDATE).await?;
    let open = asker.open_anchors(&list)?;
    if !call.caller.is(&list.owner()) {
        return Err(change::refused(&call, Reason::NotOwner));
    }
    etag::check_if_match(&headers, &shown::tags(&list, &open)?)?;

    let identity = change::identity(&list, &wanted)?;
    let before = change::relabelled(&list, &identity);
    if !feat.own_members() {
        keep_own_members(&before, &mut wanted);
    }
    change::decide_as_owner(&call, &list.row.list_id, &before, &mut wanted)?;
    finish(&san, tx, &call, &asker, list, wanted, identity, feat, "san.anchors_list.update").await
}

fn keep_own_members(before: &SpatialAnchorsList, wanted: &mut SpatialAnchorsList) {
    for (label, anchor) in &mut wanted.anchors {
        let Some(known) = before.anchors.get(label) else { continue };
        own_members::keep!(known, anchor);
    }
}

/// What an owner's PUT and PATCH have in common once they are decided: rules, write, record, representation.
///
/// # Errors
/// A rule of the operator; the store failed; the permit could not be recorded.
#[allow(clippy::too_many_arguments)] // the parts of one request, each of its own type
pub(super) async fn finish(
    san: &SanServer,
    tx: &mut dyn Sql,
    call: &Call,
    asker: &Asker,
    list: List,
    wanted: SpatialAnchorsList,
    identity: Identity,
    feat: SuppFeat,
    action: &'static str,
) -> Result<Representation, Refusal> {
    asker.check_all_open(&list)?;
    asker.check_action(Some(wanted.val_serv_info.service_id.as_str()))?;
    let (list, touched) = change::write(san, tx, call, list, &wanted, &identity).await?;
    let access = super::access::Access::owners();
    let own: Vec<_> =
        list.anchors.iter().map(|(label, anchor)| (label.as_str(), anchor, access.clone())).collect();
    let shown = Representation::of(&shown::list(&list, &own, feat))?;
    record(tx, call, asker, &list, touched, &shown, action).await?;
    Ok(shown)
}

/// The permit of a change.
///
/// # Errors
/// It could not be recorded.
pub(super) async fn record(
    tx: &mut dyn Sql,
    call: &Call,
    asker: &Asker,
    list: &List,
    touched: u64,
    shown: &Representation,
    action: &'static str,
) -> Result<(), Refusal> {
    let permit = Permit::new(action)
        .object(format!("anchors-lists/{}", list.row.list_id))
        .owner(list.row.owner_name.as_str())
        .service(list.row.service_id.as_str())
        // A request that changes nothing was served all the same.
        .units(touched.max(1))
        .bytes(shown.body.len() as u64)
        .policy_version(asker.around.policy_version());
    ledger::permit(tx, call, &permit).await
}
