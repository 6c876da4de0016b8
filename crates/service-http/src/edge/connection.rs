//! One connection: the handshake, then HTTP/1.1 or HTTP/2 as ALPN chose, under watch.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::activity::{Activity, Sending, Verdict};
use super::lingering_body::LingeringBody;
use super::paced_body::PacedBody;
use super::watched_io::{WatchedIo, elapsed_ms};
use super::{EdgeLimits, Shutdown};
use crate::metrics;
use crate::peer::{Peer, PeerCertificate};

/// Serves one connection to its end.
pub(super) async fn run(
    stream: TcpStream,
    addr: SocketAddr,
    acceptor: TlsAcceptor,
    app: Router,
    limits: Arc<EdgeLimits>,
    mut shutdown: Shutdown,
) {
    let handshake = timeout(limits.handshake, acceptor.accept(stream));
    let tls = tokio::select! {
        biased;
        () = shutdown.requested() => return,
        tls = handshake => match tls {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => {
                tracing::debug!(%error, "handshake refused");
                return metrics::connection_refused("handshake");
            }
            Err(_) => return metrics::connection_refused("handshake_timeout"),
        },
    };
    let Ok(certificate) = certificate_of(&tls) else {
        return metrics::connection_refused("identity");
    };
    let is_h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let _open = metrics::connection_open();
    let connection = Served {
        app,
        peer: Peer { addr, certificate: certificate.map(Arc::new) },
        activity: Arc::new(Activity::default()),
        start: Instant::now(),
        limits,
    };
    if is_h2 {
        connection.http2(tls, shutdown).await;
    } else {
        connection.http1(tls, shutdown).await;
    }
}

/// The verified certificate of the peer; `Err` when it has one without an identity, which the
/// handshake should not have let through.
fn certificate_of(tls: &TlsStream<TcpStream>) -> Result<Option<PeerCertificate>, ()> {
    let chain = tls.get_ref().1.peer_certificates();
    match chain.and_then(<[_]>::first) {
        None => Ok(None),
        Some(der) => PeerCertificate::of(der).map(Some).map_err(|_| ()),
    }
}

/// A connection after its handshake.
#[derive(Clone)]
struct Served {
    app: Router,
    peer: Peer,
    activity: Arc<Activity>,
    start: Instant,
    limits: Arc<EdgeLimits>,
}

impl Served {
    async fn http1(self, tls: TlsStream<TcpStream>, shutdown: Shutdown) {
        let io = WatchedIo::new(tls, self.activity.clone(), self.start);
        let limits = self.limits.clone();
        let served = self.clone();
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_read)
            .max_headers(limits.header_fields)
            .max_buf_size(limits.header_bytes as usize)
            .keep_alive(true)
            .half_close(false)
            .serve_connection(TokioIo::new(io), service_fn(move |request| served.clone().answer(request)))
            // For the routes that speak WebSocket; no other answers 101.
            .with_upgrades();
        let graceful = |c: Pin<&mut _>| http1::UpgradeableConnection::graceful_shutdown(c);
        self.watch(connection, false, graceful, shutdown).await;
    }

    async fn http2(self, tls: TlsStream<TcpStream>, shutdown: Shutdown) {
        let io = WatchedIo::new(tls, self.activity.clone(), self.start);
        let limits = self.limits.clone();
        let served = self.clone();
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.header_bytes)
            .max_pending_accept_reset_streams(limits.pending_reset_streams)
            .max_local_error_reset_streams(limits.local_reset_streams)
            .initial_stream_window_size(limits.stream_window)
            .initial_connection_window_size(limits.connection_window)
            .max_send_buf_size(limits.send_buffer)
            .keep_alive_interval(limits.ping_interval)
            .keep_alive_timeout(limits.ping_timeout)
            .serve_connection(TokioIo::new(io), service_fn(move |request| served.clone().answer(request)));
        let graceful = |c: Pin<&mut _>| http2::Connection::graceful_shutdown(c);
        self.watch(connection, true, graceful, shutdown).await;
    }

    /// Drives `connection` until it ends, is asked to end, or is ended.
    async fn watch<C, G>(&self, connection: C, is_h2: bool, graceful: G, mut shutdown: Shutdown)
    where
        C: Future<Output = hyper::Result<()>>,
        G: Fn(Pin<&mut C>),
    {
        let mut connection = std::pin::pin!(connection);
        let mut tick = interval(self.limits.watch_interval());
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ends_at: Option<Instant> = None;
        let mut draining = false;
        let mut quiet = false;
        loop {
            // Far away when the connection may go on.
            let end = ends_at.unwrap_or_else(|| self.start + FAR);
            tokio::select! {
                biased;
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        tracing::debug!(%error, "connection ended by a fault");
                    }
                    return;
                }
                () = sleep_until(end), if ends_at.is_some() => {
                    return metrics::connection_cut("close");
                }
                () = shutdown.requested(), if !draining => {
                    draining = true;
                    if !is_h2 && self.activity.is_fresh() {
                        return; // hyper would wait for a first request
                    }
                    graceful(connection.as_mut());
                    ends_at = Some(ends_at.unwrap_or(Instant::now() + self.limits.drain));
                }
                _ = tick.tick() => {
                    match self.activity.judge(elapsed_ms(self.start), &self.limits) {
                        Verdict::Abort => return metrics::connection_cut("abuse"),
                        Verdict::Retire if ends_at.is_none() => {
                            graceful(connection.as_mut());
                            ends_at = Some(Instant::now() + self.limits.close);
                        }
                        Verdict::Keep | Verdict::Retire => {}
                    }
                    if draining && !quiet && self.activity.is_quiet() {
                        // The last answer is out; what is left is the goodbye of the peer (HTTP/2
                        // waits for a PING).
                        quiet = true;
                        let soon = Instant::now() + self.limits.close;
                        ends_at = ends_at.map(|at| at.min(soon));
                    }
                }
            }
        }
    }

    /// Answers one request.
    async fn answer(self, request: Request<Incoming>) -> Result<Response<TrackedBody>, Flooded> {
        if self.activity.is_flooded(&self.limits) {
            return Err(Flooded);
        }
        let in_flight = self.activity.begin();
        let is_h1 = request.version() < Version::HTTP_2;
        let mut request = request.map(|body| {
            let paced = PacedBody::new(body, &self.limits);
            if is_h1 { Body::new(LingeringBody::new(paced, &self.limits)) } else { Body::new(paced) }
        });
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(self.limits);
        let response = match self.app.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never as Infallible {},
        };
        let sending = in_flight.answered(elapsed_ms(self.start));
        let start = self.start;
        Ok(response.map(|body| TrackedBody { body, sending, start }))
    }
}

/// Longer than any connection lives.
const FAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3_600);

/// The peer calls off more requests than it lets be answered.
#[derive(Debug, thiserror::Error)]
#[error("too many requests called off")]
struct Flooded;

/// A response body that notes its progress.
struct TrackedBody {
    body: Body,
    sending: Sending,
    start: Instant,
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Ready(_) => self.sending.moved(elapsed_ms(self.start)),
            Poll::Pending => self.sending.our_turn(),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
