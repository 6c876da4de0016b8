//! The issuer's side: the log and its leases.

mod acknowledge;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api_types::admin::Revoked;
use authorization::revocation::{Kind, LEASE};
use store::leases::{self, LeaseRow};
use store::revocations::{self, Revocation};
use store::{Sql, Store, StoreError};
use tokio::sync::{Notify, watch};

use super::answer::{FeedAnswer, FeedEntry, JWKS_CHANGED};
use super::holders::{HolderId, Holders};
use crate::ambient::Ambient;
use crate::verifier::IssuerState;

/// Entries of one answer. Own value.
const PAGE: u32 = 5_000;

/// `value` of the entries that tell of another key set.
const KEYS: &str = "keys";

/// Something to revoke.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// What is revoked.
    pub kind: Kind,
    /// `jti`, `sub`, `client_id`, `x5t#S256`, `kid` ….
    pub value: String,
    /// From when on, in seconds since 1970, no token is left that it could spoil; `None`: it is for good.
    pub expires_s: Option<i64>,
}

impl fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEntry").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What an issuer has revoked, and who relies on it. Cheap to clone.
#[derive(Clone)]
pub struct RevocationLog(Arc<Inner>);

struct Inner {
    store: Store,
    ambient: Ambient,
    issuer: String,
    /// Verifiers that follow no feed: bounded by `exp` alone.
    foreign: Vec<String>,
    /// The issuer's own verifier.
    local: Option<Arc<IssuerState>>,
    opened: Duration,
    head: watch::Sender<u64>,
    jwks_version: AtomicU64,
    holders: Mutex<Holders>,
    confirmed: Notify,
    waiting: AtomicU32,
}

impl RevocationLog {
    /// Opens the log of `issuer`. `local` is the issuer's own verifier state, which is brought up to date here and
    /// with every revocation; `foreign` names verifiers that follow no feed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open(
        store: Store,
        ambient: Ambient,
        issuer: impl Into<String>,
        local: Option<Arc<IssuerState>>,
        foreign: Vec<String>,
    ) -> Result<Self, StoreError> {
        let issuer = issuer.into();
        let name = issuer.clone();
        let (head, jwks_version) = store
            .read(move |tx| {
                Box::pin(async move {
                    let changed = revocations::newest(tx, JWKS_CHANGED, KEYS, &name).await?;
                    Ok((revocations::epoch(tx).await?, changed.unwrap_or(0)))
                })
            })
            .await?;
        let opened = ambient.monotonic();
        let log = Self(Arc::new(Inner {
            store,
            ambient,
            issuer,
            foreign,
            local,
            opened,
            head: watch::Sender::new(head),
            jwks_version: AtomicU64::new(jwks_version),
            holders: Mutex::default(),
            confirmed: Notify::new(),
            waiting: AtomicU32::new(0),
        }));
        log.inform_local().await?;
        Ok(log)
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The present epoch: claim `rev` of the tokens that are issued now. Read in the transaction that issues.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn epoch(tx: &mut dyn Sql) -> Result<u64, StoreError> {
        revocations::epoch(tx).await
    }

    /// Appends entries inside a transaction of the caller; nothing is revoked for anybody else until
    /// [`RevocationLog::acknowledge`] of the epoch, after the commit.
    ///
    /// # Errors
    /// The store failed.
    pub async fn append(&self, tx: &mut dyn Sql, entries: &[NewEntry]) -> Result<u64, StoreError> {
        let at_ms = self.0.ambient.now_ms();
        let rows: Vec<_> = entries
            .iter()
            .map(|entry| Revocation {
                kind: entry.kind.as_str().to_owned(),
                value: entry.value.clone(),
                issuer: self.0.issuer.clone(),
                at_ms,
                expires_s: entry.expires_s,
            })
            .collect();
        revocations::append_many(tx, &rows).await
    }

    /// Revokes, and answers when it has taken effect everywhere. Finished also when the caller goes away.
    ///
    /// # Errors
    /// The store failed: nothing is revoked.
    pub async fn revoke(&self, entries: Vec<NewEntry>) -> Result<Revoked, StoreError> {
        let began = self.0.ambient.monotonic();
        let log = self.clone();
        let epoch: u64 =
            self.0.store.write(move |tx| Box::pin(async move { log.append(tx, &entries).await })).await?;
        self.acknowledged(epoch, began).await
    }

    /// Tells every verifier to fetch the key set again, and answers when each has, or has no lease any more.
    ///
    /// # Errors
    /// The store failed.
    pub async fn keys_changed(&self) -> Result<Revoked, StoreError> {
        let began = self.0.ambient.monotonic();
        let log = self.clone();
        let epoch: u64 =
            self.0.store.write(move |tx| Box::pin(async move { log.append_keys_changed(tx).await })).await?;
        self.acknowledged(epoch, began).await
    }

    /// As [`RevocationLog::keys_changed`], inside a transaction of the caller.
    ///
    /// # Errors
    /// The store failed.
    pub async fn append_keys_changed(&self, tx: &mut dyn Sql) -> Result<u64, StoreError> {
        let row = Revocation {
            kind: JWKS_CHANGED.to_owned(),
            value: KEYS.to_owned(),
            issuer: self.0.issuer.clone(),
            at_ms: self.0.ambient.now_ms(),
            expires_s: None,
        };
        revocations::append(tx, &row).await
    }

    /// Waits until everything up to `epoch`, committed before, has taken effect everywhere.
    ///
    /// # Errors
    /// The store cannot be read: the revocation stands, and is not acknowledged.
    pub async fn acknowledge(&self, epoch: u64) -> Result<Revoked, StoreError> {
        self.acknowledged(epoch, self.0.ambient.monotonic()).await
    }

    /// Wakes the polls that wait for something newer.
    fn told(&self, epoch: u64) {
        self.0.head.send_if_modified(|head| {
            let newer = epoch > *head;
            *head = (*head).max(epoch);
            newer
        });
    }

    fn holders(&self) -> std::sync::MutexGuard<'_, Holders> {
        self.0.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the issuer's own verifier up to date.
    async fn inform_local(&self) -> Result<(), StoreError> {
        let Some(local) = &self.0.local else { return Ok(()) };
        loop {
            let answer = self.read(local.epoch()).await?;
            let whole = answer.epoch >= answer.head;
            let entries = answer.entries.into_iter().filter_map(FeedEntry::revocation).collect();
            local.apply(entries, answer.epoch);
            if whole {
                return Ok(());
            }
        }
    }

    /// Answers one poll of a verifier: waits for something after `after`, at most `wait`, and grants a lease.
    ///
    /// # Errors
    /// The store failed: no lease is granted.
    pub async fn poll(
        &self,
        verifier: &str,
        node: &str,
        after: u64,
        wait: Duration,
    ) -> Result<FeedAnswer, StoreError> {
        let inner = &self.0;
        let id = HolderId { verifier: verifier.to_owned(), node: node.to_owned() };
        let mut head = inner.head.subscribe();
        if after > *head.borrow() {
            // Another node may have committed since; what not even the store knows confirms nothing.
            self.read(after).await?;
        }
        let confirmed = if after <= *head.borrow() { after } else { 0 };
        self.holders().confirm(&id, confirmed);
        inner.confirmed.notify_waiters();
        let _ = tokio::time::timeout(wait, head.wait_for(|head| *head > after)).await;
        // The lease stands before the log is read: a revocation that this answer misses sees the lease.
        self.holders().renew(&id, confirmed, inner.ambient.monotonic());
        self.keep_lease(id, confirmed).await?;
        self.read(after).await
    }

    async fn keep_lease(&self, id: HolderId, confirmed: u64) -> Result<(), StoreError> {
        let lease_ms = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let row = LeaseRow {
            issuer: self.0.issuer.clone(),
            verifier: id.verifier,
            node: id.node,
            confirmed,
            lease_until_ms: self.0.ambient.now_ms().saturating_add(lease_ms),
        };
        self.0.store.write(move |tx| Box::pin(async move { leases::renew(tx, &row).await })).await
    }

    pub(super) async fn read(&self, after: u64) -> Result<FeedAnswer, StoreError> {
        let (head, floor, records) = self
            .0
            .store
            .read(move |tx| {
                Box::pin(async move {
                    let head = revocations::epoch(tx).await?;
                    let floor = revocations::floor(tx).await?;
                    Ok((head, floor, revocations::after(tx, after, PAGE).await?))
                })
            })
            .await?;
        self.told(head);
        let changed = records.iter().rev().find(|record| record.revocation.kind == JWKS_CHANGED);
        let changed = changed.map_or(0, |record| record.epoch);
        let jwks_version = self.0.jwks_version.fetch_max(changed, Ordering::AcqRel).max(changed);
        let entries: Vec<_> = records
            .into_iter()
            .map(|record| FeedEntry {
                epoch: record.epoch,
                kind: record.revocation.kind,
                value: record.revocation.value,
                issuer: record.revocation.issuer,
                expires_s: record.revocation.expires_s,
            })
            .collect();
        let epoch = entries.last().map_or(head, |entry| entry.epoch);
        Ok(FeedAnswer { epoch, head, entries, jwks_version, floor })
    }
}

impl fmt::Debug for RevocationLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationLog").field("issuer", &self.0.issuer).finish_non_exhaustive()
    }
}
