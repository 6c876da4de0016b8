//! Spatial service records: list by cell, read, and what their owner writes.

use api_types::faces::oscp::{OSCP_JSON, ServiceRecord};
use api_types::ids::SpatialMapId;
use authorization::{Principal, Reason};
use axum::extract::{FromRequestParts, Path, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LINK, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::spatial_index::GeoBox;
use store::{StoreError, maps};

use super::{OWN_RECORDS, RECORDS, all_members, cell, mapping};
use crate::shared::data_class::conceal_map;
use crate::shared::geometry::Area;
use crate::shared::input::{self, PathId};
use crate::shared::paging::{Paged, Rows};
use crate::shared::rules;
use crate::shared::subscriptions::standing::Subscriber;
use crate::sm::change::Change;
use crate::sm::view::{self, Reader};
use crate::sm::{SmServer, access, build, create, delete, steps, update};

/// Media types of a body.
const BODIES: &[&str] = &["application/vnd.oscp+json", "application/json"];

/// Most rows of the first read, as in discovery of maps.
const FIRST: u32 = 16;

/// `{country}` and `{ssrId}` of a path.
pub(in crate::sm) struct Place {
    country: String,
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let hidden = || Refusal::hidden(Reason::NotFound);
        let pairs: Path<Vec<(String, String)>> =
            Path::from_request_parts(parts, state).await.map_err(|_| hidden())?;
        let mut place = Self { country: String::new(), id: String::new() };
        for (name, value) in pairs.0 {
            match name.as_str() {
                "country" => place.country = value,
                _ => place.id = value,
            }
        }
        // ISO 3166-1 alpha-2. Where a map is, is said by its area; the code is part of the address only.
        let good = place.country.len() == 2 && place.country.bytes().all(|byte| byte.is_ascii_alphabetic());
        if good { Ok(place) } else { Err(hidden()) }
    }
}

/// GET `/{country}/ssrs?h3Index=`.
///
/// # Errors
/// The stage that refuses; 400 without a cell, or for one that is too large.
pub(in crate::sm) async fn list(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    place: Place,
    RawQuery(text): RawQuery,
) -> Result<Response, Refusal> {
    let query = input::query(text.as_deref())?;
    let bad = || input::parameter("h3Index", "is not a cell of H3");
    let area = query.raw("h3Index").and_then(cell::area).ok_or_else(bad)?;
    if area.area_m2() > sm.limits().area_m2 {
        call.ctx.fail("admission", "at most 10,000 square kilometres", "a larger area");
        return Err(Refusal::open(Reason::AreaTooLarge));
    }
    page(&sm, &call, text.as_deref(), &address(RECORDS, &place), Some(&area)).await
}

/// GET `/{country}/provider/ssrs`: the caller's own.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn list_own(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    place: Place,
    RawQuery(text): RawQuery,
) -> Result<Response, Refusal> {
    page(&sm, &call, text.as_deref(), &address(OWN_RECORDS, &place), None).await
}

/// A page of records that meet an area, or of the caller's own.
async fn page(
    sm: &SmServer,
    call: &Call,
    text: Option<&str>,
    path: &str,
    area: Option<&Area>,
) -> Result<Response, Refusal> {
    let query = input::query(text)?;
    input::features(&query)?;
    let paged = Paged::read(sm.kit(), sm.cursors(), call, path, &query, text).await?.reading_first(FIRST);
    let (server, caller) = (sm.clone(), call.clone());
    let around =
        sm.store().read(|tx| Box::pin(async move { access::around(tx, &server, &caller).await })).await?;
    around.check_action(call, access::DISCOVER.action(), None)?;
    let Principal { issuer, subject } = call.caller.principal();
    let boxes: Option<Vec<GeoBox>> = area.map(Area::search_boxes);
    let filter = maps::Filter {
        held: rules::held(&call.caller),
        issuer,
        subject,
        service_id: None,
        layers: None,
        boxes,
        now_s: around.now_s,
        after: None,
        limit: 0,
        bounds: sm.limits().search,
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
    let who = Subscriber::of(call);
    let keep = |found: maps::Found| {
        let mut map = access::document(&found.map)?;
        let own = found.own;
        // The same decision as for a single map; what the query selected by classes holds again.
        match access::check(&who, &found.map, &map, &around, access::DISCOVER) {
            Ok(grant) if own || area.is_some() => {
                let hidden = access::hidden(&who, &found.map, &around, access::DISCOVER, grant);
                conceal_map(&mut map, &hidden);
                let shown = view::shown(&map, Reader { owner: grant.owner, features: all_members() });
                Ok(record(sm, &shown, around.now_s))
            }
            _ => Ok(None),
        }
    };
    let found = paged.fill(fetch, |found| found.map.map_id, |found| found.map.body.len(), keep).await?;
    let link = paged.link(sm.kit(), sm.cursors(), path, &found).await?;
    let records: Vec<ServiceRecord> = found.found.into_iter().map(|(_, record)| record).collect();
    let body = written(&records)?;
    let permit = Permit::new(access::DISCOVER.name)
        .object("spatial-maps")
        .units((records.len() as u64).max(1))
        .bytes(body.len() as u64)
        .policy_version(around.policy_version());
    ledger::permit_read(sm.store(), call, permit).await?;
    steps::granted(call, "Spatial map discovery response");
    let mut response = answered(StatusCode::OK, body);
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    Ok(response)
}

/// GET `/{country}/ssrs/{ssrId}`.
///
/// # Errors
/// The stage that refuses; 404 also for a map without an area on the Earth.
pub(in crate::sm) async fn read(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    place: Place,
) -> Result<Response, Refusal> {
    let seen = access::read(&sm, &call, &place.id, access::READ).await?;
    let shown = view::shown(&seen.map, Reader { owner: seen.grant.owner, features: all_members() });
    let record = record(&sm, &shown, sm.kit().ambient.now_s());
    let body = written(&record.ok_or_else(|| Refusal::hidden(Reason::NotFound))?)?;
    let permit = seen.permit(access::READ, StatusCode::OK).bytes(body.len() as u64);
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "Spatial map information");
    Ok(answered(StatusCode::OK, body))
}

/// POST `/{country}/ssrs`: a map; the answer is the identifier of the record.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn create(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    if wanted.id.is_some() {
        return Err(Refusal::open(Reason::IdTaken));
    }
    let asked = mapping::request(&wanted).map_err(|fault| input::refused(vec![fault]))?;
    let mut map = build::build(SpatialMapId(0), &asked, all_members());
    create::provided(&call, &mut map)?;
    build::boxes(&map, sm.limits().area_m2).map_err(input::refused)?;
    let kept = create::keep(&sm, &call, map).await?;
    steps::granted(&call, "Spatial map information");
    let id = kept.sm_prof.map_id.to_string();
    let location = format!("{}{}/{id}", sm.kit().origin, address(RECORDS, &place));
    let shown = view::shown(&kept, Reader { owner: true, features: all_members() });
    let record = record(&sm, &shown, sm.kit().ambient.now_s());
    let mut response = answered(StatusCode::CREATED, written(&record)?);
    response.headers_mut().extend(HeaderValue::try_from(location).ok().map(|value| (LOCATION, value)));
    Ok(response)
}

/// PUT `/{country}/ssrs/{ssrId}`: what a record says; what it cannot say stays.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn replace(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    if wanted.id.as_ref().is_some_and(|id| *id != place.id) {
        return Err(input::optional("/id", "is not that of the path"));
    }
    // Only the owner writes a record: a part of it cannot be told from the whole here.
    access::read(&sm, &call, &place.id, access::UPDATE).await?.owner_only()?;
    let patch = mapping::patch(&wanted).map_err(|fault| input::refused(vec![fault]))?;
    let (headers, id) = (HeaderMap::new(), place.id.clone());
    let _: Response =
        update::changed(sm.clone(), call.clone(), id, headers, all_members(), Change::Patch(patch)).await?;
    let seen = access::read(&sm, &call, &place.id, access::UPDATE).await?;
    let shown = view::shown(&seen.map, Reader { owner: true, features: all_members() });
    Ok(answered(StatusCode::OK, written(&record(&sm, &shown, sm.kit().ambient.now_s()))?))
}

/// DELETE `/{country}/ssrs/{ssrId}`: the map, and its payload with it.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn remove(
    state: State<SmServer>,
    call: Authorized,
    place: Place,
) -> Result<StatusCode, Refusal> {
    delete::delete_spatial_map(state, PathId(place.id), call, HeaderMap::new()).await
}

async fn body(request: Request) -> Result<ServiceRecord, Refusal> {
    input::typed(input::read(request, BODIES, |_| {}).await?.body)
}

fn record(sm: &SmServer, shown: &api_types::sm::SpatialMap, now_s: i64) -> Option<ServiceRecord> {
    let active = shown.sm_prof.time_period.is_none_or(|period| period.holds(now_s));
    mapping::shown(shown, sm.location(shown.sm_prof.map_id), active)
}

fn address(path: &str, place: &Place) -> String {
    path.replace("{country}", &place.country)
}

fn written<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Damaged("an answer cannot be written"))
}

fn answered(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OSCP_JSON));
    response
}
