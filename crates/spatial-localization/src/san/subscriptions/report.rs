//! Reports: as they are kept until they can go, and as they are told (TS 29.437 `SpatialAnchorsNotif`).
//!
//! Kept is what happened to which anchors. What of them the subscriber is shown is decided when the report goes: an
//! anchor that was hidden meanwhile is left out, and a report of which nothing is left does not go.

use std::collections::{BTreeMap, BTreeSet};

use api_types::ids::{SpatialAnchorId, ValUeId};
use api_types::san::{
    AnchorEvent, AnchorsReport, DetectedEvent, SpatialAnchorProfile, SpatialAnchorsNotif, SpatialAnchorsSub,
    UEAnchorInterest,
};
use serde::{Deserialize, Serialize};
use store::anchors::positions;
use store::{Sql, StoreError};

use super::happening::Gone;
use super::look::{self, Seen};
use crate::san::access::Viewer;
use crate::san::shown;
use crate::shared::operator_rules::Action;
use crate::shared::subscriptions::sample::Sample;
use crate::shared::supp_feat::SuppFeat;

/// Anchors and UEs of one notification. Own value: with the largest anchors it stays below what receivers take.
const PER_MESSAGE: usize = 100;

/// Being told where UEs are is an action of its own, which a rule of the operator can deny.
const OBSERVE: Action = Action { verb: "observe", scope: crate::san::DISCOVER };

/// The reports of one notification.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) sub_id: String,
    pub(super) reports: Vec<KeptReport>,
}

/// One report.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptReport {
    pub(super) event: AnchorEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) det: Option<DetectedEvent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) anchors: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) gone: Vec<Gone>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ues: Vec<Near>,
}

/// A UE and an anchor.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Near {
    pub(super) ue: String,
    pub(super) anchor_id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) range_m: Option<f64>,
}

impl KeptReport {
    pub(super) fn of(event: AnchorEvent, det: Option<DetectedEvent>) -> Self {
        Self { event, det, anchors: Vec::new(), gone: Vec::new(), ues: Vec::new() }
    }

    pub(super) fn anchors(self, anchors: Vec<u32>) -> Self {
        Self { anchors, ..self }
    }

    fn size(&self) -> usize {
        self.anchors.len() + self.gone.len() + self.ues.len()
    }

    /// In pieces of which each fits a notification.
    fn pieces(self) -> Vec<Self> {
        if self.size() <= PER_MESSAGE {
            return if self.size() == 0 { Vec::new() } else { vec![self] };
        }
        let piece = || Self::of(self.event.clone(), self.det.clone());
        let mut pieces = Vec::new();
        pieces
            .extend(self.anchors.chunks(PER_MESSAGE).map(|some| Self { anchors: some.to_vec(), ..piece() }));
        pieces.extend(self.gone.chunks(PER_MESSAGE).map(|some| Self { gone: some.to_vec(), ..piece() }));
        pieces.extend(self.ues.chunks(PER_MESSAGE).map(|some| Self { ues: some.to_vec(), ..piece() }));
        pieces
    }
}

/// Leaves the UEs of a sample.
///
/// # Errors
/// The store failed.
pub(super) async fn sampled(
    tx: &mut dyn Sql,
    sub_id: &str,
    sample: Option<Sample>,
    reports: &mut [KeptReport],
) -> Result<(), StoreError> {
    let Some(sample) = sample else { return Ok(()) };
    for report in reports {
        let mut told = Vec::with_capacity(report.ues.len());
        for near in std::mem::take(&mut report.ues) {
            let at = if sample.by_area { positions::of_ue(tx, &near.ue).await? } else { None };
            if sample.holds(sub_id, &near.ue, at.map(|at| (at.lon, at.lat))) {
                told.push(near);
            }
        }
        report.ues = told;
    }
    Ok(())
}

/// The notifications of one occasion.
pub(super) fn messages(sub_id: &str, reports: Vec<KeptReport>) -> Vec<Kept> {
    let mut messages: Vec<Kept> = Vec::new();
    let mut room = 0;
    for piece in reports.into_iter().flat_map(KeptReport::pieces) {
        if piece.size() > room {
            messages.push(Kept { sub_id: sub_id.to_owned(), reports: Vec::new() });
            room = PER_MESSAGE;
        }
        room -= piece.size();
        if let Some(message) = messages.last_mut() {
            message.reports.push(piece);
        }
    }
    messages
}

/// What a subscriber may be told of a notification now, and how many units it is; `None`: nothing.
pub(super) async fn told(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    kept: &Kept,
    body: &SpatialAnchorsSub,
) -> Result<Option<(SpatialAnchorsNotif, u64)>, StoreError> {
    let bits = body.supp_feat.as_ref().map(|bits| bits.as_str().to_owned());
    let feat = SuppFeat::parse(bits.as_deref()).unwrap_or_default();
    let named = |report: &KeptReport| {
        report.anchors.iter().copied().chain(report.ues.iter().map(|near| near.anchor_id)).collect::<Vec<_>>()
    };
    let ids: BTreeSet<u32> = kept.reports.iter().flat_map(named).collect();
    let seen = look::by_ids(tx, viewer, &ids).await?;
    let mut reports = Vec::new();
    let mut units = 0;
    for report in &kept.reports {
        let mut anchors: Vec<SpatialAnchorProfile> = Vec::new();
        for anchor_id in &report.anchors {
            if let Some(seen) = seen.get(anchor_id) {
                anchors.push(seen.profile(feat)?);
            }
        }
        for gone in &report.gone {
            let anchor = gone.anchor()?;
            if let Ok(access) = viewer.access(&anchor) {
                anchors.push(gone.profile(shown::anchor(&anchor, &access, feat))?);
            }
        }
        let ues = interests(viewer, &seen, &report.ues);
        if anchors.is_empty() && ues.is_empty() {
            continue;
        }
        units += (anchors.len() + ues.len()) as u64;
        reports.push(AnchorsReport {
            event: report.event.clone(),
            det_event: report.det.clone(),
            achr_list: (!anchors.is_empty()).then_some(anchors),
            ue_anchr_int: (!ues.is_empty()).then_some(ues),
        });
    }
    let sub_id = kept.sub_id.as_str().try_into().map_err(|_| StoreError::Damaged("a subscription's name"))?;
    Ok((!reports.is_empty()).then_some((SpatialAnchorsNotif { sub_id, reports }, units)))
}

/// Of UEs only the owner of the anchor is told, unless a rule of the operator denies that too.
fn interests(viewer: &Viewer, seen: &BTreeMap<u32, Seen>, ues: &[Near]) -> Vec<UEAnchorInterest> {
    let told = |near: &&Near| {
        let Some(seen) = seen.get(&near.anchor_id) else { return false };
        let anchor_id = near.anchor_id.to_string();
        let names = [anchor_id.as_str(), near.ue.as_str()];
        let service = Some(seen.anchor.row.service_id.as_str());
        seen.access.owner && viewer.around.check(&viewer.who.caller, OBSERVE, service, &names).is_ok()
    };
    ues.iter()
        .filter(told)
        .map(|near| UEAnchorInterest {
            ue_id: ValUeId::try_from(near.ue.clone()).ok(),
            anchr_id: Some(SpatialAnchorId(near.anchor_id)),
            anchr_rng: near.range_m,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occasion_is_as_many_notifications_as_it_needs() {
        let report = |count: u32| KeptReport::of(AnchorEvent::Discovery, None).anchors((0..count).collect());
        let sizes = |reports: Vec<KeptReport>| -> Vec<Vec<usize>> {
            let messages = messages("s", reports);
            messages.iter().map(|kept| kept.reports.iter().map(KeptReport::size).collect()).collect()
        };
        assert!(sizes(vec![report(0)]).is_empty(), "nothing to tell");
        assert_eq!(sizes(vec![report(3), report(0), report(97)]), [[3, 97]]);
        assert_eq!(sizes(vec![report(3), report(98)]), [[3], [98]]);
        assert_eq!(sizes(vec![report(250)]), [[100], [100], [50]]);
    }
}
