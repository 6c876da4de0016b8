//! The outer edge: one accept loop per listener, TLS, HTTP/1.1 and HTTP/2 by ALPN, and the limits
//! that hold before anybody is known.
//!
//! Nothing that a peer sends or withholds occupies more than a bounded part of this process, and
//! nothing for longer than a bounded time: see [`EdgeLimits`].

mod accept;
mod activity;
mod connection;
mod limits;
mod lingering_body;
mod paced_body;
pub mod request;
mod shutdown;
mod slots;
mod watched_io;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use limits::EdgeLimits;
pub use paced_body::PacedBody;
pub use shutdown::{Shutdown, ShutdownSwitch, shutdown};
pub use slots::source_of;

/// A listener at work.
#[derive(Debug)]
pub struct EdgeHandle {
    /// The address that was bound.
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl EdgeHandle {
    /// Waits until the listener is closed and its connections have ended or were ended.
    pub async fn drained(self) {
        // A panic of the loop was reported by its task; there is nothing left to drain then.
        let _ = self.task.await;
    }
}

/// Serves `app` on `listener` until `shutdown` is thrown; then requests in flight may end within
/// [`EdgeLimits::drain`].
///
/// # Errors
///
/// When the listener has no address.
pub fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    app: Router,
    limits: EdgeLimits,
    shutdown: Shutdown,
) -> std::io::Result<EdgeHandle> {
    let addr = listener.local_addr()?;
    let task = tokio::spawn(accept::run(listener, tls, app, Arc::new(limits), shutdown));
    Ok(EdgeHandle { addr, task })
}
