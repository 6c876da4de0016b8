//! What a subscriber would be told if it looked now: anchors by number, around a place, and UEs around anchors.

use std::collections::{BTreeMap, BTreeSet};

use api_types::san::{
    AnchorEvent, AnchorFilter, AnchorsEventsSub, DetectedEvent, SpatialAnchorProfile, SpatialAnchorsSub,
};
use authorization::Principal;
use store::anchors::in_range::{self, Part};
use store::anchors::own::{self, Own};
use store::anchors::{Filter, Found, discovery, positions};
use store::{Sql, StoreError};

use super::State;
use super::range;
use super::report::{KeptReport, Near};
use crate::san::access::{Access, Viewer};
use crate::san::shown;
use crate::san::stored::{self, Anchor};
use crate::shared::geometry::{Area, Ellipse, GeoBox, LonLat, distance_and_azimuth};
use crate::shared::rules;
use crate::shared::supp_feat::SuppFeat;

/// Anchors, or UEs, that one look takes in. Own value: who wants more discovers.
const MOST: u32 = 1_000;

/// Searches that one look makes at most, each bounded by itself. Own value.
const BATCHES: usize = 16;

/// An anchor that the viewer may discover.
pub(in crate::san) struct Seen {
    pub(in crate::san) anchor: Anchor,
    pub(in crate::san) access: Access,
    serv_info: String,
}

impl Seen {
    pub(super) fn profile(&self, feat: SuppFeat) -> Result<SpatialAnchorProfile, StoreError> {
        Ok(SpatialAnchorProfile {
            anch_info: shown::anchor(&self.anchor, &self.access, feat),
            val_svc_inf: stored::parsed(&self.serv_info)?,
        })
    }

    fn id(&self) -> u32 {
        self.anchor.row.anchor_id
    }
}

/// What the viewer may discover of these.
pub(in crate::san) async fn by_ids(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    ids: &BTreeSet<u32>,
) -> Result<BTreeMap<u32, Seen>, StoreError> {
    let mut seen = BTreeMap::new();
    let ids: Vec<u32> = ids.iter().copied().collect();
    for some in ids.chunks(MOST as usize) {
        let found = find(tx, viewer, |filter| filter.anchor_ids = Some(some.to_vec())).await?;
        seen.extend(found.into_iter().map(|seen| (seen.id(), seen)));
    }
    Ok(seen)
}

/// Anchors that the viewer may discover, as far as the bounds of a search allow.
async fn find(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    narrow: impl FnOnce(&mut Filter),
) -> Result<Vec<Seen>, StoreError> {
    let caller = &*viewer.who.caller;
    let mut filter = Filter {
        held: rules::held(caller),
        owner_key: rules::owner_key(&caller.principal()),
        now_s: viewer.around.now_s,
        limit: MOST,
        ..Filter::default()
    };
    narrow(&mut filter);
    let mut all = Vec::new();
    for _ in 0..BATCHES {
        let batch = discovery::find(tx, &filter).await?;
        for found in batch.found {
            all.extend(seen(viewer, found)?);
        }
        filter.after = batch.next;
        if batch.next.is_none() || all.len() >= MOST as usize {
            break;
        }
    }
    all.truncate(MOST as usize);
    Ok(all)
}

/// The viewer's own anchors.
async fn find_own(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    narrow: impl FnOnce(&mut Own),
) -> Result<Vec<Seen>, StoreError> {
    let owner_key = rules::owner_key(&viewer.who.caller.principal());
    let mut filter = Own { owner_key, limit: MOST, ..Own::default() };
    narrow(&mut filter);
    let found = own::find(tx, &filter).await?;
    found.into_iter().filter_map(|found| seen(viewer, found).transpose()).collect()
}

fn seen(viewer: &Viewer, found: Found) -> Result<Option<Seen>, StoreError> {
    let anchor = Anchor::of(found.anchor, Principal::new(found.owner_issuer, found.owner_subject))?;
    // The same decision as for a discovery; what the query selected by classes holds again.
    let Ok(access) = viewer.access(&anchor) else { return Ok(None) };
    Ok(Some(Seen { anchor, access, serv_info: found.serv_info }))
}

/// Whether the filter of anchors lets an anchor pass.
pub(super) fn passes(filter: Option<&AnchorFilter>, anchor: &Anchor) -> bool {
    let Some(filter) = filter else { return true };
    let id = filter.anch_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id.0 == anchor.row.anchor_id));
    let service =
        filter.svc_ids.as_ref().is_none_or(|ids| ids.iter().any(|id| id.as_str() == anchor.row.service_id));
    let area = filter
        .area_int
        .as_ref()
        .is_none_or(|area| Area::of(area).is_ok_and(|area| anchor.row.at.is_some_and(|at| area.holds(at))));
    id && service && area
}

/// The anchors that a filter means, as far as the viewer may discover them.
async fn meant(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    filter: Option<&AnchorFilter>,
    own: bool,
) -> Result<Vec<Seen>, StoreError> {
    let ids = filter.and_then(|filter| filter.anch_ids.as_ref());
    let ids: Option<Vec<u32>> = ids.map(|ids| ids.iter().map(|id| id.0).collect());
    let area = filter.and_then(|filter| filter.area_int.as_ref()).and_then(|area| Area::of(area).ok());
    let services = filter.and_then(|filter| filter.svc_ids.as_ref());
    let services: Vec<Option<String>> = match services {
        Some(ids) => ids.iter().map(|id| Some(id.as_str().to_owned())).collect(),
        None => vec![None],
    };
    let mut all = Vec::new();
    for service in services {
        let boxes = area.as_ref().map(Area::boxes);
        let found = match own {
            true => {
                let narrow = |query: &mut Own| {
                    (query.anchor_ids, query.boxes, query.service_id) = (ids.clone(), boxes, service);
                };
                find_own(tx, viewer, narrow).await?
            }
            false => {
                let narrow = |query: &mut Filter| {
                    (query.anchor_ids, query.boxes, query.service_id) = (ids.clone(), boxes, service);
                };
                find(tx, viewer, narrow).await?
            }
        };
        all.extend(found.into_iter().filter(|seen| passes(filter, &seen.anchor)));
    }
    all.truncate(MOST as usize);
    Ok(all)
}

/// What is the case now, event by event: for a first and for a periodic report. With `remember`, what is in range is
/// remembered, so that only the next crossing is told.
pub(super) async fn now(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    sub_id: &str,
    body: &SpatialAnchorsSub,
    state: &mut State,
    remember: bool,
) -> Result<Vec<KeptReport>, StoreError> {
    let mut reports = Vec::new();
    for (number, event) in (0_u32..).zip(&body.event_subs) {
        let part = Part { sub_id, part: number };
        match event.event {
            AnchorEvent::Discovery => {
                let meant = meant(tx, viewer, event.evnt_fltr.anchr_fltr.as_ref(), false).await?;
                let anchors = meant.iter().map(Seen::id).collect();
                reports.push(KeptReport::of(AnchorEvent::Discovery, None).anchors(anchors));
            }
            AnchorEvent::InRange if remember => {
                reports.extend(around_user(tx, viewer, part, event, state).await?);
            }
            AnchorEvent::InRange => {
                let Some((_, place)) = centre(viewer, event) else { continue };
                let near = near(tx, viewer, event, place, false).await?;
                let anchors = near.iter().filter(|(_, is)| is(false)).map(|(id, _)| *id).collect();
                let event = KeptReport::of(AnchorEvent::InRange, Some(DetectedEvent::AnchorInRangeOfUe));
                reports.push(event.anchors(anchors));
            }
            AnchorEvent::UeInterest => {
                let own = meant(tx, viewer, event.evnt_fltr.anchr_fltr.as_ref(), true).await?;
                reports.extend(around_anchors(tx, part, event, &own, remember).await?);
            }
            AnchorEvent::Other(_) => {}
        }
    }
    reports.retain(|report| !(report.anchors.is_empty() && report.ues.is_empty()));
    Ok(reports)
}

/// Where a search for anchors in range begins: the name of the UE, which is empty for a place that was named.
fn centre(viewer: &Viewer, event: &AnchorsEventsSub) -> Option<(String, LonLat)> {
    let filter = event.evnt_fltr.rng_fltr.as_ref()?;
    if let Some(place) = range::place_of(filter) {
        return Some((String::new(), place));
    }
    let ue = viewer.who.caller.ue.as_ref()?;
    Some((ue.as_str().to_owned(), viewer.around.place?))
}

/// Anchors around a place that may be in range: of each whether it is, given whether it was.
async fn near(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    event: &AnchorsEventsSub,
    place: LonLat,
    own: bool,
) -> Result<Vec<(u32, impl Fn(bool) -> bool + use<>)>, StoreError> {
    let filter = &event.evnt_fltr;
    let range_m = match own {
        true => filter.ue_fltr.as_ref().map_or(0.0, |ue| ue.rng_val),
        false => filter.rng_fltr.as_ref().map_or(0.0, |range| range.app_rng),
    };
    let boxes = Some(boxes(place, range_m));
    let found = match own {
        true => find_own(tx, viewer, |query| query.boxes = boxes).await?,
        false => find(tx, viewer, |query| query.boxes = boxes).await?,
    };
    let passing = found.into_iter().filter(|seen| passes(filter.anchr_fltr.as_ref(), &seen.anchor));
    let near = passing.filter_map(|seen| {
        let (distance_m, _) = distance_and_azimuth(place, seen.anchor.row.at?);
        Some((seen.id(), move |was_in| range::is_in(distance_m, range_m, was_in)))
    });
    Ok(near.collect())
}

fn boxes(place: LonLat, range_m: f64) -> Vec<GeoBox> {
    // A little more than nothing, so that a box holds its own centre whatever was rounded.
    Ellipse::circle(place, range::reach_m(range_m).max(1.0)).boxes()
}

/// Anchors that came into range of the user, or left it, since the last look.
pub(super) async fn around_user(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    part: Part<'_>,
    event: &AnchorsEventsSub,
    state: &mut State,
) -> Result<Vec<KeptReport>, StoreError> {
    let persistent = event.evnt_fltr.rng_fltr.as_ref().is_some_and(|range| range.per_srch);
    if state.done.contains(&part.part) {
        return Ok(Vec::new());
    }
    let Some((ue, place)) = centre(viewer, event) else { return Ok(Vec::new()) };
    let before = in_range::of_ue(tx, part, &ue).await?;
    let near = near(tx, viewer, event, place, false).await?;
    let inside: BTreeSet<u32> =
        near.iter().filter(|(id, is)| is(before.contains(id))).map(|(id, _)| *id).collect();
    let entered: Vec<u32> = inside.difference(&before).copied().collect();
    let left: Vec<u32> = before.difference(&inside).copied().collect();
    for anchor_id in &entered {
        in_range::enter(tx, part, &ue, *anchor_id).await?;
    }
    for anchor_id in &left {
        in_range::leave(tx, part, &ue, *anchor_id).await?;
    }
    // Not persistent: the search is over with what it has found.
    if !persistent && !entered.is_empty() {
        state.done.push(part.part);
    }
    let report = |det, anchors: Vec<u32>| KeptReport::of(AnchorEvent::InRange, Some(det)).anchors(anchors);
    let mut reports = vec![report(DetectedEvent::AnchorInRangeOfUe, entered)];
    if persistent {
        reports.push(report(DetectedEvent::AnchorOutRangeOfUe, left));
    }
    reports.retain(|report| !report.anchors.is_empty());
    Ok(reports)
}

/// Own anchors that a UE came near to, or left, since the last look.
pub(super) async fn around_ue(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    part: Part<'_>,
    event: &AnchorsEventsSub,
    ue: &str,
) -> Result<Vec<KeptReport>, StoreError> {
    let Some(position) = positions::of_ue(tx, ue).await? else { return Ok(Vec::new()) };
    let place = (position.lon, position.lat);
    let before = in_range::of_ue(tx, part, ue).await?;
    let near = near(tx, viewer, event, place, true).await?;
    let inside: BTreeSet<u32> =
        near.iter().filter(|(id, is)| is(before.contains(id))).map(|(id, _)| *id).collect();
    let mut crossings = Crossings::default();
    let anchors = by_ids(tx, viewer, &inside).await?;
    for anchor_id in inside.difference(&before) {
        in_range::enter(tx, part, ue, *anchor_id).await?;
        let at = anchors.get(anchor_id).and_then(|seen| seen.anchor.row.at);
        let range_m = at.map(|at| distance_and_azimuth(place, at).0);
        crossings.entered.push(Near { ue: ue.to_owned(), anchor_id: *anchor_id, range_m });
    }
    for anchor_id in before.difference(&inside) {
        in_range::leave(tx, part, ue, *anchor_id).await?;
        crossings.left.push(Near { ue: ue.to_owned(), anchor_id: *anchor_id, range_m: None });
    }
    Ok(crossings.reports())
}

/// UEs that are near own anchors: with `remember` the crossings since the last look, else all.
pub(super) async fn around_anchors(
    tx: &mut dyn Sql,
    part: Part<'_>,
    event: &AnchorsEventsSub,
    own: &[Seen],
    remember: bool,
) -> Result<Vec<KeptReport>, StoreError> {
    let range_m = event.evnt_fltr.ue_fltr.as_ref().map_or(0.0, |ue| ue.rng_val);
    let mut crossings = Crossings::default();
    for seen in own.iter().filter(|seen| seen.access.owner) {
        let anchor_id = seen.id();
        let before = match remember {
            true => in_range::of_anchor(tx, part, anchor_id).await?,
            false => BTreeSet::new(),
        };
        let mut inside = BTreeMap::new();
        if let Some(at) = seen.anchor.row.at {
            for area in boxes(at, range_m) {
                for (ue, position) in positions::within(tx, &area, "", MOST).await? {
                    let (distance_m, _) = distance_and_azimuth(at, (position.lon, position.lat));
                    if range::is_in(distance_m, range_m, before.contains(&ue)) {
                        inside.insert(ue, distance_m);
                    }
                }
            }
        }
        for (ue, distance_m) in &inside {
            if before.contains(ue) {
                continue;
            }
            if remember {
                in_range::enter(tx, part, ue, anchor_id).await?;
            }
            crossings.entered.push(Near { ue: ue.clone(), anchor_id, range_m: Some(*distance_m) });
        }
        for ue in before.iter().filter(|ue| !inside.contains_key(*ue)) {
            in_range::leave(tx, part, ue, anchor_id).await?;
            crossings.left.push(Near { ue: ue.clone(), anchor_id, range_m: None });
        }
    }
    Ok(crossings.reports())
}

/// UEs that came and went.
#[derive(Default)]
struct Crossings {
    entered: Vec<Near>,
    left: Vec<Near>,
}

impl Crossings {
    fn reports(self) -> Vec<KeptReport> {
        let report = |det, ues| KeptReport { ues, ..KeptReport::of(AnchorEvent::UeInterest, Some(det)) };
        let mut reports = vec![
            report(DetectedEvent::UeInRangeOfAnchor, self.entered),
            report(DetectedEvent::UeOutRangeOfAnchor, self.left),
        ];
        reports.retain(|report| !report.ues.is_empty());
        reports
    }
}

/// As [`around_anchors`], of every own anchor that the filter means.
pub(super) async fn around_own(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    part: Part<'_>,
    event: &AnchorsEventsSub,
) -> Result<Vec<KeptReport>, StoreError> {
    let own = meant(tx, viewer, event.evnt_fltr.anchr_fltr.as_ref(), true).await?;
    around_anchors(tx, part, event, &own, true).await
}
