//! Routing of invocations behind topology hiding (TS 29.222 `CAPIF_Routing_Info`).

use serde::{Deserialize, Serialize};

use super::ids::AefId;
use super::network::{Ipv4AddressRange, Ipv6AddressRange, MAX_RANGES};
use super::profile::AefProfile;
use super::reader::Reader;
use crate::common_data::SupportedFeatures;
use crate::problem::InvalidParam;
use crate::query::Query;
use crate::validate::{Faults, Validate};

/// Most rules of one service API. Own value.
pub const MAX_RULES: usize = 64;

/// Where invocations from some addresses go (TS 29.222).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutingRule {
    /// IPv4 addresses of API invokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_addr_ranges: Option<Vec<Ipv4AddressRange>>,
    /// IPv6 addresses of API invokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_addr_ranges: Option<Vec<Ipv6AddressRange>>,
    /// The API exposing function behind.
    pub aef_profile: AefProfile,
}

/// The rules of a service API (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutingInfo {
    /// The rules.
    pub routing_rules: Vec<RoutingRule>,
}

/// The query of an API exposing function for the rules of a service API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingFilter {
    /// `aef-id`: who asks.
    pub aef_id: AefId,
    /// `supp-feat`
    pub supp_feat: Option<SupportedFeatures>,
}

impl RoutingFilter {
    /// Reads the query.
    ///
    /// # Errors
    /// Every parameter that is wrong or missing.
    pub fn parse(query: &Query) -> Result<Self, Vec<InvalidParam>> {
        let mut read = Reader::new(query);
        let aef_id = read.required("aef-id");
        let supp_feat = read.take(|q| q.json("supp-feat"));
        Ok(Self { aef_id: read.done(aef_id)?, supp_feat })
    }
}

impl Validate for RoutingRule {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.ipv4_addr_ranges.as_ref(), MAX_RANGES, at, "ipv4AddrRanges");
        faults.opt_list(self.ipv6_addr_ranges.as_ref(), MAX_RANGES, at, "ipv6AddrRanges");
        faults.part(Some(&self.aef_profile), at, "aefProfile");
        faults.done()
    }
}

impl Validate for RoutingInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.routing_rules, MAX_RULES, at, "routingRules");
        faults.done()
    }
}
