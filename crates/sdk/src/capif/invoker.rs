//! API invokers: onboarding and discovery (TS 29.222 8.1 and 8.4).

use api_types::Secret;
use api_types::capif::discover::DiscoveredAPIs;
use api_types::capif::invoker::{APIInvokerEnrolmentDetails, OnboardingInformation};
use api_types::capif::{AefId, ApiInvokerId, ApiName, VendorSpecific};
use url::Url;

use super::CapifClient;
use crate::error::SdkError;
use crate::request::{Created, Request, Versioned};
use crate::san::onto;

/// Which service APIs are looked for; all filters must hold.
#[derive(Debug, Clone, Default)]
pub struct ServiceApiQuery {
    /// Name in the URI.
    pub api_name: Option<ApiName>,
    /// Version, as `v1`.
    pub api_version: Option<String>,
    /// The function that exposes it.
    pub aef_id: Option<AefId>,
    /// Name of the provider.
    pub provider: Option<String>,
}

impl CapifClient {
    fn onboarded(&self, id: Option<&ApiInvokerId>) -> Result<Url, SdkError> {
        let mut segments = vec!["api-invoker-management", "v1", "onboardedInvokers"];
        segments.extend(id.map(ApiInvokerId::as_str));
        self.url(&segments)
    }

    /// Onboards with the secret of an enrolment, which is used up by it, and a signing request for the invoker's own key.
    /// The answer has identifier, certificate and onboarding secret.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn onboard(
        &self,
        secret: &Secret,
        csr: &str,
        about: &str,
        notifications: &str,
    ) -> Result<Created<ApiInvokerId, APIInvokerEnrolmentDetails>, SdkError> {
        let body = APIInvokerEnrolmentDetails {
            api_invoker_id: None,
            onboarding_information: OnboardingInformation {
                api_invoker_public_key: csr.to_owned(),
                api_invoker_certificate: None,
                onboarding_secret: None,
                onboarding_criteria: None,
            },
            notification_destination: notifications.to_owned(),
            request_test_notification: None,
            websock_notif_config: None,
            api_list: None,
            api_invoker_information: Some(about.to_owned()),
            exp_time: None,
            supported_features: None,
            failure_reasons: None,
            vendor_specific: VendorSpecific::default(),
        };
        let request = Request::post(self.onboarded(None)?)
            .header("authorization", &format!("Bearer {}", secret.expose()))
            .json(&body);
        let answer = self.send(request).await?.expect(&[201])?;
        let id = answer.created_id()?.try_into().map_err(|_| SdkError::Malformed("Location"))?;
        let Versioned { value, etag, trace } = answer.versioned()?;
        Ok(Created { id, value, etag, trace })
    }

    /// Ends an onboarding, by the invoker itself.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn offboard(&self, id: &ApiInvokerId) -> Result<(), SdkError> {
        self.ended(self.onboarded(Some(id))?).await
    }

    /// Looks for service APIs, as far as the invoker may see them.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn discover(
        &self,
        invoker: &ApiInvokerId,
        query: &ServiceApiQuery,
    ) -> Result<DiscoveredAPIs, SdkError> {
        let mut url = self.url(&["service-apis", "v1", "allServiceAPIs"])?;
        let text = |id: &str| Some(id.to_owned());
        let pairs = [
            ("api-invoker-id", text(invoker.as_str())),
            ("api-name", query.api_name.as_ref().and_then(|name| text(name.as_str()))),
            ("api-version", query.api_version.clone()),
            ("aef-id", query.aef_id.as_ref().and_then(|aef| text(aef.as_str()))),
            ("req-api-prov-name", query.provider.clone()),
        ];
        onto(&mut url, &pairs);
        self.read(url).await
    }
}
