//! An import as the server keeps it: what makes it go on where it stopped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OwnerRef;
use crate::ids::ValServiceId;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Most issuers that one import renames. Own value.
const MAX_ISSUERS: usize = 16;

/// Longest name of an issuer, in characters. Own value.
pub(super) const MAX_ISSUER: usize = 2_048;

/// How an import begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportBegin {
    /// A demo made the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// For features that do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<ImportDefaults>,
    /// Issuers of owners in the file, and what they are called here. Only the operator can know that both name the same
    /// people.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub issuers: BTreeMap<String, String>,
}

/// What features mean that do not say it themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportDefaults {
    /// Who owns them.
    pub owner: OwnerRef,
    /// VAL service.
    pub service_id: ValServiceId,
    /// Where the service is reached.
    pub end_pt: String,
}

/// How far an import is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportRun {
    /// Its name: the digest of the file, or what the operator calls it.
    pub import_id: String,
    /// The first line that is not kept yet, counted from 1: the token by which an import goes on.
    pub next_line: u64,
    /// Anchors that are kept.
    pub imported: u64,
    /// Anchors among them that have another identifier than in the file.
    pub renumbered: u64,
    /// Lines that were left out because they are bad.
    pub skipped: u64,
    /// Whether identifiers are kept: the server had never given one when the import began.
    pub keeps_ids: bool,
    /// Whether the last line was seen.
    pub done: bool,
    /// Bad lines of this request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<BadLine>,
}

/// A line that was not taken, and why. Never what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BadLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// JSON Pointer of the member at fault.
    pub param: String,
    /// A constant text.
    pub reason: String,
}

impl Validate for ImportBegin {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.defaults.as_ref(), at, "defaults");
        let here = child(at, "issuers");
        if self.issuers.len() > MAX_ISSUERS {
            faults.add(here.clone(), "has too many elements");
        }
        for (from, to) in self.issuers.iter().take(MAX_ISSUERS) {
            let good = |name: &str| !name.is_empty() && name.chars().count() <= MAX_ISSUER;
            faults.require(good(from) && good(to), at, "issuers", "names no issuer");
        }
        faults.done()
    }
}

impl Validate for ImportDefaults {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.owner), at, "owner");
        faults.text(&self.end_pt, MAX_ISSUER, at, "endPt");
        faults.done()
    }
}
