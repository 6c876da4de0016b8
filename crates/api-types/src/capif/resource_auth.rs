//! Policies of resource owners at the CAPIF core function (own, `capif-resource-auth`; TR 33.721 6.3).
//!
//! Unlike the types of 3GPP these refuse unknown members: a policy that is not wholly understood must not be kept.

use serde::{Deserialize, Serialize};

use super::ids::{AefId, ApiInvokerId, AskId, ResourceId, ServiceApiId};
use super::token::ResOwnerId;
use super::{MAX_LIST, MAX_NAME};
use crate::admin::PolicyEffect;
use crate::common_data::SupportedFeatures;
use crate::date_time::{DateTime, TimeWindow};
use crate::geo::ServiceArea;
use crate::ids::{Gpsi, ValServiceId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Most policies of one resource. Own value.
pub const MAX_POLICIES: usize = 64;

/// Most subjects, actions, windows or purposes of one policy. Own value.
pub const MAX_ENTRIES: usize = 256;

/// Most resources of one batch. Own value.
pub const MAX_BATCH: usize = 256;

/// Longest issuer or subject of an owner, in characters. Own value.
pub const MAX_PRINCIPAL: usize = 512;

/// Longest nonce, in characters. Own value.
pub const MAX_NONCE: usize = 128;

closed_enum! {
    /// What a resource is: a type of `authorization_details`.
    ResourceType {
        /// Spatial anchor.
        SpatialAnchor = "3gpp_spatial_anchor",
        /// Spatial map.
        SpatialMap = "3gpp_spatial_map",
        /// Digital asset.
        DigitalAsset = "3gpp_digital_asset",
    }
}

closed_enum! {
    /// Who may learn that a resource is there; access is another matter.
    ResourceVisibility {
        /// Everybody.
        Universal = "UNIVERSAL",
        /// Whom a policy names.
        Listed = "LISTED",
        /// The owner alone.
        Private = "PRIVATE",
    }
}

closed_enum! {
    /// What holds where no policy fits.
    DefaultDecision {
        /// No.
        Deny = "DENY",
        /// The owner is asked.
        AskOwner = "ASK_OWNER",
    }
}

closed_enum! {
    /// What may be done with a resource.
    ResourceAction {
        /// Create.
        Create = "create",
        /// Read.
        Read = "read",
        /// Update.
        Update = "update",
        /// Delete.
        Delete = "delete",
        /// Discover.
        Discover = "discover",
        /// Subscribe to events.
        Subscribe = "subscribe",
        /// Localize in a map.
        Localize = "localize",
    }
}

/// Who owns a resource: exactly one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ResourceOwner {
    /// An API invoker.
    ApiInvokerId(ApiInvokerId),
    /// A subscriber.
    ResOwnerId(ResOwnerId),
    /// Somebody whom the CAPIF core function does not know as a party: nobody can answer for it there, what its API
    /// exposing function has published decides.
    Principal(OwnerPrincipal),
}

/// An owner by the token of another issuer with which the resource was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerPrincipal {
    /// The issuer.
    pub iss: String,
    /// The subject there.
    pub sub: String,
}

/// Whom a policy is about: exactly one member, or the text `ANY_ONBOARDED`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PolicySubject {
    /// An API invoker.
    ApiInvokerId(ApiInvokerId),
    /// A group of API invokers, by its name.
    ApiInvokerGroup(String),
    /// The API invokers of a VAL service.
    ValServiceId(ValServiceId),
    /// A subscriber.
    Gpsi(Gpsi),
    /// Every API invoker.
    #[serde(rename = "ANY_ONBOARDED")]
    AnyOnboarded,
}

/// A policy of an owner. A deny overrides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthPolicy {
    /// Its name, unique within the resource.
    pub policy_id: String,
    /// Whom it is about.
    pub subjects: Vec<PolicySubject>,
    /// What.
    pub actions: Vec<ResourceAction>,
    /// Which parts; absent: the resource itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_info_ids: Option<Vec<String>>,
    /// When; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_windows: Option<Vec<TimeWindow>>,
    /// Where; absent: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_area: Option<ServiceArea>,
    /// What for; absent: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purposes: Option<Vec<String>>,
    /// What it does.
    pub effect: PolicyEffect,
}

/// A resource, as its API exposing function tells the CAPIF core function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceAuthInfo {
    /// The resource.
    pub resource_id: ResourceId,
    /// What it is.
    pub resource_type: ResourceType,
    /// Its API exposing function.
    pub aef_id: AefId,
    /// The service API that serves it.
    pub api_id: ServiceApiId,
    /// From the token that created it, never from a body of an API invoker.
    pub owner: ResourceOwner,
    /// Whether it is served only with the permission of a resource owner; absent: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_aware: Option<bool>,
    /// Who may learn of it; absent: the owner alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<ResourceVisibility>,
    /// Policies, perhaps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_policies: Option<Vec<AuthPolicy>>,
    /// Where no policy fits; absent: as the CAPIF core function is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_decision: Option<DefaultDecision>,
    /// Grows with each change; an older one is refused.
    pub policy_version: u64,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
}

/// A change of a resource: a member that is there replaces the one before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceAuthPatch {
    /// Who may learn of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<ResourceVisibility>,
    /// Policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_policies: Option<Vec<AuthPolicy>>,
    /// Where no policy fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_decision: Option<DefaultDecision>,
    /// Mandatory: greater than the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u64>,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
}

/// Many resources, at the start of an API exposing function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceAuthBatch {
    /// The resources.
    pub resources: Vec<ResourceAuthInfo>,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAuthBatchItem {
    /// The resource.
    pub resource_id: ResourceId,
    /// As the status of a PUT.
    pub status: u16,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// What became of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAuthBatchResult {
    /// In the order of the request.
    pub results: Vec<ResourceAuthBatchItem>,
}

/// A page of resources.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ResourceAuthPage {
    /// The resources.
    pub items: Vec<ResourceAuthInfo>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// The policies that an owner keeps at the CAPIF core function for one resource, beside those of the API exposing function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnerPolicies {
    /// Policies, perhaps none.
    pub auth_policies: Vec<AuthPolicy>,
    /// Only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u64>,
}

open_enum! {
    /// What happened to a resource.
    ResourceAuthEvent {
        /// It was made or changed.
        Updated = "RESOURCE_AUTH_UPDATED",
        /// It is gone.
        Deleted = "RESOURCE_AUTH_DELETED",
        /// Its owner is asked.
        Asked = "AUTHORIZATION_ASKED",
    }
}

/// A subscription of an API exposing function or an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceAuthSubscription {
    /// Only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
    /// Events.
    pub events: Vec<ResourceAuthEvent>,
    /// Where notifications go.
    pub notification_destination: String,
}

/// A question to the owner of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationAsk {
    /// The question.
    pub ask_id: AskId,
    /// Where the resource is.
    pub aef_id: AefId,
    /// The resource.
    pub resource_id: ResourceId,
    /// What it is.
    pub resource_type: ResourceType,
    /// Who asks.
    pub api_invoker_id: ApiInvokerId,
    /// What for.
    pub actions: Vec<ResourceAction>,
    /// Which parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_info_ids: Option<Vec<String>>,
    /// To what end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Until when it can be answered.
    pub exp_time: DateTime,
    /// Goes back in the answer.
    pub nonce: String,
}

/// The questions that an owner can answer now, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationAsks {
    /// The questions.
    pub items: Vec<AuthorizationAsk>,
}

/// The answer of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskDecision {
    /// Of the question.
    pub nonce: String,
    /// Yes or no.
    pub effect: PolicyEffect,
    /// Until when a yes counts; absent: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAuthNotification {
    /// The subscription; absent where the owner is asked without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
    /// The event.
    pub event: ResourceAuthEvent,
    /// Where the resource is.
    pub aef_id: AefId,
    /// The resource.
    pub resource_id: ResourceId,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u64>,
    /// Policies that the owner has set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_policies: Option<Vec<AuthPolicy>>,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<AuthorizationAsk>,
}

impl Validate for PolicySubject {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let Self::ApiInvokerGroup(group) = self {
            faults.text(group, MAX_NAME, at, "apiInvokerGroup");
        }
        faults.done()
    }
}

impl Validate for AuthPolicy {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.policy_id, MAX_NAME, at, "policyId");
        faults.list(&self.subjects, MAX_ENTRIES, at, "subjects");
        faults.size(self.actions.len(), MAX_ENTRIES, &child(at, "actions"));
        faults.texts(self.serv_info_ids.as_ref(), MAX_ENTRIES, MAX_NAME, at, "servInfoIds");
        faults.opt_list(self.time_windows.as_ref(), MAX_ENTRIES, at, "timeWindows");
        faults.part(self.service_area.as_ref(), at, "serviceArea");
        faults.texts(self.purposes.as_ref(), MAX_ENTRIES, MAX_NAME, at, "purposes");
        faults.done()
    }
}

/// The faults of policies at member `authPolicies`, which may be empty; each name once.
fn policies(faults: &mut Faults, list: &[AuthPolicy], at: &str) {
    let here = child(at, "authPolicies");
    if list.is_empty() {
        return;
    }
    faults.list(list, MAX_POLICIES, at, "authPolicies");
    let names: Vec<_> = list.iter().map(|policy| &policy.policy_id).collect();
    faults.distinct(&names, &here);
}

impl Validate for ResourceAuthInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let ResourceOwner::Principal(principal) = &self.owner {
            let here = child(&child(at, "owner"), "principal");
            faults.text(&principal.iss, MAX_PRINCIPAL, &here, "iss");
            faults.text(&principal.sub, MAX_PRINCIPAL, &here, "sub");
        }
        policies(&mut faults, self.auth_policies.as_deref().unwrap_or_default(), at);
        version(&mut faults, self.policy_version, at);
        faults.done()
    }
}

/// The fault of a version that a signed number of 64 bits cannot hold.
fn version(faults: &mut Faults, version: u64, at: &str) {
    faults.require(i64::try_from(version).is_ok(), at, "policyVersion", "is out of range");
}

impl Validate for ResourceAuthPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        policies(&mut faults, self.auth_policies.as_deref().unwrap_or_default(), at);
        match self.policy_version {
            Some(number) => version(&mut faults, number, at),
            None => faults.add(child(at, "policyVersion"), crate::validate::MISSING),
        }
        faults.done()
    }
}

impl Validate for ResourceAuthBatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.resources, MAX_BATCH, at, "resources");
        faults.done()
    }
}

impl Validate for OwnerPolicies {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        policies(&mut faults, &self.auth_policies, at);
        faults.done()
    }
}

impl Validate for ResourceAuthSubscription {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.words(self.events.iter().map(ResourceAuthEvent::as_str), MAX_LIST, at, "events");
        faults.uri(&self.notification_destination, at, "notificationDestination");
        faults.done()
    }
}

impl Validate for AuthorizationAsk {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.size(self.actions.len(), MAX_ENTRIES, &child(at, "actions"));
        faults.texts(self.serv_info_ids.as_ref(), MAX_ENTRIES, MAX_NAME, at, "servInfoIds");
        faults.opt_text(self.purpose.as_ref(), MAX_NAME, at, "purpose");
        faults.text(&self.nonce, MAX_NONCE, at, "nonce");
        faults.done()
    }
}

impl Validate for ResourceAuthNotification {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_text(self.subscription_id.as_ref(), MAX_NAME, at, "subscriptionId");
        faults.word(self.event.as_str(), at, "event");
        policies(&mut faults, self.auth_policies.as_deref().unwrap_or_default(), at);
        faults.part(self.ask.as_ref(), at, "ask");
        faults.done()
    }
}

impl Validate for AskDecision {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.nonce, MAX_NONCE, at, "nonce");
        faults.done()
    }
}
