//! What is published, negotiated and provisioned at the CAPIF core function.

use serde::{Deserialize, Serialize};

use crate::capif::ApiName;
use crate::capif::access_control::TimeRangeList;
use crate::capif::network::NetSliceId;
use crate::capif::publish::ServiceAPIDescription;
use crate::capif::security::SecurityInformation;
use crate::date_time::DateTime;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Most names of service APIs that anybody may discover. Own value.
const MAX_OPEN: usize = 1_000;

/// A published service API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifApi {
    /// Its identifier.
    pub service_api_id: String,
    /// Its name.
    pub api_name: String,
    /// The registration of whoever published it.
    pub registration_id: String,
    /// The API publishing function.
    pub apf_id: String,
    /// When it was published.
    pub published_at: DateTime,
    /// Whether anybody may discover it, who is not onboarded.
    pub open: bool,
    /// As it was published.
    pub description: ServiceAPIDescription,
}

/// A security method that was negotiated at a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifNegotiated {
    /// The API exposing function.
    pub aef_id: String,
    /// The method.
    pub method: String,
}

/// An API invoker that may use a service API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifUser {
    /// The API invoker.
    pub api_invoker_id: String,
    /// The name of its enrolment, for people.
    pub name: String,
    /// What it has negotiated; nothing: it may, and has not yet.
    pub negotiated: Vec<CapifNegotiated>,
}

/// What was negotiated for one service API at one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifContextEntry {
    /// The API exposing function.
    pub aef_id: String,
    /// The service API.
    pub service_api_id: String,
    /// Its name.
    pub api_name: String,
    /// The method that was chosen.
    pub method: String,
}

/// The security context of an API invoker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifContext {
    /// Whose.
    pub api_invoker_id: String,
    /// Counts the changes.
    pub version: u64,
    /// What is in force.
    pub entries: Vec<CapifContextEntry>,
    /// What was asked for and answered; without a chosen method nothing fitted.
    pub security_info: Vec<SecurityInformation>,
}

/// The service APIs that anybody may discover, who is not onboarded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenApis {
    /// Names of service APIs; none: nothing is open.
    pub names: Vec<ApiName>,
}

impl Validate for OpenApis {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(self.names.len() <= MAX_OPEN, at, "names", "has too many elements");
        let twice = self.names.iter().enumerate().any(|(index, name)| self.names[..index].contains(name));
        faults.require(!twice, at, "names", "has a name twice");
        faults.done()
    }
}

/// How often and when an API invoker may use a service API at a function; an absent bound: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CapifAccessControl {
    /// Whose, `default` for each that has none of its own. Only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_id: Option<String>,
    /// The service API. Only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_api_id: Option<String>,
    /// The API exposing function. Only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_id: Option<String>,
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

impl Validate for CapifAccessControl {
    // Its bounds are validated as the policy of TS 29.222 that they become.
    fn validate(&self, _: &str) -> Result<(), Vec<InvalidParam>> {
        Ok(())
    }
}
