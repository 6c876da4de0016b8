//! Requests that carry an access token.

use api_types::Secret;
use url::Url;

use crate::dpop::DpopSession;
use crate::error::SdkError;
use crate::https::{AnswerStream, HttpsClient};
use crate::request::{Answer, Request};

/// An access token and how it is shown.
#[derive(Debug, Clone)]
pub enum Credential {
    /// No token.
    Nothing,
    /// A bearer token, or one bound to the certificate of the connection (RFC 6750, RFC 8705).
    Bearer(Secret),
    /// A token bound to a key (RFC 9449).
    Dpop {
        /// The token.
        token: Secret,
        /// The session with the key.
        key: DpopSession,
    },
}

impl Credential {
    /// A bearer token.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer(Secret::new(token))
    }

    /// A token bound to the key of a session.
    #[must_use]
    pub fn dpop(token: impl Into<String>, key: DpopSession) -> Self {
        Self::Dpop { token: Secret::new(token), key }
    }
}

/// A connection with a credential.
#[derive(Debug, Clone)]
pub struct Authorized {
    https: HttpsClient,
    credential: Credential,
}

impl Authorized {
    /// Sends with `credential` over `https`.
    #[must_use]
    pub fn new(https: HttpsClient, credential: Credential) -> Self {
        Self { https, credential }
    }

    /// Sends a request and reads the answer whole. Asked for another nonce (RFC 9449 9), it sends once more.
    ///
    /// # Errors
    /// As [`HttpsClient::send`].
    pub async fn send(&self, request: Request) -> Result<Answer, SdkError> {
        let (url, again) = (request.url.clone(), request.again());
        let answer = self.https.send(self.dress(request)?).await?;
        match again {
            Some(again) if self.wants_nonce(&url, answer.status, &answer.headers) => {
                let answer = self.https.send(self.dress(again)?).await?;
                self.wants_nonce(&url, answer.status, &answer.headers);
                Ok(answer)
            }
            _ => Ok(answer),
        }
    }

    /// Sends a request and gives the answer as it comes.
    ///
    /// # Errors
    /// As [`HttpsClient::open`].
    pub async fn open(&self, request: Request) -> Result<AnswerStream, SdkError> {
        let (url, again) = (request.url.clone(), request.again());
        let answer = self.https.open(self.dress(request)?).await?;
        match again {
            Some(again) if self.wants_nonce(&url, answer.status, &answer.headers) => {
                self.https.open(self.dress(again)?).await
            }
            _ => Ok(answer),
        }
    }

    fn dress(&self, request: Request) -> Result<Request, SdkError> {
        Ok(match &self.credential {
            Credential::Nothing => request,
            Credential::Bearer(token) => {
                request.header("authorization", &format!("Bearer {}", token.expose()))
            }
            Credential::Dpop { token, key } => {
                let proof = key.proof(request.method.as_str(), &request.url, Some(token.expose()))?;
                request.header("authorization", &format!("DPoP {}", token.expose())).header("dpop", &proof)
            }
        })
    }

    fn wants_nonce(&self, url: &Url, status: u16, headers: &reqwest::header::HeaderMap) -> bool {
        let Credential::Dpop { key, .. } = &self.credential else { return false };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let fresh = key.remember(url, text("dpop-nonce"));
        let asked = text("www-authenticate").is_some_and(|challenge| challenge.contains("use_dpop_nonce"));
        status == 401 && fresh && asked
    }
}
