//! Localization (TS 23.437 9.4; TS 29.437 GET `/localization`): where UEs are in a map, as the operator's location source
//! saw them.
//!
//! Where somebody is belongs to that user (FFS-11). A VAL client hears of its own UE and of no other; a VAL server of the
//! UEs in the maps that it owns, each of which a rule of the operator can deny by the name of the UE.

use std::collections::BTreeSet;

use api_types::common_data::ValTargetUe;
use api_types::geo::{GeographicArea, RelativeCartesianLocation, ServiceArea};
use api_types::query::Query;
use api_types::sm::{SpatialMapLocDetails, SpatialMapLocalizeResp};
use authorization::{CallerKind, Reason};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use service_http::call::{Authorized, Call};
use service_http::ledger;
use service_http::refusal::Refusal;
use store::anchors::positions::{self, UePosition};
use store::{Sql, StoreError};

use super::access::{self, LOCALIZE, Seen};
use super::location_source::{self, latest};
use super::{SmServer, steps};
use crate::shared::geometry::{Area, LonLat, centre_of, distance_and_azimuth};
use crate::shared::input;
use crate::shared::surroundings::Surroundings;

/// Most targets of one question, and UEs of one answer. Own value.
const MOST: usize = 1_000;

/// GET.
pub(super) async fn localize(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = input::query(query.as_deref())?;
    let features = input::features(&query)?;
    let bad = input::bad_parameter;
    let map_id = Query::required("map-id", query.integer("map-id").map_err(bad)?).map_err(bad)?;
    let named: Option<ServiceArea> = query.valid("area-int").map_err(input::bad_query)?;
    let area = named.as_ref().map(Area::of).transpose();
    let area =
        area.map_err(|_| input::parameter("area-int", "names no geographic area that can be searched"))?;
    let targets = targets(&query)?;

    let seen = access::read(&sm, &call, &map_id.to_string(), LOCALIZE).await?;
    let wanted = wanted(&call, &seen, targets)?;
    let told = told(&sm, &call, &seen, wanted.as_ref()).await?;
    let (job, by, at) = (sm.clone(), call.clone(), seen.clone());
    let results = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let around = access::around(tx, &job, &by).await?;
                let mut results = Vec::new();
                if let Some(space) = Space::of(&at.map.sm_prof.map_cov, area) {
                    let found = latest(known(tx, &space.coverage, wanted).await?.into_iter().chain(told));
                    results = shown(&by, &at, &around, &space, found);
                }
                let permit = at.permit(LOCALIZE, StatusCode::OK).units((results.len() as u64).max(1));
                ledger::permit(tx, &by, &permit).await?;
                Ok::<_, Refusal>(results)
            })
        })
        .await?;
    steps::granted(&call, "Spatial map localization response");
    let supp_feat = features.negotiated().and_then(|bits| bits.to_owned().try_into().ok());
    Ok(Json(SpatialMapLocalizeResp { results, supp_feat }).into_response())
}

/// `target-id` and `target-ids` together; `None` where neither stands.
fn targets(query: &Query) -> Result<Option<Vec<ValTargetUe>>, Refusal> {
    let one: Option<ValTargetUe> = query.valid("target-id").map_err(input::bad_query)?;
    let many: Option<Vec<ValTargetUe>> = query.json("target-ids").map_err(input::bad_parameter)?;
    if many.as_ref().is_some_and(|many| many.is_empty() || many.len() > MOST) {
        return Err(input::parameter("target-ids", "has too few or too many elements"));
    }
    for target in many.iter().flatten() {
        api_types::validate::Validate::validate(target, "target-ids").map_err(input::bad_query)?;
    }
    let named = one.is_some() || many.is_some();
    Ok(named.then(|| one.into_iter().chain(many.into_iter().flatten()).collect()))
}

/// The UEs that the caller may ask about; `None`: all in the map.
///
/// # Errors
/// `SUBJECT_WRONG`: a VAL client names another user or UE.
fn wanted(
    call: &Call,
    seen: &Seen,
    targets: Option<Vec<ValTargetUe>>,
) -> Result<Option<BTreeSet<String>>, Refusal> {
    let caller = &call.caller;
    if caller.kind == CallerKind::ValClient {
        let is_own = |target: &ValTargetUe| {
            target.val_user_id.as_ref().is_none_or(|user| caller.user.as_ref() == Some(user))
                && target.val_ue_id.as_ref().is_none_or(|ue| caller.ue.as_ref() == Some(ue))
        };
        if !targets.iter().flatten().all(is_own) {
            call.ctx.fail("subject", "targets name the token's user and UE", "somebody else");
            return Err(Refusal::open(Reason::SubjectWrong));
        }
        return Ok(Some(caller.ue.iter().map(|ue| ue.as_str().to_owned()).collect()));
    }
    if !seen.grant.owner {
        // To a reader of the map nobody is in it.
        return Ok(Some(BTreeSet::new()));
    }
    // Which UE a user is at is the issuer's to know.
    let ues = |targets: Vec<ValTargetUe>| {
        targets.into_iter().filter_map(|target| Some(target.val_ue_id?.as_str().to_owned())).collect()
    };
    Ok(targets.map(ues))
}

/// What the location management server says of those who are asked about.
async fn told(
    sm: &SmServer,
    call: &Call,
    seen: &Seen,
    wanted: Option<&BTreeSet<String>>,
) -> Result<Vec<location_source::Seen>, Refusal> {
    let Some(coverage) = Area::bounding(&seen.map.sm_prof.map_cov) else { return Ok(Vec::new()) };
    if wanted.is_some_and(BTreeSet::is_empty) {
        return Ok(Vec::new());
    }
    let mut told = location_source::within(sm, call, &coverage).await?;
    told.retain(|(ue, _)| wanted.is_none_or(|wanted| wanted.contains(ue)));
    Ok(told)
}

/// What the admin interface was told of them.
async fn known(
    tx: &mut dyn Sql,
    coverage: &Area,
    wanted: Option<BTreeSet<String>>,
) -> Result<Vec<location_source::Seen>, StoreError> {
    let mut found = Vec::new();
    match wanted {
        Some(ues) => {
            for ue in ues {
                found.extend(positions::of_ue(tx, &ue).await?.map(|position| (ue, position)));
            }
        }
        None => {
            for part in coverage.boxes() {
                found.extend(positions::within(tx, &part, "", u32::try_from(MOST).unwrap_or(1_000)).await?);
            }
        }
    }
    Ok(found)
}

/// The space that a map describes, of which a question may mean a part.
struct Space {
    coverage: Area,
    origin: LonLat,
    part: Option<Area>,
}

impl Space {
    fn of(coverage: &ServiceArea, part: Option<Area>) -> Option<Self> {
        Some(Self { coverage: Area::bounding(coverage)?, origin: origin(coverage)?, part })
    }

    fn holds(&self, position: &UePosition) -> bool {
        let place = (position.lon, position.lat);
        self.coverage.holds(place) && self.part.as_ref().is_none_or(|part| part.holds(place))
    }
}

fn shown(
    call: &Call,
    seen: &Seen,
    around: &Surroundings,
    space: &Space,
    found: Vec<location_source::Seen>,
) -> Vec<SpatialMapLocDetails> {
    let service = Some(seen.row.service_id.as_str());
    let allowed = |ue: &str| around.check(&call.caller, LOCALIZE.action(), service, &[ue]).is_ok();
    let inside = found.into_iter().filter(|(ue, position)| space.holds(position) && allowed(ue));
    inside.take(MOST).map(|(ue, position)| details(&ue, &position, space.origin)).collect()
}

/// Where the Cartesian system of a map begins, which the answer does not carry: the point of its first shape, or the
/// first corner of a polygon. `x` is east and `y` north of it, in metres.
fn origin(coverage: &ServiceArea) -> Option<LonLat> {
    let point = match coverage.geographic().first()? {
        GeographicArea::Polygon { point_list } => *point_list.first()?,
        GeographicArea::EllipsoidArc { point, .. } => *point,
        shape => centre_of(shape)?,
    };
    Some((point.lon, point.lat))
}

fn details(ue: &str, position: &UePosition, origin: LonLat) -> SpatialMapLocDetails {
    let (distance_m, azimuth_deg) = distance_and_azimuth(origin, (position.lon, position.lat));
    let (sin, cos) = azimuth_deg.to_radians().sin_cos();
    SpatialMapLocDetails {
        target_id: Some(ValTargetUe { val_user_id: None, val_ue_id: ue.try_into().ok() }),
        position: Some(RelativeCartesianLocation {
            x: distance_m * sin,
            y: distance_m * cos,
            z: position.alt,
        }),
        // A position source knows no direction.
        pose: None,
    }
}
