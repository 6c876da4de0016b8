//! Discovery of maps (TS 29.437 `ssm-disc`).

use serde::{Deserialize, Serialize};

use super::map::SpatialMapLayers;
use super::smas::SMASProfile;
use crate::common_data::SupportedFeatures;
use crate::ids::{SpatialMapId, ValServiceId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Filter (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapsDiscFilter {
    /// Layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_lyr_list: Option<SpatialMapLayers>,
}

/// A discovered map (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapDiscovered {
    /// The map.
    pub map_id: SpatialMapId,
}

/// Discovered maps (TS 29.437): at least one of the lists.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapsDiscResp {
    /// VAL service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc_id: Option<ValServiceId>,
    /// Maps, perhaps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maps_disc: Option<Vec<SpatialMapDiscovered>>,
    /// Servers of maps, perhaps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smas_list: Option<Vec<SMASProfile>>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

impl Validate for SpatialMapsDiscFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.map_lyr_list.as_ref(), at, "mapLyrList");
        faults.done()
    }
}
