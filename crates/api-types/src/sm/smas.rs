//! Registration of spatial map application servers (TS 29.437 `ssm-smasr`).

use serde::{Deserialize, Serialize};

use crate::common_data::{EndPoint, MAX_LIST, SupportedFeatures, TimeReqs};
use crate::date_time::DateTime;
use crate::geo::ServiceArea;
use crate::ids::SpatialMapId;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// A server of maps (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SMASInfo {
    /// Where it is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndPoint>,
    /// When it is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avail_period: Option<TimeReqs>,
    /// Where it is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avail_loc: Option<ServiceArea>,
}

/// A map that it offers (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapInfo {
    /// The map.
    pub map_id: SpatialMapId,
    /// What it covers.
    pub cov_area: ServiceArea,
}

/// Profile of a server of maps (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SMASProfile {
    /// The server.
    pub smas_info: SMASInfo,
    /// Its maps.
    pub spat_map_info_list: Vec<SpatialMapInfo>,
}

/// Registration (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SMASReg {
    /// Profile.
    pub profile: SMASProfile,
    /// Expiry; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// Change of a registration (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SMASRegPatch {
    /// Profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<SMASProfile>,
    /// Expiry; `Some(None)` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub exp_time: Option<Option<DateTime>>,
}

impl Validate for SMASInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.endpoint.is_some(), self.avail_period.is_some(), self.avail_loc.is_some()];
        faults.at_least_one(&present, at, "needs endpoint, availPeriod or availLoc");
        faults.part(self.endpoint.as_ref(), at, "endpoint");
        faults.part(self.avail_period.as_ref(), at, "availPeriod");
        faults.part(self.avail_loc.as_ref(), at, "availLoc");
        faults.done()
    }
}

impl Validate for SpatialMapInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        self.cov_area.validate(&crate::validate::child(at, "covArea"))
    }
}

impl Validate for SMASProfile {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.smas_info), at, "smasInfo");
        faults.list(&self.spat_map_info_list, MAX_LIST, at, "spatMapInfoList");
        faults.done()
    }
}

impl Validate for SMASReg {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        self.profile.validate(&crate::validate::child(at, "profile"))
    }
}

/// Tells `null` from absent.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<DateTime>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
