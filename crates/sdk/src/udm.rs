//! A consumer of the UDM: what a function of the core asks about user consent (TS 29.503 `Nudm_SDM`).

use api_types::ids::Supi;
use api_types::nudm_sdm::{IdTranslationResult, SdmSubscription, UcPurpose, UcSubscriptionData};
use api_types::validate::Validate;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use crate::error::SdkError;
use crate::https::HttpsClient;
use crate::request::{Answer, Created, Request, Versioned, at, https_url};

/// Largest answer, in octets. Own value.
const MAX_ANSWER: usize = 256 * 1024;

/// A client of one UDM, known there by its certificate.
#[derive(Debug, Clone)]
pub struct UdmClient {
    base: Url,
    https: HttpsClient,
}

/// What a UDM says about consent.
#[derive(Debug, Clone)]
pub enum UcAnswer {
    /// What was said.
    Said(Versioned<UcSubscriptionData>),
    /// What the asker has is still so.
    Unchanged,
    /// Nothing was said, or there is no such subscriber: no consent.
    Nothing,
}

impl UdmClient {
    /// A client of the UDM at `base`.
    ///
    /// # Errors
    /// The address is not https.
    pub fn new(https: HttpsClient, base: &str) -> Result<Self, SdkError> {
        Ok(Self { base: https_url(base)?, https })
    }

    /// Who is behind a GPSI; `None`: nobody.
    ///
    /// # Errors
    /// The refusal of the server, no answer, or one that is not as TS 29.503 has it.
    pub async fn translate(&self, gpsi: &str) -> Result<Option<IdTranslationResult>, SdkError> {
        let answer =
            self.get(at(&self.base, &["nudm-sdm", "v2", gpsi, "id-translation-result"])?, None).await?;
        match answer.status {
            404 => Ok(None),
            _ => read(&answer.expect(&[200])?).map(Some),
        }
    }

    /// What a subscriber consents to, about one purpose or all; `known` is the entity tag of what the asker has.
    ///
    /// # Errors
    /// The refusal of the server, no answer, or one that is not as TS 29.503 has it.
    pub async fn uc_data(
        &self,
        supi: &Supi,
        purpose: Option<&UcPurpose>,
        known: Option<&str>,
    ) -> Result<UcAnswer, SdkError> {
        let mut url = at(&self.base, &["nudm-sdm", "v2", supi.as_str(), "uc-data"])?;
        if let Some(purpose) = purpose {
            url.query_pairs_mut().append_pair("uc-purpose", purpose.as_str());
        }
        let answer = self.get(url, known).await?;
        match answer.status {
            304 if known.is_some() => Ok(UcAnswer::Unchanged),
            404 => Ok(UcAnswer::Nothing),
            _ => {
                let answer = answer.expect(&[200])?;
                let value = read(&answer)?;
                let etag = answer.header("etag").map(str::to_owned);
                Ok(UcAnswer::Said(Versioned { value, etag, trace: answer.trace() }))
            }
        }
    }

    /// Asks to be told when a subscriber's consent changes.
    ///
    /// # Errors
    /// The refusal of the server, no answer, or one that is not as TS 29.503 has it.
    pub async fn subscribe(
        &self,
        supi: &Supi,
        subscription: &SdmSubscription,
    ) -> Result<Created<String, SdmSubscription>, SdkError> {
        let url = at(&self.base, &["nudm-sdm", "v2", supi.as_str(), "sdm-subscriptions"])?;
        let request = Request::post(url).json(subscription).accept_up_to(MAX_ANSWER);
        let answer = self.https.send(request).await?.expect(&[201])?;
        let (id, value) = (answer.created_id()?, read(&answer)?);
        Ok(Created { id, value, etag: None, trace: answer.trace() })
    }

    /// Changes until when a subscription lasts; it is answered how long that is.
    ///
    /// # Errors
    /// The refusal of the server, no answer, or one that is not as TS 29.503 has it.
    pub async fn renew(
        &self,
        supi: &Supi,
        id: &str,
        expires: api_types::DateTime,
    ) -> Result<SdmSubscription, SdkError> {
        let patch = json!({ "expires": expires });
        let request = Request::patch(self.subscription(supi, id)?);
        let request = request.json_as("application/merge-patch+json", &patch).accept_up_to(MAX_ANSWER);
        read(&self.https.send(request).await?.expect(&[200])?)
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn unsubscribe(&self, supi: &Supi, id: &str) -> Result<(), SdkError> {
        self.https.send(Request::delete(self.subscription(supi, id)?)).await?.expect(&[204]).map(drop)
    }

    fn subscription(&self, supi: &Supi, id: &str) -> Result<Url, SdkError> {
        at(&self.base, &["nudm-sdm", "v2", supi.as_str(), "sdm-subscriptions", id])
    }

    async fn get(&self, url: Url, known: Option<&str>) -> Result<Answer, SdkError> {
        let request = Request::get(url).opt_header("if-none-match", known).accept_up_to(MAX_ANSWER);
        self.https.send(request).await
    }
}

/// An answer of the UDM that is as it should be.
fn read<T: DeserializeOwned + Validate>(answer: &Answer) -> Result<T, SdkError> {
    let value: T = answer.json()?;
    value.validate("").map_err(|_| SdkError::Malformed("body"))?;
    Ok(value)
}
