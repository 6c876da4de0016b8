//! What the token endpoint decides by, as it was read, for as long as nothing has changed since (`Sql::settled`).
//!
//! Every decision is made again for every request; only reading is saved. In a transaction that has changed something, and
//! on an engine with writers elsewhere, everything is read.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::clients::{self, ClientRecord};
use store::{Sql, StoreError, revocations};

use super::SimServer;
use super::world::World;

/// Clients and certificates that are remembered. Own value.
const MOST: usize = 4_096;

/// The kind of revocation that a certificate is ended by.
const CERTIFICATE: &str = "certificate";

/// What is known of one state of the store.
#[derive(Default)]
pub(super) struct Known(Mutex<State>);

#[derive(Default)]
struct State {
    settled: u64,
    world: Option<Arc<World>>,
    epoch: Option<u64>,
    clients: HashMap<String, ClientRecord>,
    /// Certificates that are not revoked.
    certificates: HashSet<String>,
}

impl Known {
    /// What is known of the state; nothing of another one.
    fn of(&self, settled: u64) -> Option<MutexGuard<'_, State>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.settled == settled).then_some(state)
    }

    /// Remembers something of a state, unless a newer one is known.
    fn keep(&self, settled: Option<u64>, keep: impl FnOnce(&mut State)) {
        let Some(settled) = settled else { return };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.settled > settled {
            return;
        }
        let full = state.clients.len().max(state.certificates.len()) >= MOST;
        if state.settled < settled || full {
            *state = State { settled, ..State::default() };
        }
        keep(&mut state);
    }
}

impl SimServer {
    /// Services, servers and rules.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn world(&self, tx: &mut dyn Sql) -> Result<Arc<World>, StoreError> {
        let settled = tx.settled();
        if let Some(world) = settled.and_then(|settled| self.known().of(settled)?.world.clone()) {
            return Ok(world);
        }
        let world = Arc::new(World::read(tx, &self.config().servers).await?);
        self.known().keep(settled, |state| state.world = Some(Arc::clone(&world)));
        Ok(world)
    }

    /// The present epoch of revocations.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn epoch(&self, tx: &mut dyn Sql) -> Result<u64, StoreError> {
        let settled = tx.settled();
        if let Some(epoch) = settled.and_then(|settled| self.known().of(settled)?.epoch) {
            return Ok(epoch);
        }
        let epoch = revocations::epoch(tx).await?;
        self.known().keep(settled, |state| state.epoch = Some(epoch));
        Ok(epoch)
    }

    /// The client of that name.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn client_record(
        &self,
        tx: &mut dyn Sql,
        name: &str,
    ) -> Result<Option<ClientRecord>, StoreError> {
        let settled = tx.settled();
        if let Some(client) = settled.and_then(|settled| self.known().of(settled)?.clients.get(name).cloned())
        {
            return Ok(Some(client));
        }
        let client = clients::find(tx, name).await?;
        if let Some(client) = &client {
            self.known().keep(settled, |state| drop(state.clients.insert(name.to_owned(), client.clone())));
        }
        Ok(client)
    }

    /// Whether a certificate was revoked.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn is_revoked(&self, tx: &mut dyn Sql, x5t: &str) -> Result<bool, StoreError> {
        let settled = tx.settled();
        let known = settled.and_then(|settled| Some(self.known().of(settled)?.certificates.contains(x5t)));
        if known == Some(true) {
            return Ok(false);
        }
        let revoked = revocations::newest(tx, CERTIFICATE, x5t, &self.config().issuer).await?.is_some();
        if !revoked {
            self.known().keep(settled, |state| {
                state.certificates.insert(x5t.to_owned());
            });
        }
        Ok(revoked)
    }

    /// A client whose certificate is not revoked, where both are known without a look at the store.
    pub(super) fn known_client(&self, name: &str, x5t: Option<&str>) -> Option<ClientRecord> {
        let state = self.known().of(self.kit().store.settled()?)?;
        let stands = x5t.is_none_or(|x5t| state.certificates.contains(x5t));
        stands.then(|| state.clients.get(name).cloned()).flatten()
    }
}
