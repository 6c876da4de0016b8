//! The GeoPose of an anchor.
//!
//! An anchor of TS 29.437 has a place and no turn. The exact pose is kept as the member `geopose` of a JSON object in
//! `specInfo`, where there is none of another kind; what else stands in that object stays. The place itself is `pos`, by
//! which the anchor is found: a kept pose counts for as long as both agree, so that a native client that moves the
//! anchor is not contradicted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{MAX_SPEC_INFO, SpatialAnchor};
use crate::geo::{GeoPose, GeoPosition, Quaternion};
use crate::strict_json;
use crate::validate::Validate;

/// The member of `specInfo`.
const MEMBER: &str = "geopose";

/// Deepest nesting of a `specInfo` that is looked into. Own value.
const DEPTH: usize = 16;

/// How near two places are one, in degrees and in metres: a last bit that was lost in text is no move. Own values.
const SAME_DEG: f64 = 1e-9;
const SAME_M: f64 = 1e-4;

/// `specInfo` is of another kind and has no room for a pose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds information that leaves no room for a turn")]
pub struct NoRoom;

impl SpatialAnchor {
    /// Sets place and turn. The coordinate system gets the name `coordinate_id`.
    ///
    /// # Errors
    /// The anchor would be turned, and its `specInfo` has no room for that; nothing is changed then.
    pub fn set_geo_pose(&mut self, coordinate_id: &str, pose: &GeoPose) -> Result<(), NoRoom> {
        let turned = pose.quaternion != Quaternion::IDENTITY;
        let kept = turned.then(|| serde_json::to_value(pose)).transpose().map_err(|_| NoRoom)?;
        self.set_spec_member(MEMBER, kept)?;
        self.pos_info.pos = Some(pose.to_location(coordinate_id));
        Ok(())
    }

    /// The pose that was kept with the anchor, if it is that of an anchor at `place`.
    #[must_use]
    pub fn kept_geo_pose(&self, place: &GeoPosition) -> Option<GeoPose> {
        let pose: GeoPose = strict_json::from_value(self.spec_object()?.remove(MEMBER)?).ok()?;
        pose.validate("").ok()?;
        let GeoPosition { lat, lon, h } = pose.position;
        let near = (lat - place.lat).abs() <= SAME_DEG && (lon - place.lon).abs() <= SAME_DEG;
        (near && (h - place.h).abs() <= SAME_M).then_some(pose)
    }

    /// A member of `specInfo`, where that is a JSON object.
    #[must_use]
    pub fn spec_member(&self, name: &str) -> Option<Value> {
        self.spec_object()?.remove(name)
    }

    /// Sets or removes a member of `specInfo`, and leaves what else stands there.
    ///
    /// # Errors
    /// A member is to be set, and `specInfo` is of another kind or full; nothing is changed then.
    pub fn set_spec_member(&mut self, name: &str, value: Option<Value>) -> Result<(), NoRoom> {
        let mut object = match (&self.spec_info, self.spec_object()) {
            (None, _) => Map::new(),
            (Some(_), Some(object)) => object,
            (Some(_), None) => return if value.is_some() { Err(NoRoom) } else { Ok(()) },
        };
        match value {
            Some(value) => object.insert(name.to_owned(), value),
            None => object.remove(name),
        };
        let text = (!object.is_empty()).then(|| STANDARD.encode(Value::Object(object).to_string()));
        if text.as_ref().is_some_and(|text| text.len() > MAX_SPEC_INFO) {
            return Err(NoRoom);
        }
        self.spec_info = text;
        Ok(())
    }

    fn spec_object(&self) -> Option<Map<String, Value>> {
        let bytes = STANDARD.decode(self.spec_info.as_ref()?).ok()?;
        // Most information is of another kind: it is not looked at further.
        if bytes.first() != Some(&b'{') {
            return None;
        }
        match strict_json::parse(&bytes, DEPTH).ok()? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose(lat: f64, z: f64) -> GeoPose {
        let quaternion = Quaternion { x: 0.0, y: 0.0, z, w: (1.0 - z * z).sqrt() };
        GeoPose { position: GeoPosition { lat, lon: 2.35, h: 35.5 }, quaternion }
    }

    fn anchor(spec: Option<&str>) -> SpatialAnchor {
        SpatialAnchor { spec_info: spec.map(|text| STANDARD.encode(text)), ..SpatialAnchor::default() }
    }

    #[test]
    fn a_pose_is_kept_where_there_is_room() {
        #[rustfmt::skip] // a table stays a table
        type Row<'a> = (&'a str, Option<&'a str>, f64, Result<Option<&'a str>, NoRoom>);
        let rows: [Row<'_>; 7] = [
            ("nothing there, turned", None, 0.6, Ok(Some("geopose"))),
            ("nothing there, not turned", None, 0.0, Ok(None)),
            ("an object", Some(r#"{"title":"x"}"#), 0.6, Ok(Some("title"))),
            ("a pose", Some(r#"{"geopose":1}"#), 0.6, Ok(Some("geopose"))),
            ("a pose that goes", Some(r#"{"geopose":1}"#), 0.0, Ok(None)),
            ("something else", Some("opaque"), 0.6, Err(NoRoom)),
            ("something else, not turned", Some("opaque"), 0.0, Ok(Some("opaque"))),
        ];
        for (what, spec, z, expected) in rows {
            let mut changed = anchor(spec);
            let got = changed.set_geo_pose("geopose", &pose(48.0, z));
            assert_eq!(got, expected.map(|_| ()), "{what}");
            let text = changed
                .spec_info
                .as_ref()
                .map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap());
            match expected {
                Ok(Some(part)) => assert!(text.unwrap().contains(part), "{what}"),
                Ok(None) => assert_eq!(text, None, "{what}"),
                Err(_) => assert_eq!(changed, anchor(spec), "{what}"),
            }
        }
    }

    #[test]
    fn a_kept_pose_counts_while_the_anchor_stays() {
        let mut anchor = anchor(None);
        let pose = pose(48.0, 0.6);
        anchor.set_geo_pose("geopose", &pose).unwrap();
        let place = anchor.pos_info.pos.as_ref().unwrap().geo_position().unwrap();
        assert_eq!(anchor.kept_geo_pose(&place), Some(pose));
        assert_eq!(anchor.kept_geo_pose(&GeoPosition { lat: 48.000_001, ..place }), None);
        assert_eq!(anchor.kept_geo_pose(&GeoPosition { h: 35.6, ..place }), None);
        anchor.spec_info = Some(STANDARD.encode(r#"{"geopose":{"position":{}}}"#));
        assert_eq!(anchor.kept_geo_pose(&place), None);
    }
}
