//! What a verifier knows of one issuer: its keys, what it has revoked, and how long that may be relied on.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use authorization::revocation::{Entry, Lease, View};
use authorization::{IssuerRow, Reason};
use jose::Jwks;

use super::keys::{Key, KeySet};
use super::{KeyError, KeySource};
use crate::ambient::Ambient;

/// Least time between two fetches because of an unknown `kid` (attack A43). Own value.
const REFETCH_AFTER: Duration = Duration::from_secs(60);

/// Longest time that a key set is kept without a look, whatever its `max-age`. Own value.
const KEYS_AGE_MAX: Duration = Duration::from_secs(3_600);

/// How an issuer's revocations are learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// By the feed: without a live lease nothing is accepted.
    Feed,
    /// The issuer is this very function: its view is always complete.
    Local,
    /// Not at all: its tokens are bounded by `exp` alone (a foreign issuer without a feed).
    ExpOnly,
}

/// One issuer, as a verifier sees it. Shared by the verifier and the task that follows the feed.
pub struct IssuerState {
    row: IssuerRow,
    following: Following,
    source: Option<Arc<dyn KeySource>>,
    keys: RwLock<Arc<KeySet>>,
    known: RwLock<Known>,
    ready: AtomicBool,
    fetching: tokio::sync::Mutex<Fetched>,
}

#[derive(Default)]
struct Known {
    view: View,
    lease: Lease,
    epoch: u64,
}

#[derive(Default)]
struct Fetched {
    /// When an unknown `kid` last caused a fetch, by the monotonic clock.
    for_unknown: Option<Duration>,
    /// When the key set has to be looked at again.
    stale_at: Option<Duration>,
}

impl IssuerState {
    /// An issuer whose keys come from `source`, or only by [`IssuerState::set_keys`].
    pub fn new(row: IssuerRow, following: Following, source: Option<Arc<dyn KeySource>>) -> Arc<Self> {
        Arc::new(Self {
            row,
            following,
            source,
            keys: RwLock::default(),
            known: RwLock::default(),
            ready: AtomicBool::new(following != Following::Feed),
            fetching: tokio::sync::Mutex::default(),
        })
    }

    /// The row of the issuer table.
    pub fn row(&self) -> &IssuerRow {
        &self.row
    }

    /// How its revocations are learnt.
    pub fn following(&self) -> Following {
        self.following
    }

    /// Whether the snapshot was loaded once.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Replaces the published keys. What was verified with a key that is gone is refused from now on.
    pub fn set_keys(&self, jwks: &Jwks) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(KeySet::of(jwks));
    }

    /// Adds revocations up to `epoch`. The epoch never goes back.
    pub fn apply(&self, entries: Vec<Entry>, epoch: u64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // An entry that names no issuer of its own is this issuer's; one that names another one has no say here.
        for entry in entries.into_iter().filter(|entry| entry.issuer == self.row.issuer) {
            known.view.apply(entry);
        }
        known.epoch = known.epoch.max(epoch);
    }

    /// Forgets the revocations that no token is left for; see [`View::forget_expired`].
    pub fn forget_expired(&self, before_s: i64) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).view.forget_expired(before_s);
    }

    /// Notes an answered renewal that was sent at this monotonic time.
    pub fn renew(&self, sent_at: Duration) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).lease.renew(sent_at);
        self.ready.store(true, Ordering::Release);
    }

    /// Ends the lease at once.
    pub fn end_lease(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).lease.end();
    }

    /// The epoch up to which every revocation is known.
    pub fn epoch(&self) -> u64 {
        self.known.read().unwrap_or_else(PoisonError::into_inner).epoch
    }

    /// The epoch since which a policy of the issuer is as it is ([`View::policy_epoch`]).
    pub fn policy_epoch(&self, policy: &str) -> u64 {
        self.with_view(|view| view.policy_epoch(&self.row.issuer, policy))
    }

    /// Begins anew, as when the issuer's history is another one: nothing is accepted until the snapshot is loaded.
    pub(crate) fn forget(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }

    /// Decides whether the issuer was heard of lately enough.
    ///
    /// # Errors
    /// [`Reason::LeaseExpired`].
    pub fn check_lease(&self, now: Duration) -> Result<(), Reason> {
        match self.following {
            Following::Local | Following::ExpOnly => Ok(()),
            Following::Feed => self.known.read().unwrap_or_else(PoisonError::into_inner).lease.check(now),
        }
    }

    pub(super) fn with_view<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner).view)
    }

    /// Whether the issuer publishes this very key under this `kid`.
    pub(super) fn publishes(&self, kid: &str, thumbprint: &str) -> bool {
        self.published(kid).is_some_and(|key| *key.thumbprint == *thumbprint)
    }

    fn published(&self, kid: &str) -> Option<Key> {
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        keys.find(kid).cloned()
    }

    /// The key of a `kid`; an unknown one causes at most one fetch a minute, however many ask (single flight).
    pub(super) async fn key(&self, kid: &str, ambient: &Ambient) -> Result<Key, Reason> {
        if let Some(key) = self.published(kid) {
            return Ok(key);
        }
        let Some(source) = &self.source else { return Err(Reason::KeyUnknown) };
        let mut fetched = self.fetching.lock().await;
        // Somebody else may have fetched while this one waited.
        if let Some(key) = self.published(kid) {
            return Ok(key);
        }
        let now = ambient.monotonic();
        let recently = fetched.for_unknown.is_some_and(|last| now < last.saturating_add(REFETCH_AFTER));
        if recently {
            return Err(Reason::KeyUnknown);
        }
        fetched.for_unknown = Some(now);
        match self.fetch(source.as_ref(), &mut fetched, now).await {
            Ok(()) => self.published(kid).ok_or(Reason::KeyUnknown),
            Err(error) => {
                tracing::warn!(issuer = %self.row.issuer, error = %error, "keys of an issuer cannot be had");
                // Without any key it cannot be told whether the token is good.
                let none = self.keys.read().unwrap_or_else(PoisonError::into_inner).is_empty();
                Err(if none { Reason::IssuerUnreachable } else { Reason::KeyUnknown })
            }
        }
    }

    /// Fetches the keys, as after a change that the feed told of.
    ///
    /// # Errors
    /// The key set cannot be had; the keys known before stay.
    pub async fn refetch(&self, ambient: &Ambient) -> Result<(), KeyError> {
        let Some(source) = &self.source else { return Ok(()) };
        let mut fetched = self.fetching.lock().await;
        self.fetch(source.as_ref(), &mut fetched, ambient.monotonic()).await
    }

    /// Fetches the keys when they are older than their `max-age`.
    ///
    /// # Errors
    /// As [`IssuerState::refetch`].
    pub async fn refetch_stale(&self, ambient: &Ambient) -> Result<(), KeyError> {
        let Some(source) = &self.source else { return Ok(()) };
        let mut fetched = self.fetching.lock().await;
        let now = ambient.monotonic();
        if fetched.stale_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        self.fetch(source.as_ref(), &mut fetched, now).await
    }

    async fn fetch(
        &self,
        source: &dyn KeySource,
        fetched: &mut Fetched,
        now: Duration,
    ) -> Result<(), KeyError> {
        let answer = source.fetch().await?;
        fetched.stale_at = Some(now.saturating_add(answer.max_age.min(KEYS_AGE_MAX)));
        self.set_keys(&answer.jwks);
        Ok(())
    }
}

impl fmt::Debug for IssuerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerState")
            .field("issuer", &self.row.issuer)
            .field("following", &self.following)
            .field("epoch", &self.epoch())
            .finish_non_exhaustive()
    }
}
