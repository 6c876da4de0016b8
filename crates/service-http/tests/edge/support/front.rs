//! A function that serves whatever the tests need, behind the edge.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api_types::Function;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use http::Method;
use service_http::ambient::{Ambient, Clock};
use service_http::edge::{self, EdgeHandle, EdgeLimits, ShutdownSwitch};
use service_http::json_body::read;
use service_http::limits::{RateLimits, RateSettings};
use service_http::peer::{CertRole, Peer};
use service_http::refusal::Refusal;
use service_http::response::finish;
use service_http::routes::{Mount, RouteSpec};
use service_http::tls::{ClientRoot, server_config};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::pki::Root;

/// Largest body of `/echo` in bytes.
pub(crate) const ECHO_MAX: usize = 1_000;

pub(crate) const ROUTES: &[RouteSpec] = &[
    RouteSpec::public(Method::GET, "/hello", "Hello"),
    RouteSpec::public(Method::POST, "/echo", "Echo").body_limit(ECHO_MAX),
    RouteSpec::public(Method::DELETE, "/echo", "Erase"),
    RouteSpec::public(Method::GET, "/peer", "WhoAmI"),
    RouteSpec::public(Method::GET, "/slow", "Slow"),
    RouteSpec::public(Method::GET, "/endless", "Endless"),
    RouteSpec::public(Method::GET, "/typed", "Typed"),
    RouteSpec::public(Method::GET, "/page", "Page"),
    RouteSpec::public(Method::HEAD, "/page", "PageHead"),
    RouteSpec::public(Method::GET, "/feed", "Feed").unlimited(),
    RouteSpec::public(Method::GET, "/dear", "Dear").cost(10),
    RouteSpec::mtls(Method::GET, "/machines", "Machines", &[CertRole::Client]),
];

/// Counts what reached the handlers.
#[derive(Clone, Default)]
pub(crate) struct Hits {
    pub(crate) slow_begun: Arc<AtomicUsize>,
    pub(crate) slow_ended: Arc<AtomicUsize>,
    pub(crate) erased: Arc<AtomicUsize>,
    pub(crate) endless_dropped: Arc<AtomicUsize>,
}

/// The front at work.
pub(crate) struct Front {
    pub(crate) addr: SocketAddr,
    pub(crate) root: Root,
    pub(crate) switch: ShutdownSwitch,
    pub(crate) handle: EdgeHandle,
    pub(crate) hits: Hits,
}

/// Monotonic time of the runtime and a wall clock that stands: this crate reads no other.
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn now_ms(&self) -> i64 {
        1_800_000_000_000
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Front {
    pub(crate) async fn start(limits: EdgeLimits) -> Self {
        Self::with(limits, None, RateSettings::demo()).await
    }

    /// With client certificates below a root; `true`: required.
    pub(crate) async fn with(
        limits: EdgeLimits,
        clients: Option<(&ClientRoot, bool)>,
        rates: RateSettings,
    ) -> Self {
        let root = Root::new();
        let (tls_root, required) = clients.map_or((None, false), |(r, required)| (Some(r), required));
        let tls = server_config(root.server().identity(), tls_root, required).expect("tls");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let hits = Hits::default();
        let (switch, shutdown) = edge::shutdown();
        let app = app(hits.clone(), &rates);
        let handle = edge::serve(listener, tls, app, limits, shutdown).expect("serve");
        Self { addr: handle.addr, root, switch, handle, hits }
    }
}

fn app(hits: Hits, rates: &RateSettings) -> Router {
    let (mut ambient, _) = Ambient::for_test(1_800_000_000, 5);
    ambient.clock = Arc::new(RuntimeClock(Instant::now()));
    let router = Mount::new(ROUTES)
        .limits(Arc::new(RateLimits::new(rates, &ambient)))
        .on("Hello", async || "hello")
        .on("Echo", echo)
        .on("Erase", erase)
        .on("WhoAmI", who_am_i)
        .on("Slow", slow)
        .on("Endless", endless)
        .on("Typed", typed)
        .on("Page", async || "page")
        .on("PageHead", async || ())
        .on("Feed", async || "feed")
        .on("Dear", async || "dear")
        .on("Machines", async || "machine")
        .finish()
        .expect("routes");
    finish(router.with_state(hits), Function::San, ambient)
}

async fn echo(request: axum::extract::Request) -> Result<String, Refusal> {
    let (body, _) = read(request).await?;
    Ok(body.len().to_string())
}

async fn erase(State(hits): State<Hits>) {
    hits.erased.fetch_add(1, Ordering::SeqCst);
}

async fn who_am_i(peer: Peer) -> String {
    match peer.certificate {
        Some(c) => format!("{}|{}|{}|{}", c.role, c.name, c.x5t_s256, peer.addr.ip()),
        None => format!("nobody|{}", peer.addr.ip()),
    }
}

async fn slow(State(hits): State<Hits>) -> &'static str {
    hits.slow_begun.fetch_add(1, Ordering::SeqCst);
    sleep(Duration::from_millis(300)).await;
    hits.slow_ended.fetch_add(1, Ordering::SeqCst);
    "slow"
}

#[derive(serde::Deserialize)]
struct Typed {
    number: u32,
}

async fn typed(Query(typed): Query<Typed>) -> String {
    typed.number.to_string()
}

/// Notes that a response was given up.
struct Noted(Arc<AtomicUsize>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn endless(State(hits): State<Hits>) -> impl IntoResponse {
    let noted = Noted(hits.endless_dropped.clone());
    let chunks = futures::stream::unfold(noted, |noted| async move {
        let chunk = Bytes::from_static(&[b'x'; 16 * 1024]);
        Some((Ok::<_, std::convert::Infallible>(chunk), noted))
    });
    Body::from_stream(chunks)
}
