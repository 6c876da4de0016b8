//! Discover spatial maps: GET `/ssm-disc/v1/spatial-maps` (TS 29.437).
//!
//! The permission is part of the query, so that what the caller may not discover influences neither the answers, nor
//! their number, nor the pages. A map is found by an area when a rectangle that covers the map meets one that covers the
//! area; by a point, when the map's own shape holds it.

use std::collections::BTreeSet;

use api_types::geo::{GeographicArea, LocationInfo, Pose, ServiceArea};
use api_types::ids::SpatialMapId;
use api_types::problem::InvalidParam;
use api_types::query::Query;
use api_types::sm::{SpatialMapDiscovered, SpatialMapsDiscFilter, SpatialMapsDiscResp};
use authorization::access_rules::held_by;
use authorization::{Principal, Reason};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderValue, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::spatial_index::GeoBox;
use store::{StoreError, maps};
use url::form_urlencoded;

use crate::shared::cursor::Bound;
use crate::shared::geometry::{Area, LonLat, place_of};
use crate::shared::paging;
use crate::shared::supp_feat::SuppFeat;
use crate::sm::access::{self, Surroundings};
use crate::sm::{DISCOVERY, SmServer, input, steps};

/// Most rows that are read at a time. Own value.
const BATCH: u32 = 1_000;

/// Half a side of the rectangle around a point, in degrees: the grain of positions with seven decimals. Own value.
const POINT_DEG: f64 = 1e-6;

/// A question that was read.
struct Question {
    svc_id: Option<String>,
    layers: Option<Vec<String>>,
    boxes: Option<Vec<GeoBox>>,
    points: Vec<LonLat>,
    features: SuppFeat,
    limit: u32,
    after: Option<u32>,
    bound: Bound,
    pairs: Vec<(String, String)>,
}

/// GET.
pub(super) async fn discover_spatial_maps(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let question = read(&sm, &call, query.as_deref()).await?;
    let surroundings = surroundings(&sm, &call, &question).await?;
    let (found, more) = find(&sm, &call, &question, &surroundings).await?;

    let last = found.last().copied();
    let answer = SpatialMapsDiscResp {
        svc_id: question.svc_id.as_deref().and_then(|id| id.parse().ok()),
        maps_disc: Some(found.iter().map(|id| SpatialMapDiscovered { map_id: SpatialMapId(*id) }).collect()),
        smas_list: None,
        supp_feat: question.features.negotiated().and_then(|bits| bits.to_owned().try_into().ok()),
    };
    let body = serde_json::to_vec(&answer).map_err(|_| StoreError::Damaged("an answer cannot be written"))?;
    let mut permit = Permit::new(access::DISCOVER.name)
        .object("spatial-maps")
        // A search that finds nothing was served all the same.
        .units((found.len() as u64).max(1))
        .bytes(body.len() as u64)
        .policy_version(surroundings.policy_version());
    if let Some(svc_id) = &question.svc_id {
        permit = permit.service(svc_id.as_str());
    }
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "Spatial map discovery response");

    let mut response = (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body).into_response();
    if let (true, Some(last)) = (more, last) {
        let cursor = sm.cursor_key().await?.seal(
            call.ctx.ambient().random_bytes(),
            &question.bound,
            &last.to_string(),
        );
        let cursor = cursor.map_err(|_| StoreError::Damaged("a cursor cannot be sealed"))?;
        let url = format!("{}{DISCOVERY}", sm.kit().origin);
        if let Ok(link) = HeaderValue::try_from(paging::next_link(&url, &question.pairs, &cursor)) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

/// Reads the query.
async fn read(sm: &SmServer, call: &Call, text: Option<&str>) -> Result<Question, Refusal> {
    let query = input::query(text)?;
    let one = |fault| input::bad_query(vec![fault]);
    let features = input::features_of(&query)?;
    let svc_id = query.text("app-svc-id").map_err(one)?;
    let filter: Option<SpatialMapsDiscFilter> = query.valid("map-disc-fltr").map_err(input::bad_query)?;
    let layers = filter.and_then(|filter| filter.map_lyr_list);
    let layers = layers.map(|layers| layers.lyr_list.into_iter().map(|layer| layer.map_lyr_id).collect());
    let (boxes, points) = place(sm, call, &query)?;
    let limit = paging::limit(query.raw("limit"))
        .map_err(|_| one(InvalidParam::new("limit", "must be 1 to 1000")))?;

    let text = text.unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let Principal { issuer, subject } = call.caller.principal();
    let bound = paging::bound("ssm-disc", &[&issuer, &subject, call.caller.client_id.as_str()], &pairs);
    let after = match query.raw("cursor") {
        None => None,
        Some(cursor) => {
            let foreign = || one(InvalidParam::new("cursor", "is not a cursor of this caller and query"));
            let place = sm.cursor_key().await?.open(&bound, cursor).map_err(|_| foreign())?;
            Some(place.parse().map_err(|_| foreign())?)
        }
    };
    Ok(Question { svc_id, layers, boxes, points, features, limit, after, bound, pairs })
}

/// Where a map must be: `loc-info`, `pose` or both. Cells and addresses are no place here.
fn place(sm: &SmServer, call: &Call, query: &Query) -> Result<(Option<Vec<GeoBox>>, Vec<LonLat>), Refusal> {
    let one =
        |name: &'static str, reason: &'static str| input::bad_query(vec![InvalidParam::new(name, reason)]);
    let location: Option<LocationInfo> = query.valid("loc-info").map_err(input::bad_query)?;
    let pose: Option<Pose> = query.valid("pose").map_err(input::bad_query)?;
    let mut boxes = None;
    let mut points = Vec::new();
    if let Some(location) = location {
        let named = location.geographic_area;
        let named = named.ok_or_else(|| one("loc-info", "names no geographic area that can be searched"))?;
        match &named {
            GeographicArea::Point { point } | GeographicArea::PointAltitude { point, .. } => {
                points.push((point.lon, point.lat));
            }
            _ => {
                let area = Area::of(&ServiceArea::of(vec![named]));
                let area =
                    area.map_err(|_| one("loc-info", "names no geographic area that can be searched"))?;
                // An ordinary consumer searches a bounded area (contract, section 7).
                if area.area_m2() > sm.limits().area_m2 {
                    call.ctx.fail("admission", "at most 10,000 square kilometres", "a larger area");
                    return Err(Refusal::open(Reason::AreaTooLarge));
                }
                boxes = Some(area.boxes());
            }
        }
    }
    if let Some(position) = pose.as_ref().and_then(|pose| pose.position.as_ref()) {
        points.push(place_of(position).ok_or_else(|| one("pose", "has a position in no known system"))?);
    }
    // With a point at hand, the area is held against it again below; the index is asked for the narrower of the two.
    if let Some((lon, lat)) = points.first() {
        boxes = Some(vec![GeoBox {
            min_lon: lon - POINT_DEG,
            min_lat: lat - POINT_DEG,
            max_lon: lon + POINT_DEG,
            max_lat: lat + POINT_DEG,
        }]);
    }
    Ok((boxes, points))
}

/// The stage `operator`, for the question as a whole.
async fn surroundings(sm: &SmServer, call: &Call, question: &Question) -> Result<Surroundings, Refusal> {
    let (server, caller) = (sm.clone(), call.clone());
    let read =
        sm.store().read(move |tx| Box::pin(async move { Surroundings::of(tx, &server, &caller).await }));
    let surroundings = read.await?;
    surroundings.check(call, access::DISCOVER, question.svc_id.as_deref(), None).map_err(|reason| {
        call.ctx.fail("operator rules", "none that denies", reason.as_str());
        Refusal::open(reason)
    })?;
    Ok(surroundings)
}

/// The page: at most `limit` maps by identifier, and whether there is one more.
async fn find(
    sm: &SmServer,
    call: &Call,
    question: &Question,
    surroundings: &Surroundings,
) -> Result<(Vec<u32>, bool), Refusal> {
    let wanted = question.limit as usize;
    let Principal { issuer, subject } = call.caller.principal();
    let held: BTreeSet<String> = held_by(&call.caller).iter().map(ToString::to_string).collect();
    let mut filter = maps::Filter {
        held: held.into_iter().collect(),
        issuer,
        subject,
        service_id: question.svc_id.clone(),
        layers: question.layers.clone(),
        boxes: question.boxes.clone(),
        now_s: call.ctx.ambient().now_s(),
        after: question.after,
        limit: (question.limit + 1).min(BATCH),
    };
    let mut page = Vec::with_capacity(wanted.min(256));
    loop {
        let batch = filter.clone();
        let rows = sm
            .store()
            .read(move |tx| Box::pin(async move { maps::discovery::find(tx, &batch).await }))
            .await?;
        let complete = rows.len() < filter.limit as usize;
        filter.after = rows.last().map(|found| found.map.map_id).or(filter.after);
        for found in rows {
            let map_id = found.map.map_id;
            if !holds(&found, &question.points)? {
                continue;
            }
            // The same decision as for a single map; what the query selected by classes holds again.
            if access::decide(call, Some(found.map), surroundings, access::DISCOVER).is_err() {
                continue;
            }
            if page.len() == wanted {
                return Ok((page, true));
            }
            page.push(map_id);
        }
        if complete {
            return Ok((page, false));
        }
    }
}

/// Whether the coverage holds the points that were asked for.
fn holds(found: &maps::Found, points: &[LonLat]) -> Result<bool, StoreError> {
    if points.is_empty() {
        return Ok(true);
    }
    let map = access::document(&found.map)?;
    let area = Area::bounding(&map.sm_prof.map_cov);
    Ok(area.is_some_and(|area| points.iter().all(|point| area.holds(*point))))
}
