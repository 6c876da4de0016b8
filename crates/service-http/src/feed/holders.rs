//! Who holds a lease of this issuer, as far as this process granted it.

use std::collections::BTreeMap;
use std::time::Duration;

use authorization::revocation::LEASE;

/// A verifier and one process of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HolderId {
    pub(super) verifier: String,
    pub(super) node: String,
}

/// What one holder has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub(super) confirmed: u64,
    /// By our own monotonic clock; the verifier's own lease ends earlier, for it counts from sending.
    pub(super) until: Duration,
}

/// Leases in memory. Bounded by the certificates that were issued to functions; what has run out is dropped.
#[derive(Debug, Default)]
pub(super) struct Holders {
    of: BTreeMap<HolderId, Holder>,
}

impl Holders {
    /// Notes what a verifier has applied. It may be less than before: a verifier that began anew.
    pub(super) fn confirm(&mut self, id: &HolderId, epoch: u64) {
        if let Some(holder) = self.of.get_mut(id) {
            holder.confirmed = epoch;
        }
    }

    /// Grants a lease.
    pub(super) fn renew(&mut self, id: &HolderId, epoch: u64, now: Duration) {
        self.of.retain(|_, holder| holder.until.saturating_add(LEASE * 60) > now);
        self.of.insert(id.clone(), Holder { confirmed: epoch, until: now.saturating_add(LEASE) });
    }

    pub(super) fn find(&self, id: &HolderId) -> Option<Holder> {
        self.of.get(id).copied()
    }

    /// Leases that are alive.
    pub(super) fn alive(&self, now: Duration) -> Vec<(HolderId, Holder)> {
        self.of
            .iter()
            .filter(|(_, holder)| now < holder.until)
            .map(|(id, holder)| (id.clone(), *holder))
            .collect()
    }
}
