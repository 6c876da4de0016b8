//! Security contexts of API invokers (TS 29.222 `CAPIF_Security`).

use serde::{Deserialize, Serialize};

use super::ids::{AefId, ApiInvokerId, ServiceApiId};
use super::network::WebsockNotifConfig;
use super::profile::{InterfaceDescription, MAX_METHODS, OAuthGrantType, SecurityMethod};
use super::{MAX_LIST, MAX_PEM, MAX_TOKEN};
use crate::common_data::SupportedFeatures;
use crate::problem::InvalidParam;
use crate::query::Query;
use crate::secret::Secret;
use crate::validate::{Faults, Validate, child};

/// Feature `Notification_test_event`.
pub const NOTIFICATION_TEST_EVENT: u32 = 1;
/// Feature `Notification_websocket`.
pub const NOTIFICATION_WEBSOCKET: u32 = 2;
/// Feature `SecurityInfoPerAPI`.
pub const SECURITY_INFO_PER_API: u32 = 3;

/// Most entries of one security context. Own value.
pub const MAX_SECURITY_INFO: usize = 256;

open_enum! {
    /// Why an authorization was revoked (TS 29.222 `Cause`).
    RevocationCause {
        /// The service API was used too much.
        OverlimitUsage = "OVERLIMIT_USAGE",
        /// Unexpected.
        UnexpectedReason = "UNEXPECTED_REASON",
        /// The API provider authorizes no longer.
        AuthorizationIssue = "AUTHORIZATION_ISSUE",
        /// Something else.
        OtherReason = "OTHER_REASON",
    }
}

/// The security of one interface or API exposing function (TS 29.222): exactly one of `interfaceDetails` and `aefId`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityInformation {
    /// The interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_details: Option<InterfaceDescription>,
    /// The API exposing function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_id: Option<AefId>,
    /// The service API; absent: each one there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<ServiceApiId>,
    /// What the API invoker prefers, the first most.
    pub pref_security_methods: Vec<SecurityMethod>,
    /// What the CAPIF core function chose; absent: nothing fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sel_security_method: Option<SecurityMethod>,
    /// Only for the API exposing function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication_info: Option<String>,
    /// Only for the API exposing function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_info: Option<String>,
    /// Flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<Vec<OAuthGrantType>>,
}

/// What an entry of a security context is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityTarget<'a> {
    /// An interface.
    Interface(&'a InterfaceDescription),
    /// An API exposing function.
    Aef(&'a AefId),
}

impl SecurityInformation {
    /// What the entry is about; `None` unless it names exactly one.
    #[must_use]
    pub fn target(&self) -> Option<SecurityTarget<'_>> {
        match (&self.interface_details, &self.aef_id) {
            (Some(interface), None) => Some(SecurityTarget::Interface(interface)),
            (None, Some(aef)) => Some(SecurityTarget::Aef(aef)),
            _ => None,
        }
    }
}

/// The security context of an API invoker (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSecurity {
    /// Its entries.
    pub security_info: Vec<SecurityInformation>,
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

/// An authorization that was revoked (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityNotification {
    /// Whose.
    pub api_invoker_id: ApiInvokerId,
    /// At which API exposing function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_id: Option<AefId>,
    /// For which service APIs.
    pub api_ids: Vec<ServiceApiId>,
    /// The one access token that is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Secret>,
    /// Why.
    pub cause: RevocationCause,
}

/// What an API exposing function wants to know of a security context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrustedInvokerQuery {
    /// `authenticationInfo`
    pub authentication_info: bool,
    /// `authorizationInfo`
    pub authorization_info: bool,
}

impl TrustedInvokerQuery {
    /// Reads the query; absent is false.
    ///
    /// # Errors
    /// A parameter is no boolean.
    pub fn parse(query: &Query) -> Result<Self, Vec<InvalidParam>> {
        let flag = |name| query.boolean(name).map(Option::unwrap_or_default).map_err(|fault| vec![fault]);
        Ok(Self {
            authentication_info: flag("authenticationInfo")?,
            authorization_info: flag("authorizationInfo")?,
        })
    }
}

impl Validate for SecurityInformation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if self.target().is_none() {
            faults.add(at, "needs exactly one of interfaceDetails, aefId");
        }
        faults.part(self.interface_details.as_ref(), at, "interfaceDetails");
        let methods = self.pref_security_methods.iter().map(SecurityMethod::as_str);
        faults.words(methods, MAX_METHODS, at, "prefSecurityMethods");
        let selected = self.sel_security_method.as_ref().map(SecurityMethod::as_str);
        faults.opt_word(selected, at, "selSecurityMethod");
        faults.opt_prose(self.authentication_info.as_ref(), MAX_PEM, at, "authenticationInfo");
        faults.opt_prose(self.authorization_info.as_ref(), MAX_PEM, at, "authorizationInfo");
        if let Some(list) = &self.grant_type {
            faults.words(list.iter().map(OAuthGrantType::as_str), MAX_METHODS, at, "grantType");
        }
        faults.done()
    }
}

impl Validate for ServiceSecurity {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.security_info, MAX_SECURITY_INFO, at, "securityInfo");
        faults.uri(&self.notification_destination, at, "notificationDestination");
        faults.part(self.websock_notif_config.as_ref(), at, "websockNotifConfig");
        faults.done()
    }
}

impl Validate for SecurityNotification {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.size(self.api_ids.len(), MAX_LIST, &child(at, "apiIds"));
        if let Some(token) = &self.access_token {
            let length = token.expose().len();
            faults.require((1..=MAX_TOKEN).contains(&length), at, "accessToken", "is empty or too long");
        }
        faults.word(self.cause.as_str(), at, "cause");
        faults.done()
    }
}
