//! ETSI GS ARF 005: the trackables, which are objects of maps.

use api_types::faces::arf005::NIL_UUID;
use api_types::faces::trackable::Trackable;
use authorization::{Principal, Reason};
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::{StoreError, maps};

use super::object::{self, ObjectEdit};
use super::{TRACKABLES, all_members};
use crate::shared::data_class::conceal_map;
use crate::shared::input::{self, PathId};
use crate::shared::paging::{Paged, Rows};
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::{rules, uuid};
use crate::sm::change::Change;
use crate::sm::{SmServer, access, steps, update};

/// Most rows of the first read: a map may have a thousand objects.
const FIRST: u32 = 16;

/// GET `/trackables`: the objects of the maps that the caller may read, map by map; `limit` counts maps.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn list(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    RawQuery(text): RawQuery,
) -> Result<Response, Refusal> {
    let query = input::query(text.as_deref())?;
    input::features(&query)?;
    let operation = "arf005 trackables";
    let paged = Paged::read(sm.kit(), sm.cursors(), &call, operation, &query, text.as_deref()).await?;
    let paged = paged.reading_first(FIRST);
    let (server, caller) = (sm.clone(), call.clone());
    let around =
        sm.store().read(|tx| Box::pin(async move { access::around(tx, &server, &caller).await })).await?;
    around.check_action(&call, access::READ.action(), None)?;
    let Principal { issuer, subject } = call.caller.principal();
    let filter = maps::Filter {
        held: rules::held(&call.caller),
        issuer,
        subject,
        now_s: around.now_s,
        bounds: sm.limits().search,
        ..maps::Filter::default()
    };
    let fetch = |after, limit| {
        let batch = maps::Filter { after, limit, ..filter.clone() };
        sm.store().read(|tx| {
            Box::pin(async move {
                let maps::Batch { found, next } = maps::discovery::find(tx, &batch).await?;
                Ok(Rows { rows: found, next })
            })
        })
    };
    let who = Subscriber::of(&call);
    let keep = |found: maps::Found| {
        let mut map = access::document(&found.map)?;
        // The same decision as for a single map; what the query selected by classes holds again.
        let Ok(grant) = access::check(&who, &found.map, &map, &around, access::READ) else { return Ok(None) };
        if !grant.owner {
            conceal_map(&mut map, &access::hidden(&who, &found.map, &around, access::READ, grant));
        }
        let objects = map.sm_prof.obj_list.unwrap_or_default();
        let shown: Vec<Trackable> = objects.iter().map(|one| object::shown(found.map.map_id, one)).collect();
        Ok((!shown.is_empty()).then_some(shown))
    };
    let found = paged.fill(fetch, |found| found.map.map_id, |found| found.map.body.len(), keep).await?;
    let link = paged.link(sm.kit(), sm.cursors(), TRACKABLES, &found).await?;
    let trackables: Vec<Trackable> = found.found.into_iter().flat_map(|(_, objects)| objects).collect();
    let body = written(&trackables)?;
    let permit = Permit::new(access::DISCOVER.name)
        .object("spatial-maps")
        .units((trackables.len() as u64).max(1))
        .bytes(body.len() as u64)
        .policy_version(around.policy_version());
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "Spatial map discovery response");
    let mut response = answered(body);
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    Ok(response)
}

/// GET `/trackables/{trackableUUID}`.
///
/// # Errors
/// The stage that refuses; one 404 for an object that is not there and for all of a map that is hidden.
pub(in crate::sm) async fn read(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(of): PathId,
) -> Result<Response, Refusal> {
    let seen = access::read(&sm, &call, &map_of(&of), access::READ).await?;
    let objects = seen.visible().sm_prof.obj_list.unwrap_or_default();
    let found = objects.iter().find(|one| object::uuid(seen.row.map_id, &one.obj_id) == of);
    let found = found.ok_or_else(|| Refusal::hidden(Reason::NotFound))?;
    let body = written(&object::shown(seen.row.map_id, found))?;
    let permit = seen.permit(access::READ, StatusCode::OK).bytes(body.len() as u64);
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "Spatial map information");
    Ok(answered(body))
}

/// POST `/trackables`: an object of the map that the tag `3gpp.mapId` names; the answer is its UUID.
///
/// # Errors
/// The stage that refuses; 409 for a UUID that is the client's choice, or an object that is there.
pub(in crate::sm) async fn create(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    if wanted.uuid.as_deref().is_some_and(|uuid| uuid != NIL_UUID) {
        return Err(Refusal::open(Reason::IdTaken));
    }
    let map = wanted.tag(object::MAP_ID).and_then(|id| id.parse::<u32>().ok());
    let map = map.ok_or_else(|| {
        input::refused(vec![api_types::problem::InvalidParam::new("/keyvalueTags", "names no 3gpp.mapId")])
    })?;
    let id = match wanted.tag(object::OBJECT_ID) {
        Some(id) => id.to_owned(),
        None => format!("arf-{}", sm.kit().ambient.random_id()),
    };
    let made = object::uuid(map, &id);
    edit(&sm, &call, map.to_string(), ObjectEdit::Add(id, Box::new(wanted))).await?;
    Ok(named(made))
}

/// PUT `/trackables`: the UUID is in the body; the map that it lies in stays.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn replace(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    let of = wanted.uuid.clone().unwrap_or_default();
    edit(&sm, &call, map_of(&of), ObjectEdit::Write(of.clone(), Box::new(wanted))).await?;
    Ok(named(of))
}

/// DELETE `/trackables/{trackableUUID}`.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn remove(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(of): PathId,
) -> Result<StatusCode, Refusal> {
    edit(&sm, &call, map_of(&of), ObjectEdit::Remove(of)).await?;
    Ok(StatusCode::OK)
}

/// Changes one object by the code that changes maps: the owner alone.
async fn edit(sm: &SmServer, call: &Call, map: String, edit: ObjectEdit) -> Result<(), Refusal> {
    // To who may read the map, an object that is kept from it or not there is absent; who owns the map is decided next.
    let seen = access::read(sm, call, &map, access::UPDATE).await?;
    if let ObjectEdit::Write(of, _) | ObjectEdit::Remove(of) = &edit {
        let objects = seen.visible().sm_prof.obj_list.unwrap_or_default();
        if !objects.iter().any(|one| object::uuid(seen.row.map_id, &one.obj_id) == *of) {
            return Err(Refusal::hidden(Reason::NotFound));
        }
    }
    let change = Change::Object(edit);
    let _: Response =
        update::changed(sm.clone(), call.clone(), map, HeaderMap::new(), all_members(), change).await?;
    Ok(())
}

/// The path of the map that a UUID may be of; that of no map for what is no UUID.
fn map_of(of: &str) -> String {
    uuid::number(of).unwrap_or(u32::MAX).to_string()
}

async fn body(request: Request) -> Result<Trackable, Refusal> {
    input::typed(input::read(request, input::JSON, |_| {}).await?.body)
}

/// The answer to a write: the UUID as text.
pub(super) fn named(uuid: String) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, "text/plain")], uuid).into_response()
}

pub(super) fn written<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Damaged("an answer cannot be written"))
}

pub(super) fn answered(body: Vec<u8>) -> Response {
    let mut response = (StatusCode::OK, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
