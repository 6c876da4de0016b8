//! The client side of the CAPIF core function (TS 29.222): API providers, publishing functions, API exposing functions and
//! API invokers.
//!
//! Who a client is, is the certificate of its connection; before one has been issued, the connection has none. A refusal
//! is an [`SdkError::Problem`] with its cause; the token endpoint answers by RFC 6749 5.2 ([`SdkError::OAuth`]).

mod exposing;
mod invoker;
mod provider;
mod publish;
mod resource_auth;
mod security;
mod token;

pub use invoker::ServiceApiQuery;
pub use resource_auth::ResourceQuery;
pub use token::{TokenOrPending, TokenRequest, scope};

use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::SdkError;
use crate::https::HttpsClient;
use crate::request::{Answer, Request, at, https_url};

/// A client of one CAPIF core function with one certificate, or with none.
#[derive(Debug, Clone)]
pub struct CapifClient {
    base: Url,
    https: HttpsClient,
}

impl CapifClient {
    /// A client of the core function at `base`.
    ///
    /// # Errors
    /// The address is not https.
    pub fn new(https: HttpsClient, base: &str) -> Result<Self, SdkError> {
        Ok(Self { base: https_url(base)?, https })
    }

    /// The same core function over another connection: with the certificate that was issued.
    #[must_use]
    pub fn over(&self, https: HttpsClient) -> Self {
        Self { base: self.base.clone(), https }
    }

    /// The same client, naming `trace` (32 hexadecimal digits) in every request.
    #[must_use]
    pub fn in_trace(&self, trace: &str) -> Self {
        self.over(self.https.clone().with_trace(trace))
    }

    /// Sends a request of the caller.
    ///
    /// # Errors
    /// No answer.
    pub async fn send(&self, request: Request) -> Result<Answer, SdkError> {
        self.https.send(request).await
    }

    /// An address of the core function.
    ///
    /// # Errors
    /// The base cannot have a path.
    pub fn url(&self, segments: &[&str]) -> Result<Url, SdkError> {
        at(&self.base, segments)
    }

    async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, SdkError> {
        self.https.send(Request::get(url)).await?.expect(&[200])?.json()
    }

    async fn replaced<T: Serialize + DeserializeOwned>(&self, url: Url, body: &T) -> Result<T, SdkError> {
        self.https.send(Request::put(url).json(body)).await?.expect(&[200])?.json()
    }

    async fn ended(&self, url: Url) -> Result<(), SdkError> {
        self.https.send(Request::delete(url)).await?.expect(&[204]).map(|_| ())
    }
}
