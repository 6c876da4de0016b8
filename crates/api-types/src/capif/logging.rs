//! Logs of invocations, and their audit (TS 29.222 `CAPIF_Logging_API_Invocation`, `CAPIF_Auditing`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{AefId, ApiInvokerId, ApiName, ServiceApiId};
use super::network::{MAX_SLICES, NetSliceId};
use super::profile::{InterfaceDescription, Operation, Protocol};
use super::reader::Reader;
use super::{MAX_DESCRIPTION, MAX_LIST, MAX_NAME, MAX_WORD};
use crate::common_data::SupportedFeatures;
use crate::date_time::DateTime;
use crate::problem::InvalidParam;
use crate::query::Query;
use crate::validate::{Faults, MAX_URI, Validate};

/// Feature `SliceBasedAPIExposure` of the logging API.
pub const LOGGING_SLICE_BASED_API_EXPOSURE: u32 = 1;
/// Feature `EnQueryInvokeLog` of the auditing API.
pub const EN_QUERY_INVOKE_LOG: u32 = 1;
/// Feature `SliceBasedAPIExposure` of the auditing API.
pub const AUDITING_SLICE_BASED_API_EXPOSURE: u32 = 2;

/// Most invocations of one log. Own value.
pub const MAX_LOGS: usize = 1_000;

/// Longest parameters of an invocation, in bytes of JSON. Own value.
pub const MAX_PARAMETERS: usize = 16 * 1024;

/// One invocation (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// The service API.
    pub api_id: ServiceApiId,
    /// Its name.
    pub api_name: ApiName,
    /// Its version.
    pub api_version: String,
    /// The resource.
    pub resource_name: String,
    /// URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Protocol.
    pub protocol: Protocol,
    /// Method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// For HTTP the status.
    pub result: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_time: Option<DateTime>,
    /// How long, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_latency: Option<u64>,
    /// What went in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_parameters: Option<Value>,
    /// What came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_parameters: Option<Value>,
    /// Interface of the API invoker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src_interface: Option<InterfaceDescription>,
    /// Interface of the service API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest_interface: Option<InterfaceDescription>,
    /// Whom it went through (RFC 7239).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fwd_interface: Option<String>,
    /// Slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_slice_info: Option<NetSliceId>,
}

/// Invocations of one API invoker at one API exposing function (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvocationLog {
    /// The API exposing function.
    pub aef_id: AefId,
    /// The API invoker.
    pub api_invoker_id: ApiInvokerId,
    /// The invocations.
    pub logs: Vec<Log>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
}

/// Several logs (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvocationLogs {
    /// The logs.
    pub multiple_invocation_logs: Vec<InvocationLog>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
}

/// The answer to an audit (TS 29.222): one log, or several if both sides know `EnQueryInvokeLog`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum InvocationLogsRetrieveRes {
    /// Several.
    Several(InvocationLogs),
    /// One.
    One(InvocationLog),
}

/// The filters of an audit: an invocation fits if it fits each that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// `aef-id`
    pub aef_id: Option<AefId>,
    /// `api-invoker-id`
    pub api_invoker_id: Option<ApiInvokerId>,
    /// `time-range-start`
    pub time_range_start: Option<DateTime>,
    /// `time-range-end`
    pub time_range_end: Option<DateTime>,
    /// `api-id`
    pub api_id: Option<ServiceApiId>,
    /// `api-name`
    pub api_name: Option<ApiName>,
    /// `api-version`
    pub api_version: Option<String>,
    /// `protocol`
    pub protocol: Option<Protocol>,
    /// `operation`
    pub operation: Option<Operation>,
    /// `result`
    pub result: Option<String>,
    /// `resource-name`
    pub resource_name: Option<String>,
    /// `src-interface`
    pub src_interface: Option<InterfaceDescription>,
    /// `dest-interface`
    pub dest_interface: Option<InterfaceDescription>,
    /// `net-slice-info`
    pub net_slice_info: Option<Vec<NetSliceId>>,
    /// `supported-features`
    pub supported_features: Option<SupportedFeatures>,
}

impl AuditFilter {
    /// Reads the query of an audit. An unknown parameter is ignored.
    ///
    /// # Errors
    /// Every parameter that is wrong.
    pub fn parse(query: &Query) -> Result<Self, Vec<InvalidParam>> {
        let mut read = Reader::new(query);
        let filter = Self {
            aef_id: read.take(|q| q.parsed("aef-id")),
            api_invoker_id: read.take(|q| q.parsed("api-invoker-id")),
            time_range_start: read.time("time-range-start"),
            time_range_end: read.time("time-range-end"),
            api_id: read.take(|q| q.parsed("api-id")),
            api_name: read.take(|q| q.parsed("api-name")),
            api_version: read.text("api-version", MAX_NAME),
            protocol: read.word("protocol"),
            operation: read.word("operation"),
            result: read.text("result", MAX_WORD),
            resource_name: read.text("resource-name", MAX_NAME),
            src_interface: read.take_all(|q| q.valid("src-interface")),
            dest_interface: read.take_all(|q| q.valid("dest-interface")),
            net_slice_info: read.objects("net-slice-info", MAX_SLICES),
            supported_features: read.take(|q| q.json("supported-features")),
        };
        if let (Some(start), Some(end)) = (filter.time_range_start, filter.time_range_end)
            && end < start
        {
            read.fault("time-range-end", "must not be before time-range-start");
        }
        read.finish()?;
        Ok(filter)
    }
}

impl Validate for Log {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.api_version, MAX_NAME, at, "apiVersion");
        faults.text(&self.resource_name, MAX_NAME, at, "resourceName");
        faults.opt_text(self.uri.as_ref(), MAX_URI, at, "uri");
        faults.word(self.protocol.as_str(), at, "protocol");
        faults.opt_word(self.operation.as_ref().map(Operation::as_str), at, "operation");
        faults.text(&self.result, MAX_WORD, at, "result");
        for (key, parameters) in
            [("inputParameters", &self.input_parameters), ("outputParameters", &self.output_parameters)]
        {
            let length = parameters.as_ref().map_or(0, |value| value.to_string().len());
            faults.require(length <= MAX_PARAMETERS, at, key, "is too long");
        }
        faults.part(self.src_interface.as_ref(), at, "srcInterface");
        faults.part(self.dest_interface.as_ref(), at, "destInterface");
        faults.opt_text(self.fwd_interface.as_ref(), MAX_DESCRIPTION, at, "fwdInterface");
        faults.part(self.net_slice_info.as_ref(), at, "netSliceInfo");
        faults.done()
    }
}

impl Validate for InvocationLog {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.logs, MAX_LOGS, at, "logs");
        faults.done()
    }
}

impl Validate for InvocationLogs {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.multiple_invocation_logs, MAX_LIST, at, "multipleInvocationLogs");
        faults.done()
    }
}
