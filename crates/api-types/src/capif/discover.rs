//! Discovery of service APIs by API invokers (TS 29.222 `CAPIF_Discover_Service`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{AefId, ApiInvokerId, ApiName, ServiceApiId};
use super::network::{IpAddrInfo, MAX_SLICES, NetSliceId};
use super::profile::{
    AefLocation, CommunicationType, DataFormat, MAX_METHODS, OAuthGrantType, Operation, Protocol, ServiceKpis,
};
use super::publish::ServiceAPIDescription;
use super::reader::Reader;
use super::{MAX_LIST, MAX_NAME, vendor};
use crate::common_data::SupportedFeatures;
use crate::problem::InvalidParam;
use crate::query::Query;
use crate::validate::{Faults, MAX_URI, Validate};

/// Feature `ApiSupportedFeatureQuery`.
pub const API_SUPPORTED_FEATURE_QUERY: u32 = 1;
/// Feature `VendSpecQueryParams`.
pub const VEND_SPEC_QUERY_PARAMS: u32 = 2;
/// Feature `RNAA`.
pub const RNAA: u32 = 3;
/// Feature `SliceBasedAPIExposure`.
pub const SLICE_BASED_API_EXPOSURE: u32 = 4;

/// Most resources and operations of one query. Own value.
pub const MAX_RES_OPS: usize = 64;

/// Service APIs found (TS 29.222); none: no member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredAPIs {
    /// With the profiles that fit.
    #[serde(rename = "serviceAPIDescriptions", default, skip_serializing_if = "Option::is_none")]
    pub service_api_descriptions: Option<Vec<ServiceAPIDescription>>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// A resource, or operations, that a service API shall have (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResOperInfo {
    /// URI of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<Operation>>,
    /// Custom operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_serv_opers: Option<Vec<String>>,
}

impl Validate for DiscoveredAPIs {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.service_api_descriptions.as_ref(), MAX_LIST, at, "serviceAPIDescriptions");
        faults.done()
    }
}

impl Validate for ResOperInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.resource.is_some(), self.operations.is_some(), self.custom_serv_opers.is_some()];
        faults.at_least_one(&present, at, "needs resource, operations or customServOpers");
        faults.opt_text(self.resource.as_ref(), MAX_URI, at, "resource");
        if let Some(list) = &self.operations {
            faults.words(list.iter().map(Operation::as_str), MAX_METHODS, at, "operations");
        }
        faults.texts(self.custom_serv_opers.as_ref(), MAX_LIST, MAX_NAME, at, "customServOpers");
        faults.done()
    }
}

/// The filters of a discovery: a service API fits if it fits each that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoverFilter {
    /// `api-invoker-id`: who asks.
    pub api_invoker_id: ApiInvokerId,
    /// `api-name`
    pub api_name: Option<ApiName>,
    /// `api-version`
    pub api_version: Option<String>,
    /// `comm-type`
    pub comm_type: Option<CommunicationType>,
    /// `protocol`
    pub protocol: Option<Protocol>,
    /// `aef-id`
    pub aef_id: Option<AefId>,
    /// `data-format`
    pub data_format: Option<DataFormat>,
    /// `api-cat`
    pub api_cat: Option<String>,
    /// `preferred-aef-loc`
    pub preferred_aef_loc: Option<AefLocation>,
    /// `req-api-prov-name`
    pub req_api_prov_name: Option<String>,
    /// `api-supported-features`, of the service API that `api_name` names.
    pub api_supported_features: Option<SupportedFeatures>,
    /// `ue-ip-addr`
    pub ue_ip_addr: Option<IpAddrInfo>,
    /// `service-kpis`
    pub service_kpis: Option<ServiceKpis>,
    /// `net-slice-info`
    pub net_slice_info: Option<Vec<NetSliceId>>,
    /// `grant-types`
    pub grant_types: Option<Vec<OAuthGrantType>>,
    /// `api-ids`: if there, no other filter is.
    pub api_ids: Option<Vec<ServiceApiId>>,
    /// `res-ops`
    pub res_ops: Option<Vec<ResOperInfo>>,
    /// `supported-features`
    pub supported_features: Option<SupportedFeatures>,
    /// `vendorSpecific-…`, by the whole names.
    pub vendor_specific: BTreeMap<String, String>,
}

impl DiscoverFilter {
    /// Reads the query of a discovery. An unknown parameter is ignored.
    ///
    /// # Errors
    /// Every parameter that is wrong, missing, or not allowed beside another.
    pub fn parse(query: &Query) -> Result<Self, Vec<InvalidParam>> {
        let mut read = Reader::new(query);
        let invoker = read.required("api-invoker-id");
        let api_name = read.take(|q| q.parsed("api-name"));
        let api_version = read.text("api-version", MAX_NAME);
        let comm_type = read.word("comm-type");
        let protocol = read.word("protocol");
        let aef_id = read.take(|q| q.parsed("aef-id"));
        let data_format = read.word("data-format");
        let api_cat = read.text("api-cat", MAX_NAME);
        let preferred_aef_loc = read.take_all(|q| q.valid("preferred-aef-loc"));
        let req_api_prov_name = read.text("req-api-prov-name", MAX_NAME);
        let api_supported_features = read.take(|q| q.json("api-supported-features"));
        let ue_ip_addr = read.take_all(|q| q.valid("ue-ip-addr"));
        let service_kpis = read.take_all(|q| q.valid("service-kpis"));
        let net_slice_info = read.objects("net-slice-info", MAX_SLICES);
        let grant_types = read.words("grant-types", MAX_METHODS);
        let api_ids = read.ids("api-ids");
        let res_ops = read.objects("res-ops", MAX_RES_OPS);
        let supported_features = read.take(|q| q.json("supported-features"));
        let vendor_specific = read.vendor_specific();
        if query.raw("api-supported-features").is_some() && query.raw("api-name").is_none() {
            read.fault("api-supported-features", "needs api-name");
        }
        if query.raw("api-ids").is_some() && query.names().any(is_other_filter) {
            read.fault("api-ids", "stands alone");
        }
        let api_invoker_id = read.done(invoker)?;
        Ok(Self {
            api_invoker_id,
            api_name,
            api_version,
            comm_type,
            protocol,
            aef_id,
            data_format,
            api_cat,
            preferred_aef_loc,
            req_api_prov_name,
            api_supported_features,
            ue_ip_addr,
            service_kpis,
            net_slice_info,
            grant_types,
            api_ids,
            res_ops,
            supported_features,
            vendor_specific,
        })
    }
}

/// Whether a parameter may not stand beside `api-ids`.
fn is_other_filter(name: &str) -> bool {
    const FILTERS: [&str; 15] = [
        "api-name",
        "api-version",
        "comm-type",
        "protocol",
        "aef-id",
        "data-format",
        "api-cat",
        "preferred-aef-loc",
        "req-api-prov-name",
        "api-supported-features",
        "ue-ip-addr",
        "service-kpis",
        "net-slice-info",
        "grant-types",
        "res-ops",
    ];
    FILTERS.contains(&name) || name.starts_with(vendor::PREFIX)
}
