//! Create spatial anchors (TS 23.437 8.3.1; TS 29.437 POST `/anchors-lists`).

use std::collections::BTreeMap;

use api_types::san::SpatialAnchorsList;
use authorization::{Reason, parts};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::anchors::{ListRow, lists, records};
use store::publications::Sync;

use super::access::{Access, Asker};
use super::input::{forget_sync, strip, strip_ids};
use super::shown::{self, Representation};
use super::stored::{self, Frame, List};
use super::subscriptions::happening::{self, Happening};
use super::{ANCHOR_KEPT, LISTS, SanServer, WRITE, granted, publish, represented};
use crate::shared::input::{self, Input};
use crate::shared::operator_rules::Action;
use crate::shared::serv_infos;
use crate::shared::supp_feat::SuppFeat;

const CREATE: Action = Action { verb: "create", scope: WRITE };

/// # Errors
/// The stage that refuses.
pub(super) async fn create_list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    // step 1: the request, with the token that the guard has validated (step 2).
    let Input { mut body, features: feat, .. } = input::read(request, input::JSON, strip).await?;
    strip_ids(&mut body);
    let wanted = provided(&call, input::typed(body)?)?;

    let (server, caller) = (san.clone(), call.clone());
    let created: Created =
        san.kit().store.write(move |tx| Box::pin(create(server, tx, caller, wanted, feat))).await?;
    san.wake_notifier();
    san.wake_publisher();
    // step 3: the response names the new resource.
    granted(&call);
    let location = format!("{}{LISTS}/{}", san.kit().origin, created.list_id);
    represented(StatusCode::CREATED, created.shown.body, &created.shown.tag, Some(&location))
}

pub(super) struct Created {
    pub(super) list_id: String,
    shown: Representation,
}

/// The list with its providers named.
///
/// # Errors
/// An entry of service information in another's name.
pub(super) fn provided(call: &Call, mut wanted: SpatialAnchorsList) -> Result<SpatialAnchorsList, Refusal> {
    let nothing = SpatialAnchorsList { anchors: BTreeMap::new(), ..wanted.clone() };
    forget_sync(&mut wanted);
    let touched = parts::touched(&nothing, &wanted);
    parts::check(&call.caller, true, &touched, |_| true).map_err(Refusal::open)?;
    for anchor in wanted.anchors.values_mut() {
        serv_infos::assign(&mut anchor.serv_infos, &[], call.caller.client_id.as_str());
    }
    Ok(wanted)
}

/// Writes a new list and records the permit.
///
/// # Errors
/// A rule of the operator; too large an anchor; the store failed.
pub(super) async fn create(
    san: SanServer,
    tx: &mut dyn Sql,
    call: Call,
    wanted: SpatialAnchorsList,
    feat: SuppFeat,
) -> Result<Created, Refusal> {
    let asker = Asker::new(&san, tx, &call, CREATE).await?;
    let service_id = wanted.val_serv_info.service_id.as_str().to_owned();
    asker.check_action(Some(&service_id))?;

    let ambient = &san.kit().ambient;
    let owner = call.caller.principal();
    let row = ListRow {
        list_id: ambient.random_id(),
        owner_issuer: owner.issuer.clone(),
        owner_subject: owner.subject.clone(),
        owner_name: call.ctx.actor().name,
        service_id: service_id.clone(),
        serv_info: stored::written(&wanted.val_serv_info)?,
        incarnation: stored::incarnation(ambient),
        version: 1,
        created_s: asker.around.now_s,
    };
    lists::insert(tx, &row).await?;
    let frame = Frame { list_id: &row.list_id, owner: &owner, service_id: &service_id, ambient };
    let mut classes = BTreeMap::new();
    let mut anchors = Vec::with_capacity(wanted.anchors.len());
    for (label, body) in &wanted.anchors {
        let anchor_id = stored::fresh_id(tx, ambient).await?;
        let life = (stored::incarnation(ambient), san.sync_of(&owner));
        anchors.push(frame.row(tx, &mut classes, label, body, anchor_id, life).await?);
    }
    if anchors.iter().any(|anchor| anchor.body.len() > ANCHOR_KEPT) {
        return Err(Refusal::open(Reason::TooLarge));
    }
    records::insert(tx, &anchors).await?;

    publish::changed(&san, tx, &row.list_id, &[]).await?;
    // Others hear of what is only the owner's when it is no longer.
    let open = anchors.iter().filter(|anchor| anchor.sync != Sync::Pending);
    let created = open.map(|anchor| anchor.anchor_id).collect();
    let happening = Happening::Changed { created, updated: Vec::new(), deleted: Vec::new() };
    happening::note(tx, ambient, Some(call.ctx.trace().trace.to_string()), &happening).await?;

    let list = List::of((row, anchors))?;
    let access = Access::owners();
    let own: Vec<_> =
        list.anchors.iter().map(|(label, anchor)| (label.as_str(), anchor, access.clone())).collect();
    let shown = Representation::of(&shown::list(&list, &own, feat))?;
    let permit = Permit::new("san.anchors_list.create")
        .object(format!("anchors-lists/{}", list.row.list_id))
        .owner(list.row.owner_name.as_str())
        .service(service_id.as_str())
        .units(list.anchors.len() as u64)
        .bytes(shown.body.len() as u64)
        .policy_version(asker.around.policy_version())
        .status(201);
    ledger::permit(tx, &call, &permit).await?;
    Ok(Created { list_id: list.row.list_id.clone(), shown })
}
