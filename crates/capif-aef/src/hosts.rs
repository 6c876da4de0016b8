//! The hosts at which an API invoker may be called back: that of the address for notifications with which it was onboarded,
//! as the core function tells the functions that it has a security context with (decision 0021 and 0083).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api_types::capif::ApiInvokerId;
use async_trait::async_trait;
use service_http::callback_hosts::{COPY, HostSource, Unavailable, invoker_of};

use crate::aef::Aef;

/// Copies that are kept at once. Own value.
const COPIES: usize = 4_096;

/// Hosts, and until when they are relied on; no hosts: there is no such API invoker.
type Kept = (Option<Vec<String>>, Duration);

/// The core function as a source of hosts.
pub struct InvokerHosts {
    aef: Aef,
    copies: Mutex<HashMap<String, Kept>>,
}

impl InvokerHosts {
    /// Of the API invokers of a function.
    #[must_use]
    pub fn new(aef: Aef) -> Self {
        Self { aef, copies: Mutex::default() }
    }

    fn copies(&self) -> std::sync::MutexGuard<'_, HashMap<String, Kept>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HostSource for InvokerHosts {
    async fn of_client(&self, invoker: &str) -> Result<Option<Vec<String>>, Unavailable> {
        let now = self.aef.0.config.ambient.monotonic();
        let kept = self.copies().get(invoker).filter(|(_, until)| now < *until).cloned();
        match kept {
            Some((hosts, _)) => Ok(hosts),
            None => self.anew(invoker).await,
        }
    }

    async fn anew(&self, invoker: &str) -> Result<Option<Vec<String>>, Unavailable> {
        let Ok(id) = ApiInvokerId::try_from(invoker) else { return Ok(None) };
        let sent = self.aef.0.config.ambient.monotonic();
        let known = self.aef.invoker(&id).await.map_err(|_| Unavailable)?;
        let hosts = known.map(|known| known.callback_hosts);
        let mut copies = self.copies();
        if copies.len() >= COPIES {
            copies.retain(|_, (_, until)| sent < *until);
        }
        if copies.len() < COPIES {
            copies.insert(invoker.to_owned(), (hosts.clone(), sent.saturating_add(COPY)));
        }
        Ok(hosts)
    }
}

/// Where the clients of several issuers may be called back: API invokers as their core function says, if it is one of these,
/// all others as the SIM-S.
pub struct HostsOfBoth {
    sim: Arc<dyn HostSource>,
    invokers: Vec<(String, Arc<dyn HostSource>)>,
}

impl HostsOfBoth {
    /// The SIM-S, and core functions by issuer.
    #[must_use]
    pub fn new(sim: Arc<dyn HostSource>, invokers: Vec<(String, Arc<dyn HostSource>)>) -> Self {
        Self { sim, invokers }
    }

    /// Whom to ask, for whom.
    fn of<'s>(&'s self, client: &'s str) -> Option<(&'s dyn HostSource, &'s str)> {
        match invoker_of(client) {
            Some((issuer, invoker)) => {
                let source = self.invokers.iter().find(|(name, _)| name == issuer)?;
                Some((&*source.1, invoker))
            }
            None => Some((&*self.sim, client)),
        }
    }
}

#[async_trait]
impl HostSource for HostsOfBoth {
    async fn of_client(&self, client: &str) -> Result<Option<Vec<String>>, Unavailable> {
        match self.of(client) {
            Some((source, name)) => source.of_client(name).await,
            None => Ok(None),
        }
    }

    async fn anew(&self, client: &str) -> Result<Option<Vec<String>>, Unavailable> {
        match self.of(client) {
            Some((source, name)) => source.anew(name).await,
            None => Ok(None),
        }
    }
}
