//! Whose a member of an anchor or a map is (decision FFS-11): the operator's, the customer's or a user's. Pure.
//!
//! What is the customer's or a user's is shown to the owner of the object alone. What is the operator's is what a rule of
//! the operator names as `<object>/<part>`, as `anchors/17/specInfo` or `spatial-maps/17/layers/floor-2`: it is shown to
//! those whom the rules permit it, to everybody else it is not there, neither in the answer nor for a search. The owner
//! reads what it wrote itself, and service information, which several providers write together, is always shown.

use std::collections::BTreeSet;

use api_types::san::SpatialAnchor;
use api_types::sm::SpatialMap;

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataClass {
    /// The operator's: what its rules name, and what its rules are.
    Operator,
    /// The customer's, who created the object.
    Customer,
    /// A user's.
    User,
    /// Everybody's who may discover the object.
    Open,
}

/// Members of an anchor that may be absent, and whose they are before a rule names them.
pub const ANCHOR_MEMBERS: [(&str, DataClass); 9] = [
    ("rules", DataClass::Customer),
    ("premises", DataClass::Customer),
    ("svcArea", DataClass::Open),
    ("specInfo", DataClass::Open),
    ("visibility", DataClass::Open),
    ("timePeriod", DataClass::Open),
    ("servInfos", DataClass::Open),
    ("name", DataClass::Open),
    ("personalDataRequired", DataClass::Open),
];

/// Members of a map that may be absent, and whose they are before a rule names them.
pub const MAP_MEMBERS: [(&str, DataClass); 9] = [
    ("allwEnt", DataClass::Customer),
    ("premises", DataClass::Customer),
    ("objList", DataClass::Open),
    ("visibility", DataClass::Open),
    ("timePeriod", DataClass::Open),
    ("servInfos", DataClass::Open),
    ("name", DataClass::Open),
    ("personalDataRequired", DataClass::Open),
    ("augLyrInf", DataClass::User),
];

/// Parts of one object that the rules of the operator keep from a reader.
pub type Hidden = BTreeSet<String>;

/// Takes out of an anchor what a reader who is not its owner is not shown.
pub fn conceal_anchor(anchor: &mut SpatialAnchor, hidden: &Hidden) {
    let is = |member: &str| conceals(&ANCHOR_MEMBERS, member, hidden);
    clear(is("rules"), &mut anchor.rules);
    clear(is("premises"), &mut anchor.premises);
    clear(is("svcArea"), &mut anchor.svc_area);
    clear(is("specInfo"), &mut anchor.spec_info);
    clear(is("visibility"), &mut anchor.visibility);
    clear(is("timePeriod"), &mut anchor.time_period);
    clear(is("name"), &mut anchor.name);
    clear(is("personalDataRequired"), &mut anchor.personal_data_required);
}

/// Takes out of a map what a reader who is not its owner is not shown; of augmentations the kind stays, without details.
pub fn conceal_map(map: &mut SpatialMap, hidden: &Hidden) {
    let is = |member: &str| conceals(&MAP_MEMBERS, member, hidden);
    let profile = &mut map.sm_prof;
    clear(is("allwEnt"), &mut profile.allw_ent);
    clear(is("premises"), &mut profile.premises);
    clear(is("objList"), &mut profile.obj_list);
    clear(is("visibility"), &mut profile.visibility);
    clear(is("timePeriod"), &mut profile.time_period);
    clear(is("name"), &mut profile.name);
    clear(is("personalDataRequired"), &mut profile.personal_data_required);
    clear(hidden.contains("augLyrInf"), &mut map.aug_lyr_inf);
    for info in map.aug_lyr_inf.iter_mut().flatten() {
        info.aug_lyr_det = None;
    }
    profile.map_lyr_list.lyr_list.retain(|layer| shows_layer(hidden, &layer.map_lyr_id));
    if let Some(objects) = &mut profile.obj_list {
        objects.retain(|object| shows_object(hidden, &object.obj_id));
    }
    profile.obj_list = profile.obj_list.take().filter(|objects| !objects.is_empty());
}

/// Whether a layer is shown.
pub fn shows_layer(hidden: &Hidden, layer: &str) -> bool {
    !hidden.contains(&format!("layers/{layer}"))
}

/// Whether an object is shown.
pub fn shows_object(hidden: &Hidden, object: &str) -> bool {
    !hidden.contains("objList") && !hidden.contains(&format!("objects/{object}"))
}

/// What is not listed is the most sensitive there is, and is shown to nobody.
fn conceals(members: &[(&str, DataClass)], member: &str, hidden: &Hidden) -> bool {
    let class = members.iter().find(|(name, _)| *name == member).map(|(_, class)| *class);
    class != Some(DataClass::Open) || hidden.contains(member)
}

fn clear<T>(conceals: bool, member: &mut Option<T>) {
    if conceals {
        *member = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn hidden(parts: &[&str]) -> Hidden {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    fn names(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn every_member_of_an_anchor_has_a_class() {
        let whole: SpatialAnchor = serde_json::from_value(json!({
            "anchorId": 7, "posInfo": { "spaMapPos": { "spaMapId": "1" } }, "specInfo": "AAAA", "svcArea": {},
            "rules": { "valServiceList": ["s"] }, "premises": "p", "visibility": "UNIVERSAL", "name": "n",
            "timePeriod": { "startTime": "2026-01-01T00:00:00Z", "stopTime": "2027-01-01T00:00:00Z" },
            "servInfos": [{ "servInfoId": "a", "info": "i" }], "personalDataRequired": ["identity"],
        }))
        .unwrap();
        let written = serde_json::to_value(&whole).unwrap();
        let optional =
            names(&written).into_iter().filter(|name| !["anchorId", "posInfo", "servInfos"].contains(name));
        for name in optional {
            assert!(ANCHOR_MEMBERS.iter().any(|(member, _)| *member == name), "{name} has no class");
            let mut shown = whole.clone();
            conceal_anchor(&mut shown, &hidden(&[name]));
            assert!(serde_json::to_value(&shown).unwrap().get(name).is_none(), "{name} is absent, not null");
        }
        let mut shown = whole.clone();
        conceal_anchor(&mut shown, &Hidden::new());
        let shown = serde_json::to_value(&shown).unwrap();
        assert!(shown.get("rules").is_none() && shown.get("premises").is_none(), "the customer's");
        assert_eq!((&shown["specInfo"], &shown["name"]), (&json!("AAAA"), &json!("n")));
    }

    #[test]
    fn layers_and_objects_that_are_the_operators_are_not_there() {
        let whole: SpatialMap = serde_json::from_value(json!({ "smProf": {
            "mapId": 17, "mapCov": {}, "mapLyrList": { "lyrList": [{ "mapLyrId": "a" }, { "mapLyrId": "b" }] },
            "objList": [{ "objId": "door", "objType": "t" }, { "objId": "duct", "objType": "t" }], "premises": "p",
        }, "augLyrInf": [{ "augWith": "VAL_USERS", "augLyrDet": ["alice"] }] }))
        .unwrap();
        #[rustfmt::skip] // a table stays a table
        let rows: [(&[&str], &[&str], &[&str]); 5] = [
            (&[],                              &["a", "b"], &["door", "duct"]),
            (&["layers/b"],                    &["a"],      &["door", "duct"]),
            (&["objects/duct"],                &["a", "b"], &["door"]),
            (&["objList", "layers/c"],         &["a", "b"], &[]),
            (&["layers/a", "layers/b", "name"],&[],         &["door", "duct"]),
        ];
        for (parts, layers, objects) in rows {
            let mut shown = whole.clone();
            conceal_map(&mut shown, &hidden(parts));
            let got: Vec<&str> =
                shown.sm_prof.map_lyr_list.lyr_list.iter().map(|l| l.map_lyr_id.as_str()).collect();
            assert_eq!(got, layers, "{parts:?}");
            let got: Vec<&str> = shown.sm_prof.obj_list.iter().flatten().map(|o| o.obj_id.as_str()).collect();
            assert_eq!(got, objects, "{parts:?}");
            assert_eq!(shown.sm_prof.premises, None, "the customer's");
            assert_eq!(
                shown.aug_lyr_inf.as_ref().and_then(|infos| infos[0].aug_lyr_det.clone()),
                None,
                "a user's"
            );
        }
    }
}
