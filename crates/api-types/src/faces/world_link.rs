//! ETSI GS ARF 005, world storage: the world link, where one element lies in the frame of another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arf005::{UnitSystem, check_matrix, check_tags};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Longest UUID or kind of an element, in characters. Own value.
const MAX_END: usize = 64;

/// What a link leads from or to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementKind {
    /// A world anchor.
    WorldAnchor,
    /// A trackable.
    Trackable,
}

/// A world link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorldLink {
    /// Given by the server; nil or absent on creation.
    #[serde(rename = "UUID", default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Who made it; told to nobody, therefore nil.
    #[serde(rename = "creatorUUID", default, skip_serializing_if = "Option::is_none")]
    pub creator_uuid: Option<String>,
    /// Where it begins.
    #[serde(rename = "UUIDFrom")]
    pub uuid_from: String,
    /// Where it leads.
    #[serde(rename = "UUIDTo")]
    pub uuid_to: String,
    /// Kind of the element where it begins; a name that holds `TRACKABLE` or `ANCHOR`.
    pub type_from: String,
    /// Kind of the element where it leads.
    pub type_to: String,
    /// Pose of the second in the frame of the first: 4 by 4, row by row.
    pub transform: Vec<f64>,
    /// Unit of length.
    pub unit: UnitSystem,
    /// Further information.
    #[serde(default)]
    pub keyvalue_tags: BTreeMap<String, Vec<String>>,
}

impl WorldLink {
    /// Both ends; `None` for a kind that is no element.
    #[must_use]
    pub fn ends(&self) -> [(Option<ElementKind>, &str); 2] {
        [(kind(&self.type_from), &self.uuid_from), (kind(&self.type_to), &self.uuid_to)]
    }
}

/// Clients differ in how they write it: `ANCHOR`, `WORLDANCHOR`, `WorldAnchor`.
fn kind(name: &str) -> Option<ElementKind> {
    let name = name.to_ascii_uppercase();
    match (name.contains("ANCHOR"), name.contains("TRACKABLE")) {
        (true, false) => Some(ElementKind::WorldAnchor),
        (false, true) => Some(ElementKind::Trackable),
        _ => None,
    }
}

impl Validate for WorldLink {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.uuid_from, MAX_END, at, "UUIDFrom");
        faults.text(&self.uuid_to, MAX_END, at, "UUIDTo");
        for (name, type_) in [("typeFrom", &self.type_from), ("typeTo", &self.type_to)] {
            let good = type_.chars().count() <= MAX_END && kind(type_).is_some();
            faults.require(good, at, name, "is neither a trackable nor an anchor");
        }
        faults.require(self.uuid_from != self.uuid_to, at, "UUIDTo", "is where the link begins");
        check_matrix(&mut faults, &self.transform, at, "transform");
        check_tags(&mut faults, &self.keyvalue_tags, at);
        faults.done()
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
                "UUIDFrom": "a", "UUIDTo": "b", "typeFrom": "TRACKABLE", "typeTo": "WorldAnchor", "unit": "CM",
                "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], "keyvalueTags": {},
            })
        };
        let read = |value: Value| -> Result<WorldLink, String> {
            let read: WorldLink = crate::strict_json::from_value(value).map_err(|error| error.param)?;
            read.validate("").map_err(|faults| faults[0].param.clone())?;
            Ok(read)
        };
        let link = read(good()).unwrap();
        assert_eq!(link.ends(), [(Some(ElementKind::Trackable), "a"), (Some(ElementKind::WorldAnchor), "b")]);
        type Spoil = fn(&mut Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &str); 7] = [
            ("no beginning",   |v| drop(v.as_object_mut().unwrap().remove("UUIDFrom")), "/UUIDFrom"),
            ("no end",         |v| v["UUIDTo"] = json!(""), "/UUIDTo"),
            ("to itself",      |v| v["UUIDTo"] = json!("a"), "/UUIDTo"),
            ("from a link",    |v| v["typeFrom"] = json!("LINK"), "/typeFrom"),
            ("to nothing",     |v| v["typeTo"] = json!("UNKNOWN"), "/typeTo"),
            ("no transform",   |v| v["transform"] = json!([]), "/transform"),
            ("a league",       |v| v["unit"] = json!("LEAGUE"), "/unit"),
        ];
        for (what, spoil, param) in rows {
            let mut value = good();
            spoil(&mut value);
            assert_eq!(read(value), Err(param.to_owned()), "{what}");
        }
    }
}
