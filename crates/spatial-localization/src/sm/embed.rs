//! Anchors inside of a map, for the reader in hand (decision FFS-13).

use std::collections::BTreeSet;

use api_types::sm::{AugmentLayer, AugmentLayerInfo, SpatialMap};
use authorization::Reason;
use service_http::call::Call;
use service_http::refusal::Refusal;
use store::anchors::positions;

use crate::shared::geometry::Area;
use crate::sm::access::Seen;
use crate::sm::location_source::{self, latest};
use crate::sm::{SmServer, build, view};

/// What a reader is shown of the anchors in a map.
///
/// # Errors
/// `DEPENDENCY_DOWN` when the anchor server cannot be asked.
async fn ids(sm: &SmServer, call: &Call, seen: &Seen) -> Result<Vec<String>, Refusal> {
    let source = sm.anchors().ok_or_else(|| Refusal::open(Reason::DependencyDown))?;
    let visible = source.anchors_for(call, &seen.map.sm_prof.map_cov).await?;
    let stored = seen.map.aug_lyr_inf.as_deref();
    let listed = stored.filter(|_| build::embeds_anchors(&seen.map));
    Ok(view::embedded(listed, &visible))
}

/// The anchors of a map that was asked for as it is: without them when they cannot be had. Returns what was embedded.
pub(super) async fn into_map(
    sm: &SmServer,
    call: &Call,
    seen: &Seen,
    shown: &mut SpatialMap,
) -> Option<Vec<String>> {
    if !build::embeds_anchors(&seen.map) {
        return None;
    }
    match ids(sm, call, seen).await {
        Ok(ids) => {
            view::embed(shown.aug_lyr_inf.as_deref_mut().unwrap_or_default(), &ids);
            Some(ids)
        }
        Err(refusal) => {
            call.ctx.fail(
                "anchors of the map",
                "the anchor server answers for this reader",
                refusal.reason.as_str(),
            );
            view::without_anchors(shown);
            None
        }
    }
}

/// The augmentations that a reader asks for.
///
/// # Errors
/// `DEPENDENCY_DOWN`: what is asked for cannot be had; the plain map can.
pub(super) async fn asked(
    sm: &SmServer,
    call: &Call,
    seen: &Seen,
    wanted: &[AugmentLayer],
) -> Result<Option<Vec<AugmentLayerInfo>>, Refusal> {
    let mut infos = Vec::new();
    if wanted.contains(&AugmentLayer::ValUsers) {
        infos.push(AugmentLayerInfo {
            aug_with: AugmentLayer::ValUsers,
            aug_lyr_det: users(sm, call, seen).await?,
        });
    }
    if !wanted.contains(&AugmentLayer::SpatialAnchors) {
        return Ok((!infos.is_empty()).then_some(infos));
    }
    let ids = ids(sm, call, seen).await.map_err(|refusal| {
        call.ctx.fail(
            "anchors of the map",
            "the anchor server answers for this reader",
            refusal.reason.as_str(),
        );
        // The reader may discover this map, and is told what does not answer.
        refusal.discoverable(true)
    })?;
    infos.push(AugmentLayerInfo { aug_with: AugmentLayer::SpatialAnchors, aug_lyr_det: None });
    view::embed(&mut infos, &ids);
    Ok(Some(infos))
}

/// The VAL UEs that the operator saw in the map: for its owner alone (FFS-11: what is a user's).
async fn users(sm: &SmServer, call: &Call, seen: &Seen) -> Result<Option<Vec<String>>, Refusal> {
    let Some(coverage) = Area::bounding(&seen.map.sm_prof.map_cov).filter(|_| seen.grant.owner) else {
        return Ok(None);
    };
    let told = location_source::within(sm, call, &coverage).await?;
    let most = u32::try_from(view::MAX_EMBEDDED).unwrap_or(u32::MAX);
    let read = sm.store().read(|tx| {
        Box::pin(async move {
            let mut found = told;
            for part in coverage.boxes() {
                found.extend(positions::within(tx, &part, "", most).await?);
            }
            let inside = latest(found)
                .into_iter()
                .filter(|(_, at)| coverage.holds((at.lon, at.lat)))
                .map(|(ue, _)| ue);
            Ok(inside.collect())
        })
    });
    let ues: BTreeSet<String> = read.await?;
    Ok((!ues.is_empty()).then(|| ues.into_iter().take(view::MAX_EMBEDDED).collect()))
}
