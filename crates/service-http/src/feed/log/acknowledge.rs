//! The acknowledgement: nothing is granted after it (design, section 2).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api_types::DateTime;
use api_types::admin::{Revoked, VerifierInfo};
use authorization::revocation::LEASE;
use store::StoreError;
use store::leases::{self, LeaseRow};

use super::RevocationLog;
use crate::feed::holders::HolderId;

/// How often leases that other processes granted are looked at while one waits. Own value.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl RevocationLog {
    pub(super) async fn acknowledged(&self, epoch: u64, began: Duration) -> Result<Revoked, StoreError> {
        let inner = &self.0;
        self.inform_local().await?;
        self.told(epoch);
        // Whoever got a lease after this got it with an answer that had the entry in it.
        let mut waiting = self.lease_ends().await?;
        // A process before this one may have granted leases that nobody remembers: one lease is waited.
        let memory = inner.opened.saturating_add(LEASE);
        let (mut confirmed, mut lapsed) = (Vec::new(), Vec::new());
        let _waiting = Waiting::begin(&inner.waiting);
        loop {
            let notified = inner.confirmed.notified();
            let rows = if waiting.keys().any(|id| self.in_memory(id).is_none()) {
                self.rows().await?
            } else {
                Vec::new()
            };
            let now = inner.ambient.monotonic();
            waiting.retain(|id, until| {
                let known = self.in_memory(id).or_else(|| {
                    rows.iter()
                        .find(|row| row.verifier == id.verifier && row.node == id.node)
                        .map(|row| row.confirmed)
                });
                if known.is_some_and(|known| known >= epoch) {
                    confirmed.push(id.verifier.clone());
                    return false;
                }
                if now >= *until {
                    lapsed.push(id.verifier.clone());
                    return false;
                }
                true
            });
            if waiting.is_empty() && now >= memory {
                break;
            }
            let _ = tokio::time::timeout(LOOK_EVERY, notified).await;
        }
        confirmed.sort();
        confirmed.dedup();
        lapsed.sort();
        lapsed.dedup();
        let took = inner.ambient.monotonic().saturating_sub(began);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        metrics::histogram!("metaseal_revocation_seconds").record(took.as_secs_f64());
        Ok(Revoked { epoch, confirmed, lapsed, unconfirmed: inner.foreign.clone(), ms })
    }

    /// Revocations that are committed and not acknowledged yet.
    pub fn waiting(&self) -> u32 {
        self.0.waiting.load(Ordering::Acquire)
    }

    /// Every lease that is alive now, and when it must have ended at the latest.
    async fn lease_ends(&self) -> Result<BTreeMap<HolderId, Duration>, StoreError> {
        let now = self.0.ambient.monotonic();
        let now_ms = self.0.ambient.now_ms();
        let mut ends = BTreeMap::new();
        for row in self.rows().await? {
            // Granted by another process: only its wall clock is known, and no lease is longer than a lease.
            let left = u64::try_from(row.lease_until_ms.saturating_sub(now_ms)).unwrap_or(0);
            if left > 0 {
                let left = Duration::from_millis(left).min(LEASE);
                ends.insert(HolderId { verifier: row.verifier, node: row.node }, now.saturating_add(left));
            }
        }
        for (id, holder) in self.holders().alive(now) {
            ends.insert(id, holder.until);
        }
        Ok(ends)
    }

    fn in_memory(&self, id: &HolderId) -> Option<u64> {
        self.holders().find(id).map(|holder| holder.confirmed)
    }

    async fn rows(&self) -> Result<Vec<LeaseRow>, StoreError> {
        let issuer = self.0.issuer.clone();
        self.0.store.read(move |tx| Box::pin(async move { leases::holders(tx, &issuer).await })).await
    }

    /// Who follows this log, as GET `/verifiers` shows it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn verifiers(&self) -> Result<Vec<VerifierInfo>, StoreError> {
        let now = self.0.ambient.monotonic();
        let now_ms = self.0.ambient.now_ms();
        let shown = self.rows().await?.into_iter().map(|row| {
            let id = HolderId { verifier: row.verifier, node: row.node };
            let held = self.holders().find(&id);
            VerifierInfo {
                epoch: held.map_or(row.confirmed, |holder| holder.confirmed),
                alive: held.map_or(now_ms < row.lease_until_ms, |holder| now < holder.until),
                verifier: id.verifier,
                issuer: row.issuer,
                lease_until: DateTime::from_unix(row.lease_until_ms.div_euclid(1_000)),
            }
        });
        Ok(shown.collect())
    }
}

/// One acknowledgement that is waited for.
struct Waiting<'c>(&'c AtomicU32);

impl<'c> Waiting<'c> {
    fn begin(count: &'c AtomicU32) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
