//! What happens at the core function (TS 29.222 `CAPIFEvent`; sheet 1.7), noted in the transaction of the change. A task
//! takes it, decides who hears of it, and queues the notifications.

use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::events::CAPIFEvent;
use api_types::capif::ids::{AefId, ApiInvokerId, ServiceApiId};
use api_types::capif::invoker::OnboardingCriteria;
use api_types::capif::logging::InvocationLog;
use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::routing::RoutingRule;
use serde::{Deserialize, Serialize};
use store::happenings;
use store::{Sql, StoreError, subscriptions};

use super::FAMILY;
use crate::ccf::CcfServer;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(crate) enum Happening {
    /// A service API was published, or became active. As it is now, with its `apiId`.
    ServiceApiAvailable { api: Box<ServiceAPIDescription> },
    /// A service API was unpublished, or became inactive. As it last was, with its `apiId`.
    ServiceApiUnavailable { api: Box<ServiceAPIDescription> },
    /// A service API changed. As it is now, with its `apiId`.
    ServiceApiUpdated { api: Box<ServiceAPIDescription> },
    /// An API invoker was onboarded.
    InvokerOnboarded { invoker: ApiInvokerId },
    /// An API invoker was offboarded.
    InvokerOffboarded { invoker: ApiInvokerId },
    /// The profile of an API invoker changed.
    InvokerUpdated { invoker: ApiInvokerId },
    /// Service APIs were invoked, with success or in vain.
    Invoked { log: Box<InvocationLog> },
    /// The access control policies of a service API were made or changed. As they are now.
    AccessControlUpdated { api: ApiAt, policies: Vec<ApiInvokerPolicy> },
    /// The access control policies of a service API are gone.
    AccessControlGone { api: ApiAt },
    /// An API invoker may no longer use these service APIs: at one API exposing function, or at all.
    AuthorizationRevoked { invoker: ApiInvokerId, aef: Option<AefId>, apis: Vec<ServiceApiId> },
    /// The routing rules of a service API were made or changed. As they are now.
    TopologyHidden { api: ApiAt, rules: Vec<RoutingRule> },
    /// The routing rules of a service API are gone. As they last were.
    TopologyShown { api: ApiAt, rules: Vec<RoutingRule> },
    /// An API invoker did not meet the criteria that it named; it has no identifier if it was not onboarded.
    CriteriaFailed { invoker: Option<ApiInvokerId>, criteria: Vec<OnboardingCriteria> },
    /// An API invoker asked for these service APIs at onboarding.
    AskedAtOnboarding { apis: Vec<ApiAt> },
    /// An API invoker looked for service APIs: those that it named, and those that it was told of.
    Discovered { asked: Vec<ApiAt>, told: Vec<ApiAt> },
}

/// A service API and the functions that expose it: by these it is decided who hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApiAt {
    pub(crate) api: ServiceApiId,
    #[serde(default)]
    pub(crate) aefs: Vec<AefId>,
}

impl ApiAt {
    /// Of a published service API; `None` if it has no identifier, and so is not published.
    pub(crate) fn of(api: &ServiceAPIDescription) -> Option<Self> {
        Some(Self { api: api.api_id.clone()?, aefs: aefs_of(api) })
    }
}

/// The functions that expose a service API.
pub(crate) fn aefs_of(api: &ServiceAPIDescription) -> Vec<AefId> {
    let profiles = api.aef_profiles.as_deref().unwrap_or_default();
    profiles.iter().map(|profile| profile.aef_id.clone()).collect()
}

impl Happening {
    /// The events that subscribers know it by.
    pub(crate) fn events(&self) -> &'static [CAPIFEvent] {
        use CAPIFEvent as E;
        match self {
            Self::ServiceApiAvailable { .. } => &[E::ServiceApiAvailable],
            Self::ServiceApiUnavailable { .. } => &[E::ServiceApiUnavailable],
            Self::ServiceApiUpdated { .. } => &[E::ServiceApiUpdate],
            Self::InvokerOnboarded { .. } => &[E::ApiInvokerOnboarded],
            Self::InvokerOffboarded { .. } => &[E::ApiInvokerOffboarded],
            Self::InvokerUpdated { .. } => &[E::ApiInvokerUpdated],
            Self::Invoked { .. } => &[E::ServiceApiInvocationSuccess, E::ServiceApiInvocationFailure],
            Self::AccessControlUpdated { .. } => &[E::AccessControlPolicyUpdate],
            Self::AccessControlGone { .. } => &[E::AccessControlPolicyUnavailable],
            Self::AuthorizationRevoked { .. } => &[E::ApiInvokerAuthorizationRevoked],
            Self::TopologyHidden { .. } => &[E::ApiTopologyHidingCreated],
            Self::TopologyShown { .. } => &[E::ApiTopologyHidingRevoked],
            Self::CriteriaFailed { .. } => &[E::ApiInvokerOnboardingCriteriaFailed],
            Self::AskedAtOnboarding { .. } => &[E::ServiceApiOnboardedByApiInvokersCount],
            Self::Discovered { .. } => &[E::ServiceApiDiscoveryByApiInvokersCount],
        }
    }
}

/// Notes what happened, where there is anybody who subscribed. To be called in the transaction of the change.
///
/// # Errors
/// The store failed.
pub(crate) async fn note(tx: &mut dyn Sql, ccf: &CcfServer, event: Happening) -> Result<(), StoreError> {
    if !subscriptions::any(tx, FAMILY).await? {
        return Ok(());
    }
    let body =
        serde_json::to_string(&event).map_err(|_| StoreError::Damaged("an event cannot be written"))?;
    let at_ms = ccf.kit().ambient.now_ms();
    let happening = happenings::Happening { kind: FAMILY.to_owned(), body, at_ms, trace: None };
    happenings::note(tx, &happening).await?;
    // The task's job stands behind this one.
    ccf.events().wake();
    Ok(())
}
