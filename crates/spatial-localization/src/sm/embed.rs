//! Anchors inside of a map, for the reader in hand (decision FFS-13).

use api_types::sm::{AugmentLayer, AugmentLayerInfo, SpatialMap};
use authorization::Reason;
use service_http::call::Call;
use service_http::refusal::Refusal;

use crate::sm::access::Seen;
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
    if !wanted.contains(&AugmentLayer::SpatialAnchors) {
        return Ok(None);
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
    let mut infos = vec![AugmentLayerInfo { aug_with: AugmentLayer::SpatialAnchors, aug_lyr_det: None }];
    view::embed(&mut infos, &ids);
    Ok(Some(infos))
}
