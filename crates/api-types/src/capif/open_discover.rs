//! Discovery of service APIs by anybody (TS 29.222 `CAPIF_Open_Discover_Service`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::discover::{MAX_RES_OPS, ResOperInfo};
use super::ids::{AefId, ApiName, ServiceApiId};
use super::profile::{
    AefLocation, AefProfile, CommunicationType, DataFormat, MAX_METHODS, MAX_VERSIONS, Protocol, ServiceKpis,
    Version,
};
use super::publish::{ApiStatus, MAX_AEF_PROFILES, ServiceAPIDescription};
use super::reader::Reader;
use super::{MAX_DESCRIPTION, MAX_LIST, MAX_NAME, MAX_WORD};
use crate::common_data::SupportedFeatures;
use crate::problem::InvalidParam;
use crate::query::Query;
use crate::validate::{Faults, Validate};

/// What anybody may know of a profile (TS 29.222): no interface, no security method, no UE.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenAefProfile {
    /// The API exposing function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_id: Option<AefId>,
    /// Versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Vec<Version>>,
    /// Protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Data format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_format: Option<DataFormat>,
    /// Where the function is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_location: Option<AefLocation>,
    /// What it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_kpis: Option<ServiceKpis>,
}

/// What anybody may know of a service API (TS 29.222).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenAPIDetails {
    /// The name in its URI.
    pub api_name: ApiName,
    /// Its identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<ServiceApiId>,
    /// Where it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_status: Option<ApiStatus>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Category.
    #[serde(rename = "serviceAPICategory", default, skip_serializing_if = "Option::is_none")]
    pub service_api_category: Option<String>,
    /// Features of the service API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_supp_feats: Option<SupportedFeatures>,
    /// Its provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_name: Option<String>,
    /// Who exposes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_profiles: Option<Vec<OpenAefProfile>>,
}

/// Service APIs found (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenDiscoveryResp {
    /// The service APIs, perhaps none.
    pub disc_apis: Vec<OpenAPIDetails>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

impl Validate for OpenAefProfile {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.versions.as_ref(), MAX_VERSIONS, at, "versions");
        faults.opt_word(self.protocol.as_ref().map(Protocol::as_str), at, "protocol");
        faults.opt_word(self.data_format.as_ref().map(DataFormat::as_str), at, "dataFormat");
        faults.part(self.aef_location.as_ref(), at, "aefLocation");
        faults.part(self.service_kpis.as_ref(), at, "serviceKpis");
        faults.done()
    }
}

impl Validate for OpenAPIDetails {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.api_status.as_ref(), at, "apiStatus");
        faults.opt_prose(self.description.as_ref(), MAX_DESCRIPTION, at, "description");
        faults.opt_text(self.service_api_category.as_ref(), MAX_NAME, at, "serviceAPICategory");
        faults.opt_text(self.api_prov_name.as_ref(), MAX_NAME, at, "apiProvName");
        faults.opt_list(self.aef_profiles.as_ref(), MAX_AEF_PROFILES, at, "aefProfiles");
        faults.done()
    }
}

impl Validate for OpenDiscoveryResp {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let found = Some(&self.disc_apis).filter(|list| !list.is_empty());
        faults.opt_list(found, MAX_LIST, at, "discApis");
        faults.done()
    }
}

impl From<AefProfile> for OpenAefProfile {
    fn from(profile: AefProfile) -> Self {
        Self {
            aef_id: Some(profile.aef_id),
            versions: Some(profile.versions),
            protocol: profile.protocol,
            data_format: profile.data_format,
            aef_location: profile.aef_location,
            service_kpis: profile.service_kpis,
        }
    }
}

impl From<ServiceAPIDescription> for OpenAPIDetails {
    fn from(api: ServiceAPIDescription) -> Self {
        Self {
            api_name: api.api_name,
            api_id: api.api_id,
            api_status: api.api_status,
            description: api.description,
            service_api_category: api.service_api_category,
            api_supp_feats: api.api_supp_feats,
            api_prov_name: api.api_prov_name,
            aef_profiles: api.aef_profiles.map(|list| list.into_iter().map(OpenAefProfile::from).collect()),
        }
    }
}

/// The filters of an open discovery: a service API fits if it fits each that is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenDiscoverFilter {
    /// `api-names`
    pub api_names: Option<Vec<ApiName>>,
    /// `api-versions`, by the names of service APIs.
    pub api_versions: Option<BTreeMap<String, Vec<String>>>,
    /// `comm-type`
    pub comm_type: Option<CommunicationType>,
    /// `protocols`
    pub protocols: Option<Vec<Protocol>>,
    /// `data-format`
    pub data_format: Option<DataFormat>,
    /// `api-cats`
    pub api_cats: Option<Vec<String>>,
    /// `preferred-aef-loc`: orders, and excludes nothing.
    pub preferred_aef_loc: Option<AefLocation>,
    /// `api-prov-names`
    pub api_prov_names: Option<Vec<String>>,
    /// `api-supported-features`, by the names of service APIs.
    pub api_supported_features: Option<BTreeMap<String, SupportedFeatures>>,
    /// `service-kpis`
    pub service_kpis: Option<ServiceKpis>,
    /// `api-ids`
    pub api_ids: Option<Vec<ServiceApiId>>,
    /// `res-ops`
    pub res_ops: Option<Vec<ResOperInfo>>,
    /// `supported-features`
    pub supported_features: Option<SupportedFeatures>,
}

impl OpenDiscoverFilter {
    /// Reads the query of an open discovery. An unknown parameter is ignored.
    ///
    /// # Errors
    /// Every parameter that is wrong, or not allowed without another.
    pub fn parse(query: &Query) -> Result<Self, Vec<InvalidParam>> {
        let mut read = Reader::new(query);
        let filter = Self {
            api_names: read.ids("api-names"),
            api_versions: read.take(|q| q.json("api-versions")),
            comm_type: read.word("comm-type"),
            protocols: read.words("protocols", MAX_METHODS),
            data_format: read.word("data-format"),
            api_cats: read.texts("api-cats", MAX_LIST),
            preferred_aef_loc: read.take_all(|q| q.valid("preferred-aef-loc")),
            api_prov_names: read.texts("api-prov-names", MAX_LIST),
            api_supported_features: read.take(|q| q.json("api-supported-features")),
            service_kpis: read.take_all(|q| q.valid("service-kpis")),
            api_ids: read.ids("api-ids"),
            res_ops: read.objects("res-ops", MAX_RES_OPS),
            supported_features: read.take(|q| q.json("supported-features")),
        };
        for name in ["api-supported-features", "res-ops"] {
            if query.raw(name).is_some() && query.raw("api-names").is_none() {
                read.fault(name, "needs api-names");
            }
        }
        if let Some(map) = &filter.api_versions {
            let good = |list: &Vec<String>| {
                (1..=MAX_LIST).contains(&list.len())
                    && list.iter().all(|text| (1..=MAX_WORD).contains(&text.chars().count()))
            };
            if !(1..=MAX_LIST).contains(&map.len()) || !map.values().all(good) {
                read.fault("api-versions", "has too few, too many or too long elements");
            }
        }
        if filter.api_supported_features.as_ref().is_some_and(|map| !(1..=MAX_LIST).contains(&map.len())) {
            read.fault("api-supported-features", "has too few or too many elements");
        }
        read.finish()?;
        Ok(filter)
    }
}
