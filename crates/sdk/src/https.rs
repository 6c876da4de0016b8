//! HTTPS with the root that the caller names and nothing else.
//!
//! TLS 1.3, or 1.2 with the suites of the provider; no proxy from the environment, no redirect, bounded times and sizes.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::SdkError;
use crate::exchange::{Exchange, Recorder};
use crate::request::{Answer, Payload, Request};

/// Certificate and key by which a client shows who it is.
#[derive(Clone)]
pub struct Identity {
    /// PEM of the certificate, and of those above it.
    pub cert_pem: String,
    /// PEM of the private key.
    pub key_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// Limits of a client. All own values.
#[derive(Debug, Clone, Copy)]
pub struct HttpsLimits {
    /// Longest wait for a connection, TLS included.
    pub connect: Duration,
    /// Longest silence of the peer.
    pub read: Duration,
    /// Longest time of a request that is read whole.
    pub total: Duration,
}

impl Default for HttpsLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            total: Duration::from_secs(60),
        }
    }
}

/// A client for HTTPS. Clones share their connections.
#[derive(Clone)]
pub struct HttpsClient {
    http: reqwest::Client,
    limits: HttpsLimits,
    trace: Option<Arc<str>>,
    recorder: Option<Arc<dyn Recorder>>,
}

impl std::fmt::Debug for HttpsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpsClient")
    }
}

impl HttpsClient {
    /// A client that trusts the certificates of `ca_pem` and nothing else.
    ///
    /// # Errors
    /// The PEM texts cannot be used.
    pub fn new(ca_pem: &str, identity: Option<&Identity>) -> Result<Self, SdkError> {
        Self::with_limits(ca_pem, identity, HttpsLimits::default())
    }

    /// Likewise, with limits of the caller.
    ///
    /// # Errors
    /// The PEM texts cannot be used.
    pub fn with_limits(
        ca_pem: &str,
        identity: Option<&Identity>,
        limits: HttpsLimits,
    ) -> Result<Self, SdkError> {
        let tls = tls_config(ca_pem, identity)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(limits.connect)
            .read_timeout(limits.read)
            .build()
            .map_err(|_| SdkError::Unusable("TLS configuration"))?;
        Ok(Self { http, limits, trace: None, recorder: None })
    }

    /// The same client, naming `trace` (32 hexadecimal digits) in every request, so that the operator finds what belongs
    /// together (W3C Trace Context). A server outside of the caller's trust domain keeps it as a link.
    #[must_use]
    pub fn with_trace(mut self, trace: &str) -> Self {
        self.trace = Some(format!("00-{trace}-{}-01", trace.get(..16).unwrap_or_default()).into());
        self
    }

    /// The same client, showing every exchange to `recorder`.
    #[must_use]
    pub fn with_recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Sends a request and reads the answer whole.
    ///
    /// # Errors
    /// No answer, or one larger than the request accepts. A refusal is an answer.
    pub async fn send(&self, request: Request) -> Result<Answer, SdkError> {
        let max = request.max_answer;
        let sent = self.recorder.as_ref().map(|recorder| (recorder, request.sent()));
        let whole = async {
            let mut stream = self.open(request).await?;
            let mut body = BytesMut::new();
            while let Some(chunk) = stream.chunk().await? {
                if body.len().saturating_add(chunk.len()) > max {
                    return Err(SdkError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            let answer = Answer { status: stream.status, headers: stream.headers, body: body.freeze() };
            if let Some((recorder, (method, url, request))) = sent {
                let media_type = answer.header("content-type").map(str::to_owned);
                let response = answer.body.clone();
                recorder.record(&Exchange {
                    method,
                    url,
                    request,
                    status: answer.status,
                    media_type,
                    response,
                });
            }
            Ok(answer)
        };
        tokio::time::timeout(self.limits.total, whole).await.unwrap_or_else(|_| {
            Err(SdkError::Transport {
                kind: crate::error::TransportKind::Timeout,
                text: "total time".to_owned(),
            })
        })
    }

    /// Sends a request and gives the answer as it comes.
    ///
    /// # Errors
    /// No answer.
    pub async fn open(&self, request: Request) -> Result<AnswerStream, SdkError> {
        if let Some(fault) = request.fault {
            return Err(fault);
        }
        let builder = self.http.request(request.method, request.url).headers(request.headers);
        let builder = match &self.trace {
            Some(trace) => builder.header("traceparent", &**trace),
            None => builder,
        };
        let builder = match request.payload {
            Payload::Nothing => builder,
            Payload::Bytes(bytes) => builder.body(bytes),
            Payload::Stream(body) => builder.body(body),
        };
        let response = builder.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(AnswerStream { status, headers, response })
    }
}

/// An answer whose body is read piece by piece.
#[derive(Debug)]
pub struct AnswerStream {
    /// HTTP status.
    pub status: u16,
    /// Header.
    pub headers: reqwest::header::HeaderMap,
    response: reqwest::Response,
}

impl AnswerStream {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, SdkError> {
        Ok(self.response.chunk().await?)
    }

    /// The rest, up to `max` bytes, as an answer.
    ///
    /// # Errors
    /// The connection broke, or the rest is larger.
    pub async fn read(mut self, max: usize) -> Result<Answer, SdkError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len().saturating_add(chunk.len()) > max {
                return Err(SdkError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: self.status, headers: self.headers, body: body.freeze() })
    }
}

fn tls_config(ca_pem: &str, identity: Option<&Identity>) -> Result<rustls::ClientConfig, SdkError> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate = certificate.map_err(|_| SdkError::Unusable("root certificate"))?;
        roots.add(certificate).map_err(|_| SdkError::Unusable("root certificate"))?;
    }
    if roots.is_empty() {
        return Err(SdkError::Unusable("no root certificate"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|_| SdkError::Unusable("TLS versions"))?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain: Result<Vec<_>, _> =
                CertificateDer::pem_slice_iter(identity.cert_pem.as_bytes()).collect();
            let chain = chain.map_err(|_| SdkError::Unusable("certificate"))?;
            let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())
                .map_err(|_| SdkError::Unusable("key"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|_| SdkError::Unusable("certificate and key"))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // RFC 8470: a replayed request must not be possible.
    config.enable_early_data = false;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_root_there_is_no_client() {
        for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(HttpsClient::new(pem, None).is_err(), "{pem}");
        }
    }
}
