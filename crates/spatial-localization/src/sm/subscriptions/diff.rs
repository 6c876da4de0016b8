//! What a change of a map changes of its objects and layers (TS 29.437 `MapObjectChangeEvent`).

use std::collections::BTreeMap;

use api_types::ids::SpatialMapId;
use api_types::sm::{
    MapObjectChangeEvent, MapObjectChangeReport, MapObjectInfo, SpatialMap, SpatialMapLayerInfo,
};
use serde::{Deserialize, Serialize};
use service_http::ambient::Ambient;
use store::happenings::{self, Happening};
use store::{Sql, StoreError, subscriptions};

use super::Maps;
use crate::shared::subscriptions::Kind;
use crate::shared::subscriptions::operations::written;

/// What happened to a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Happened {
    /// It was changed.
    Changed { map_id: SpatialMapId, objects: Vec<MapObjectChangeReport>, layers: Vec<SpatialMapLayerInfo> },
    /// It can be read.
    Ready { map_id: SpatialMapId },
}

/// Notes what a change has changed, where there is any subscription and anything to tell.
///
/// # Errors
/// The store failed.
pub(in crate::sm) async fn note_change(
    tx: &mut dyn Sql,
    ambient: &Ambient,
    trace: String,
    before: &SpatialMap,
    after: &SpatialMap,
) -> Result<(), StoreError> {
    let (objects, layers) = (objects(before, after), layers(before, after));
    if objects.is_empty() && layers.is_empty() {
        return Ok(());
    }
    let happened = Happened::Changed { map_id: after.sm_prof.map_id, objects, layers };
    note(tx, ambient, Some(trace), &happened).await
}

pub(super) async fn note(
    tx: &mut dyn Sql,
    ambient: &Ambient,
    trace: Option<String>,
    happened: &Happened,
) -> Result<(), StoreError> {
    if !subscriptions::any(tx, Maps::FAMILY).await? {
        return Ok(());
    }
    let (kind, body) = (Maps::FAMILY.to_owned(), written(happened)?);
    happenings::note(tx, &Happening { kind, body, at_ms: ambient.now_ms(), trace }).await
}

/// Objects that came, went and changed, by name.
fn objects(before: &SpatialMap, after: &SpatialMap) -> Vec<MapObjectChangeReport> {
    let named = |map: &SpatialMap| -> BTreeMap<String, MapObjectInfo> {
        let objects = map.sm_prof.obj_list.iter().flatten();
        objects.map(|object| (object.obj_id.clone(), object.clone())).collect()
    };
    let (before, after) = (named(before), named(after));
    let report = |object: &MapObjectInfo, what| MapObjectChangeReport {
        obj_inf: object.clone(),
        obj_chg_evnt: Some(what),
    };
    let mut reports = Vec::new();
    for (name, object) in &after {
        match before.get(name) {
            None => reports.push(report(object, MapObjectChangeEvent::Added)),
            Some(known) => reports.extend(changed(known, object).map(|what| report(object, what))),
        }
    }
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    reports.extend(gone.map(|(_, object)| report(object, MapObjectChangeEvent::Removed)));
    reports
}

/// What has changed of an object; where several things have, the one that says most about its place.
fn changed(before: &MapObjectInfo, after: &MapObjectInfo) -> Option<MapObjectChangeEvent> {
    if before == after {
        return None;
    }
    let place = |object: &MapObjectInfo| {
        object.obj_pos.as_ref().map(|at| {
            (
                at.local_origin.coordinate_id.clone(),
                at.local_origin.point,
                at.local_origin.area.clone(),
                at.point.clone(),
            )
        })
    };
    let direction =
        |object: &MapObjectInfo| object.obj_pos.as_ref().map(|at| at.local_origin.horiz_axes_orientation);
    Some(if place(before) != place(after) {
        MapObjectChangeEvent::ChangedPosition
    } else if direction(before) != direction(after) {
        MapObjectChangeEvent::ChangedDirection
    } else {
        MapObjectChangeEvent::AnyOther
    })
}

/// Layers that came, went (as they last were) or changed.
fn layers(before: &SpatialMap, after: &SpatialMap) -> Vec<SpatialMapLayerInfo> {
    let of = |map: &SpatialMap| map.sm_prof.map_lyr_list.lyr_list.clone();
    let (before, after) = (of(before), of(after));
    let is_known = |layer: &SpatialMapLayerInfo| before.contains(layer);
    let is_gone = |layer: &&SpatialMapLayerInfo| !after.iter().any(|new| new.map_lyr_id == layer.map_lyr_id);
    let mut changed: Vec<_> = after.iter().filter(|layer| !is_known(layer)).cloned().collect();
    changed.extend(before.iter().filter(is_gone).cloned());
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn map(change: impl FnOnce(&mut Value)) -> SpatialMap {
        let at = |x: f64| {
            json!({
                "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID", "confidence": 90,
                "localOrigin": { "coordinateId": "hall", "horizAxesOrientation": 0 }, "point": { "x": x, "y": 0.0 },
                "uncertaintyEllipsoid": { "semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0 },
            })
        };
        let mut map = json!({ "smProf": {
            "mapId": 17, "mapCov": {}, "mapLyrList": { "lyrList": [{ "mapLyrId": "a" }, { "mapLyrId": "b" }] },
            "objList": [{ "objId": "door", "objType": "t", "objPos": at(1.0) }, { "objId": "desk", "objType": "t" }],
        } });
        change(&mut map);
        serde_json::from_value(map).unwrap()
    }

    type Change = fn(&mut Value);
    /// What changed, how, the objects and the layers that are told.
    type Row<'a> = (&'a str, Change, &'a [(&'a str, &'a str)], &'a [&'a str]);

    #[test]
    fn a_change_is_told_by_object_and_layer() {
        #[rustfmt::skip] // a table stays a table
        let rows: [Row<'_>; 9] = [
            ("nothing",   |_| {}, &[], &[]),
            ("premises",  |map| map["smProf"]["premises"] = json!("x"), &[], &[]),
            ("added",     |map| map["smProf"]["objList"].as_array_mut().unwrap().push(json!({ "objId": "lamp", "objType": "t" })), &[("lamp", "ADDED")], &[]),
            ("removed",   |map| drop(map["smProf"]["objList"].as_array_mut().unwrap().remove(0)), &[("door", "REMOVED")], &[]),
            ("moved",     |map| map["smProf"]["objList"][0]["objPos"]["point"]["x"] = json!(2.0), &[("door", "CHANGED_POSTION")], &[]),
            ("turned",    |map| map["smProf"]["objList"][0]["objPos"]["localOrigin"]["horizAxesOrientation"] = json!(900), &[("door", "CHANGED_DIRECTION")], &[]),
            ("otherwise", |map| map["smProf"]["objList"][1]["objInf"] = json!("oak"), &[("desk", "ANY_OTHER")], &[]),
            ("a layer",   |map| map["smProf"]["mapLyrList"]["lyrList"][1]["mapLyrInf"] = json!({ "mapAsc": "9" }), &[], &["b"]),
            ("layers",    |map| map["smProf"]["mapLyrList"]["lyrList"] = json!([{ "mapLyrId": "a" }, { "mapLyrId": "c" }]), &[], &["c", "b"]),
        ];
        for (what, change, objects_, layers_) in rows {
            let (before, after) = (map(|_| {}), map(change));
            let told = objects(&before, &after);
            let told: Vec<(&str, &str)> = told
                .iter()
                .map(|one| {
                    (one.obj_inf.obj_id.as_str(), one.obj_chg_evnt.as_ref().map_or("-", |what| what.as_str()))
                })
                .collect();
            assert_eq!(told, objects_, "{what}");
            let told = layers(&before, &after);
            let told: Vec<&str> = told.iter().map(|layer| layer.map_lyr_id.as_str()).collect();
            assert_eq!(told, layers_, "{what}");
        }
    }
}
