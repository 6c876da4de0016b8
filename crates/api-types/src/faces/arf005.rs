//! ETSI GS ARF 005, world storage: the world anchor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// The identifier of nothing: what a client names before the server has given one.
pub const NIL_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// Most tags, and most values of one. Own values.
pub const MAX_TAGS: usize = 64;

/// Longest tag or value of one, in characters. Own value.
pub const MAX_TAG: usize = 2_048;

/// How far the last row of a matrix may be from `0 0 0 1`. Own value.
const ROW_TOLERANCE: f64 = 1e-6;

closed_enum! {
    /// Unit of length of a world anchor.
    UnitSystem {
        /// Millimetre.
        Mm = "MM",
        /// Centimetre.
        Cm = "CM",
        /// Decimetre.
        Dm = "DM",
        /// Metre.
        M = "M",
        /// Decametre.
        Dam = "DAM",
        /// Hectometre.
        Hm = "HM",
        /// Kilometre.
        Km = "KM",
        /// Inch.
        Inch = "INCH",
        /// Foot.
        Foot = "FOOT",
        /// Yard.
        Yard = "YARD",
        /// Mile.
        Mile = "MILE",
    }
}

/// A world anchor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorldAnchor {
    /// Given by the server; nil or absent on creation.
    #[serde(rename = "UUID", default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who made it; told to nobody, therefore nil.
    #[serde(rename = "creatorUUID", default, skip_serializing_if = "Option::is_none")]
    pub creator_uuid: Option<String>,
    /// Pose in the frame of the map: 4 by 4, row by row.
    #[serde(rename = "localCRS")]
    pub local_crs: Vec<f64>,
    /// Unit of length.
    pub unit: UnitSystem,
    /// Extent along the three axes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world_anchor_size: Option<Vec<f64>>,
    /// Further information.
    #[serde(default)]
    pub keyvalue_tags: BTreeMap<String, Vec<String>>,
}

impl WorldAnchor {
    /// The first value of a tag.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.keyvalue_tags.get(name)?.first().map(String::as_str)
    }
}

impl Validate for WorldAnchor {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_text(self.name.as_ref(), crate::san::MAX_NAME, at, "name");
        check_matrix(&mut faults, &self.local_crs, at, "localCRS");
        check_size(&mut faults, self.world_anchor_size.as_deref(), at, "worldAnchorSize");
        check_tags(&mut faults, &self.keyvalue_tags, at);
        faults.done()
    }
}

/// A pose: 4 by 4, row by row.
pub(super) fn check_matrix(faults: &mut Faults, matrix: &[f64], at: &str, name: &str) {
    let finite = matrix.len() == 16 && matrix.iter().all(|cell| cell.is_finite());
    faults.require(finite, at, name, "is not 16 numbers");
    if let (true, Some(last)) = (finite, matrix.last_chunk::<4>()) {
        let affine = last.iter().zip([0.0, 0.0, 0.0, 1.0]).all(|(a, b)| (a - b).abs() <= ROW_TOLERANCE);
        faults.require(affine, at, name, "does not end with 0 0 0 1");
    }
}

/// Three lengths.
pub(super) fn check_size(faults: &mut Faults, size: Option<&[f64]>, at: &str, name: &str) {
    let good = |size: &[f64]| size.len() == 3 && size.iter().all(|part| part.is_finite() && *part >= 0.0);
    faults.require(size.is_none_or(good), at, name, "is not three lengths");
}

/// Further information.
pub(super) fn check_tags(faults: &mut Faults, tags: &BTreeMap<String, Vec<String>>, at: &str) {
    let here = child(at, "keyvalueTags");
    if tags.len() > MAX_TAGS {
        faults.add(here.clone(), "has too many elements");
    }
    for (name, values) in tags.iter().take(MAX_TAGS) {
        let good = |text: &String| text.chars().count() <= MAX_TAG && !text.chars().any(char::is_control);
        let fits = !name.is_empty() && good(name) && values.len() <= MAX_TAGS && values.iter().all(good);
        if !fits {
            faults.add(here.clone(), "holds a tag that is too long or no text");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn one_spoiled_member_is_named() {
        let good = || {
            json!({
                "UUID": NIL_UUID, "name": "Desk", "creatorUUID": NIL_UUID,
                "localCRS": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], "unit": "M",
                "worldAnchorSize": [1.0, 1.0, 1.0], "keyvalueTags": { "Location": ["Room1"] },
            })
        };
        let read = |value: Value| -> Result<WorldAnchor, String> {
            let anchor: WorldAnchor = crate::strict_json::from_value(value).map_err(|error| error.param)?;
            anchor.validate("").map_err(|faults| faults[0].param.clone())?;
            Ok(anchor)
        };
        let anchor = read(good()).unwrap();
        assert_eq!(anchor.tag("Location"), Some("Room1"));
        assert_eq!(serde_json::to_value(&anchor).unwrap()["localCRS"].as_array().unwrap().len(), 16);
        type Spoil = fn(&mut Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &str); 9] = [
            ("no matrix",        |v| drop(v.as_object_mut().unwrap().remove("localCRS")), "/localCRS"),
            ("15 numbers",       |v| drop(v["localCRS"].as_array_mut().unwrap().pop()), "/localCRS"),
            ("column by column", |v| v["localCRS"][12] = json!(3.0), "/localCRS"),
            ("text in a matrix", |v| v["localCRS"][0] = json!("1"), "/localCRS/0"),
            ("a league",         |v| v["unit"] = json!("LEAGUE"), "/unit"),
            ("no unit",          |v| drop(v.as_object_mut().unwrap().remove("unit")), "/unit"),
            ("negative size",    |v| v["worldAnchorSize"][1] = json!(-1), "/worldAnchorSize"),
            ("a tag of numbers", |v| v["keyvalueTags"]["Location"] = json!([1]), "/keyvalueTags/Location/0"),
            ("an endless tag",   |v| v["keyvalueTags"]["a"] = json!(["x".repeat(3_000)]), "/keyvalueTags"),
        ];
        for (what, spoil, param) in rows {
            let mut value = good();
            spoil(&mut value);
            assert_eq!(read(value), Err(param.to_owned()), "{what}");
        }
    }
}
