//! Data sources of maps (TS 24.550 `sm_smds`, TS 29.437 `ssm-dsdisc`).

use serde::{Deserialize, Serialize};

use crate::common_data::{EndPoint, MAX_LIST, MAX_TEXT, SupportedFeatures};
use crate::date_time::{DateTime, TimeWindow};
use crate::geo::ServiceArea;
use crate::ids::Gpsi;
use crate::problem::InvalidParam;
use crate::san::PositionInfo;
use crate::validate::{Faults, Validate};

open_enum! {
    /// Form of the data (TS 24.550).
    SmFormat {
        /// Raw.
        RawMap = "RAW_MAP",
        /// Processed.
        ProcessedMap = "PROCESSED_MAP",
    }
}

/// What a source delivers (TS 24.550).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapInfoDetails {
    /// Identifier of the data.
    pub sm_data_identifier: String,
    /// Kind of the data.
    pub sm_data_type: String,
    /// Where the data are taken.
    pub sm_data_area: ServiceArea,
    /// Raw, not processed.
    #[serde(default)]
    pub sm_raw_data_format: bool,
    /// Where the source is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_position: Option<PositionInfo>,
    /// When it is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_info: Option<TimeWindow>,
    /// Interval of updates, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ds_update_interval_info: Option<u32>,
}

/// Profile of a source (TS 24.550).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataSourceProfile {
    /// The source.
    pub ds_id: String,
    /// What it delivers.
    pub sm_information: SpatialMapInfoDetails,
}

/// Registration of a source (TS 24.550); `dsProfile` is an object, whatever the published file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataSourceRegReq {
    /// VAL user or VAL UE.
    pub requestor_id: String,
    /// Where notifications go.
    pub notification_destination: String,
    /// Profile.
    pub ds_profile: DataSourceProfile,
    /// Expiry; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
    /// The UE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_id: Option<Gpsi>,
    /// VAL client.
    #[serde(rename = "valClientID", default, skip_serializing_if = "Option::is_none")]
    pub val_client_id: Option<String>,
}

/// Change of a registration (TS 24.550).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataSourcePatchRegReq {
    /// Expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
    /// Profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ds_profile: Option<DataSourceProfile>,
}

/// What a source shall deliver (TS 24.550).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataSourceNotificationInfo {
    /// Identifier of the data.
    pub sm_data_identifier: String,
    /// Where to.
    pub sm_end_pt: EndPoint,
    /// Kind of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_data_type: Option<String>,
    /// Form of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_format: Option<SmFormat>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_duration_info: Option<TimeWindow>,
    /// How often, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_frequency_info: Option<u32>,
}

/// Notification to a source (TS 24.550).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataSourceNotification {
    /// VAL user or VAL UE.
    pub requestor_id: String,
    /// Its registration.
    pub data_source_reg_id: String,
    /// What to deliver.
    pub ds_notification_info: DataSourceNotificationInfo,
}

/// Filter of a discovery (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SMDataSourceDiscFilter {
    /// What is looked for.
    pub sm_info_dets: Vec<SpatialMapInfoDetails>,
}

/// Discovered sources (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SMDataSourceDiscResp {
    /// Sources, perhaps none.
    pub results: Vec<DataSourceProfile>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

impl Validate for SpatialMapInfoDetails {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.sm_data_identifier, MAX_TEXT, at, "smDataIdentifier");
        faults.text(&self.sm_data_type, MAX_TEXT, at, "smDataType");
        faults.part(Some(&self.sm_data_area), at, "smDataArea");
        faults.part(self.sm_position.as_ref(), at, "smPosition");
        faults.part(self.availability_info.as_ref(), at, "availabilityInfo");
        faults.done()
    }
}

impl Validate for DataSourceProfile {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.ds_id, MAX_TEXT, at, "dsId");
        faults.part(Some(&self.sm_information), at, "smInformation");
        faults.done()
    }
}

impl Validate for DataSourceRegReq {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.requestor_id, MAX_TEXT, at, "requestorId");
        faults.uri(&self.notification_destination, at, "notificationDestination");
        faults.part(Some(&self.ds_profile), at, "dsProfile");
        faults.opt_text(self.val_client_id.as_ref(), MAX_TEXT, at, "valClientID");
        faults.done()
    }
}

impl Validate for DataSourcePatchRegReq {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.ds_profile.as_ref(), at, "dsProfile");
        faults.done()
    }
}

impl Validate for SMDataSourceDiscFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.sm_info_dets, MAX_LIST, at, "smInfoDets");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_profile_is_an_object_and_never_a_text() {
        let request = |profile: serde_json::Value| {
            serde_json::from_value::<DataSourceRegReq>(json!({
                "requestorId": "ue-1", "notificationDestination": "https://src.example/cb", "dsProfile": profile,
                "valClientID": "c"
            }))
        };
        let profile = json!({"dsId": "d", "smInformation": {"smDataIdentifier": "i", "smDataType": "t", "smDataArea": {}}});
        assert!(request(profile).unwrap().validate("").is_ok());
        assert!(request(json!("msisdn-491700000000")).is_err());
    }
}
