//! Discover spatial maps: GET `/ssm-disc/v1/spatial-maps` (TS 29.437).
//!
//! The permission is part of the query, so that what the caller may not discover influences neither the answers, nor
//! their number, nor the pages. A map is found by an area when a rectangle that covers the map meets one that covers the
//! area; by a point, when the map's own shape holds it.

use api_types::geo::{GeographicArea, LocationInfo, Pose, ServiceArea};
use api_types::ids::SpatialMapId;
use api_types::query::Query;
use api_types::sm::{
    SMASProfile, SMASReg, SpatialMap, SpatialMapDiscovered, SpatialMapsDiscFilter, SpatialMapsDiscResp,
};
use authorization::capif::details::Action as Granted;
use authorization::{Principal, Reason};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, LINK};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::spatial_index::GeoBox;
use store::{StoreError, maps, registrations};

use crate::shared::data_class::shows_layer;
use crate::shared::geometry::{Area, LonLat, canonical, place_of};
use crate::shared::grants;
use crate::shared::input;
use crate::shared::paging::{Page, Paged, Rows};
use crate::shared::registrations::{Registry as _, parsed};
use crate::shared::rules;
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::surroundings::Surroundings;
use crate::sm::registrations::Servers;
use crate::sm::{DISCOVERY, SmServer, access, steps};

/// Half a side of the rectangle around a point, in degrees: the grain of positions with seven decimals. Own value.
const POINT_DEG: f64 = 1e-6;

/// Most maps of the first read: a map may have a document of some megabytes. Own value.
const FIRST: u32 = 16;

/// Servers of maps that are looked at. Own value.
const SERVERS: u32 = 1_000;

/// A question that was read.
struct Question {
    svc_id: Option<String>,
    layers: Option<Vec<String>>,
    boxes: Option<Vec<GeoBox>>,
    place: Place,
    features: SuppFeat,
    paged: Paged,
}

/// What the coverage of a map is held against, beyond the index.
#[derive(Default)]
struct Place {
    /// Points, all of which it must hold.
    points: Vec<LonLat>,
    /// Boxes, any of which it must meet, where the index was asked for a point instead.
    boxes: Option<Vec<GeoBox>>,
}

/// GET.
pub(super) async fn discover_spatial_maps(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let question = read(&sm, &call, query.as_deref()).await?;
    let around = around(&sm, &call, &question).await?;
    let page = find(&sm, &call, &question, &around).await?;

    let link = question.paged.link(sm.kit(), sm.cursors(), DISCOVERY, &page).await?;
    let ids: Vec<SpatialMapId> = page.found.iter().map(|(id, ())| SpatialMapId(*id)).collect();
    let answer = SpatialMapsDiscResp {
        svc_id: question.svc_id.as_deref().and_then(|id| id.parse().ok()),
        maps_disc: Some(ids.iter().map(|id| SpatialMapDiscovered { map_id: *id }).collect()),
        smas_list: servers(&sm, &ids).await?,
        supp_feat: question.features.negotiated().and_then(|bits| bits.to_owned().try_into().ok()),
    };
    let body = serde_json::to_vec(&answer).map_err(|_| StoreError::Damaged("an answer cannot be written"))?;
    let mut permit = Permit::new(access::DISCOVER.name)
        .object("spatial-maps")
        // A search that finds nothing was served all the same.
        .units((page.found.len() as u64).max(1))
        .bytes(body.len() as u64)
        .policy_version(around.policy_version());
    if let Some(svc_id) = &question.svc_id {
        permit = permit.service(svc_id.as_str());
    }
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "Spatial map discovery response");

    let mut response = (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// The servers that offer a map of this page, as far as they do: of a map that the caller may not discover nothing is
/// told, whoever says that he offers it.
async fn servers(sm: &SmServer, ids: &[SpatialMapId]) -> Result<Option<Vec<SMASProfile>>, StoreError> {
    let now_s = sm.kit().ambient.now_s();
    let read = sm.store().read(|tx| {
        Box::pin(async move { registrations::page(tx, Servers::FAMILY, "", now_s, SERVERS).await })
    });
    let mut servers = Vec::new();
    for row in read.await? {
        let mut profile = parsed::<SMASReg>(&row.body)?.profile;
        profile.spat_map_info_list.retain(|offered| ids.contains(&offered.map_id));
        if !profile.spat_map_info_list.is_empty() {
            servers.push(profile);
        }
    }
    Ok((!servers.is_empty()).then_some(servers))
}

/// Reads the query.
async fn read(sm: &SmServer, call: &Call, text: Option<&str>) -> Result<Question, Refusal> {
    let query = input::query(text)?;
    let filter: Option<SpatialMapsDiscFilter> = query.valid("map-disc-fltr").map_err(input::bad_query)?;
    let layers = filter.and_then(|filter| filter.map_lyr_list);
    let layers = layers.map(|layers| layers.lyr_list.into_iter().map(|layer| layer.map_lyr_id).collect());
    let (boxes, place) = place(sm, call, &query)?;
    Ok(Question {
        svc_id: query.text("app-svc-id").map_err(input::bad_parameter)?,
        layers,
        boxes,
        place,
        features: input::features(&query)?,
        paged: Paged::read(sm.kit(), sm.cursors(), call, "ssm-disc", &query, text)
            .await?
            .reading_first(FIRST),
    })
}

/// Where a map must be: `loc-info`, `pose` or both. Cells and addresses are no place here.
fn place(sm: &SmServer, call: &Call, query: &Query) -> Result<(Option<Vec<GeoBox>>, Place), Refusal> {
    let unsearchable = || input::parameter("loc-info", "names no geographic area that can be searched");
    let location: Option<LocationInfo> = query.valid("loc-info").map_err(input::bad_query)?;
    let pose: Option<Pose> = query.valid("pose").map_err(input::bad_query)?;
    let mut boxes = None;
    let mut points = Vec::new();
    if let Some(location) = location {
        let named = location.geographic_area.ok_or_else(unsearchable)?;
        match &named {
            GeographicArea::Point { point } | GeographicArea::PointAltitude { point, .. } => {
                points.push(canonical((point.lon, point.lat)));
            }
            _ => {
                let area = Area::of(&ServiceArea::of(vec![named])).map_err(|_| unsearchable())?;
                // An ordinary consumer searches a bounded area (contract, section 7).
                if area.area_m2() > sm.limits().area_m2 {
                    call.ctx.fail("admission", "at most 10,000 square kilometres", "a larger area");
                    return Err(Refusal::open(Reason::AreaTooLarge));
                }
                boxes = Some(area.search_boxes());
            }
        }
    }
    if let Some(position) = pose.as_ref().and_then(|pose| pose.position.as_ref()) {
        points.push(
            place_of(position)
                .ok_or_else(|| input::parameter("pose", "has a position in no known system"))?,
        );
    }
    // With a point at hand, the area is held against it again below; the index is asked for the narrower of the two.
    let mut place = Place { points, boxes: None };
    if let Some((lon, lat)) = place.points.first() {
        place.boxes = boxes.replace(vec![GeoBox {
            min_lon: lon - POINT_DEG,
            min_lat: lat - POINT_DEG,
            max_lon: lon + POINT_DEG,
            max_lat: lat + POINT_DEG,
        }]);
    }
    Ok((boxes, place))
}

/// What decides; the stage `operator`, for the question as a whole.
async fn around(sm: &SmServer, call: &Call, question: &Question) -> Result<Surroundings, Refusal> {
    let (server, caller) = (sm.clone(), call.clone());
    let read = sm.store().read(|tx| Box::pin(async move { access::around(tx, &server, &caller).await }));
    let around = read.await?;
    around.check_action(call, access::DISCOVER.action(), question.svc_id.as_deref())?;
    Ok(around)
}

async fn find(
    sm: &SmServer,
    call: &Call,
    question: &Question,
    around: &Surroundings,
) -> Result<Page<()>, StoreError> {
    let Principal { issuer, subject } = call.caller.principal();
    let filter = maps::Filter {
        held: rules::held(&call.caller),
        issuer,
        subject,
        service_id: question.svc_id.clone(),
        layers: question.layers.clone(),
        boxes: question.boxes.clone(),
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
        let map = access::document(&found.map)?;
        // The same decision as for a single map; what the query selected by classes holds again.
        let Ok(grant) = access::check(&who, &found.map, &map, around, access::DISCOVER) else {
            return Ok(None);
        };
        // A layer that the reader is not shown cannot be searched for either.
        let hidden = access::hidden(&who, &found.map, around, access::DISCOVER, grant);
        let has = |wanted: &Vec<String>| {
            let layers = &map.sm_prof.map_lyr_list.lyr_list;
            let shown = layers.iter().filter(|layer| shows_layer(&hidden, &layer.map_lyr_id));
            shown.map(|layer| &layer.map_lyr_id).any(|layer| wanted.contains(layer))
        };
        let layers = question.layers.as_ref().is_none_or(has)
            && grants::names_map(call, found.map.map_id, Granted::Discover);
        Ok((layers && holds(&map, &question.place)).then_some(()))
    };
    question.paged.fill(fetch, |found| found.map.map_id, |found| found.map.body.len(), keep).await
}

/// Whether the coverage is where it was asked for.
fn holds(map: &SpatialMap, place: &Place) -> bool {
    if place.points.is_empty() {
        return true;
    }
    let Some(area) = Area::bounding(&map.sm_prof.map_cov) else { return false };
    let meets = |a: &GeoBox, b: &GeoBox| {
        a.min_lon <= b.max_lon && b.min_lon <= a.max_lon && a.min_lat <= b.max_lat && b.min_lat <= a.max_lat
    };
    let near =
        |boxes: &Vec<GeoBox>| area.boxes().iter().any(|own| boxes.iter().any(|asked| meets(own, asked)));
    place.points.iter().all(|point| area.holds(*point)) && place.boxes.as_ref().is_none_or(near)
}
