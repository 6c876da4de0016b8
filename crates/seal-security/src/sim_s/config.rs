//! What the SIM-S is configured with.

use std::sync::Arc;

use api_types::Function;
use api_types::ids::ClientId;

use service_http::feed::RevocationLog;

use super::keys::KeyStore;
use super::partner::Partner;
use super::throttle::LoginLimits;

/// Settings of the SIM-S. Lifetimes are in seconds (identity sheet 1.6).
#[derive(Clone)]
pub struct SimConfig {
    /// Issuer: the origin of the public listener, without a trailing slash.
    pub issuer: String,
    /// Origin of the listener with mutual TLS, if there is one (RFC 8705 5).
    pub mtls_origin: Option<String>,
    /// Origins of the servers that tokens are for.
    pub servers: Vec<(Function, String)>,
    /// What was revoked, and who follows it.
    pub revocations: RevocationLog,
    /// Where keys are kept.
    pub keys: Arc<dyn KeyStore>,
    /// Life of an access token.
    pub access_token_s: i64,
    /// Life of an ID token; longer than an access token's (TS 33.434 6.2.2).
    pub id_token_s: i64,
    /// Life of a code.
    pub code_s: i64,
    /// Life of a pushed request.
    pub pushed_request_s: i64,
    /// Time to answer the login form.
    pub interaction_s: i64,
    /// Life of a refresh token without use.
    pub refresh_idle_s: i64,
    /// Life of a refresh token in all.
    pub refresh_max_s: i64,
    /// Life of a login at a browser.
    pub session_s: i64,
    /// Answer a login with 303 instead of the 302 of TS 24.547.
    pub see_other: bool,
    /// Ask every DPoP proof for a nonce of ours (RFC 9449 8).
    pub dpop_nonce_required: bool,
    /// Brakes on logins.
    pub logins: LoginLimits,
    /// Passwords that are hashed at once.
    pub password_workers: usize,
    /// Logins that may wait for that.
    pub password_queue: usize,
    /// How long verifiers keep the key set.
    pub jwks_max_age_s: i64,
    /// Time between scheduled rotations of the signing key.
    pub key_rotation_s: i64,
    /// Partner SIM-S.
    pub partners: Vec<Partner>,
}

/// Longest life of a token that is bound to nothing, in seconds (design, section 3).
pub const BEARER_MAX_S: i64 = 300;

impl SimConfig {
    /// The defaults, for the issuer of a revocation log and its keys.
    #[must_use]
    pub fn new(revocations: RevocationLog, keys: Arc<dyn KeyStore>) -> Self {
        Self {
            issuer: revocations.issuer().to_owned(),
            revocations,
            mtls_origin: None,
            servers: Vec::new(),
            keys,
            access_token_s: 300,
            id_token_s: 600,
            code_s: 60,
            pushed_request_s: 90,
            interaction_s: 600,
            refresh_idle_s: 3_600,
            refresh_max_s: 28_800,
            session_s: 28_800,
            see_other: false,
            dpop_nonce_required: false,
            logins: LoginLimits { failed_per_minute: 10, per_minute: 60 },
            password_workers: 2,
            password_queue: 256,
            jwks_max_age_s: 60,
            key_rotation_s: 30 * 24 * 3_600,
            partners: Vec::new(),
        }
    }
}

impl std::fmt::Debug for SimConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimConfig").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A certificate that was issued to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCert {
    /// The certificate (PEM).
    pub cert_pem: String,
    /// The certificates above it (PEM).
    pub chain_pem: String,
    /// Its digest (RFC 8705 3.1).
    pub x5t_s256: String,
}

/// Why no certificate was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The CSR is malformed, its proof is wrong or its key is not accepted.
    #[error("certificate signing request refused")]
    RequestRefused,
    /// The issuing key cannot be used.
    #[error("certificate issuer unavailable")]
    Unavailable,
}

/// Issues client certificates under the SBI root. Only the key is taken from the request.
pub trait CertificateIssuer: Send + Sync + 'static {
    /// A certificate for `client`.
    ///
    /// # Errors
    /// See [`CertificateError`].
    fn issue_client(&self, csr_pem: &str, client: &ClientId) -> Result<IssuedCert, CertificateError>;
}
