//! Delete spatial anchors (TS 23.437 8.3.3; TS 29.437 DELETE `/anchors-lists/{anchorsListId}`).

use authorization::Reason;
use authorization::capif::details::Action as Granted;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::anchors::{classes, lists, records};

use super::subscriptions::happening::{self, Gone, Happening};
use super::{SanServer, WRITE, change, granted, publish, shown, stored};
use crate::shared::input::PathId;
use crate::shared::operator_rules::Action;
use crate::shared::{etag, grants};

pub(super) const DELETE: Action = Action { verb: "delete", scope: WRITE };

/// # Errors
/// The stage that refuses.
pub(super) async fn delete_list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    PathId(list_id): PathId,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (server, caller) = (san.clone(), call.clone());
    let _: () =
        san.kit().store.write(move |tx| Box::pin(delete(server, tx, caller, list_id, headers))).await?;
    san.wake_notifier();
    san.wake_publisher();
    granted(&call);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Removes a whole list and records the permit.
///
/// # Errors
/// The stage that refuses.
pub(super) async fn delete(
    san: SanServer,
    tx: &mut dyn Sql,
    call: Call,
    list_id: String,
    headers: HeaderMap,
) -> Result<(), Refusal> {
    grants::check_list(&call, &list_id, Granted::Delete)?;
    let (list, asker) = change::locked(tx, &san, &call, &list_id, DELETE).await?;
    let open = asker.open_anchors(&list)?;
    if !call.caller.is(&list.owner()) {
        return Err(change::refused(&call, Reason::NotOwner));
    }
    let named = list.anchors.values().all(|anchor| asker.names(anchor, Granted::Delete));
    if !named {
        return Err(change::refused(&call, Reason::DetailsNarrow));
    }
    asker.check_all_open(&list)?;
    etag::check_if_match(&headers, &shown::tags(&list, &open)?)?;

    let ids: Vec<u32> = list.anchors.values().map(|anchor| anchor.row.anchor_id).collect();
    let held: Vec<i64> = list.anchors.values().map(|anchor| anchor.row.class_id).collect();
    let gone = |anchor| Gone::of(anchor, &list.owner(), &list.row.serv_info);
    let deleted = list.anchors.values().map(gone).collect::<Result<_, _>>()?;
    let happening = Happening::Changed { created: Vec::new(), updated: Vec::new(), deleted };
    let trace = Some(call.ctx.trace().trace.to_string());
    happening::note(tx, &san.kit().ambient, trace, &happening).await?;
    records::remove(tx, &ids).await?;
    lists::remove(tx, &list_id).await?;
    let resources: Vec<String> =
        list.anchors.values().map(|anchor| stored::resource_of(&anchor.row)).collect();
    publish::deleted(&san, tx, &list_id, &resources).await?;
    classes::purge(tx, &held).await?;
    let permit = Permit::new("san.anchors_list.delete")
        .object(format!("anchors-lists/{list_id}"))
        .owner(list.row.owner_name.as_str())
        .service(list.row.service_id.as_str())
        .units(ids.len() as u64)
        .policy_version(asker.around.policy_version())
        .status(204);
    ledger::permit(tx, &call, &permit).await
}
