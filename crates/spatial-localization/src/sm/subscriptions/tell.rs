//! From what happened to maps to what subscribers are told.

use api_types::geo::{LocationInfo, ServiceArea};
use api_types::ids::SpatialMapId;
use api_types::sm::{
    MapEvent, MapEventSub, MapObjectChangeReport, MapsReport, SpatialMap, SpatialMapLayers, SpatialMapsNotif,
    SpatialMapsSub, TargetSpatialMaps,
};
use authorization::Principal;
use serde_json::Value;
use service_http::ambient::Ambient;
use service_http::outbox_driver::Decision;
use store::happenings;
use store::maps::{self, MapRow};
use store::outbox::Message;
use store::subscriptions::{self, SubscriptionRow};
use store::{Bounds, Sql, StoreError};

use super::Maps;
use super::diff::{self, Happened};
use crate::shared::data_class::{conceal_map, shows_layer, shows_object};
use crate::shared::geometry::{Area, LonLat, place_of};
use crate::shared::rules;
use crate::shared::subscriptions::Kind;
use crate::shared::subscriptions::notifier::{self, Admitted, PAGE, Told};
use crate::shared::subscriptions::operations::{parsed, written};
use crate::shared::subscriptions::reporting::{Method, Reporting};
use crate::shared::subscriptions::standing::{Rights, Standing, Subscriber};
use crate::shared::surroundings::Surroundings;
use crate::sm::SmServer;
use crate::sm::access;

/// What happened that one transaction takes. Own value.
const HAPPENINGS: u32 = 16;

/// Maps of one first or periodic report. Own value: who wants more discovers.
const MOST: u32 = 100;

/// Notes that a map can be read.
///
/// # Errors
/// The store failed.
pub(in crate::sm) async fn note_ready(
    tx: &mut dyn Sql,
    ambient: &Ambient,
    trace: Option<String>,
    map_id: SpatialMapId,
) -> Result<(), StoreError> {
    diff::note(tx, ambient, trace, &Happened::Ready { map_id }).await
}

/// Whose eyes look at maps.
struct Viewer {
    who: Subscriber,
    around: Surroundings,
}

impl Viewer {
    async fn new(sm: &SmServer, tx: &mut dyn Sql, who: Subscriber) -> Result<Self, StoreError> {
        Ok(Self { around: Surroundings::of(tx, sm.kit(), sm.rules(), &who.caller).await?, who })
    }

    /// The map, if it stands open.
    fn sees(&self, row: &MapRow) -> Result<Option<SpatialMap>, StoreError> {
        let mut map = access::document(row)?;
        let Ok(grant) = access::check(&self.who, row, &map, &self.around, access::READ) else {
            return Ok(None);
        };
        if !grant.owner {
            conceal_map(&mut map, &access::hidden(&self.who, row, &self.around, access::READ, grant));
        }
        Ok(Some(map))
    }
}

impl Viewer {
    /// What is left of a report without the parts that the operator keeps from the subscriber.
    fn left(&self, row: &MapRow, mut report: MapsReport) -> Result<Option<MapsReport>, StoreError> {
        let map = access::document(row)?;
        let Ok(grant) = access::check(&self.who, row, &map, &self.around, access::READ) else {
            return Ok(None);
        };
        let hidden = access::hidden(&self.who, row, &self.around, access::READ, grant);
        let had = report.obj_det.is_some() || report.lyr_det.is_some();
        if let Some(objects) = &mut report.obj_det {
            objects.retain(|one| shows_object(&hidden, &one.obj_inf.obj_id));
        }
        if let Some(layers) = &mut report.lyr_det {
            layers.lyr_list.retain(|layer| shows_layer(&hidden, &layer.map_lyr_id));
        }
        report.obj_det = report.obj_det.filter(|objects| !objects.is_empty());
        report.lyr_det = report.lyr_det.filter(|layers| !layers.lyr_list.is_empty());
        let has = report.obj_det.is_some() || report.lyr_det.is_some();
        Ok((has || !had).then_some(report))
    }
}

/// One round; whether more waits.
///
/// # Errors
/// The store failed.
pub(in crate::sm) async fn round(sm: &SmServer) -> Result<bool, StoreError> {
    let job = sm.clone();
    let (told, more): (bool, bool) = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let taken = happenings::take(tx, HAPPENINGS).await?;
                let more = taken.len() == HAPPENINGS as usize;
                let mut told = false;
                for one in &taken {
                    told |= on_event(tx, &job, &parsed(&one.body)?).await?;
                }
                told |= periodic(tx, &job).await?;
                Ok::<_, StoreError>((told, more))
            })
        })
        .await?;
    if told {
        sm.wake_outbox();
    }
    Ok(more)
}

async fn on_event(tx: &mut dyn Sql, sm: &SmServer, happened: &Happened) -> Result<bool, StoreError> {
    let (Happened::Changed { map_id, .. } | Happened::Ready { map_id }) = happened;
    let Some(map) = maps::record::by_id(tx, map_id.0).await? else { return Ok(false) };
    let now_s = sm.kit().ambient.now_s();
    let mut after = String::new();
    let mut told = false;
    loop {
        let page = subscriptions::page(tx, Maps::FAMILY, &after, now_s, PAGE).await?;
        let Some(last) = page.last() else { return Ok(told) };
        after.clone_from(&last.sub_id);
        for mut row in page {
            told |= tell(tx, sm, &mut row, &map, happened).await?;
        }
    }
}

async fn tell(
    tx: &mut dyn Sql,
    sm: &SmServer,
    row: &mut SubscriptionRow,
    map: &MapRow,
    happened: &Happened,
) -> Result<bool, StoreError> {
    let body: SpatialMapsSub = parsed(&row.body)?;
    let Some(reporting) = reporting(row, &body) else { return Ok(false) };
    if reporting.method != Method::OnEvent || body.svc_id.as_str() != map.service_id {
        return Ok(false);
    }
    let standing = Standing::from_text(&row.standing)?;
    if standing.rights(sm.kit()) == Rights::Ended {
        subscriptions::remove(tx, &row.sub_id).await?;
        return Ok(false);
    }
    let viewer = Viewer::new(sm, tx, standing.subscriber()).await?;
    let Some(seen) = viewer.sees(map)? else { return Ok(false) };
    let meant = |event: &&MapEventSub| means(&event.map_id, &seen);
    let events = body.event_subs.iter().filter(meant);
    let reports: Vec<MapsReport> = events.filter_map(|event| report(event, &seen, happened)).collect();
    if reports.is_empty() {
        return Ok(false);
    }
    let messages = vec![written(&reports)?];
    notifier::queue(tx, sm.kit(), row, &body.notif_uri, &reporting, None, messages).await
}

/// Reports that were held back, as the messages of one occasion.
pub(super) fn gathered(held: &[String]) -> Result<Vec<String>, StoreError> {
    let mut reports: Vec<MapsReport> = Vec::new();
    for body in held {
        reports.extend(parsed::<Vec<MapsReport>>(body)?);
    }
    reports.chunks(MOST as usize).map(|some| written(&some)).collect()
}

/// What an event tells of what happened; `None`: nothing of it.
fn report(event: &MapEventSub, map: &SpatialMap, happened: &Happened) -> Option<MapsReport> {
    let filter = event.evnt_fltr.as_ref();
    let mut report = MapsReport {
        map_ids: vec![map.sm_prof.map_id],
        event: event.event.clone(),
        obj_det: None,
        lyr_det: None,
    };
    match (&event.event, happened) {
        (MapEvent::SpatialMapReady, Happened::Ready { .. }) => Some(report),
        (MapEvent::ChangeOfObjects, Happened::Changed { objects, .. }) => {
            let wanted = filter.and_then(|filter| filter.obj_list.as_ref());
            let is_wanted = |one: &&MapObjectChangeReport| {
                wanted.is_none_or(|wanted| wanted.contains(&one.obj_inf.obj_id))
            };
            let objects: Vec<_> = objects.iter().filter(is_wanted).cloned().collect();
            report.obj_det = (!objects.is_empty()).then_some(objects);
            report.obj_det.is_some().then_some(report)
        }
        (MapEvent::LayersModification, Happened::Changed { layers, .. }) => {
            let wanted = filter.and_then(|filter| filter.layers.as_ref());
            let is_wanted = |id: &String| wanted.is_none_or(|wanted| wanted.contains(id));
            let lyr_list: Vec<_> =
                layers.iter().filter(|layer| is_wanted(&layer.map_lyr_id)).cloned().collect();
            report.lyr_det = (!lyr_list.is_empty()).then_some(SpatialMapLayers { lyr_list });
            report.lyr_det.is_some().then_some(report)
        }
        _ => None,
    }
}

/// The geographic area of a location, if it names one.
pub(super) fn area_of(location: Option<&LocationInfo>) -> Option<ServiceArea> {
    Some(ServiceArea::of(vec![location?.geographic_area.clone()?]))
}

/// Whether a target means a map: one of those that are named, and where it is asked for.
fn means(target: &TargetSpatialMaps, map: &SpatialMap) -> bool {
    let named = target.map_ids.as_ref().is_none_or(|ids| ids.contains(&map.sm_prof.map_id));
    let coverage = Area::bounding(&map.sm_prof.map_cov);
    let meets = |area: &ServiceArea| {
        let (Some(coverage), Ok(area)) = (&coverage, Area::of(area)) else { return false };
        let boxes = area.boxes();
        coverage.boxes().iter().any(|own| {
            boxes.iter().any(|other| {
                own.min_lon <= other.max_lon
                    && other.min_lon <= own.max_lon
                    && own.min_lat <= other.max_lat
                    && other.min_lat <= own.max_lat
            })
        })
    };
    let holds = |place: LonLat| coverage.as_ref().is_some_and(|coverage| coverage.holds(place));
    let pose = target.pose.as_ref().map(|pose| pose.position.as_ref().and_then(place_of));
    named
        && target.area.as_ref().is_none_or(meets)
        && target.loc_info.as_ref().is_none_or(|at| area_of(Some(at)).is_some_and(|area| meets(&area)))
        && pose.is_none_or(|place| place.is_some_and(holds))
}

/// What is the case now, for a first and for a periodic report.
async fn now(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    body: &SpatialMapsSub,
) -> Result<Vec<MapsReport>, StoreError> {
    let Principal { issuer, subject } = viewer.who.caller.principal();
    let mut reports = Vec::new();
    for event in &body.event_subs {
        let target = &event.map_id;
        let area = target.area.clone().or_else(|| area_of(target.loc_info.as_ref()));
        let mut rows = Vec::new();
        match &target.map_ids {
            Some(ids) => {
                for id in ids {
                    rows.extend(maps::record::by_id(tx, id.0).await?);
                }
            }
            None => {
                let filter = maps::Filter {
                    held: rules::held(&viewer.who.caller),
                    issuer: issuer.clone(),
                    subject: subject.clone(),
                    service_id: Some(body.svc_id.as_str().to_owned()),
                    layers: None,
                    boxes: area.and_then(|area| Area::of(&area).ok()).map(|area| area.boxes()),
                    now_s: viewer.around.now_s,
                    after: None,
                    limit: MOST,
                    bounds: Bounds::default(),
                };
                rows.extend(
                    maps::discovery::find(tx, &filter).await?.found.into_iter().map(|found| found.map),
                );
            }
        }
        for row in rows.iter().filter(|row| row.service_id == body.svc_id.as_str()) {
            let Some(map) = viewer.sees(row)?.filter(|map| means(target, map)) else { continue };
            let all = match event.event {
                MapEvent::SpatialMapReady => Happened::Ready { map_id: map.sm_prof.map_id },
                _ => everything(&map),
            };
            reports.extend(report(event, &map, &all));
        }
    }
    Ok(reports)
}

/// The objects and layers of a map, none of them changed.
fn everything(map: &SpatialMap) -> Happened {
    let objects = map.sm_prof.obj_list.iter().flatten();
    Happened::Changed {
        map_id: map.sm_prof.map_id,
        objects: objects
            .map(|object| MapObjectChangeReport { obj_inf: object.clone(), obj_chg_evnt: None })
            .collect(),
        layers: map.sm_prof.map_lyr_list.lyr_list.clone(),
    }
}

/// The first report, on the wire.
pub(super) async fn first(
    sm: &SmServer,
    tx: &mut dyn Sql,
    subscriber: &Subscriber,
    sub_id: &str,
    body: &SpatialMapsSub,
) -> Result<Option<Value>, StoreError> {
    let viewer = Viewer::new(sm, tx, subscriber.clone()).await?;
    let reports = now(tx, &viewer, body).await?;
    if reports.is_empty() {
        return Ok(None);
    }
    notif(sub_id, reports).map(Some)
}

fn notif(sub_id: &str, reports: Vec<MapsReport>) -> Result<Value, StoreError> {
    serde_json::to_value(SpatialMapsNotif { sub_id: sub_id.to_owned(), reports })
        .map_err(|_| StoreError::Damaged("a report cannot be written"))
}

async fn periodic(tx: &mut dyn Sql, sm: &SmServer) -> Result<bool, StoreError> {
    let mut told = false;
    for mut row in subscriptions::due(tx, sm.kit().ambient.now_s(), PAGE).await? {
        let body: SpatialMapsSub = parsed(&row.body)?;
        let standing = Standing::from_text(&row.standing)?;
        let (Some(reporting), true) = (reporting(&row, &body), standing.rights(sm.kit()) != Rights::Ended)
        else {
            subscriptions::remove(tx, &row.sub_id).await?;
            continue;
        };
        if reporting.method == Method::OnEvent {
            // What was gathered goes; muted meanwhile, it waits.
            if !reporting.flow.holds() {
                let uri = &body.notif_uri;
                told |= notifier::let_go::<Maps>(tx, sm.kit(), &mut row, uri, &reporting).await?;
            } else {
                row.next_s = None;
                subscriptions::reported(tx, &row).await?;
            }
            continue;
        }
        let viewer = Viewer::new(sm, tx, standing.subscriber()).await?;
        let reports = now(tx, &viewer, &body).await?;
        let messages = if reports.is_empty() { Vec::new() } else { vec![written(&reports)?] };
        let due_s = row.next_s;
        told |= notifier::queue(tx, sm.kit(), &mut row, &body.notif_uri, &reporting, due_s, messages).await?;
    }
    Ok(told)
}

fn reporting(row: &SubscriptionRow, body: &SpatialMapsSub) -> Option<Reporting> {
    Reporting::read(body.report_req.as_ref(), body.exp_time, row.created_s).ok()
}

/// Decides about a message: of a map that was hidden meanwhile nothing is told.
///
/// # Errors
/// The store failed.
pub(in crate::sm) async fn decide(
    sm: &SmServer,
    admitted: Admitted,
    message: &Message,
) -> Result<Decision, StoreError> {
    let kept: Vec<MapsReport> = parsed(&message.body)?;
    let (server, subscriber) = (sm.clone(), admitted.subscriber);
    let read = sm.store().read(move |tx| {
        Box::pin(async move {
            let viewer = Viewer::new(&server, tx, subscriber).await?;
            let mut reports = Vec::new();
            for report in kept {
                let Some(id) = report.map_ids.first() else { continue };
                let Some(row) = maps::record::by_id(tx, id.0).await? else { continue };
                if viewer.sees(&row)?.is_some() {
                    reports.extend(viewer.left(&row, report)?);
                }
            }
            Ok((reports, viewer.around.policy_version()))
        })
    });
    let (reports, policy_version) = read.await?;
    if reports.is_empty() {
        return Ok(Decision::Drop);
    }
    let units = reports.len() as u64;
    let body = notif(&admitted.row.sub_id, reports)?;
    let told = Told { body, units, action: "sm.subscription.notify", policy_version };
    notifier::send(sm.kit(), Some(sm.hosts()), message, &admitted.row, told).await
}
