//! Localization (TS 29.437 `ssm-loc`).

use serde::{Deserialize, Serialize};

use crate::common_data::{SupportedFeatures, ValTargetUe};
use crate::geo::{Pose, RelativeCartesianLocation};

/// Where a user or UE is in a map (TS 29.437). Personal data: `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapLocDetails {
    /// The user or UE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<ValTargetUe>,
    /// Position relative to the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<RelativeCartesianLocation>,
    /// Pose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pose: Option<Pose>,
}

/// Result of a localization (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapLocalizeResp {
    /// Targets, perhaps none.
    pub results: Vec<SpatialMapLocDetails>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

impl std::fmt::Debug for SpatialMapLocDetails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpatialMapLocDetails")
    }
}
