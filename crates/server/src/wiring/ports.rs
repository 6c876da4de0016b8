//! Binding the listeners before anything is built, so that every url is known.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use super::opencapif;
use super::role::{LISTENERS, Role};
use crate::config::ServerSection;

/// Bound listeners by name, and the origin of each.
#[derive(Debug, Default)]
pub(super) struct Bound {
    listeners: BTreeMap<&'static str, TcpListener>,
    /// Origin of each listener: `https://host:port`.
    pub(super) urls: BTreeMap<String, String>,
}

impl Bound {
    /// Binds what `roles` need, and the listener for OpenCAPIF clients where there is to be one.
    ///
    /// # Errors
    /// When a port is taken or the address is not this machine's.
    pub(super) async fn bind(section: &ServerSection, roles: &[Role], compat: bool) -> Result<Self> {
        let address: IpAddr = section.bind.parse().context("server.bind")?;
        let mut bound = Self::default();
        for listener in LISTENERS {
            let off = listener.name == opencapif::LISTENER && !compat;
            if off || listener.role.is_some_and(|role| !roles.contains(&role)) {
                continue;
            }
            let port = if section.port_base == 0 { 0 } else { section.port_base + listener.offset };
            let socket = TcpListener::bind((address, port)).await.with_context(|| {
                format!("{} cannot listen on {address}:{port}; name another --port-base", listener.name)
            })?;
            let origin = format!("https://{}:{}", section.host, socket.local_addr()?.port());
            bound.urls.insert(listener.name.to_owned(), origin);
            bound.listeners.insert(listener.name, socket);
        }
        Ok(bound)
    }

    /// Takes the socket of a listener, once.
    pub(super) fn take(&mut self, name: &str) -> Option<TcpListener> {
        self.listeners.remove(name)
    }

    /// Addresses of every socket.
    ///
    /// # Errors
    /// When a socket has none.
    pub(super) fn addresses(&self) -> Result<Vec<SocketAddr>> {
        self.listeners.values().map(|socket| Ok(socket.local_addr()?)).collect()
    }
}
