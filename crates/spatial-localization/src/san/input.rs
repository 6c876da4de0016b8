//! Bodies of `ssan-sanm`.

use api_types::san::SpatialAnchorsList;
use serde_json::Value;

use crate::shared::input;
use crate::shared::own_members;
use crate::shared::supp_feat::SuppFeat;

/// Takes members of ours out of each anchor of a body.
pub(super) fn strip(body: &mut Value) {
    if let Some(Value::Object(anchors)) = body.get_mut("anchors") {
        anchors.values_mut().for_each(|anchor| own_members::strip(Some(anchor)));
    }
}

/// Takes the identifiers of anchors out of the body of a new list: they are the server's to give.
pub(super) fn strip_ids(body: &mut Value) {
    if let Some(Value::Object(anchors)) = body.get_mut("anchors") {
        let anchors = anchors.values_mut().filter_map(Value::as_object_mut);
        anchors.for_each(|anchor| drop(anchor.remove("anchorId")));
    }
}

/// Takes out what only answers say: whether the core function knows of an anchor.
pub(super) fn forget_sync(list: &mut SpatialAnchorsList) {
    list.anchors.values_mut().for_each(|anchor| anchor.sync_state = None);
}

/// No body panics.
pub(crate) fn fuzz_body(bytes: &[u8]) {
    if let Ok((body, _)) = input::parse(bytes, SuppFeat::default(), strip) {
        let _ = input::typed::<SpatialAnchorsList>(body);
    }
}
