//! The keys of a partner: fetched when a token names one that is not known, and not more often than now and then.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authorization::Reason;
use jose::{Jwks, VerifyingKey};
use service_http::ambient::Ambient;
use service_http::verifier::KeySource;
use tokio::sync::Mutex;

use crate::sim_s::error::{ErrorCode, OAuthError};

/// Least time between two fetches (A43). Own value.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Longest time that a key set is kept. Own value.
const KEPT: Duration = Duration::from_secs(300);

#[derive(Default)]
struct Known {
    jwks: Option<(Jwks, Duration)>,
    asked: Option<Duration>,
}

/// The keys of one partner.
pub struct PartnerKeys {
    source: Arc<dyn KeySource>,
    known: Mutex<Known>,
}

impl fmt::Debug for PartnerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartnerKeys")
    }
}

impl PartnerKeys {
    /// Keys from `source`.
    #[must_use]
    pub fn new(source: Arc<dyn KeySource>) -> Self {
        Self { source, known: Mutex::default() }
    }

    /// The key of a `kid`.
    ///
    /// # Errors
    /// `invalid_grant` for one that the partner does not publish; `temporarily_unavailable` when it cannot be asked.
    pub(crate) async fn key(&self, kid: &str, ambient: &Ambient) -> Result<VerifyingKey, OAuthError> {
        let now = ambient.monotonic();
        let mut known = self.known.lock().await;
        if let Some((jwks, fetched)) = &known.jwks
            && now < fetched.saturating_add(KEPT)
            && let Some(key) = jwks.key(kid)
        {
            return Ok(key.clone());
        }
        let unknown = OAuthError::new(ErrorCode::InvalidGrant, Reason::KeyUnknown);
        if known.asked.is_some_and(|asked| now < asked.saturating_add(AGAIN_AFTER)) {
            return Err(unknown);
        }
        known.asked = Some(now);
        let fetched = self.source.fetch().await.map_err(|error| {
            tracing::warn!(%error, "keys of a partner cannot be had");
            OAuthError::new(ErrorCode::TemporarilyUnavailable, Reason::IssuerUnreachable).retry_after(10)
        })?;
        let key = fetched.jwks.key(kid).cloned();
        known.jwks = Some((fetched.jwks, now));
        key.ok_or(unknown)
    }
}
