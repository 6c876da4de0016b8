//! Subscriptions to events of the CAPIF core function (TS 29.222 `CAPIF_Events`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access_control::ApiInvokerPolicy;
use super::ids::{AefId, ApiInvokerId, ServiceApiId};
use super::invoker::OnboardingCriteria;
use super::logging::InvocationLog;
use super::network::WebsockNotifConfig;
use super::profile::MAX_METHODS;
use super::publish::ServiceAPIDescription;
use super::routing::RoutingRule;
use super::{MAX_LIST, MAX_NAME};
use crate::common_data::{ReportingInformation, SupportedFeatures};
use crate::merge_patch;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Feature `Notification_test_event`.
pub const NOTIFICATION_TEST_EVENT: u32 = 1;
/// Feature `Notification_websocket`.
pub const NOTIFICATION_WEBSOCKET: u32 = 2;
/// Feature `Enhanced_event_report`.
pub const ENHANCED_EVENT_REPORT: u32 = 3;
/// Feature `ApiStatusMonitoring`.
pub const API_STATUS_MONITORING: u32 = 4;

/// Most events of one subscription. Own value.
pub const MAX_EVENTS: usize = 64;

open_enum! {
    /// An event (TS 29.222).
    CAPIFEvent {
        /// A service API was published or became active.
        ServiceApiAvailable = "SERVICE_API_AVAILABLE",
        /// A service API was unpublished or became inactive.
        ServiceApiUnavailable = "SERVICE_API_UNAVAILABLE",
        /// A service API changed.
        ServiceApiUpdate = "SERVICE_API_UPDATE",
        /// An API invoker was onboarded.
        ApiInvokerOnboarded = "API_INVOKER_ONBOARDED",
        /// An API invoker was offboarded.
        ApiInvokerOffboarded = "API_INVOKER_OFFBOARDED",
        /// A service API was invoked with success.
        ServiceApiInvocationSuccess = "SERVICE_API_INVOCATION_SUCCESS",
        /// A service API was invoked in vain.
        ServiceApiInvocationFailure = "SERVICE_API_INVOCATION_FAILURE",
        /// An access control policy was made or changed.
        AccessControlPolicyUpdate = "ACCESS_CONTROL_POLICY_UPDATE",
        /// An access control policy is gone.
        AccessControlPolicyUnavailable = "ACCESS_CONTROL_POLICY_UNAVAILABLE",
        /// An authorization was revoked.
        ApiInvokerAuthorizationRevoked = "API_INVOKER_AUTHORIZATION_REVOKED",
        /// An API invoker changed.
        ApiInvokerUpdated = "API_INVOKER_UPDATED",
        /// Topology hiding was made or changed.
        ApiTopologyHidingCreated = "API_TOPOLOGY_HIDING_CREATED",
        /// Topology hiding is gone.
        ApiTopologyHidingRevoked = "API_TOPOLOGY_HIDING_REVOKED",
        /// An API invoker's criteria were not met.
        ApiInvokerOnboardingCriteriaFailed = "API_INVOKER_ONBOARDING_CRITERIA_FAILED",
        /// How often API invokers asked for a service API at onboarding.
        ServiceApiOnboardedByApiInvokersCount = "SERVICE_API_ONBOARDED_BY_API_INVOKERS_COUNT",
        /// How often API invokers looked for a service API, and found it.
        ServiceApiDiscoveryByApiInvokersCount = "SERVICE_API_DISCOVERY_BY_API_INVOKERS_COUNT",
    }
}

/// What an event must be about (TS 29.222); an absent member: anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CAPIFEventFilter {
    /// Service APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_ids: Option<Vec<ServiceApiId>>,
    /// API invokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_ids: Option<Vec<ApiInvokerId>>,
    /// API exposing functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_ids: Option<Vec<AefId>>,
}

/// A subscription (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSubscription {
    /// Events.
    pub events: Vec<CAPIFEvent>,
    /// Filters, the first for the first event and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_filters: Option<Vec<CAPIFEventFilter>>,
    /// How to report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_req: Option<ReportingInformation>,
    /// Where notifications go.
    pub notification_destination: String,
    /// Whether a first notification shall try the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_test_notification: Option<bool>,
    /// Another way for notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websock_notif_config: Option<WebsockNotifConfig>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
}

/// A change of a subscription (TS 29.222), to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSubscriptionPatch {
    /// Events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<CAPIFEvent>>,
    /// Filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_filters: Option<Vec<CAPIFEventFilter>>,
    /// How to report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_req: Option<ReportingInformation>,
    /// Where notifications go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_destination: Option<String>,
}

/// The access control policies of a service API (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessControlPolicyListExt {
    /// The service API.
    pub api_id: ServiceApiId,
    /// The policies, perhaps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_policies: Option<Vec<ApiInvokerPolicy>>,
}

/// The routing rules of a service API (TS 29.222).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologyHiding {
    /// The service API.
    pub api_id: ServiceApiId,
    /// The rules.
    pub routing_rules: Vec<RoutingRule>,
}

/// How often a service API was asked for at onboarding (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiInvokerCount {
    /// The service API.
    pub api_id: ServiceApiId,
    /// How often.
    pub count: u64,
}

/// How often a service API was looked for (TS 29.222): at least one of the counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveryCount {
    /// The service API.
    pub api_id: ServiceApiId,
    /// How often it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery_req_count: Option<u64>,
    /// How often it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery_rsp_count: Option<u64>,
}

/// What an event is about (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CAPIFEventDetail {
    /// Service APIs.
    #[serde(rename = "serviceAPIDescriptions", default, skip_serializing_if = "Option::is_none")]
    pub service_api_descriptions: Option<Vec<ServiceAPIDescription>>,
    /// Identifiers of service APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_ids: Option<Vec<ServiceApiId>>,
    /// API invokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_ids: Option<Vec<ApiInvokerId>>,
    /// Access control policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acc_ctrl_pol_list: Option<AccessControlPolicyListExt>,
    /// Invocations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_logs: Option<Vec<InvocationLog>>,
    /// Topology hiding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_topo_hide: Option<TopologyHiding>,
    /// Criteria that were not met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarding_criteria: Option<Vec<OnboardingCriteria>>,
    /// Counts of onboardings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarded_count: Option<Vec<ApiInvokerCount>>,
    /// Counts of discoveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery_count: Option<Vec<DiscoveryCount>>,
}

/// A notification (TS 29.222).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventNotification {
    /// The subscription.
    pub subscription_id: String,
    /// The event; one, whatever the name says.
    pub events: CAPIFEvent,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_detail: Option<CAPIFEventDetail>,
}

/// The members that a patch may hold.
const PATCHABLE: [&str; 4] = ["events", "eventFilters", "eventReq", "notificationDestination"];

impl EventSubscription {
    /// The subscription as `patch` makes it (RFC 7396), valid again. Members that a patch may not hold are ignored.
    ///
    /// # Errors
    /// What is wrong with the patch or with the subscription that it would make.
    pub fn patched(&self, patch: &Value) -> Result<Self, Vec<InvalidParam>> {
        let patched: Self = merge_patch::patched(self, patch, &PATCHABLE)?;
        patched.validate("")?;
        Ok(patched)
    }

    /// The events, each with its filter.
    pub fn filtered(&self) -> impl Iterator<Item = (&CAPIFEvent, Option<&CAPIFEventFilter>)> {
        let filters = self.event_filters.as_deref().unwrap_or_default();
        self.events.iter().enumerate().map(|(index, event)| (event, filters.get(index)))
    }
}

impl CAPIFEventFilter {
    /// Whether the filter lets everything pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.api_ids.is_none() && self.api_invoker_ids.is_none() && self.aef_ids.is_none()
    }
}

impl Validate for CAPIFEventFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.typed(self.api_ids.as_ref(), at, "apiIds");
        faults.typed(self.api_invoker_ids.as_ref(), at, "apiInvokerIds");
        faults.typed(self.aef_ids.as_ref(), at, "aefIds");
        faults.done()
    }
}

/// The faults of what a subscription and its patch share.
fn common(
    events: Option<&Vec<CAPIFEvent>>,
    filters: Option<&Vec<CAPIFEventFilter>>,
    request: Option<&ReportingInformation>,
    at: &str,
) -> Faults {
    let mut faults = Faults::new();
    if let Some(events) = events {
        faults.words(events.iter().map(CAPIFEvent::as_str), MAX_EVENTS, at, "events");
    }
    faults.opt_list(filters, MAX_EVENTS, at, "eventFilters");
    if let (Some(events), Some(filters)) = (events, filters)
        && filters.len() > events.len()
    {
        faults.add(child(at, "eventFilters"), "has more elements than events");
    }
    faults.part(request, at, "eventReq");
    faults
}

impl Validate for EventSubscription {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = common(Some(&self.events), self.event_filters.as_ref(), self.event_req.as_ref(), at);
        faults.uri(&self.notification_destination, at, "notificationDestination");
        faults.part(self.websock_notif_config.as_ref(), at, "websockNotifConfig");
        faults.done()
    }
}

impl Validate for EventSubscriptionPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults =
            common(self.events.as_ref(), self.event_filters.as_ref(), self.event_req.as_ref(), at);
        faults.opt_uri(self.notification_destination.as_ref(), at, "notificationDestination");
        faults.done()
    }
}

impl Validate for DiscoveryCount {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.discovery_req_count.is_some(), self.discovery_rsp_count.is_some()];
        faults.at_least_one(&present, at, "needs discoveryReqCount or discoveryRspCount");
        faults.done()
    }
}

impl Validate for CAPIFEventDetail {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.service_api_descriptions.as_ref(), MAX_LIST, at, "serviceAPIDescriptions");
        faults.typed(self.api_ids.as_ref(), at, "apiIds");
        faults.typed(self.api_invoker_ids.as_ref(), at, "apiInvokerIds");
        if let Some(list) = &self.acc_ctrl_pol_list {
            let here = child(at, "accCtrlPolList");
            faults.merge(super::access_control::policies(list.api_invoker_policies.as_ref(), &here));
        }
        faults.opt_list(self.invocation_logs.as_ref(), MAX_LIST, at, "invocationLogs");
        if let Some(hiding) = &self.api_topo_hide {
            faults.list(&hiding.routing_rules, MAX_LIST, &child(at, "apiTopoHide"), "routingRules");
        }
        faults.opt_list(self.onboarding_criteria.as_ref(), MAX_METHODS, at, "onboardingCriteria");
        faults.typed(self.onboarded_count.as_ref(), at, "onboardedCount");
        faults.opt_list(self.discovery_count.as_ref(), MAX_LIST, at, "discoveryCount");
        faults.done()
    }
}

impl Validate for EventNotification {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.subscription_id, MAX_NAME, at, "subscriptionId");
        faults.word(self.events.as_str(), at, "events");
        faults.part(self.event_detail.as_ref(), at, "eventDetail");
        faults.done()
    }
}
