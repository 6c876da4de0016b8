//! Delete spatial anchors (TS 23.437 8.3.3; TS 29.437 DELETE `/anchors-lists/{anchorsListId}`).

use authorization::Reason;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::anchors::{classes, lists, records};

use super::access::Asker;
use super::stored::List;
use super::{SanServer, WRITE, change, granted, input, shown};
use crate::shared::etag;
use crate::shared::operator_rules::Action;

const DELETE: Action = Action { verb: "delete", scope: WRITE };

/// # Errors
/// The stage that refuses.
pub(super) async fn delete_list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    list_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let list_id = input::list_id(list_id)?;
    let (server, caller) = (san.clone(), call.clone());
    let _: () =
        san.kit().store.write(move |tx| Box::pin(delete(server, tx, caller, list_id, headers))).await?;
    granted(&call);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete(
    san: SanServer,
    tx: &mut dyn Sql,
    call: Call,
    list_id: String,
    headers: HeaderMap,
) -> Result<(), Refusal> {
    let list = lists::lock_with_anchors(tx, &list_id).await?.ok_or_else(|| input::absent(&call))?;
    let list = List::of(list)?;
    let asker = Asker::new(&san, tx, &call, DELETE).await?;
    let open = asker.open_anchors(&list)?;
    if !call.caller.is(&list.owner()) {
        return Err(change::refused(&call, Reason::NotOwner));
    }
    change::check_all_open(&asker, &list)?;
    let tags = shown::tags(&list, &open)?;
    etag::check_if_match(&headers, &tags.iter().map(String::as_str).collect::<Vec<_>>())?;

    let ids: Vec<u32> = list.anchors.values().map(|anchor| anchor.row.anchor_id).collect();
    let held: Vec<i64> = list.anchors.values().map(|anchor| anchor.row.class_id).collect();
    records::remove(tx, &ids).await?;
    lists::remove(tx, &list_id).await?;
    classes::purge(tx, &held).await?;
    let permit = Permit::new("san.anchors_list.delete")
        .object(format!("anchors-lists/{list_id}"))
        .owner(list.row.owner_name.as_str())
        .service(list.row.service_id.as_str())
        .units(ids.len() as u64)
        .policy_version(asker.rules.version)
        .status(204);
    ledger::permit(tx, &call, &permit).await
}
