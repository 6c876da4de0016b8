//! Create a spatial map: POST `/ssm-smm/v1/spatial-maps` (TS 29.437, TS 23.437 9.3.1).
//!
//! Whoever names a `notifUri` is told when the map is ready: 202, and the callback. Whoever names none gets the map: 201.

use api_types::ids::SpatialMapId;
use api_types::problem::InvalidParam;
use api_types::sm::{SpatialMap, SpatialMapCreateReq, SpatialMapTempResp};
use authorization::Reason;
use authorization::parts::{self, Touched};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::maps::{self, NewBuilding};
use store::publications::Sync;
use store::{Sql, StoreError};

use crate::shared::input::{self, refused};
use crate::shared::publication;
use crate::shared::rules;
use crate::shared::serv_infos;
use crate::shared::subscriptions::standing::{called_back, check_callback};
use crate::shared::supp_feat::SuppFeat;
use crate::sm::access;
use crate::sm::building::Kept;
use crate::sm::input::strip_new;
use crate::sm::record::{Draft, Owner};
use crate::sm::view::{self, Reader};
use crate::sm::{SmServer, build, publish, steps, subscriptions};

/// POST.
pub(super) async fn create_spatial_map(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let input = input::read(request, input::JSON, strip_new).await?;
    let request: SpatialMapCreateReq = input::typed(input.body)?;
    if let Some(infos) = request.map_inf.as_ref().and_then(|inf| inf.aug_lyr_inf.as_ref()) {
        build::check_details(infos, "/mapInf/augLyrInf").map_err(refused)?;
    }
    if let Some(uri) = &request.notif_uri {
        check_callback(sm.hosts(), &call, uri, "/notifUri").await?;
    }
    // Built before anything is kept, so that what cannot be built is refused in the answer, also of a 202.
    let mut map = build::build(SpatialMapId(0), &request, input.features);
    provided(&call, &mut map)?;
    build::boxes(&map, sm.limits().area_m2).map_err(|faults| refused(at_area(faults)))?;

    match request.notif_uri {
        None => created(&sm, &call, map, input.features).await,
        Some(notif_uri) => accepted(&sm, &call, map, notif_uri, input.features).await,
    }
}

/// 201: the map is kept and returned.
async fn created(
    sm: &SmServer,
    call: &Call,
    map: SpatialMap,
    features: SuppFeat,
) -> Result<Response, Refusal> {
    let kept = keep(sm, call, map).await?;
    steps::granted(call, "Spatial map information");
    let reader = Reader { owner: true, features };
    let shown = view::shown(&kept, reader);
    let tag = view::tag(&shown, reader, 1).header();
    let location = sm.location(kept.sm_prof.map_id);
    Ok((StatusCode::CREATED, [(LOCATION, location), (ETAG, tag)], Json(shown)).into_response())
}

/// Keeps a map that was built, under a new number, and records the permit.
///
/// # Errors
/// A rule of the operator; the store failed.
pub(super) async fn keep(sm: &SmServer, call: &Call, map: SpatialMap) -> Result<SpatialMap, Refusal> {
    let (job, by, ids) = (sm.clone(), call.clone(), rules::draws(call.ctx.ambient()));
    let kept: SpatialMap = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let permit = permitted(tx, &job, &by, &map, StatusCode::CREATED).await?;
                let id = take(tx, &ids).await?;
                let mut map = numbered(map, id);
                let owner = Owner::of(&by);
                let sync = job.sync_of(&owner.principal);
                let draft = Draft::of(&map, (&owner, sync), by.ctx.ambient(), job.limits().area_m2);
                let row = draft.map_err(refused)?.classed(tx).await?;
                maps::record::insert(tx, &row, by.ctx.ambient().now_s()).await?;
                publish::changed(&job, tx, id).await?;
                // Others hear of what is only the owner's when it is no longer.
                if sync != Sync::Pending {
                    let trace = Some(by.ctx.trace().trace.to_string());
                    subscriptions::note_ready(tx, by.ctx.ambient(), trace, map.sm_prof.map_id).await?;
                }
                ledger::permit(tx, &by, &permit.object(access::object(id))).await?;
                map.sm_prof.sync_state = publication::shown(sync);
                Ok::<_, Refusal>(map)
            })
        })
        .await?;
    sm.wake_notifier();
    sm.wake_publisher();
    Ok(kept)
}

/// 202: the request is kept, the map is built in the background.
async fn accepted(
    sm: &SmServer,
    call: &Call,
    map: SpatialMap,
    notif_uri: String,
    features: SuppFeat,
) -> Result<Response, Refusal> {
    let (job, by, ids) = (sm.clone(), call.clone(), rules::draws(call.ctx.ambient()));
    let owner = Owner::of(call);
    let client = called_back(call.caller.as_ref()).to_owned();
    let trace = Some(call.ctx.trace().trace.to_string());
    let map_id: u32 = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let permit = permitted(tx, &job, &by, &map, StatusCode::ACCEPTED).await?;
                let waiting =
                    maps::building::count(tx, &owner.principal.issuer, &owner.principal.subject).await?;
                if waiting >= job.limits().builds_per_owner {
                    return Err(Refusal::open(Reason::RateLimited));
                }
                let map_id = take(tx, &ids).await?;
                let asked = NewBuilding {
                    map_id,
                    owner_issuer: owner.principal.issuer,
                    owner_subject: owner.principal.subject,
                    owner_name: owner.name,
                    owner_client: client,
                    notif_uri,
                    request: Kept::of(numbered(map, map_id)).to_text()?,
                    trace,
                };
                maps::building::insert(tx, &asked, by.ctx.ambient().now_s()).await?;
                ledger::permit(tx, &by, &permit.object(access::object(map_id))).await?;
                Ok(map_id)
            })
        })
        .await?;
    sm.wake_builder();
    steps::granted(call, "Spatial map request accepted");
    let answer = SpatialMapTempResp {
        map_id: SpatialMapId(map_id),
        supp_feat: features.negotiated().and_then(|bits| serde_json::from_value(bits.into()).ok()),
    };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// The stage `operator`; the record of what is granted.
async fn permitted(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    map: &SpatialMap,
    status: StatusCode,
) -> Result<Permit, Refusal> {
    let around = access::around(tx, sm, call).await?;
    let service = map.svc_id.as_ref().map(|id| id.as_str());
    around.check_action(call, access::CREATE.action(), service)?;
    let permit = Permit::new(access::CREATE.name)
        .owner(call.ctx.actor().name)
        .policy_version(around.policy_version())
        .status(status.as_u16());
    Ok(match service {
        Some(service) => permit.service(service),
        None => permit,
    })
}

/// Names the provider of each entry of service information: who creates the map.
///
/// # Errors
/// An entry in another's name.
pub(super) fn provided(call: &Call, map: &mut SpatialMap) -> Result<(), Refusal> {
    let mut touched = Touched::default();
    parts::diff_serv_infos(
        "map",
        &[],
        map.sm_prof.serv_infos.as_deref().unwrap_or_default(),
        &mut touched.serv_infos,
    );
    parts::check(&call.caller, true, &touched, |_| true).map_err(Refusal::open)?;
    serv_infos::assign(&mut map.sm_prof.serv_infos, &[], call.caller.client_id.as_str());
    Ok(())
}

/// The first of the identifiers that was never given.
async fn take(tx: &mut dyn Sql, ids: &[u32]) -> Result<u32, Refusal> {
    for id in ids {
        if maps::record::take_id(tx, *id).await? {
            return Ok(*id);
        }
    }
    Err(StoreError::Damaged("no free number for a map").into())
}

fn numbered(mut map: SpatialMap, map_id: u32) -> SpatialMap {
    map.sm_prof.map_id = SpatialMapId(map_id);
    map
}

/// The coverage of a new map is the area of interest of its request.
fn at_area(faults: Vec<InvalidParam>) -> Vec<InvalidParam> {
    let moved = |fault: InvalidParam| InvalidParam { param: "/areaInt".to_owned(), ..fault };
    faults.into_iter().map(moved).collect()
}
