//! API invokers (TS 29.222 `CAPIF_API_Invoker_Management`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{AefId, ApiInvokerId, ApiName};
use super::network::WebsockNotifConfig;
use super::profile::{MAX_METHODS, SecurityMethod};
use super::publish::ServiceAPIDescription;
use super::{MAX_DESCRIPTION, MAX_LIST, MAX_NAME, VendorSpecific};
use crate::common_data::SupportedFeatures;
use crate::date_time::DateTime;
use crate::merge_patch;
use crate::problem::InvalidParam;
use crate::secret::Secret;
use crate::validate::{Faults, Validate};

/// Feature `Notification_test_event`.
pub const NOTIFICATION_TEST_EVENT: u32 = 1;
/// Feature `Notification_websocket`.
pub const NOTIFICATION_WEBSOCKET: u32 = 2;
/// Feature `PatchUpdate`.
pub const PATCH_UPDATE: u32 = 3;
/// Feature `ExpirationTime`.
pub const EXPIRATION_TIME: u32 = 4;

/// Most onboarding criteria of one API invoker. Own value.
pub const MAX_CRITERIA: usize = 32;

open_enum! {
    /// Why a service API was not enrolled for an API invoker (TS 29.222).
    EnrolFailCause {
        /// Not authorized.
        AuthorizationIssue = "AUTHORIZATION_ISSUE",
        /// Criteria not met.
        OnboardingCriNotMet = "ONBOARDING_CRI_NOT_MET",
        /// Not said.
        Unspecified = "UNSPECIFIED",
    }
}

open_enum! {
    /// Why an API invoker was not onboarded (TS 29.222).
    OnboardingFailReason {
        /// Not allowed.
        ApiInvokerNotAllowed = "API_INVOKER_NOT_ALLOWED",
        /// Criteria not met.
        OnboardingCriNotMet = "ONBOARDING_CRI_NOT_MET",
        /// Something else.
        OtherReason = "OTHER",
    }
}

/// A service API and its versions (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiInfo {
    /// Its name.
    pub api_name: ApiName,
    /// Versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_api_versions: Option<Vec<String>>,
}

/// What onboarding criteria are about (TS 29.222): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RelatedCriteria {
    /// API exposing functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_ids: Option<Vec<AefId>>,
    /// Service APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apis: Option<Vec<ApiInfo>>,
    /// Categories.
    #[serde(rename = "serviceAPICategories", default, skip_serializing_if = "Option::is_none")]
    pub service_api_categories: Option<Vec<String>>,
}

/// What an API invoker asks of service APIs (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnboardingCriteria {
    /// Security methods.
    pub sec_methods: Vec<SecurityMethod>,
    /// What they are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_criteria: Option<RelatedCriteria>,
}

/// Key, certificate and secret of an API invoker (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnboardingInformation {
    /// PEM of a certificate signing request or of a public key.
    pub api_invoker_public_key: String,
    /// PEM of the certificate; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_certificate: Option<String>,
    /// The secret, told once; only the answer to the onboarding carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarding_secret: Option<Secret>,
    /// Criteria.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarding_criteria: Option<Vec<OnboardingCriteria>>,
}

/// Service APIs (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct APIList {
    /// The service APIs.
    #[serde(rename = "serviceAPIDescriptions", default, skip_serializing_if = "Option::is_none")]
    pub service_api_descriptions: Option<Vec<ServiceAPIDescription>>,
}

/// A service API that was not enrolled (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrolFailReason {
    /// Its name.
    pub api_name: ApiName,
    /// Why.
    pub failure_code: EnrolFailCause,
}

/// An API invoker (TS 29.222).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct APIInvokerEnrolmentDetails {
    /// Assigned by the CAPIF core function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_id: Option<ApiInvokerId>,
    /// Key, certificate and secret.
    pub onboarding_information: OnboardingInformation,
    /// Where notifications go.
    pub notification_destination: String,
    /// Whether a first notification shall try the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_test_notification: Option<bool>,
    /// Another way for notifications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websock_notif_config: Option<WebsockNotifConfig>,
    /// Service APIs that it may invoke, or asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_list: Option<APIList>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_information: Option<String>,
    /// End of the onboarding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
    /// Service APIs that were not enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reasons: Option<Vec<EnrolFailReason>>,
    /// Members of vendors.
    #[serde(flatten)]
    #[schema(ignore)]
    pub vendor_specific: VendorSpecific,
}

/// A change of an API invoker (TS 29.222), to be sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct APIInvokerEnrolmentDetailsPatch {
    /// Key, certificate and secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onboarding_information: Option<OnboardingInformation>,
    /// Where notifications go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_destination: Option<String>,
    /// Service APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_list: Option<APIList>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_information: Option<String>,
    /// End of the onboarding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
}

/// How a deferred onboarding ended (TS 29.222).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnboardingNotification {
    /// Whether the API invoker is onboarded.
    pub result: bool,
    /// The resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_location: Option<String>,
    /// The API invoker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_invoker_enrolment_details: Option<APIInvokerEnrolmentDetails>,
    /// Service APIs, after an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_list: Option<APIList>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<OnboardingFailReason>,
}

/// The members that a patch may hold.
const PATCHABLE: [&str; 5] =
    ["onboardingInformation", "notificationDestination", "apiList", "apiInvokerInformation", "expTime"];

impl APIInvokerEnrolmentDetails {
    /// The API invoker as `patch` makes it (RFC 7396), valid again. Members that a patch may not hold are ignored.
    ///
    /// # Errors
    /// What is wrong with the patch or with the API invoker that it would make.
    pub fn patched(&self, patch: &Value) -> Result<Self, Vec<InvalidParam>> {
        let patched: Self = merge_patch::patched(self, patch, &PATCHABLE)?;
        patched.validate("")?;
        Ok(patched)
    }
}

impl Validate for ApiInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.texts(self.supported_api_versions.as_ref(), MAX_LIST, MAX_NAME, at, "supportedApiVersions");
        faults.done()
    }
}

impl Validate for RelatedCriteria {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.aef_ids.is_some(), self.apis.is_some(), self.service_api_categories.is_some()];
        faults.at_least_one(&present, at, "needs aefIds, apis or serviceAPICategories");
        faults.typed(self.aef_ids.as_ref(), at, "aefIds");
        faults.opt_list(self.apis.as_ref(), MAX_LIST, at, "apis");
        faults.texts(self.service_api_categories.as_ref(), MAX_LIST, MAX_NAME, at, "serviceAPICategories");
        faults.done()
    }
}

impl Validate for OnboardingCriteria {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let methods = self.sec_methods.iter().map(SecurityMethod::as_str);
        faults.words(methods, MAX_METHODS, at, "secMethods");
        faults.part(self.related_criteria.as_ref(), at, "relatedCriteria");
        faults.done()
    }
}

impl Validate for OnboardingInformation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.pem(&self.api_invoker_public_key, at, "apiInvokerPublicKey");
        if let Some(certificate) = &self.api_invoker_certificate {
            faults.pem(certificate, at, "apiInvokerCertificate");
        }
        if let Some(secret) = &self.onboarding_secret {
            faults.secret(secret, at, "onboardingSecret");
        }
        faults.opt_list(self.onboarding_criteria.as_ref(), MAX_CRITERIA, at, "onboardingCriteria");
        faults.done()
    }
}

impl Validate for APIList {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.service_api_descriptions.as_ref(), MAX_LIST, at, "serviceAPIDescriptions");
        faults.done()
    }
}

impl Validate for EnrolFailReason {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.word(self.failure_code.as_str(), at, "failureCode");
        faults.done()
    }
}

impl Validate for APIInvokerEnrolmentDetails {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.onboarding_information), at, "onboardingInformation");
        faults.uri(&self.notification_destination, at, "notificationDestination");
        faults.part(self.websock_notif_config.as_ref(), at, "websockNotifConfig");
        faults.part(self.api_list.as_ref(), at, "apiList");
        faults.opt_prose(self.api_invoker_information.as_ref(), MAX_DESCRIPTION, at, "apiInvokerInformation");
        faults.opt_list(self.failure_reasons.as_ref(), MAX_LIST, at, "failureReasons");
        faults.merge(self.vendor_specific.validate(at));
        faults.done()
    }
}

impl Validate for APIInvokerEnrolmentDetailsPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.onboarding_information.as_ref(), at, "onboardingInformation");
        faults.opt_uri(self.notification_destination.as_ref(), at, "notificationDestination");
        faults.part(self.api_list.as_ref(), at, "apiList");
        faults.opt_prose(self.api_invoker_information.as_ref(), MAX_DESCRIPTION, at, "apiInvokerInformation");
        faults.done()
    }
}

impl Validate for OnboardingNotification {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_uri(self.resource_location.as_ref(), at, "resourceLocation");
        faults.part(self.api_invoker_enrolment_details.as_ref(), at, "apiInvokerEnrolmentDetails");
        faults.part(self.api_list.as_ref(), at, "apiList");
        faults.opt_word(self.fail_reason.as_ref().map(OnboardingFailReason::as_str), at, "failReason");
        faults.done()
    }
}
