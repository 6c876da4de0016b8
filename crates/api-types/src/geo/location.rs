//! Where a user is (TS 29.122 `LocationInfo`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::area::GeographicArea;
use crate::common_data::MAX_TEXT;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Where a user is. Personal data: `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocationInfo {
    /// Minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_of_location_info: Option<u32>,
    /// Cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell_id: Option<String>,
    /// Base station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enode_b_id: Option<String>,
    /// Routing area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_area_id: Option<String>,
    /// Tracking area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_area_id: Option<String>,
    /// Network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plmn_id: Option<String>,
    /// Access network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twan_id: Option<String>,
    /// TS 29.571 `UserLocation`, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_location: Option<Value>,
    /// Area on the Earth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geographic_area: Option<GeographicArea>,
    /// TS 29.572 `CivicAddress`, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub civic_address: Option<Value>,
    /// Method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_method: Option<String>,
    /// Whether the accuracy was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos_fulfil_ind: Option<String>,
    /// Velocity, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_velocity: Option<Value>,
    /// Type of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ldr_type: Option<String>,
    /// Accuracy reached, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved_qos: Option<Value>,
    /// Application layer identifier of the other UE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel_app_layer_id: Option<String>,
    /// Range and direction, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range_direction: Option<Value>,
    /// Relative place in the plane, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_d_rel_loc: Option<Value>,
    /// Relative place in space, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub three_d_rel_loc: Option<Value>,
    /// Relative velocity, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel_velocity: Option<Value>,
    /// Cumulative event report, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_cum_evt_rep: Option<Value>,
    /// Local estimate, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_loc_est: Option<Value>,
}

impl std::fmt::Debug for LocationInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocationInfo")
    }
}

impl Validate for LocationInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.geographic_area.as_ref(), at, "geographicArea");
        for (key, text) in [
            ("cellId", &self.cell_id),
            ("enodeBId", &self.enode_b_id),
            ("routingAreaId", &self.routing_area_id),
            ("trackingAreaId", &self.tracking_area_id),
            ("plmnId", &self.plmn_id),
            ("twanId", &self.twan_id),
            ("positionMethod", &self.position_method),
            ("qosFulfilInd", &self.qos_fulfil_ind),
            ("ldrType", &self.ldr_type),
            ("relAppLayerId", &self.rel_app_layer_id),
        ] {
            faults.opt_text(text.as_ref(), MAX_TEXT, at, key);
        }
        for (key, raw) in [
            ("userLocation", &self.user_location),
            ("civicAddress", &self.civic_address),
            ("ueVelocity", &self.ue_velocity),
            ("achievedQos", &self.achieved_qos),
            ("rangeDirection", &self.range_direction),
            ("twoDRelLoc", &self.two_d_rel_loc),
            ("threeDRelLoc", &self.three_d_rel_loc),
            ("relVelocity", &self.rel_velocity),
            ("upCumEvtRep", &self.up_cum_evt_rep),
            ("localLocEst", &self.local_loc_est),
        ] {
            let object = raw.as_ref().is_none_or(Value::is_object);
            faults.require(object, at, key, "is not an object");
        }
        faults.done()
    }
}
