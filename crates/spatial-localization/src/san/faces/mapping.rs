//! From a spatial anchor to a world anchor and back. Pure.
//!
//! A world anchor lies in the frame of a map and knows no Earth; ours may lie on the Earth, in a map, or both. What ARF 005
//! has no member for stands in tags: `3gpp.anchorId`, `3gpp.mapId`, `3gpp.mapLayerId`, and `geopose`, a GeoPose as JSON.
//! What TS 29.437 has no member for is kept as the member `arf005` of a JSON object in `specInfo`.

use std::collections::BTreeMap;

use api_types::faces::arf005::{NIL_UUID, UnitSystem, WorldAnchor};
use api_types::geo::{GeoPose, Quaternion};
use api_types::problem::InvalidParam;
use api_types::san::{SpatialAnchor, SpatialAnchorMapPosition};
use api_types::strict_json;
use api_types::validate::Validate as _;
use serde::{Deserialize, Serialize};

use crate::shared::{geo_pose, uuid};

const MEMBER: &str = "arf005";
const ANCHOR_ID: &str = "3gpp.anchorId";
const MAP_ID: &str = "3gpp.mapId";
const MAP_LAYER_ID: &str = "3gpp.mapLayerId";
/// VAL service of a new anchor.
pub(super) const SERVICE_ID: &str = "3gpp.valServiceId";
const GEOPOSE: &str = "geopose";

/// What is kept for this interface alone.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    #[serde(rename = "localCRS")]
    local_crs: Vec<f64>,
    unit: UnitSystem,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<Vec<f64>>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

/// The UUID of one life of an anchor.
pub(super) fn uuid(anchor_id: u32, incarnation: i64) -> String {
    uuid::of(b"world anchor", anchor_id, &incarnation.to_be_bytes())
}

/// The number of the anchor that a UUID may be of; whether it is of its present life is for [`uuid`] to say.
pub(super) fn anchor_id(uuid: &str) -> Option<u32> {
    uuid::number(uuid)
}

/// What a reader is shown; `anchor` has passed what leaves out what is not for that reader.
pub(super) fn shown(anchor: &SpatialAnchor, uuid: String) -> WorldAnchor {
    let pose = geo_pose::of_anchor(anchor);
    let kept = anchor.spec_member(MEMBER).and_then(|kept| strict_json::from_value::<Kept>(kept).ok());
    let kept = kept.unwrap_or_else(|| Kept {
        local_crs: matrix(anchor, pose.as_ref()),
        unit: UnitSystem::M,
        size: None,
        tags: BTreeMap::new(),
    });
    let mut tags = kept.tags;
    if let Some(id) = anchor.anchor_id {
        tags.insert(ANCHOR_ID.to_owned(), vec![id.to_string()]);
    }
    if let Some(position) = &anchor.pos_info.spa_map_pos {
        tags.insert(MAP_ID.to_owned(), vec![position.spa_map_id.clone()]);
        if let Some(layers) = &position.spa_map_layer_id {
            tags.insert(MAP_LAYER_ID.to_owned(), layers.clone());
        }
    }
    if let Some(text) = pose.and_then(|pose| serde_json::to_string(&pose).ok()) {
        tags.insert(GEOPOSE.to_owned(), vec![text]);
    }
    WorldAnchor {
        uuid: Some(uuid),
        name: anchor.name.clone(),
        creator_uuid: Some(NIL_UUID.to_owned()),
        local_crs: kept.local_crs,
        unit: kept.unit,
        world_anchor_size: Some(kept.size.unwrap_or_else(|| vec![1.0; 3])),
        keyvalue_tags: tags,
    }
}

/// The pose of an anchor in its local system, row by row.
fn matrix(anchor: &SpatialAnchor, pose: Option<&GeoPose>) -> Vec<f64> {
    let local = anchor.pos_info.pos.as_ref();
    let (x, y, z) =
        local.map_or((0.0, 0.0, 0.0), |local| (local.point.x, local.point.y, local.point.z.unwrap_or(0.0)));
    let q = match (local, pose) {
        (Some(local), Some(pose)) => {
            let axes = geo_pose::axes_of(local);
            let back = Quaternion { x: -axes.x, y: -axes.y, z: -axes.z, w: axes.w };
            pose.quaternion.within(back)
        }
        _ => Quaternion::IDENTITY,
    };
    let Quaternion { x: i, y: j, z: k, w } = q;
    #[rustfmt::skip] // a matrix stays a matrix
    let rows = vec![
        1.0 - 2.0 * (j * j + k * k), 2.0 * (i * j - k * w),       2.0 * (i * k + j * w),       x,
        2.0 * (i * j + k * w),       1.0 - 2.0 * (i * i + k * k), 2.0 * (j * k - i * w),       y,
        2.0 * (i * k - j * w),       2.0 * (j * k + i * w),       1.0 - 2.0 * (i * i + j * j), z,
        0.0,                         0.0,                         0.0,                         1.0,
    ];
    rows
}

/// Writes a world anchor over an anchor, which keeps what ARF 005 does not know: rules, area, period, premises.
///
/// # Errors
/// The member at fault: it is nowhere, its GeoPose is none, or its information leaves no room.
pub(super) fn write(anchor: &mut SpatialAnchor, wanted: &WorldAnchor) -> Result<(), InvalidParam> {
    let fault = |reason| InvalidParam::new("/keyvalueTags", reason);
    let pose =
        wanted.tag(GEOPOSE).map(|text| pose(text).ok_or_else(|| fault("holds a geopose that is none")));
    let pose = pose.transpose()?;
    let map = wanted.tag(MAP_ID).map(|id| id.parse::<u32>().map_err(|_| fault("holds a mapId that is none")));
    let map = map.transpose()?;
    if pose.is_none() && map.is_none() {
        return Err(fault("says neither a geopose nor a map"));
    }
    let no_room = |_| InvalidParam::new("", "holds specific information that leaves no room");
    // Whoever sends back what it read moves nothing.
    if pose != geo_pose::of_anchor(anchor) {
        match &pose {
            Some(pose) => anchor.set_geo_pose("geopose", pose).map_err(no_room)?,
            None => {
                anchor.pos_info.pos = None;
                anchor.set_spec_member(GEOPOSE, None).map_err(no_room)?;
            }
        }
    }
    let known = anchor.pos_info.spa_map_pos.take().and_then(|position| position.local_info);
    anchor.pos_info.spa_map_pos = map.map(|map| SpatialAnchorMapPosition {
        spa_map_id: map.to_string(),
        spa_map_layer_id: wanted.keyvalue_tags.get(MAP_LAYER_ID).filter(|layers| !layers.is_empty()).cloned(),
        local_info: known,
    });
    anchor.name.clone_from(&wanted.name);
    let ours = [ANCHOR_ID, MAP_ID, MAP_LAYER_ID, SERVICE_ID, GEOPOSE];
    let tags = wanted.keyvalue_tags.iter().filter(|(name, _)| !ours.contains(&name.as_str()));
    let kept = Kept {
        local_crs: wanted.local_crs.clone(),
        unit: wanted.unit,
        size: wanted.world_anchor_size.clone(),
        tags: tags.map(|(name, values)| (name.clone(), values.clone())).collect(),
    };
    let kept = serde_json::to_value(kept).map_err(|_| fault("cannot be kept"))?;
    anchor.set_spec_member(MEMBER, Some(kept)).map_err(no_room)
}

fn pose(text: &str) -> Option<GeoPose> {
    let pose: GeoPose = strict_json::from_slice(text.as_bytes(), 4).ok()?;
    pose.validate("").is_ok().then_some(pose)
}

/// No bytes panic; what is kept of them is shown.
pub(crate) fn fuzz_world_anchor(bytes: &[u8]) {
    let _ = std::str::from_utf8(bytes).ok().and_then(anchor_id);
    let Ok(wanted) = strict_json::from_slice::<WorldAnchor>(bytes, 16) else { return };
    let mut anchor = SpatialAnchor::default();
    if wanted.validate("").is_ok() && write(&mut anchor, &wanted).is_ok() {
        assert_eq!(shown(&anchor, uuid(1, 1)).local_crs, wanted.local_crs);
    }
}

#[cfg(test)]
mod tests {
    use api_types::ids::SpatialAnchorId;
    use serde_json::json;

    use super::*;

    fn world(tags: serde_json::Value) -> WorldAnchor {
        serde_json::from_value(json!({
            "name": "Desk", "localCRS": [1, 0, 0, 4, 0, 1, 0, 5, 0, 0, 1, 6, 0, 0, 0, 1], "unit": "CM", "keyvalueTags": tags,
        }))
        .unwrap()
    }

    const POSE: &str =
        r#"{"position":{"lat":48.5,"lon":2.25,"h":35.0},"quaternion":{"x":0.0,"y":0.0,"z":0.6,"w":0.8}}"#;

    #[test]
    fn a_uuid_is_of_one_life_of_one_anchor() {
        let one = uuid(17, 5);
        assert_eq!((one.len(), anchor_id(&one)), (36, Some(17)));
        assert_ne!(one, uuid(17, 6));
        assert_ne!(one, uuid(18, 5));
        for bad in [
            "",
            "17",
            &one.to_uppercase(),
            &one.replace('-', "0"),
            &format!("{one}0"),
            "é0000011-1111-8111-8111-111111111111",
        ] {
            assert_eq!(anchor_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_shown_again() {
        let mut anchor = SpatialAnchor { premises: Some("second door".into()), ..SpatialAnchor::default() };
        let wanted = world(
            json!({ "Location": ["Room1"], "3gpp.mapId": ["9"], "3gpp.mapLayerId": ["a"], "geopose": [POSE] }),
        );
        write(&mut anchor, &wanted).unwrap();
        anchor.anchor_id = Some(SpatialAnchorId(17));
        assert!(anchor.validate("").is_ok());
        assert_eq!(anchor.premises.as_deref(), Some("second door"));
        let got = shown(&anchor, uuid(17, 5));
        assert_eq!(
            (&got.local_crs, got.unit, got.name.as_deref()),
            (&wanted.local_crs, UnitSystem::Cm, Some("Desk"))
        );
        for (tag, value) in
            [("Location", "Room1"), ("3gpp.mapId", "9"), ("3gpp.anchorId", "17"), ("geopose", POSE)]
        {
            assert_eq!(got.tag(tag), Some(value), "{tag}");
        }
        // Sent back as it was read, it is the same anchor.
        let before = anchor.clone();
        write(&mut anchor, &got).unwrap();
        assert_eq!(shown(&anchor, uuid(17, 5)), got);
        assert_eq!(anchor.pos_info, before.pos_info);
    }

    #[test]
    fn a_native_anchor_has_a_matrix_of_its_own() {
        let mut anchor = SpatialAnchor::default();
        let pose: GeoPose = serde_json::from_str(POSE).unwrap();
        anchor.set_geo_pose("geopose", &pose).unwrap();
        anchor.pos_info.pos.as_mut().unwrap().point.z = Some(2.0);
        let moved = shown(&anchor, uuid(1, 1));
        assert_eq!((moved.local_crs[11], moved.local_crs[0], moved.unit), (2.0, 1.0, UnitSystem::M));
        anchor.pos_info.pos.as_mut().unwrap().point.z = Some(0.0);
        let turned = shown(&anchor, uuid(1, 1)).local_crs;
        // A turn about up: cosine 0.28, sine 0.96.
        for (cell, value) in [(0, 0.28), (1, -0.96), (4, 0.96), (5, 0.28), (10, 1.0)] {
            assert!((turned[cell] - value).abs() < 1e-9, "{cell}: {}", turned[cell]);
        }
    }

    #[test]
    fn what_is_nowhere_is_no_anchor() {
        for (what, tags) in [
            ("no tags", json!({})),
            ("no pose", json!({ "geopose": ["{}"] })),
            ("a pose off the Earth", json!({ "geopose": [POSE.replace("48.5", "98.5")] })),
            ("no number", json!({ "3gpp.mapId": ["x"] })),
            ("an empty tag", json!({ "geopose": [] })),
        ] {
            assert!(write(&mut SpatialAnchor::default(), &world(tags)).is_err(), "{what}");
        }
        let mut opaque = SpatialAnchor { spec_info: Some("b3BhcXVl".into()), ..SpatialAnchor::default() };
        assert!(
            write(&mut opaque, &world(json!({ "3gpp.mapId": ["9"] }))).is_err(),
            "it is not ours to overwrite"
        );
    }
}
