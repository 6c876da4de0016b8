//! The accept loop of one listener.

use std::sync::Arc;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::slots::Slots;
use super::{EdgeLimits, Shutdown, connection};
use crate::metrics;

/// Pause after `accept` failed (no file descriptors are left). Own value.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until `shutdown`, then waits for the connections to end.
pub(super) async fn run(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    app: Router,
    limits: Arc<EdgeLimits>,
    mut shutdown: Shutdown,
) {
    let acceptor = TlsAcceptor::from(tls);
    let slots = Slots::new(limits.connections, limits.connections_per_source);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            // Ended tasks are taken away as they end, so that the set stays as small as the slots.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, addr) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(slot) = slots.take(addr.ip()) else {
            metrics::connection_refused("limit");
            continue; // dropped: closed
        };
        // Answers are written in one go; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let app = app.clone();
        let acceptor = acceptor.clone();
        let limits = limits.clone();
        let shutdown = shutdown.clone();
        connections.spawn(async move {
            connection::run(stream, addr, acceptor, app, limits, shutdown).await;
            drop(slot);
        });
    }
    drop(listener);
    // Each connection bounds its own end by `drain`; this is the belt to those braces.
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(limits.drain + limits.close, all).await;
}
