//! ETSI GS ARF 005: ping, and the world anchors.

use std::collections::{BTreeMap, BTreeSet};

use api_types::common_data::ConnInfo;
use api_types::faces::arf005::{NIL_UUID, WorldAnchor};
use api_types::ids::ValServiceId;
use api_types::san::{SpatialAnchor, SpatialAnchorsList, VALServiceInfo};
use authorization::{Principal, Reason};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::anchors::{Batch, Filter, Found, discovery};
use store::{Sql, StoreError};

use super::super::access::{Access, Asker};
use super::super::change;
use super::super::create_list;
use super::super::delete_list::{self, DELETE};
use super::super::replace_list::{self, UPDATE};
use super::super::stored::Anchor;
use super::super::{DISCOVER, READ, SanServer, granted, shown};
use super::{WORLD_ANCHORS, mapping};
use crate::shared::denial::Denial;
use crate::shared::input::{self, PathId};
use crate::shared::operator_rules::Action;
use crate::shared::paging::{Paged, Rows};
use crate::shared::rules;
use crate::shared::supp_feat::SuppFeat;

const FIND: Action = Action { verb: "discover", scope: DISCOVER };
const GET: Action = Action { verb: "read", scope: READ };

/// Label of the anchor in the list that is made for it.
const LABEL: &str = "worldAnchor";

/// Most anchors that a list can be asked for by name. Own value.
const MAX_NAMED: usize = 100;

/// GET `/ping`: nothing is served, so nothing is charged; that it was permitted is on record.
///
/// # Errors
/// The permit could not be recorded.
pub(in crate::san) async fn ping(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
) -> Result<&'static str, Refusal> {
    ledger::permit_read(&san.kit().store, &call, Permit::new("san.ping").units(0)).await?;
    Ok("pong")
}

/// GET `/worldAnchors`: what the caller may discover, page by page; with `UUID`, of these alone.
///
/// # Errors
/// The stage that refuses.
pub(in crate::san) async fn list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = input::query(uri.query())?;
    input::features(&query)?;
    let paged = Paged::read(san.kit(), &san.0.cursors, &call, "arf005", &query, uri.query()).await?;
    let asker = asker(&san, &call, FIND).await?;
    asker.check_action(None)?;
    let named = query.raw("UUID").map(named).transpose()?;
    let filter = Filter {
        anchor_ids: named.as_ref().map(|uuids| uuids.iter().map(|uuid| number(uuid)).collect()),
        ..filter(&san, &call, &asker, None)
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
    let id = |found: &Found| found.anchor.anchor_id;
    let keep = |found: Found| {
        let uuid = mapping::uuid(found.anchor.anchor_id, found.anchor.incarnation);
        let asked = named.as_ref().is_none_or(|uuids| uuids.contains(&uuid));
        if asked { open(&asker, found) } else { Ok(None) }
    };
    let page = paged.fill(fetch, id, |found| found.anchor.body.len(), keep).await?;
    let link = paged.link(san.kit(), &san.0.cursors, WORLD_ANCHORS, &page).await?;
    let anchors: Vec<WorldAnchor> = page.found.into_iter().map(|(_, anchor)| anchor).collect();
    let body = written(&anchors)?;
    let permit = Permit::new("san.anchors.discover")
        .object("spatial-anchors")
        .units((anchors.len() as u64).max(1))
        .bytes(body.len() as u64)
        .policy_version(asker.around.policy_version());
    ledger::permit_read(&san.kit().store, &call, permit).await?;
    granted(&call);
    let mut response = answered(StatusCode::OK, body);
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    Ok(response)
}

/// The anchors that a list is asked for.
fn named(text: &str) -> Result<BTreeSet<String>, Refusal> {
    let uuids: BTreeSet<String> = text.split(',').map(str::to_owned).collect();
    let good = uuids.len() <= MAX_NAMED && uuids.iter().all(|uuid| mapping::anchor_id(uuid).is_some());
    if good { Ok(uuids) } else { Err(input::parameter("UUID", "is not up to 100 UUIDs")) }
}

/// GET `/worldAnchors/{worldAnchorUUID}`.
///
/// # Errors
/// The stage that refuses; one 404 for what is not there, hidden, or of a former life.
pub(in crate::san) async fn read(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    PathId(uuid): PathId,
) -> Result<Response, Refusal> {
    let asker = asker(&san, &call, GET).await?;
    let filter = filter(&san, &call, &asker, Some(number(&uuid)));
    let found = san.kit().store.read(|tx| Box::pin(async move { discovery::find(tx, &filter).await }));
    let found = of_life(&call, found.await?.found, &uuid)?;
    let (owner, service) = (found.owner_name.clone(), found.anchor.service_id.clone());
    let (anchor, access) = decided(&call, &asker, found)?;
    let object = object(&anchor);
    let body = written(&mapping::shown(&shown::anchor(&anchor, &access, all_members()), uuid))?;
    let permit = Permit::new("san.anchors_list.read")
        .object(object)
        .owner(owner.as_str())
        .service(service.as_str())
        .bytes(body.len() as u64)
        .policy_version(asker.around.policy_version());
    ledger::permit_read(&san.kit().store, &call, permit).await?;
    granted(&call);
    Ok(answered(StatusCode::OK, body))
}

/// POST `/worldAnchors`: a list of its own with this one anchor; the answer is its UUID.
///
/// # Errors
/// The stage that refuses; 409 for a UUID that is the client's choice.
pub(in crate::san) async fn create(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    if wanted.uuid.as_deref().is_some_and(|uuid| uuid != NIL_UUID) {
        return Err(Refusal::open(Reason::IdTaken));
    }
    let mut anchor = SpatialAnchor::default();
    mapping::write(&mut anchor, &wanted).map_err(|fault| input::refused(vec![fault]))?;
    let list = SpatialAnchorsList {
        val_serv_info: service(&san, &call, &wanted)?,
        anchors: BTreeMap::from([(LABEL.to_owned(), anchor)]),
        supp_feat: None,
    };
    let list = create_list::provided(&call, valid(list)?)?;
    let (server, caller) = (san.clone(), call.clone());
    let uuid: String = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let made = create_list::create(server, tx, caller, list, all_members()).await?;
                let (_, anchors) = store::anchors::lists::with_anchors(tx, &made.list_id)
                    .await?
                    .ok_or(StoreError::Damaged("a list that was made is missing"))?;
                let row = anchors.first().ok_or(StoreError::Damaged("a list without an anchor"))?;
                Ok::<_, Refusal>(mapping::uuid(row.anchor_id, row.incarnation))
            })
        })
        .await?;
    san.wake_publisher();
    granted(&call);
    Ok((StatusCode::OK, [(CONTENT_TYPE, "text/plain")], uuid).into_response())
}

/// PUT `/worldAnchors`: the UUID is in the body.
///
/// # Errors
/// The stage that refuses.
pub(in crate::san) async fn replace(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    let uuid = wanted.uuid.clone().unwrap_or_default();
    let (server, caller, id) = (san.clone(), call.clone(), uuid.clone());
    let _: () = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (label, list_id) = place(&server, tx, &caller, UPDATE, &id).await?;
                let (list, asker) = change::locked(tx, &server, &caller, &list_id, UPDATE).await?;
                asker.open_anchors(&list)?;
                if !caller.caller.is(&list.owner()) {
                    return Err(change::refused(&caller, Reason::NotOwner));
                }
                let before = list.whole();
                let mut after = before.clone();
                let anchor =
                    after.anchors.get_mut(&label).ok_or_else(|| change::hidden(&caller, Reason::NotFound))?;
                mapping::write(anchor, &wanted).map_err(|fault| input::refused(vec![fault]))?;
                let mut after = valid(after)?;
                let identity = change::identity(&list, &after)?;
                change::decide_as_owner(&caller, &list.row.list_id, &before, &mut after)?;
                let action = "san.anchors_list.update";
                let feat = all_members();
                replace_list::finish(&server, tx, &caller, &asker, list, after, identity, feat, action)
                    .await?;
                Ok::<_, Refusal>(())
            })
        })
        .await?;
    san.wake_publisher();
    granted(&call);
    Ok((StatusCode::OK, [(CONTENT_TYPE, "text/plain")], uuid).into_response())
}

/// DELETE `/worldAnchors/{worldAnchorUUID}`: a list goes with its last anchor.
///
/// # Errors
/// The stage that refuses.
pub(in crate::san) async fn remove(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    PathId(uuid): PathId,
) -> Result<Response, Refusal> {
    let (server, caller) = (san.clone(), call.clone());
    let _: () = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (label, list_id) = place(&server, tx, &caller, DELETE, &uuid).await?;
                let (list, asker) = change::locked(tx, &server, &caller, &list_id, DELETE).await?;
                if list.anchors.len() == 1 {
                    return delete_list::delete(server, tx, caller, list_id, HeaderMap::new()).await;
                }
                asker.open_anchors(&list)?;
                if !caller.caller.is(&list.owner()) {
                    return Err(change::refused(&caller, Reason::NotOwner));
                }
                let before = list.whole();
                let mut after = before.clone();
                after.anchors.remove(&label);
                let identity = change::identity(&list, &after)?;
                change::decide_as_owner(&caller, &list.row.list_id, &before, &mut after)?;
                let (feat, action) = (all_members(), "san.anchors_list.update");
                replace_list::finish(&server, tx, &caller, &asker, list, after, identity, feat, action)
                    .await?;
                Ok::<_, Refusal>(())
            })
        })
        .await?;
    san.wake_publisher();
    granted(&call);
    Ok(StatusCode::OK.into_response())
}

/// Peers of this interface see members of ours as far as it has a place for them.
fn all_members() -> SuppFeat {
    SuppFeat::parse(Some("1")).unwrap_or_default()
}

async fn body(request: Request) -> Result<WorldAnchor, Refusal> {
    input::typed(input::read(request, input::JSON, |_| {}).await?.body)
}

fn valid<T: api_types::validate::Validate>(value: T) -> Result<T, Refusal> {
    value.validate("").map_err(input::refused)?;
    Ok(value)
}

/// The VAL service of a new anchor: a tag names it, else the token's only one, else the client is its own.
fn service(san: &SanServer, call: &Call, wanted: &WorldAnchor) -> Result<VALServiceInfo, Refusal> {
    let named = wanted.tag(mapping::SERVICE_ID);
    let name = match (named, call.caller.val_services.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only.as_str(),
        (None, _) => call.caller.client_id.as_str(),
    };
    let bad = |_| input::optional("/keyvalueTags", "names a VAL service that is none");
    let uri = Some(format!("{}{WORLD_ANCHORS}", san.kit().origin));
    Ok(VALServiceInfo {
        service_id: ValServiceId::try_from(name).map_err(bad)?,
        end_pt: ConnInfo { uri, ..ConnInfo::default() },
        serv_con_info: None,
    })
}

async fn asker(san: &SanServer, call: &Call, action: Action) -> Result<Asker, Refusal> {
    let (server, caller) = (san.clone(), call.clone());
    let read =
        san.kit().store.read(|tx| Box::pin(async move { Asker::new(&server, tx, &caller, action).await }));
    Ok(read.await?)
}

/// What the caller may discover: one anchor, or all.
fn filter(san: &SanServer, call: &Call, asker: &Asker, only: Option<u32>) -> Filter {
    Filter {
        held: rules::held(&call.caller),
        owner_key: rules::owner_key(&call.caller.principal()),
        anchor_ids: only.map(|id| vec![id]),
        now_s: asker.around.now_s,
        limit: 1,
        bounds: san.config().search,
        ..Filter::default()
    }
}

fn open(asker: &Asker, found: Found) -> Result<Option<WorldAnchor>, StoreError> {
    let uuid = mapping::uuid(found.anchor.anchor_id, found.anchor.incarnation);
    let anchor = Anchor::of(found.anchor, Principal::new(found.owner_issuer, found.owner_subject))?;
    let Ok(access) = asker.access(&anchor) else { return Ok(None) };
    Ok(Some(mapping::shown(&shown::anchor(&anchor, &access, all_members()), uuid)))
}

/// The anchor that a UUID is of, in its present life.
fn of_life(call: &Call, found: Vec<Found>, uuid: &str) -> Result<Found, Refusal> {
    let same = |found: &Found| mapping::uuid(found.anchor.anchor_id, found.anchor.incarnation) == uuid;
    found.into_iter().find(same).ok_or_else(|| change::hidden(call, Reason::NotFound))
}

/// The decision about one anchor, told; whether the caller owns it.
fn decided(call: &Call, asker: &Asker, found: Found) -> Result<(Anchor, Access), Refusal> {
    let anchor = Anchor::of(found.anchor, Principal::new(found.owner_issuer, found.owner_subject))?;
    let told = |denial: Denial| denial.told(call, "an anchor that stands open");
    let access = asker.access(&anchor).map_err(told)?;
    call.ctx.pass("resource", "an anchor that stands open", if access.owner { "owner" } else { "allowed" });
    Ok((anchor, access))
}

/// Label and list of an anchor that stands open to the caller.
async fn place(
    san: &SanServer,
    tx: &mut dyn Sql,
    call: &Call,
    action: Action,
    uuid: &str,
) -> Result<(String, String), Refusal> {
    let asker = Asker::new(san, tx, call, action).await?;
    let filter = filter(san, call, &asker, Some(number(uuid)));
    let found = of_life(call, discovery::find(tx, &filter).await?.found, uuid)?;
    let (anchor, _) = decided(call, &asker, found)?;
    Ok((anchor.row.label, anchor.row.list_id))
}

/// The number in a UUID; that of no anchor for what is no UUID, so that it is searched for and not found like any other.
fn number(uuid: &str) -> u32 {
    mapping::anchor_id(uuid).unwrap_or(u32::MAX)
}

fn object(anchor: &Anchor) -> String {
    format!("anchors-lists/{}", anchor.row.list_id)
}

fn written<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Damaged("an answer cannot be written"))
}

fn answered(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
