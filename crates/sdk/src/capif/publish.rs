//! Publishing of service APIs (TS 29.222 8.2), by the publishing function of a domain.

use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::{ApfId, ServiceApiId};
use url::Url;

use super::CapifClient;
use crate::error::SdkError;
use crate::request::{Created, Request, Versioned};

impl CapifClient {
    fn published(&self, apf: &ApfId, api: Option<&ServiceApiId>) -> Result<Url, SdkError> {
        let mut segments = vec!["published-apis", "v1", apf.as_str(), "service-apis"];
        segments.extend(api.map(ServiceApiId::as_str));
        self.url(&segments)
    }

    /// Publishes a service API.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn publish(
        &self,
        apf: &ApfId,
        api: &ServiceAPIDescription,
    ) -> Result<Created<ServiceApiId, ServiceAPIDescription>, SdkError> {
        let request = Request::post(self.published(apf, None)?).json(api);
        let answer = self.send(request).await?.expect(&[201])?;
        let id = answer.created_id()?.try_into().map_err(|_| SdkError::Malformed("Location"))?;
        let Versioned { value, etag, trace } = answer.versioned()?;
        Ok(Created { id, value, etag, trace })
    }

    /// Reads what the publishing function has published.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn published_apis(&self, apf: &ApfId) -> Result<Vec<ServiceAPIDescription>, SdkError> {
        self.read(self.published(apf, None)?).await
    }

    /// Replaces the description of a service API; tokens for what it no longer has are revoked.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn republish(
        &self,
        apf: &ApfId,
        id: &ServiceApiId,
        api: &ServiceAPIDescription,
    ) -> Result<ServiceAPIDescription, SdkError> {
        self.replaced(self.published(apf, Some(id))?, api).await
    }

    /// Withdraws a service API.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn unpublish(&self, apf: &ApfId, id: &ServiceApiId) -> Result<(), SdkError> {
        self.ended(self.published(apf, Some(id))?).await
    }
}
