//! Counters of anchors, and how many anchors and users are near.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use api_types::geo::ServiceArea;
use api_types::ids::SpatialAnchorId;
use api_types::san::{AnchorsUsageFilter, AnchorsUsageInfo};
use store::anchors::own::{self, Own};
use store::anchors::usage::{self, Usage};
use store::anchors::{Filter, discovery, positions};
use store::{Sql, StoreError};

use crate::san::access::Viewer;
use crate::shared::geometry::{Area, Ellipse, LonLat, distance_and_azimuth};
use crate::shared::rules;

/// How far around an anchor density is counted, in metres. Own value.
const DENSITY_M: f64 = 100.0;

/// Anchors of one answer, and most that a density counts. Own value.
const MOST: u32 = 1_000;

/// Discoveries that are not written yet. They are statistics and no charging: a crash may lose those of the last second.
#[derive(Debug, Default)]
pub(in crate::san) struct Tally(Mutex<HashMap<u32, u64>>);

impl Tally {
    /// Counts anchors that were in an answer.
    pub(in crate::san) fn discovered(&self, anchors: impl IntoIterator<Item = u32>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for anchor_id in anchors {
            *counted.entry(anchor_id).or_default() += 1;
        }
    }

    /// Writes what was counted.
    ///
    /// # Errors
    /// The store failed.
    pub(in crate::san) async fn write(&self, tx: &mut dyn Sql) -> Result<(), StoreError> {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counted.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<(u32, Usage)> =
            counted.into_iter().map(|(id, discovered)| (id, Usage { discovered, accessed: 0 })).collect();
        // Two nodes that write the same anchors do so in one order.
        rows.sort_unstable_by_key(|(id, _)| *id);
        usage::add(tx, &rows).await
    }
}

/// The counters of the viewer's own anchors that a filter means.
///
/// # Errors
/// The store failed.
pub(super) async fn infos(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    filter: Option<&AnchorsUsageFilter>,
) -> Result<Vec<AnchorsUsageInfo>, StoreError> {
    let areas: Vec<Area> = areas(filter).into_iter().filter_map(|(_, area)| area).collect();
    let ids = filter.and_then(|filter| filter.anch_ids.as_ref());
    let asked = Own {
        owner_key: rules::owner_key(&viewer.who.caller.principal()),
        anchor_ids: ids.map(|ids| ids.iter().map(|id| id.0).collect()),
        service_id: filter.and_then(|filter| filter.app_id.clone()),
        boxes: areas.first().map(Area::boxes),
        limit: MOST,
    };
    let mut infos = Vec::new();
    for found in own::find(tx, &asked).await? {
        let (anchor_id, at) = (found.anchor.anchor_id, found.anchor.at);
        if !areas.iter().all(|area| at.is_some_and(|at| area.holds(at))) {
            continue;
        }
        let Usage { discovered, accessed } = usage::of_anchor(tx, anchor_id).await?;
        let (anch_density, usr_density) = match at {
            Some(at) => (anchors_near(tx, viewer, at).await?, users_near(tx, at).await?),
            None => (0, 0),
        };
        infos.push(AnchorsUsageInfo {
            anch_ids: vec![SpatialAnchorId(anchor_id)],
            disc_acc: discovered,
            ser_acc: accessed,
            anch_density,
            usr_density,
        });
    }
    Ok(infos)
}

/// The areas of a filter by the member that names them; `None` where one cannot be searched.
pub(super) fn areas(filter: Option<&AnchorsUsageFilter>) -> Vec<(&'static str, Option<Area>)> {
    let Some(filter) = filter else { return Vec::new() };
    let mut areas = Vec::new();
    if let Some(location) = &filter.anch_loc {
        let shape = location.geographic_area.clone().map(|shape| ServiceArea::of(vec![shape]));
        areas.push(("anchLoc", shape.and_then(|shape| Area::of(&shape).ok())));
    }
    if let Some(area) = &filter.area {
        areas.push(("area", Area::of(area).ok()));
    }
    areas
}

fn visible(viewer: &Viewer) -> Filter {
    let caller = &*viewer.who.caller;
    Filter {
        held: rules::held(caller),
        owner_key: rules::owner_key(&caller.principal()),
        now_s: viewer.around.now_s,
        limit: MOST,
        ..Filter::default()
    }
}

async fn anchors_near(tx: &mut dyn Sql, viewer: &Viewer, at: LonLat) -> Result<u64, StoreError> {
    let boxes = Some(Ellipse::circle(at, DENSITY_M).boxes());
    let found = discovery::find(tx, &Filter { boxes, ..visible(viewer) }).await?.found;
    let near = |place: &LonLat| distance_and_azimuth(at, *place).0 <= DENSITY_M;
    Ok(found.iter().filter_map(|found| found.anchor.at).filter(near).count() as u64)
}

async fn users_near(tx: &mut dyn Sql, at: LonLat) -> Result<u64, StoreError> {
    let mut count = 0;
    for area in Ellipse::circle(at, DENSITY_M).boxes() {
        let found = positions::within(tx, &area, "", MOST).await?;
        let near = found.iter().filter(|(_, ue)| distance_and_azimuth(at, (ue.lon, ue.lat)).0 <= DENSITY_M);
        count += near.count() as u64;
    }
    Ok(count)
}
