//! Groups of anchors (TS 23.437 8.6, Rel-20, of which no API is published): own interface `ssan-grpm`.

use serde::{Deserialize, Serialize};

use super::anchor::AllowedRules;
use super::{MAX_ANCHORS_PER_LIST, MAX_NAME};
use crate::common_data::SupportedFeatures;
use crate::ids::SpatialAnchorId;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Anchors that belong together, of one owner. A group opens no anchor to anybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorGroup {
    /// Assigned by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The anchors, each once.
    pub anchor_ids: Vec<SpatialAnchorId>,
    /// Who may read the group beside its owner; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<AllowedRules>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// The groups of the caller.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorGroups {
    /// The groups, perhaps none.
    pub groups: Vec<SpatialAnchorGroup>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

impl Validate for SpatialAnchorGroup {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_text(self.name.as_ref(), MAX_NAME, at, "name");
        let count = self.anchor_ids.len();
        faults.require(
            (1..=MAX_ANCHORS_PER_LIST).contains(&count),
            at,
            "anchorIds",
            "must have 1 to 1000 elements",
        );
        let mut ids: Vec<u32> = self.anchor_ids.iter().map(|id| id.0).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            faults.add(child(at, "anchorIds"), "must name each anchor once");
        }
        faults.part(self.rules.as_ref(), at, "rules");
        faults.done()
    }
}
