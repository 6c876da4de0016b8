//! The end in good order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use service_http::edge::EdgeLimits;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::support::frames::{get, preface};
use crate::support::front::{Front, Hits};
use crate::support::wire::{PATIENCE, http1, http2, status, to_end};

async fn begun(hits: &Hits, count: usize) {
    let start = Instant::now();
    while hits.slow_begun.load(Ordering::SeqCst) < count {
        assert!(start.elapsed() < PATIENCE, "not begun");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_in_flight_ends_and_nothing_new_begins() {
    let limits = EdgeLimits { close: Duration::from_millis(200), ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut idle = http1(&front).await;
    let mut busy = http1(&front).await;
    let mut busy2 = http2(&front).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("write");
    let mut opening = preface(&[]);
    opening.extend(get(1, "/slow"));
    busy2.write_all(&opening).await.expect("write");
    begun(&front.hits, 2).await;

    let addr = front.addr;
    front.switch.throw();
    let start = Instant::now();
    assert_eq!(to_end(&mut idle).await, "", "an idle connection is closed");
    assert_eq!(status(&to_end(&mut busy).await), 200, "in flight");
    assert!(to_end(&mut busy2).await.contains("slow"), "in flight over HTTP/2");
    timeout(PATIENCE, front.handle.drained()).await.expect("drained");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(front.hits.slow_ended.load(Ordering::SeqCst), 2);
    assert!(TcpStream::connect(addr).await.is_err(), "the port is given back");
}

#[tokio::test]
async fn what_does_not_end_is_ended() {
    let limits = EdgeLimits { drain: Duration::from_millis(200), ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut endless = http1(&front).await;
    endless.write_all(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("write");
    let reading = tokio::spawn(async move { to_end(&mut endless).await });
    sleep(Duration::from_millis(50)).await;
    front.switch.throw();
    let start = Instant::now();
    timeout(PATIENCE, front.handle.drained()).await.expect("drained");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    reading.await.expect("closed");
}
