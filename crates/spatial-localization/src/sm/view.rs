//! What one reader is shown of a map (requirement T3b, decision FFS-11). Pure.
//!
//! Rules, premises and the details of augmentations are the creator's; anchors are shown as the anchor server named them
//! for this reader, never as the creator listed them.

use std::collections::BTreeSet;

use api_types::ids::SpatialAnchorId;
use api_types::sm::{AugmentLayer, AugmentLayerInfo, SpatialMap, SpatialMapLayers};

use crate::shared::etag::EntityTag;
use crate::shared::supp_feat::SuppFeat;

/// Most anchors that one answer embeds. Own value, that of `augLyrDet` on input.
pub(crate) const MAX_EMBEDDED: usize = api_types::sm::MAX_AUGMENT_DETAILS;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    /// Whether it is the owner.
    pub(crate) owner: bool,
    /// What it understands.
    pub(crate) features: SuppFeat,
}

/// The map as `reader` is shown it, without anchors.
#[must_use]
pub(crate) fn shown(map: &SpatialMap, reader: Reader) -> SpatialMap {
    let mut map = map.clone();
    if !reader.owner {
        map.sm_prof.allw_ent = None;
        map.sm_prof.premises = None;
    }
    if !reader.features.own_members() {
        map.strip_own_members();
    }
    if !(reader.owner && reader.features.own_members()) {
        map.sm_prof.sync_state = None;
    }
    for info in map.aug_lyr_inf.iter_mut().flatten() {
        if !reader.owner || info.aug_with == AugmentLayer::SpatialAnchors {
            info.aug_lyr_det = None;
        }
    }
    map.supp_feat = reader.features.negotiated().and_then(|bits| serde_json::from_value(bits.into()).ok());
    map
}

/// The entity tag of what [`shown`] made; the owner also sees each change of the version.
#[must_use]
pub(crate) fn tag(shown: &SpatialMap, reader: Reader, version: u64) -> EntityTag {
    let mut plain = shown.clone();
    plain.supp_feat = None;
    // What the core function knows of it is no change of the map.
    plain.sm_prof.sync_state = None;
    // Two peers that understand different members are shown different maps, and have different tags.
    let text = serde_json::to_vec(&plain).unwrap_or_default();
    EntityTag::of_document(&text, reader.owner.then_some(version))
}

/// The identifiers that a reader is shown: those that the reader may discover and, where the creator listed some, only of
/// these. In the order of the numbers, so that nothing of another order can be read from them.
#[must_use]
pub(crate) fn embedded(stored: Option<&[AugmentLayerInfo]>, visible: &[SpatialAnchorId]) -> Vec<String> {
    let infos = || {
        let infos = stored.unwrap_or_default().iter();
        infos.filter(|info| info.aug_with == AugmentLayer::SpatialAnchors)
    };
    let all = infos().next().is_none() || infos().any(|info| info.aug_lyr_det.is_none());
    let listed: BTreeSet<&str> = infos()
        .flat_map(|info| info.aug_lyr_det.iter().flatten())
        .map(|id| id.trim_start_matches('0'))
        .collect();
    let ids: BTreeSet<u32> = visible.iter().map(|id| id.0).collect();
    let named = ids.into_iter().map(|id| id.to_string());
    named.filter(|id| all || listed.contains(id.trim_start_matches('0'))).take(MAX_EMBEDDED).collect()
}

/// Puts the anchors into the augmentation that asks for them.
pub(crate) fn embed(infos: &mut [AugmentLayerInfo], ids: &[String]) {
    let first = infos.iter_mut().find(|info| info.aug_with == AugmentLayer::SpatialAnchors);
    if let Some(info) = first {
        // An empty list is not allowed on the wire: none is absent.
        info.aug_lyr_det = (!ids.is_empty()).then(|| ids.to_vec());
    }
}

/// Takes the augmentation by anchors out: they could not be had.
pub(crate) fn without_anchors(map: &mut SpatialMap) {
    if let Some(infos) = &mut map.aug_lyr_inf {
        infos.retain(|info| info.aug_with != AugmentLayer::SpatialAnchors);
    }
    map.aug_lyr_inf = map.aug_lyr_inf.take().filter(|infos| !infos.is_empty());
}

/// Keeps the layers that `wanted` names. `false`: the map has none of them.
#[must_use]
pub(crate) fn keep_layers(map: &mut SpatialMap, wanted: &SpatialMapLayers) -> bool {
    let wanted: BTreeSet<&str> = wanted.lyr_list.iter().map(|layer| layer.map_lyr_id.as_str()).collect();
    let layers = &mut map.sm_prof.map_lyr_list.lyr_list;
    layers.retain(|layer| wanted.contains(layer.map_lyr_id.as_str()));
    !layers.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn map() -> SpatialMap {
        serde_json::from_value(json!({
            "svcId": "s",
            "smProf": {
                "mapId": 17, "mapCov": {}, "mapLyrList": {"lyrList": [{"mapLyrId": "a"}, {"mapLyrId": "b"}]},
                "allwEnt": {"valServiceList": ["s"]}, "premises": "second door", "name": "hall", "visibility": "RESTRICTED"
            },
            "augLyrInf": [
                {"augWith": "SPATIAL_ANCHORS", "augLyrDet": ["1", "02", "3"]},
                {"augWith": "VAL_USERS", "augLyrDet": ["alice"]}
            ]
        }))
        .unwrap()
    }

    fn reader(owner: bool, features: &str) -> Reader {
        Reader { owner, features: SuppFeat::parse(Some(features)).unwrap() }
    }

    fn ids(numbers: &[u32]) -> Vec<SpatialAnchorId> {
        numbers.iter().copied().map(SpatialAnchorId).collect()
    }

    #[test]
    fn only_the_owner_is_shown_what_is_the_owners() {
        let json = |reader| serde_json::to_value(shown(&map(), reader)).unwrap();
        let own = json(reader(true, "1"));
        assert_eq!(own["smProf"]["premises"], "second door");
        assert!(own["smProf"]["allwEnt"].is_object());
        assert_eq!(own["augLyrInf"][1]["augLyrDet"], json!(["alice"]));
        assert_eq!(own["augLyrInf"][0].get("augLyrDet"), None, "anchors come from the anchor server alone");

        let other = json(reader(false, "1"));
        assert_eq!(other["smProf"]["name"], "hall");
        for hidden in ["allwEnt", "premises"] {
            assert_eq!(other["smProf"].get(hidden), None, "{hidden}");
        }
        for n in 0..2 {
            assert_eq!(other["augLyrInf"][n].get("augLyrDet"), None, "{n}");
        }
        let plain = json(reader(true, "0"));
        for own in ["premises", "name", "visibility"] {
            assert_eq!(plain["smProf"].get(own), None, "{own}");
        }
    }

    #[test]
    fn a_tag_changes_with_what_is_shown() {
        let tag_of = |map: &SpatialMap, reader, version| tag(&shown(map, reader), reader, version);
        let (owner, other) = (reader(true, "1"), reader(false, "1"));
        let mut changed = map();
        changed.sm_prof.premises = Some("third door".into());
        changed.sm_prof.allw_ent = None;
        changed.aug_lyr_inf.as_mut().unwrap()[0].aug_lyr_det = None;
        assert_eq!(tag_of(&map(), other, 1), tag_of(&changed, other, 2), "hidden edits do not show");
        assert_ne!(tag_of(&map(), owner, 1), tag_of(&changed, owner, 2));
        changed.sm_prof.name = Some("yard".into());
        assert_ne!(tag_of(&map(), other, 1), tag_of(&changed, other, 2));
    }

    type Row<'r> = (&'r str, Option<&'r [AugmentLayerInfo]>, &'r [u32], &'r [&'r str]);

    #[test]
    fn an_anchor_is_embedded_when_the_reader_may_see_it_and_the_creator_listed_it() {
        let infos = map().aug_lyr_inf.unwrap();
        let all = vec![AugmentLayerInfo { aug_with: AugmentLayer::SpatialAnchors, aug_lyr_det: None }];
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 6] = [
            ("both",                   Some(&infos), &[3, 1, 9], &["1", "3"]),
            ("leading zero is none",   Some(&infos), &[2],       &["2"]),
            ("nothing visible",        Some(&infos), &[],        &[]),
            ("only others visible",    Some(&infos), &[9],       &[]),
            ("creator listed none",    Some(&all),   &[9, 4],    &["4", "9"]),
            ("asked by the reader",    None,         &[9, 4, 4], &["4", "9"]),
        ];
        for (what, stored, visible, expected) in rows {
            assert_eq!(embedded(stored, &ids(visible)), expected, "{what}");
        }
        let many: Vec<u32> = (0..2_000).collect();
        assert_eq!(embedded(None, &ids(&many)).len(), MAX_EMBEDDED);
    }

    #[test]
    fn no_anchor_is_no_list() {
        let mut infos = map().aug_lyr_inf.unwrap();
        embed(&mut infos, &[]);
        assert_eq!(infos[0].aug_lyr_det, None);
        embed(&mut infos, &["4".into()]);
        assert_eq!(infos[0].aug_lyr_det, Some(vec!["4".to_owned()]));
        let mut plain = map();
        without_anchors(&mut plain);
        assert_eq!(plain.aug_lyr_inf.as_ref().map(Vec::len), Some(1));
        plain.aug_lyr_inf.as_mut().unwrap()[0].aug_with = AugmentLayer::SpatialAnchors;
        without_anchors(&mut plain);
        assert_eq!(plain.aug_lyr_inf, None);
    }

    #[test]
    fn layers_are_picked_by_name() {
        let wanted = |value: Value| serde_json::from_value::<SpatialMapLayers>(value).unwrap();
        let mut picked = map();
        assert!(keep_layers(
            &mut picked,
            &wanted(json!({"lyrList": [{"mapLyrId": "b"}, {"mapLyrId": "x"}]}))
        ));
        assert_eq!(picked.sm_prof.map_lyr_list.lyr_list.len(), 1);
        assert!(!keep_layers(&mut map(), &wanted(json!({"lyrList": [{"mapLyrId": "x"}]}))));
    }
}
