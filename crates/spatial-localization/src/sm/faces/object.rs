//! From an object of a map to a trackable of ETSI GS ARF 005 and back. Pure.
//!
//! What TS 29.437 has no member for is kept as the member `arf005` of a JSON object in `objInf`. Tags say which object it
//! is: `3gpp.mapId`, `3gpp.objectId`.

use std::collections::BTreeMap;

use api_types::faces::arf005::{NIL_UUID, UnitSystem};
use api_types::faces::trackable::{EncodingInformation, Trackable};
use api_types::ids::SpatialMapId;
use api_types::problem::InvalidParam;
use api_types::sm::MapObjectInfo;
use api_types::strict_json;
use authorization::Reason;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service_http::refusal::Refusal;

use crate::shared::input;
use crate::shared::uuid;

const MEMBER: &str = "arf005";
/// The map of a trackable.
pub(super) const MAP_ID: &str = "3gpp.mapId";
/// Its object.
pub(super) const OBJECT_ID: &str = "3gpp.objectId";

/// Deepest nesting of what is kept. Own value.
const DEPTH: usize = 8;

/// What is kept for this interface alone.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    encoding: EncodingInformation,
    #[serde(default)]
    payload: String,
    #[serde(rename = "localCRS")]
    local_crs: Vec<f64>,
    unit: UnitSystem,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<Vec<f64>>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

/// The UUID of an object: map numbers come but once, objects have names of their own within a map.
pub(super) fn uuid(map_id: u32, object_id: &str) -> String {
    uuid::of(b"trackable", map_id, object_id.as_bytes())
}

/// What a reader is shown of an object.
pub(super) fn shown(map_id: u32, object: &MapObjectInfo) -> Trackable {
    let kept = information(object).and_then(|mut kept| kept.remove(MEMBER));
    let kept = kept.and_then(|kept| strict_json::from_value::<Kept>(kept).ok()).unwrap_or_else(|| Kept {
        name: None,
        encoding: EncodingInformation { data_format: "OTHER".to_owned(), version: "0".to_owned() },
        payload: String::new(),
        local_crs: matrix(object),
        unit: UnitSystem::M,
        size: None,
        tags: BTreeMap::new(),
    });
    let mut tags = kept.tags;
    tags.insert(MAP_ID.to_owned(), vec![map_id.to_string()]);
    tags.insert(OBJECT_ID.to_owned(), vec![object.obj_id.clone()]);
    Trackable {
        uuid: Some(uuid(map_id, &object.obj_id)),
        name: kept.name.or_else(|| Some(object.obj_id.clone())),
        creator_uuid: Some(NIL_UUID.to_owned()),
        trackable_type: object.obj_type.clone(),
        trackable_encoding_information: kept.encoding,
        trackable_payload: kept.payload,
        local_crs: kept.local_crs,
        unit: kept.unit,
        trackable_size: Some(kept.size.unwrap_or_else(|| vec![1.0; 3])),
        keyvalue_tags: tags,
    }
}

/// Where an object is in its local system, unturned, row by row.
fn matrix(object: &MapObjectInfo) -> Vec<f64> {
    let point = object.obj_pos.as_ref().map(|local| &local.point);
    let (x, y, z) = point.map_or((0.0, 0.0, 0.0), |point| (point.x, point.y, point.z.unwrap_or(0.0)));
    vec![1.0, 0.0, 0.0, x, 0.0, 1.0, 0.0, y, 0.0, 0.0, 1.0, z, 0.0, 0.0, 0.0, 1.0]
}

/// The information of an object, where it is a JSON object.
fn information(object: &MapObjectInfo) -> Option<Map<String, Value>> {
    strict_json::from_slice(object.obj_inf.as_ref()?.as_bytes(), DEPTH).ok()
}

/// Writes a trackable over an object, which keeps its place and what else its information holds.
///
/// # Errors
/// Its information is of another kind: it is not ours to overwrite.
pub(super) fn write(object: &mut MapObjectInfo, wanted: &Trackable) -> Result<(), InvalidParam> {
    let fault = || InvalidParam::new("", "is an object with information of another kind");
    let mut all = match &object.obj_inf {
        None => Map::new(),
        Some(_) => information(object).ok_or_else(fault)?,
    };
    let tags = wanted.keyvalue_tags.iter().filter(|(name, _)| ![MAP_ID, OBJECT_ID].contains(&name.as_str()));
    let kept = Kept {
        name: wanted.name.clone(),
        encoding: wanted.trackable_encoding_information.clone(),
        payload: wanted.trackable_payload.clone(),
        local_crs: wanted.local_crs.clone(),
        unit: wanted.unit,
        size: wanted.trackable_size.clone(),
        tags: tags.map(|(name, values)| (name.clone(), values.clone())).collect(),
    };
    all.insert(MEMBER.to_owned(), serde_json::to_value(kept).map_err(|_| fault())?);
    object.obj_type.clone_from(&wanted.trackable_type);
    object.obj_inf = Some(Value::Object(all).to_string());
    Ok(())
}

/// What is done to one object of a map.
#[derive(Clone, Debug)]
pub(in crate::sm) enum ObjectEdit {
    /// A new one, with its identifier.
    Add(String, Box<Trackable>),
    /// The one of a UUID.
    Write(String, Box<Trackable>),
    /// Likewise.
    Remove(String),
}

impl ObjectEdit {
    /// # Errors
    /// There is no such object, or one of that name already; its information is of another kind.
    pub(in crate::sm) fn apply(
        &self,
        map_id: SpatialMapId,
        objects: &mut Vec<MapObjectInfo>,
    ) -> Result<(), Refusal> {
        let refused = |fault| input::refused(vec![fault]);
        let place = |objects: &[MapObjectInfo], wanted: &str| {
            let found = objects.iter().position(|object| uuid(map_id.0, &object.obj_id) == wanted);
            found.ok_or_else(|| Refusal::hidden(Reason::NotFound))
        };
        match self {
            Self::Add(id, wanted) => {
                if objects.iter().any(|object| object.obj_id == *id) {
                    return Err(Refusal::open(Reason::IdTaken));
                }
                let obj_type = wanted.trackable_type.clone();
                let mut object = MapObjectInfo { obj_id: id.clone(), obj_type, obj_pos: None, obj_inf: None };
                write(&mut object, wanted).map_err(refused)?;
                objects.push(object);
            }
            Self::Write(of, wanted) => {
                let at = place(objects, of)?;
                write(&mut objects[at], wanted).map_err(refused)?;
            }
            Self::Remove(of) => drop(objects.remove(place(objects, of)?)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn poster() -> Trackable {
        serde_json::from_value(json!({
            "name": "Poster", "trackableType": "IMAGE_MARKER", "trackablePayload": "aW1hZ2U=", "unit": "CM",
            "trackableEncodingInformation": { "dataFormat": "ARCORE", "version": "1.0" },
            "localCRS": [1, 0, 0, 4, 0, 1, 0, 5, 0, 0, 1, 6, 0, 0, 0, 1],
            "keyvalueTags": { "Location": ["Room1"], "3gpp.mapId": ["9"] },
        }))
        .unwrap()
    }

    #[test]
    fn what_is_written_is_shown_again() {
        let (map, mut objects) = (SpatialMapId(17), Vec::new());
        ObjectEdit::Add("poster".to_owned(), Box::new(poster())).apply(map, &mut objects).unwrap();
        let got = shown(17, &objects[0]);
        assert_eq!(
            (got.name.as_deref(), got.trackable_type.as_str(), &got.local_crs, got.unit),
            (Some("Poster"), "IMAGE_MARKER", &poster().local_crs, UnitSystem::Cm)
        );
        assert_eq!((got.tag("3gpp.mapId"), got.tag("3gpp.objectId")), (Some("17"), Some("poster")));
        assert_eq!((got.tag("Location"), got.trackable_payload.as_str()), (Some("Room1"), "aW1hZ2U="));
        // Sent back as it was read, it is the same object.
        let id = got.uuid.clone().unwrap();
        ObjectEdit::Write(id.clone(), Box::new(got.clone())).apply(map, &mut objects).unwrap();
        assert_eq!(shown(17, &objects[0]), got);
        let taken = ObjectEdit::Add("poster".to_owned(), Box::new(poster())).apply(map, &mut objects);
        assert_eq!(taken.unwrap_err().reason, Reason::IdTaken);
        let absent = ObjectEdit::Remove(uuid(17, "other")).apply(map, &mut objects);
        assert_eq!(absent.unwrap_err().reason, Reason::NotFound);
        ObjectEdit::Remove(id).apply(map, &mut objects).unwrap();
        assert!(objects.is_empty());
    }

    #[test]
    fn a_native_object_has_its_place_and_is_not_overwritten_where_it_says_something_else() {
        let native: MapObjectInfo = serde_json::from_value(json!({ "objId": "door", "objType": "stationary", "objPos": {
            "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID", "localOrigin": { "coordinateId": "hall" },
            "point": { "x": 1.0, "y": 2.0, "z": 3.0 }, "confidence": 90,
            "uncertaintyEllipsoid": { "semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0 },
        } }))
        .unwrap();
        let got = shown(17, &native);
        assert_eq!((got.local_crs[3], got.local_crs[7], got.local_crs[11]), (1.0, 2.0, 3.0));
        assert_eq!(got.trackable_encoding_information.data_format, "OTHER");
        let mut object = native.clone();
        write(&mut object, &poster()).unwrap();
        assert_eq!(object.obj_pos, native.obj_pos, "its place stays");
        for (what, information, good) in [
            ("ours and more", r#"{"width":2}"#, true),
            ("text", "a red door", false),
            ("a list", "[1]", false),
        ] {
            let mut object = MapObjectInfo { obj_inf: Some(information.to_owned()), ..native.clone() };
            assert_eq!(write(&mut object, &poster()).is_ok(), good, "{what}");
            assert!(good || object.obj_inf.as_deref() == Some(information), "{what}");
        }
    }
}
