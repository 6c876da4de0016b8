//! Building a map from its request (TS 23.437 9.3.1.2). Pure.

use api_types::ids::SpatialMapId;
use api_types::problem::InvalidParam;
use api_types::sm::{
    AugmentLayer, AugmentLayerInfo, MapLayerInfo, SpatialMap, SpatialMapCreateReq, SpatialMapLayerInfo,
    SpatialMapLayers, SpatialMapProfile,
};
use store::spatial_index::GeoBox;

use crate::shared::geometry::{Area, AreaError};
use crate::shared::supp_feat::SuppFeat;

/// The map that a request asks for: the SM server gives it its identifier and those of its layers.
///
/// A request without layers gets one, of the area of interest: a map has at least one.
#[must_use]
pub(crate) fn build(map_id: SpatialMapId, request: &SpatialMapCreateReq, features: SuppFeat) -> SpatialMap {
    let mut wanted = request.map_inf.clone().unwrap_or_default();
    if !features.own_members() {
        wanted.strip_own_members();
    }
    let area = || MapLayerInfo { area: Some(request.area_int.clone()), map_asc: None };
    let layers = wanted.lyr_inf.filter(|layers| !layers.is_empty()).unwrap_or_else(|| vec![area()]);
    let lyr_list = (1..)
        .zip(layers)
        .map(|(n, layer)| SpatialMapLayerInfo { map_lyr_id: format!("layer-{n}"), map_lyr_inf: Some(layer) })
        .collect();
    SpatialMap {
        svc_id: Some(request.svc_id.clone()),
        sm_prof: SpatialMapProfile {
            map_id,
            map_cov: request.area_int.clone(),
            map_lyr_list: SpatialMapLayers { lyr_list },
            allw_ent: wanted.allw_ent,
            obj_list: None,
            visibility: wanted.visibility,
            time_period: wanted.time_period,
            premises: wanted.premises,
            serv_infos: wanted.serv_infos,
            name: wanted.name,
            personal_data_required: wanted.personal_data_required,
            sync_state: None,
        },
        aug_lyr_inf: wanted.aug_lyr_inf,
        supp_feat: None,
    }
}

/// Boxes that cover the map, none when its coverage is not geographic.
///
/// # Errors
/// The coverage is geographic and cannot be searched, or is too large to embed the anchors of (`most_m2`).
pub(crate) fn boxes(map: &SpatialMap, most_m2: f64) -> Result<Vec<GeoBox>, Vec<InvalidParam>> {
    let fault = |reason| vec![InvalidParam::new("/smProf/mapCov", reason)];
    let area = match Area::of(&map.sm_prof.map_cov) {
        Ok(area) => area,
        // Cells, addresses and shapes that only the peer knows cover something; it cannot be searched by place.
        Err(AreaError::NotGeographic | AreaError::Shape) => return Ok(Vec::new()),
        Err(AreaError::Polygon) => return Err(fault("is not a simple polygon")),
        Err(AreaError::TooMany) => return Err(fault("has too many areas")),
    };
    if embeds_anchors(map) && area.area_m2() > most_m2 {
        return Err(fault("is too large to embed anchors in"));
    }
    Ok(area.boxes())
}

/// Whether the map asks for the anchors in its area.
#[must_use]
pub(crate) fn embeds_anchors(map: &SpatialMap) -> bool {
    augments(map).any(|info| info.aug_with == AugmentLayer::SpatialAnchors)
}

/// What the map is augmented with.
pub(crate) fn augments(map: &SpatialMap) -> impl Iterator<Item = &AugmentLayerInfo> {
    map.aug_lyr_inf.iter().flatten()
}

/// Refuses details that cannot be identifiers of anchors.
///
/// # Errors
/// The details at fault, below `at`.
pub(crate) fn check_details(infos: &[AugmentLayerInfo], at: &str) -> Result<(), Vec<InvalidParam>> {
    let mut faults = Vec::new();
    for (n, info) in
        infos.iter().enumerate().filter(|(_, info)| info.aug_with == AugmentLayer::SpatialAnchors)
    {
        for (m, detail) in info.aug_lyr_det.iter().flatten().enumerate() {
            if detail.parse::<u32>().is_err() || detail.starts_with('+') {
                faults
                    .push(InvalidParam::new(format!("{at}/{n}/augLyrDet/{m}"), "is not the id of an anchor"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api_types::validate::Validate;
    use serde_json::{Value, json};

    const LIMIT_M2: f64 = 1.0e10;

    fn request(map_inf: Value) -> SpatialMapCreateReq {
        let area = json!({"geoServAr": {"geoArs": [{"shape": "POLYGON", "pointList": [
            {"lon": 2.35, "lat": 48.85}, {"lon": 2.351, "lat": 48.85}, {"lon": 2.351, "lat": 48.851}]}]}});
        serde_json::from_value(json!({"svcId": "museum-guide", "areaInt": area, "mapInf": map_inf})).unwrap()
    }

    fn features(text: &str) -> SuppFeat {
        SuppFeat::parse(Some(text)).unwrap()
    }

    #[test]
    fn a_map_is_valid_and_has_at_least_one_layer() {
        for (map_inf, layers) in [
            (json!(null), 1),
            (json!({"augLyrInf": [{"augWith": "SPATIAL_ANCHORS"}]}), 1),
            (json!({"lyrInf": [{"mapAsc": "floor-0"}, {"mapAsc": "floor-1"}]}), 2),
        ] {
            let map = build(SpatialMapId(17), &request(map_inf.clone()), features("1"));
            assert_eq!(map.validate_at(SpatialMapId(17)), Ok(()), "{map_inf}");
            assert_eq!(map.sm_prof.map_lyr_list.lyr_list.len(), layers, "{map_inf}");
            assert_eq!(boxes(&map, LIMIT_M2).unwrap().len(), 1, "{map_inf}");
        }
        assert!(request(json!({})).validate("").is_err(), "an empty mapInf says nothing");
    }

    #[test]
    fn own_members_are_for_peers_that_know_them() {
        let asked = json!({"visibility": "UNIVERSAL", "name": "hall", "lyrInf": [{"mapAsc": "x"}]});
        assert!(build(SpatialMapId(1), &request(asked.clone()), features("1")).has_own_members());
        assert!(!build(SpatialMapId(1), &request(asked.clone()), features("0")).has_own_members());
        assert!(!build(SpatialMapId(1), &request(asked), SuppFeat::default()).has_own_members());
    }

    #[test]
    fn a_coverage_that_cannot_be_searched_is_refused_or_passed_over() {
        let with = |area: Value, embeds: bool| {
            let inf =
                if embeds { json!({"augLyrInf": [{"augWith": "SPATIAL_ANCHORS"}]}) } else { json!(null) };
            let mut request = request(inf);
            request.area_int = serde_json::from_value(area).unwrap();
            boxes(&build(SpatialMapId(1), &request, SuppFeat::default()), LIMIT_M2)
        };
        let circle = |m: f64| {
            json!({"geoServAr": {"geoArs": [
                {"shape": "POINT_UNCERTAINTY_CIRCLE", "point": {"lon": 0, "lat": 0}, "uncertainty": m}]}})
        };
        let bow_tie = json!({"geoServAr": {"geoArs": [{"shape": "POLYGON", "pointList": [
            {"lon": 0, "lat": 0}, {"lon": 1, "lat": 1}, {"lon": 1, "lat": 0}, {"lon": 0, "lat": 1}]}]}});
        let many = json!({"geoServAr": {"geoArs": vec![json!({"shape": "POINT", "point": {"lon": 0, "lat": 0}}); 17]}});
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Value, bool, Option<bool>); 7] = [
            ("small",                     circle(50_000.0), true,  Some(true)),
            ("large, with anchors",       circle(60_000.0), true,  None),
            ("large, without anchors",    circle(60_000.0), false, Some(true)),
            ("cells only",                json!({"topServAr": {"ncgis": [{"nrCellId": "1"}]}}), true, Some(false)),
            ("a shape of tomorrow",       json!({"geoServAr": {"geoArs": [{"shape": "CUBE"}]}}), true, Some(false)),
            ("edges that cross",          bow_tie, false, None),
            ("too many areas",            many, false, None),
        ];
        for (what, area, embeds, found) in rows {
            assert_eq!(with(area, embeds).ok().map(|boxes| !boxes.is_empty()), found, "{what}");
        }
    }

    #[test]
    fn details_of_anchors_are_numbers() {
        let infos = |det: &str, with: &str| -> Vec<AugmentLayerInfo> {
            serde_json::from_value(json!([{"augWith": with, "augLyrDet": ["7", det]}])).unwrap()
        };
        for (what, det, with, good) in [
            ("a number", "4294967295", "SPATIAL_ANCHORS", true),
            ("too large", "4294967296", "SPATIAL_ANCHORS", false),
            ("negative", "-1", "SPATIAL_ANCHORS", false),
            ("signed", "+1", "SPATIAL_ANCHORS", false),
            ("a name", "a1", "SPATIAL_ANCHORS", false),
            ("a name of a user", "alice", "VAL_USERS", true),
        ] {
            let got = check_details(&infos(det, with), "/augLyrInf");
            assert_eq!(got.is_ok(), good, "{what}");
            if let Err(faults) = got {
                assert_eq!(faults[0].param, "/augLyrInf/0/augLyrDet/1", "{what}");
            }
        }
    }
}
