//! The first line of an export: what the file is.

use serde::{Deserialize, Serialize};

/// What an export names itself.
pub const FORMAT: &str = "metaseal-anchors-1";

/// The first line of an export. It is an empty feature collection with foreign members (RFC 7946 6.1), so that tools
/// which read features line by line pass over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportHeader {
    /// `FeatureCollection`.
    #[serde(rename = "type")]
    pub type_: String,
    /// None.
    pub features: Vec<()>,
    /// [`FORMAT`].
    pub format: String,
    /// A demo made it: its owners and rules are worth nothing, and no other server takes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
}

impl ExportHeader {
    /// The header of an export.
    #[must_use]
    pub fn new(demo: bool) -> Self {
        Self { type_: "FeatureCollection".to_owned(), features: Vec::new(), format: FORMAT.to_owned(), demo }
    }

    /// Reads a line that may be one; `None` when it is something else.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        let header: Self = crate::strict_json::from_slice(line, 4).ok()?;
        (header.type_ == "FeatureCollection" && header.format == FORMAT).then_some(header)
    }

    /// Whether this is the first line of an export.
    #[must_use]
    pub fn read_first(number: u64, line: &[u8]) -> bool {
        number == 1 && Self::read(line).is_some()
    }
}
