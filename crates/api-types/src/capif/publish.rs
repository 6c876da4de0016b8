//! Published service APIs (TS 29.222 `CAPIF_Publish_Service`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{AefId, ApiName, ServiceApiId};
use super::network::{MAX_SLICES, NetSliceId};
use super::profile::AefProfile;
use super::{MAX_DESCRIPTION, MAX_LIST, MAX_NAME, VendorSpecific};
use crate::common_data::SupportedFeatures;
use crate::merge_patch;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Feature `ApiSupportedFeaturePublishing`.
pub const API_SUPPORTED_FEATURE_PUBLISHING: u32 = 1;
/// Feature `PatchUpdate`.
pub const PATCH_UPDATE: u32 = 2;
/// Feature `ExtendedIntfDesc`.
pub const EXTENDED_INTF_DESC: u32 = 3;
/// Feature `MultipleCustomOperations`.
pub const MULTIPLE_CUSTOM_OPERATIONS: u32 = 4;
/// Feature `ProtocDataFormats_Ext1`.
pub const PROTOC_DATA_FORMATS_EXT1: u32 = 5;
/// Feature `ApiStatusMonitoring`.
pub const API_STATUS_MONITORING: u32 = 6;
/// Feature `EdgeApp_2`.
pub const EDGE_APP_2: u32 = 7;
/// Feature `RNAA`.
pub const RNAA: u32 = 8;
/// Feature `VendorExt`.
pub const VENDOR_EXT: u32 = 9;
/// Feature `SliceBasedAPIExposure`.
pub const SLICE_BASED_API_EXPOSURE: u32 = 10;

/// Most profiles of one service API. Own value.
pub const MAX_AEF_PROFILES: usize = 64;

/// Most domains or CAPIF core functions that one service API names. Own value.
pub const MAX_DOMAINS: usize = 64;

/// Where a service API is active (TS 29.222); an empty list: nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiStatus {
    /// The functions where it is.
    pub aef_ids: Vec<AefId>,
}

/// Whether a service API may be shared with other CAPIF provider domains (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShareableInformation {
    /// Whether it may.
    pub is_shareable: bool,
    /// With whom; absent: with all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capif_prov_doms: Option<Vec<String>>,
}

/// The way of a service API between CAPIF core functions (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishedApiPath {
    /// Where it is published already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ccf_ids: Option<Vec<String>>,
}

/// A service API (TS 29.222).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAPIDescription {
    /// The name in its URI.
    pub api_name: ApiName,
    /// Assigned by the CAPIF core function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<ServiceApiId>,
    /// Where it is active; absent: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_status: Option<ApiStatus>,
    /// Who exposes it, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_profiles: Option<Vec<AefProfile>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Features of this API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
    /// Whether others may know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shareable_info: Option<ShareableInformation>,
    /// Category.
    #[serde(rename = "serviceAPICategory", default, skip_serializing_if = "Option::is_none")]
    pub service_api_category: Option<String>,
    /// Features of the service API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_supp_feats: Option<SupportedFeatures>,
    /// Its way so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pub_api_path: Option<PublishedApiPath>,
    /// CAPIF core function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ccf_id: Option<String>,
    /// Its provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_name: Option<String>,
    /// Slices in which it is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_slice_info: Option<Vec<NetSliceId>>,
    /// Members of vendors.
    #[serde(flatten)]
    #[schema(ignore)]
    pub vendor_specific: VendorSpecific,
}

/// A change of a service API (TS 29.222), to be sent. A server applies the JSON text by [`ServiceAPIDescription::patched`], which knows `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAPIDescriptionPatch {
    /// Where it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_status: Option<ApiStatus>,
    /// Who exposes it, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_profiles: Option<Vec<AefProfile>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether others may know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shareable_info: Option<ShareableInformation>,
    /// Category.
    #[serde(rename = "serviceAPICategory", default, skip_serializing_if = "Option::is_none")]
    pub service_api_category: Option<String>,
    /// Features of the service API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_supp_feats: Option<SupportedFeatures>,
    /// Its way so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pub_api_path: Option<PublishedApiPath>,
    /// CAPIF core function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ccf_id: Option<String>,
}

/// The members that a patch may hold (TS 29.222 `ServiceAPIDescriptionPatch`).
const PATCHABLE: [&str; 8] = [
    "apiStatus",
    "aefProfiles",
    "description",
    "shareableInfo",
    "serviceAPICategory",
    "apiSuppFeats",
    "pubApiPath",
    "ccfId",
];

impl ServiceAPIDescription {
    /// The description as `patch` makes it (RFC 7396), valid again. Members that a patch may not hold are ignored.
    ///
    /// # Errors
    /// What is wrong with the patch or with the description that it would make.
    pub fn patched(&self, patch: &Value) -> Result<Self, Vec<InvalidParam>> {
        let patched: Self = merge_patch::patched(self, patch, &PATCHABLE)?;
        patched.validate("")?;
        Ok(patched)
    }

    /// Whether the service API is active at a function.
    #[must_use]
    pub fn is_active_at(&self, aef: &AefId) -> bool {
        self.api_status.as_ref().is_none_or(|status| status.aef_ids.contains(aef))
    }

    /// The profile of a function.
    #[must_use]
    pub fn profile_of(&self, aef: &AefId) -> Option<&AefProfile> {
        self.aef_profiles.iter().flatten().find(|profile| profile.aef_id == *aef)
    }
}

impl Validate for ApiStatus {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(self.aef_ids.len() <= MAX_LIST, at, "aefIds", "has too many elements");
        faults.done()
    }
}

impl Validate for ShareableInformation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.texts(self.capif_prov_doms.as_ref(), MAX_DOMAINS, MAX_NAME, at, "capifProvDoms");
        faults.done()
    }
}

impl Validate for PublishedApiPath {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.texts(self.ccf_ids.as_ref(), MAX_DOMAINS, MAX_NAME, at, "ccfIds");
        faults.done()
    }
}

/// The profiles of one description: one to [`MAX_AEF_PROFILES`], each function once.
fn profiles(faults: &mut Faults, profiles: Option<&Vec<AefProfile>>, at: &str) {
    faults.opt_list(profiles, MAX_AEF_PROFILES, at, "aefProfiles");
    let aefs: Vec<_> = profiles.into_iter().flatten().map(|profile| &profile.aef_id).collect();
    faults.distinct(&aefs, &child(at, "aefProfiles"));
}

impl Validate for ServiceAPIDescription {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.api_status.as_ref(), at, "apiStatus");
        profiles(&mut faults, self.aef_profiles.as_ref(), at);
        faults.opt_prose(self.description.as_ref(), MAX_DESCRIPTION, at, "description");
        faults.part(self.shareable_info.as_ref(), at, "shareableInfo");
        faults.opt_text(self.service_api_category.as_ref(), MAX_NAME, at, "serviceAPICategory");
        faults.part(self.pub_api_path.as_ref(), at, "pubApiPath");
        faults.opt_text(self.ccf_id.as_ref(), MAX_NAME, at, "ccfId");
        faults.opt_text(self.api_prov_name.as_ref(), MAX_NAME, at, "apiProvName");
        faults.opt_list(self.net_slice_info.as_ref(), MAX_SLICES, at, "netSliceInfo");
        faults.merge(self.vendor_specific.validate(at));
        faults.done()
    }
}

impl Validate for ServiceAPIDescriptionPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.api_status.as_ref(), at, "apiStatus");
        profiles(&mut faults, self.aef_profiles.as_ref(), at);
        faults.opt_prose(self.description.as_ref(), MAX_DESCRIPTION, at, "description");
        faults.part(self.shareable_info.as_ref(), at, "shareableInfo");
        faults.opt_text(self.service_api_category.as_ref(), MAX_NAME, at, "serviceAPICategory");
        faults.part(self.pub_api_path.as_ref(), at, "pubApiPath");
        faults.opt_text(self.ccf_id.as_ref(), MAX_NAME, at, "ccfId");
        faults.done()
    }
}
