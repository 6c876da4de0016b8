//! Access control policies (TS 29.222 `CAPIF_Access_Control_Policy`).

use serde::{Deserialize, Serialize};

use super::MAX_LIST;
use super::ids::{AefId, ApiInvokerId};
use super::network::{MAX_SLICES, NetSliceId};
use super::reader::Reader;
use crate::common_data::SupportedFeatures;
use crate::date_time::DateTime;
use crate::problem::InvalidParam;
use crate::query::Query;
use crate::validate::{Faults, Validate, child, item};

/// Most policies of one list. Own value.
pub const MAX_POLICIES: usize = 1_000;

/// A time in which a service API may be invoked (TS 29.222); an absent end: open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeRangeList {
    /// First instant inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<DateTime>,
    /// First instant outside again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_time: Option<DateTime>,
}

impl TimeRangeList {
    /// Whether the second `now_s` (since 1970) lies inside.
    #[must_use]
    pub fn holds(&self, now_s: i64) -> bool {
        self.start_time.is_none_or(|start| start.unix() <= now_s)
            && self.stop_time.is_none_or(|stop| now_s < stop.unix())
    }
}

/// The policy of an API invoker (TS 29.222); an absent member: no bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiInvokerPolicy {
    /// The API invoker.
    pub api_invoker_id: ApiInvokerId,
    /// Most invocations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_total_invocations: Option<u64>,
    /// Most invocations in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_invocations_per_second: Option<u64>,
    /// When; an empty list is as an absent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_invocation_time_range_list: Option<Vec<TimeRangeList>>,
    /// Slices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_slice_info: Option<Vec<NetSliceId>>,
}

/// The policies of a service API (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessControlPolicyList {
    /// The policies, perhaps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_policies: Option<Vec<ApiInvokerPolicy>>,
}

/// The query of an API exposing function for the policies of a service API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessControlFilter {
    /// `aef-id`: who asks.
    pub aef_id: AefId,
    /// `api-invoker-id`
    pub api_invoker_id: Option<ApiInvokerId>,
    /// `supported-features`
    pub supported_features: Option<SupportedFeatures>,
}

impl AccessControlFilter {
    /// Reads the query.
    ///
    /// # Errors
    /// Every parameter that is wrong or missing.
    pub fn parse(query: &Query) -> Result<Self, Vec<InvalidParam>> {
        let mut read = Reader::new(query);
        let aef_id = read.required("aef-id");
        let api_invoker_id = read.take(|q| q.parsed("api-invoker-id"));
        let supported_features = read.take(|q| q.json("supported-features"));
        Ok(Self { aef_id: read.done(aef_id)?, api_invoker_id, supported_features })
    }
}

/// The faults of the policies below `at`.
pub(super) fn policies(list: Option<&Vec<ApiInvokerPolicy>>, at: &str) -> Result<(), Vec<InvalidParam>> {
    let mut faults = Faults::new();
    let here = child(at, "apiInvokerPolicies");
    let list = list.map(Vec::as_slice).unwrap_or_default();
    faults.require(list.len() <= MAX_POLICIES, at, "apiInvokerPolicies", "has too many elements");
    for (index, policy) in list.iter().take(MAX_POLICIES).enumerate() {
        faults.merge(policy.validate(&item(&here, index)));
    }
    faults.done()
}

impl Validate for TimeRangeList {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let (Some(start), Some(stop)) = (self.start_time, self.stop_time) {
            faults.require(start < stop, at, "stopTime", "must be later than startTime");
        }
        faults.done()
    }
}

impl Validate for ApiInvokerPolicy {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let ranges = self.allowed_invocation_time_range_list.as_ref().filter(|list| !list.is_empty());
        faults.opt_list(ranges, MAX_LIST, at, "allowedInvocationTimeRangeList");
        faults.opt_list(self.net_slice_info.as_ref(), MAX_SLICES, at, "netSliceInfo");
        faults.done()
    }
}

impl Validate for AccessControlPolicyList {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        policies(self.api_invoker_policies.as_ref(), at)
    }
}
