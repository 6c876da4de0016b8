//! Domains of API providers (TS 29.222 8.9).

use api_types::Secret;
use api_types::capif::RegistrationId;
use api_types::capif::provider::{
    APIProviderEnrolmentDetails, APIProviderFunctionDetails, ApiProviderFuncRole, RegistrationInformation,
};
use url::Url;

use super::CapifClient;
use crate::error::SdkError;
use crate::request::{Created, Request, Versioned};

impl CapifClient {
    fn registrations(&self, id: Option<&RegistrationId>) -> Result<Url, SdkError> {
        let mut segments = vec!["api-provider-management", "v1", "registrations"];
        segments.extend(id.map(RegistrationId::as_str));
        self.url(&segments)
    }

    /// Registers a domain with the secret of an enrolment, which is used up by it. Each function comes with a signing
    /// request for a key of its own, and is answered with identifier and certificate.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn register_provider(
        &self,
        secret: &Secret,
        name: &str,
        functions: &[(ApiProviderFuncRole, String)],
    ) -> Result<Created<RegistrationId, APIProviderEnrolmentDetails>, SdkError> {
        let functions = functions.iter().map(|(role, csr)| APIProviderFunctionDetails {
            api_prov_func_id: None,
            reg_info: RegistrationInformation { api_prov_pub_key: csr.clone(), api_prov_cert: None },
            api_prov_func_role: role.clone(),
            api_prov_func_info: None,
        });
        let body = APIProviderEnrolmentDetails {
            api_prov_dom_id: None,
            reg_sec: Some(secret.clone()),
            api_prov_funcs: Some(functions.collect()),
            api_prov_dom_info: None,
            supp_feat: None,
            fail_reason: None,
            api_prov_name: Some(name.to_owned()),
        };
        let answer = self.send(Request::post(self.registrations(None)?).json(&body)).await?.expect(&[201])?;
        let id = answer.created_id()?.try_into().map_err(|_| SdkError::Malformed("Location"))?;
        let Versioned { value, etag, trace } = answer.versioned()?;
        Ok(Created { id, value, etag, trace })
    }

    /// Replaces a domain, by its management function. What comes with another key gets another certificate, what is left
    /// out ends.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn replace_provider(
        &self,
        id: &RegistrationId,
        body: &APIProviderEnrolmentDetails,
    ) -> Result<APIProviderEnrolmentDetails, SdkError> {
        self.replaced(self.registrations(Some(id))?, body).await
    }

    /// Ends a domain and everything that it has published, by its management function.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn deregister_provider(&self, id: &RegistrationId) -> Result<(), SdkError> {
        self.ended(self.registrations(Some(id))?).await
    }
}
