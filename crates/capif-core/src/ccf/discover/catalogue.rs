//! Everything that is published, parsed and kept in memory, so that ten thousand service APIs are searched without the
//! store. It is never behind: each reader compares the version of the store, in the transaction in which it reads.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use api_types::capif::publish::ServiceAPIDescription;
use axum::body::Bytes;
use store::capif::service_apis::{self, ServiceApiRow};
use store::{Sql, StoreError};

use crate::ccf::federation::is_of_partner;
use crate::ccf::published;

/// Service APIs that are read at once; others have their turn in between. Own value.
const PAGE: u32 = 500;

/// A service API as it is published.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its identifier.
    id: String,
    /// Counts its changes.
    version: i64,
    /// Whether it was published by a domain of this core function.
    own: bool,
    /// The description.
    pub(crate) description: ServiceAPIDescription,
    /// The same as JSON.
    pub(crate) body: Bytes,
}

impl Entry {
    /// Its identifier.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn of(row: ServiceApiRow) -> Result<Arc<Self>, StoreError> {
        let description = published::read(&row)?;
        let own = !is_of_partner(&row.registration_id);
        Ok(Arc::new(Self { id: row.api_id, version: row.version, own, description, body: row.body.into() }))
    }

    /// Whether it was published by a domain of this core function, and not by a partner.
    pub(crate) fn is_own(&self) -> bool {
        self.own
    }
}

/// All of them at one version of the store, by identifier.
#[derive(Debug, Default)]
pub(crate) struct Published {
    version: u64,
    apis: Vec<Arc<Entry>>,
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Published {
    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.apis.iter().map(AsRef::as_ref)
    }

    /// Those with this name in their URI.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.by_name
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|place| self.apis.get(*place))
            .map(AsRef::as_ref)
    }

    /// The one with this name in its URI at a function.
    pub(crate) fn named_at(&self, aef: &str, name: &str) -> Option<&Entry> {
        let exposes = |entry: &&Entry| {
            entry.description.aef_profiles.iter().flatten().any(|profile| profile.aef_id.as_str() == aef)
        };
        self.named(name).find(exposes)
    }

    /// The one of an identifier.
    pub(crate) fn of_id(&self, id: &str) -> Option<&Entry> {
        self.apis.get(*self.by_id.get(id)?).map(AsRef::as_ref)
    }

    fn of(version: u64, apis: Vec<Arc<Entry>>) -> Self {
        let mut by_id = HashMap::with_capacity(apis.len());
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for (place, entry) in apis.iter().enumerate() {
            by_id.insert(entry.id.clone(), place);
            by_name.entry(entry.description.api_name.as_str().to_owned()).or_default().push(place);
        }
        Self { version, apis, by_id, by_name }
    }
}

/// What was last read.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    held: RwLock<Arc<Published>>,
    turn: tokio::sync::Mutex<()>,
}

impl Catalogue {
    /// What is published as the transaction sees it, or newer.
    ///
    /// # Errors
    /// The store fails, or a record is damaged.
    pub(crate) async fn at(&self, tx: &mut dyn Sql) -> Result<Arc<Published>, StoreError> {
        let version = service_apis::version(tx).await?;
        if let Some(held) = self.not_before(version) {
            return Ok(held);
        }
        // One reads after a change; who waits for it finds the work done.
        let _turn = self.turn.lock().await;
        if let Some(held) = self.not_before(version) {
            return Ok(held);
        }
        let read = Arc::new(self.read(tx, version).await?);
        // What a job has changed may still be undone.
        if tx.tail().is_none() {
            *self.held.write().unwrap_or_else(PoisonError::into_inner) = read.clone();
        }
        Ok(read)
    }

    /// What is published as the transaction sees it, if it is held already: for a job that must not stop to read it all.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn held_at(&self, tx: &mut dyn Sql) -> Result<Option<Arc<Published>>, StoreError> {
        let version = service_apis::version(tx).await?;
        let held = self.held();
        Ok((held.version == version).then_some(held))
    }

    fn not_before(&self, version: u64) -> Option<Arc<Published>> {
        let held = self.held();
        (held.version >= version).then_some(held)
    }

    fn held(&self) -> Arc<Published> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what has changed.
    async fn read(&self, tx: &mut dyn Sql, version: u64) -> Result<Published, StoreError> {
        let held = self.held();
        let heads = service_apis::heads(tx).await?;
        let known = |id: &str, version: i64| {
            let entry = held.apis.get(*held.by_id.get(id)?)?;
            (entry.version == version).then(|| entry.clone())
        };
        let mut fresh = HashMap::new();
        let unknown: Vec<_> = heads.iter().filter(|(id, version)| known(id, *version).is_none()).collect();
        if unknown.len() > PAGE as usize {
            let mut after = String::new();
            loop {
                let page = service_apis::page(tx, &after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.api_id);
                for row in page.into_iter().filter(|row| known(&row.api_id, row.version).is_none()) {
                    fresh.insert(row.api_id.clone(), Entry::of(row)?);
                }
                tokio::task::yield_now().await;
            }
        } else {
            for (id, _) in unknown {
                let row = service_apis::find(tx, id).await?.ok_or(StoreError::Damaged("service API"))?;
                fresh.insert(row.api_id.clone(), Entry::of(row)?);
            }
        }
        let entries = heads.iter().map(|(id, version)| known(id, *version).or_else(|| fresh.remove(id)));
        let entries: Option<Vec<_>> = entries.collect();
        Ok(Published::of(version, entries.ok_or(StoreError::Damaged("service API"))?))
    }
}
