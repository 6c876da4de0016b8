//! Security contexts (TS 29.222 8.5): negotiated by API invokers, obtained and withdrawn by API exposing functions.

use api_types::capif::security::{RevocationCause, SecurityNotification, ServiceSecurity};
use api_types::capif::{ApiInvokerId, ServiceApiId};
use url::Url;

use super::CapifClient;
use crate::error::SdkError;
use crate::request::Request;

impl CapifClient {
    fn trusted(&self, invoker: &ApiInvokerId, behind: Option<&str>) -> Result<Url, SdkError> {
        let mut segments = vec!["capif-security", "v1", "trustedInvokers", invoker.as_str()];
        segments.extend(behind);
        self.url(&segments)
    }

    /// Negotiates a security context, by the invoker; the answer says which method was selected.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn put_context(
        &self,
        invoker: &ApiInvokerId,
        context: &ServiceSecurity,
    ) -> Result<ServiceSecurity, SdkError> {
        let request = Request::put(self.trusted(invoker, None)?).json(context);
        self.send(request).await?.expect(&[200, 201])?.json()
    }

    /// Negotiates an existing context anew, by the invoker.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn update_context(
        &self,
        invoker: &ApiInvokerId,
        context: &ServiceSecurity,
    ) -> Result<ServiceSecurity, SdkError> {
        let request = Request::post(self.trusted(invoker, Some("update"))?).json(context);
        self.send(request).await?.expect(&[200])?.json()
    }

    /// Obtains what an invoker has negotiated with this API exposing function.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn context(&self, invoker: &ApiInvokerId) -> Result<ServiceSecurity, SdkError> {
        let mut url = self.trusted(invoker, None)?;
        url.query_pairs_mut()
            .append_pair("authenticationInfo", "true")
            .append_pair("authorizationInfo", "true");
        self.read(url).await
    }

    /// Withdraws from an invoker what this API exposing function exposes.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn remove_context(&self, invoker: &ApiInvokerId) -> Result<(), SdkError> {
        self.ended(self.trusted(invoker, None)?).await
    }

    /// Withdraws some APIs of this API exposing function from an invoker; their tokens are good nowhere when it is
    /// answered.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn revoke_authorization(
        &self,
        invoker: &ApiInvokerId,
        apis: &[ServiceApiId],
        cause: RevocationCause,
    ) -> Result<(), SdkError> {
        let body = SecurityNotification {
            api_invoker_id: invoker.clone(),
            aef_id: None,
            api_ids: apis.to_vec(),
            access_token: None,
            cause,
        };
        let request = Request::post(self.trusted(invoker, Some("delete"))?).json(&body);
        self.send(request).await?.expect(&[204]).map(|_| ())
    }
}
