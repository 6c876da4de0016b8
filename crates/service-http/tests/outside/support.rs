//! A listener of a test, and surroundings whose monotonic time is real.

use std::sync::Arc;
use std::time::Duration;

use api_types::function::Function;
use axum::Router;
use service_http::ambient::{Ambient, Clock, TestEntropy};
use service_http::edge::{self, EdgeLimits, ShutdownSwitch};
use service_http::tls;
use store::{Migrations, Store, StoreConfig};
use tokio::net::TcpListener;

use crate::pki::Root;

/// Longest time that anything may take; nothing waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

struct RuntimeClock(tokio::time::Instant);

impl Clock for RuntimeClock {
    fn now_ms(&self) -> i64 {
        1_800_000_000_000 + i64::try_from(self.0.elapsed().as_millis()).unwrap_or(0)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed() + Duration::from_secs(60)
    }
}

pub(crate) fn ambient() -> Ambient {
    Ambient::new(Arc::new(RuntimeClock(tokio::time::Instant::now())), Arc::new(TestEntropy::seeded(5)))
}

pub(crate) async fn store(function: Function) -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig::Sqlite { dir: dir.path().to_owned() };
    (Store::open(&config, function, Migrations::of(function)).await.unwrap(), dir)
}

/// A listener; closed with its owner.
pub(crate) struct Listener {
    pub(crate) port: u16,
    _switch: ShutdownSwitch,
}

impl Listener {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }
}

/// Serves `app` as `localhost`; `clients`: certificates of this root are asked for, and needed.
pub(crate) async fn listen(app: Router, root: &Root, clients: Option<&Root>) -> Listener {
    let clients = clients.map(|root| root.as_client_root(tls::RootKind::Sbi));
    let tls = tls::server_config(root.server().identity(), clients.as_ref(), clients.is_some()).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (switch, shutdown) = edge::shutdown();
    let handle = edge::serve(listener, tls, app, EdgeLimits::default(), shutdown).unwrap();
    Listener { port: handle.addr.port(), _switch: switch }
}
