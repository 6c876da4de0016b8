//! Keys of an issuer, and where they come from.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jose::{Jwks, VerifyingKey};

/// Why no keys could be had. Says nothing of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The issuer does not answer.
    #[error("issuer not reachable")]
    Unreachable,
    /// Its answer is no key set.
    #[error("key set refused")]
    Refused,
}

/// A key set, and how long it may be kept.
#[derive(Clone, Debug)]
pub struct FetchedKeys {
    /// The keys.
    pub jwks: Jwks,
    /// `max-age` of the answer.
    pub max_age: Duration,
}

/// Where an issuer's keys come from.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the key set.
    ///
    /// # Errors
    /// See [`KeyError`].
    async fn fetch(&self) -> Result<FetchedKeys, KeyError>;
}

/// A key that verifies.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) key: VerifyingKey,
    pub(super) thumbprint: Arc<str>,
}

/// The keys that an issuer publishes now.
#[derive(Default)]
pub(super) struct KeySet {
    keys: std::collections::HashMap<String, Key>,
}

impl KeySet {
    /// The keys of a set that have a `kid`; without one a key is never meant by a token.
    pub(super) fn of(jwks: &Jwks) -> Self {
        let named = jwks.iter().filter_map(|jwk| {
            let kid = jwk.kid.clone()?;
            let key = jwks.key(&kid)?.clone();
            Some((kid, Key { key, thumbprint: jwk.thumbprint().into() }))
        });
        Self { keys: named.collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }
}
