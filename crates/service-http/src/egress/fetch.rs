//! Requests that leave.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rustls::ClientConfig;

use super::resolver::{Nothing, Reach, resolve};
use super::{EgressError, Target};

/// Time for the whole of a request. Design, section 2.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Most bytes of an answer. Own value.
const ANSWER_MAX: usize = 256 * 1024;

/// What [`Egress::new`] is given.
#[derive(Clone, Debug)]
pub struct EgressConfig {
    /// TLS with the trusted roots and the `notifier` certificate ([`crate::tls::client_config`]).
    pub tls: ClientConfig,
    /// Also reach loopback and private addresses: the demo and closed networks.
    pub allow_private: bool,
    /// Listeners of this deployment.
    pub own: Vec<SocketAddr>,
}

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    tls: Option<Arc<ClientConfig>>,
    reach: Reach,
}

/// An answer from outside.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
}

impl Egress {
    /// A way out.
    pub fn new(config: EgressConfig) -> Self {
        let (own, also) = (Arc::from(config.own), Arc::default());
        let reach = Reach { allow_private: config.allow_private, own, also };
        Self { tls: Some(Arc::new(config.tls)), reach }
    }

    /// Also reaches these addresses, private or our own as they may be: functions that are meant to be called.
    #[must_use]
    pub fn reaching(mut self, addresses: Vec<SocketAddr>) -> Self {
        self.reach.also = Arc::from(addresses);
        self
    }

    /// No way out: every request fails.
    pub fn closed() -> Self {
        Self { tls: None, reach: Reach::default() }
    }

    /// Sends a JSON body.
    ///
    /// # Errors
    /// See [`EgressError`]. An answer of any status is an answer, but for redirects.
    pub async fn post_json(
        &self,
        target: &Target,
        body: String,
        trace: Option<&str>,
    ) -> Result<Answer, EgressError> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(value) = trace.and_then(|trace| HeaderValue::from_str(trace).ok()) {
            headers.insert("traceparent", value);
        }
        self.send(Method::POST, target, headers, Bytes::from(body)).await
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// See [`EgressError`].
    pub async fn fetch(&self, target: &Target) -> Result<Answer, EgressError> {
        self.send(Method::GET, target, HeaderMap::new(), Bytes::new()).await
    }

    async fn send(
        &self,
        method: Method,
        target: &Target,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, EgressError> {
        let whole = async {
            self.tls.as_ref().ok_or(EgressError::Configuration)?;
            let addresses = resolve(&self.reach, target).await?;
            let request = self.client(target, &addresses)?.request(method, target.url.clone());
            let mut response = request.headers(headers).body(body).send().await.map_err(refusal)?;
            if response.status().is_redirection() {
                return Err(EgressError::Redirected);
            }
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(refusal)? {
                if body.len() + chunk.len() > ANSWER_MAX {
                    return Err(EgressError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answer { status: response.status(), headers: response.headers().clone(), body: body.freeze() })
        };
        tokio::time::timeout(TIMEOUT, whole).await.unwrap_or(Err(EgressError::TimedOut))
    }

    /// A client for this one request: it knows these addresses and keeps no connection, which would outlive a change
    /// of the name or of our rules.
    fn client(&self, target: &Target, addresses: &[SocketAddr]) -> Result<reqwest::Client, EgressError> {
        let tls = self.tls.as_ref().ok_or(EgressError::Configuration)?;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(tls))
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(Nothing)
            .resolve_to_addrs(target.url.host_str().unwrap_or_default(), addresses)
            .pool_max_idle_per_host(0);
        builder.build().map_err(|error| {
            tracing::error!(error = %error, "egress cannot be configured");
            EgressError::Configuration
        })
    }
}

/// Our own refusal out of the chain of causes, else what kind of failure it was.
fn refusal(error: reqwest::Error) -> EgressError {
    if error.is_timeout() {
        return EgressError::TimedOut;
    }
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        if let Some(own) = inner.downcast_ref::<EgressError>() {
            return *own;
        }
        cause = inner.source();
    }
    EgressError::Unreachable
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("reach", &self.reach).finish_non_exhaustive()
    }
}
