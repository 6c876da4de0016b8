//! ETSI GS ARF 005, world storage: the trackable, something in a map that a device recognises.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arf005::{UnitSystem, check_matrix, check_size, check_tags};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Longest name of a kind or format, in characters. Own value.
const MAX_KIND: usize = 64;

/// Longest payload, in characters of base64. Own value, below what an object of a map may carry.
pub const MAX_PAYLOAD: usize = 12 * 1024;

/// How a payload is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EncodingInformation {
    /// Whose format, as `ARCORE`; any name is taken.
    pub data_format: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
}

/// A trackable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trackable {
    /// Given by the server; nil or absent on creation.
    #[serde(rename = "UUID", default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who made it; told to nobody, therefore nil.
    #[serde(rename = "creatorUUID", default, skip_serializing_if = "Option::is_none")]
    pub creator_uuid: Option<String>,
    /// Its kind, as `FIDUCIAL_MARKER`; any name is taken.
    pub trackable_type: String,
    /// How the payload is written.
    pub trackable_encoding_information: EncodingInformation,
    /// What a device recognises it by, in base64.
    #[serde(default)]
    pub trackable_payload: String,
    /// Pose in the frame of the map: 4 by 4, row by row.
    #[serde(rename = "localCRS")]
    pub local_crs: Vec<f64>,
    /// Unit of length.
    pub unit: UnitSystem,
    /// Extent along the three axes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trackable_size: Option<Vec<f64>>,
    /// Further information.
    #[serde(default)]
    pub keyvalue_tags: BTreeMap<String, Vec<String>>,
}

impl Trackable {
    /// The first value of a tag.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.keyvalue_tags.get(name)?.first().map(String::as_str)
    }
}

impl Validate for Trackable {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_text(self.name.as_ref(), crate::san::MAX_NAME, at, "name");
        faults.text(&self.trackable_type, MAX_KIND, at, "trackableType");
        let (encoding, here) =
            (&self.trackable_encoding_information, child(at, "trackableEncodingInformation"));
        faults.text(&encoding.data_format, MAX_KIND, &here, "dataFormat");
        let short = encoding.version.chars().count() <= MAX_KIND;
        faults.require(
            short && !encoding.version.chars().any(char::is_control),
            &here,
            "version",
            "is no version",
        );
        let payload = self.trackable_payload.as_bytes();
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let good = payload.len() <= MAX_PAYLOAD && payload.iter().all(base64);
        faults.require(good, at, "trackablePayload", "is too long or not base64");
        check_matrix(&mut faults, &self.local_crs, at, "localCRS");
        check_size(&mut faults, self.trackable_size.as_deref(), at, "trackableSize");
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
                "name": "Poster", "trackableType": "IMAGE_MARKER", "trackablePayload": "aW1hZ2U=", "unit": "M",
                "trackableEncodingInformation": { "dataFormat": "ARCORE", "version": "1.0" },
                "localCRS": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], "trackableSize": [1, 1, 0],
                "keyvalueTags": { "3gpp.mapId": ["9"] },
            })
        };
        let read = |value: Value| -> Result<Trackable, String> {
            let read: Trackable = crate::strict_json::from_value(value).map_err(|error| error.param)?;
            read.validate("").map_err(|faults| faults[0].param.clone())?;
            Ok(read)
        };
        assert_eq!(read(good()).unwrap().tag("3gpp.mapId"), Some("9"));
        type Spoil = fn(&mut Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &str); 8] = [
            ("no kind",        |v| drop(v.as_object_mut().unwrap().remove("trackableType")), "/trackableType"),
            ("an empty kind",  |v| v["trackableType"] = json!(""), "/trackableType"),
            ("no encoding",    |v| drop(v.as_object_mut().unwrap().remove("trackableEncodingInformation")), "/trackableEncodingInformation"),
            ("a long format",  |v| v["trackableEncodingInformation"]["dataFormat"] = json!("x".repeat(65)), "/trackableEncodingInformation/dataFormat"),
            ("no base64",      |v| v["trackablePayload"] = json!("a b"), "/trackablePayload"),
            ("a long payload", |v| v["trackablePayload"] = json!("a".repeat(MAX_PAYLOAD + 1)), "/trackablePayload"),
            ("15 numbers",     |v| drop(v["localCRS"].as_array_mut().unwrap().pop()), "/localCRS"),
            ("a flat size",    |v| v["trackableSize"] = json!([1, 1]), "/trackableSize"),
        ];
        for (what, spoil, param) in rows {
            let mut value = good();
            spoil(&mut value);
            assert_eq!(read(value), Err(param.to_owned()), "{what}");
        }
    }
}
