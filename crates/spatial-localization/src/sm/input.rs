//! Bodies of `ssm-smm`.

use serde_json::Value;

use crate::shared::input;
use crate::shared::own_members;
use crate::shared::supp_feat::SuppFeat;
use crate::sm::build;

/// Takes members of ours out of the request for a map.
pub(super) fn strip_new(body: &mut Value) {
    own_members::strip(body.get_mut("mapInf"));
}

/// Takes members of ours out of a map.
pub(super) fn strip(body: &mut Value) {
    own_members::strip(body.get_mut("smProf"));
}

/// For a fuzz target: no body of a subscription or registration panics.
pub fn fuzz_map_registrations(bytes: &[u8]) {
    let Ok((body, _)) = input::parse(bytes, SuppFeat::default(), |_| {}) else { return };
    let _ = input::typed::<api_types::sm::SpatialMapsSub>(body.clone());
    let _ = input::typed::<api_types::sm::DataSourceRegReq>(body.clone());
    let _ = input::typed::<api_types::sm::SMASReg>(body);
}

/// For a fuzz target: no body panics.
pub fn fuzz_map(bytes: &[u8]) {
    let Ok((body, features)) = input::parse(bytes, SuppFeat::default(), strip) else { return };
    if let Ok(request) = input::typed::<api_types::sm::SpatialMapCreateReq>(body.clone()) {
        let map = build::build(api_types::ids::SpatialMapId(1), &request, features);
        let _ = build::boxes(&map, 1.0e10);
    }
    if let Ok(map) = input::typed::<api_types::sm::SpatialMap>(body.clone()) {
        let _ = build::boxes(&map, 1.0e10);
        let _ = map.patched(&body);
    }
}
