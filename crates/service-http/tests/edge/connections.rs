//! How many connections there may be.

use std::time::Duration;

use futures::future::join_all;
use service_http::edge::EdgeLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use crate::support::front::Front;
use crate::support::wire::{PATIENCE, Tls, config, connect};

async fn hello(stream: &mut Tls) -> bool {
    let asked = stream.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let _ = stream.flush().await;
    let mut answer = [0; 4_096];
    match timeout(PATIENCE, stream.read(&mut answer)).await.expect("in time") {
        Ok(n @ 1..) => asked.is_ok() && answer[..n].starts_with(b"HTTP/1.1 200"),
        _ => false,
    }
}

async fn open(front: &Front, count: usize) -> Vec<Tls> {
    let config = config(front, None, b"http/1.1");
    let opening = (0..count).map(|_| connect(front.addr, config.clone()));
    join_all(opening).await.into_iter().flatten().collect()
}

async fn is_admitted_again(front: &Front) {
    let start = Instant::now();
    loop {
        if let Some(stream) = open(front, 1).await.first_mut()
            && hello(stream).await
        {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "nobody is let in");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn many_are_served_and_one_more_is_closed() {
    let limits = EdgeLimits { connections: 250, connections_per_source: 1_000, ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut streams = open(&front, 300).await;
    assert_eq!(streams.len(), 250);
    let served = join_all(streams.iter_mut().map(hello)).await;
    assert!(served.into_iter().all(|served| served));
    assert!(open(&front, 1).await.is_empty(), "full");
    drop(streams);
    is_admitted_again(&front).await;
}

#[tokio::test]
async fn one_source_has_its_share() {
    let limits = EdgeLimits { connections: 1_000, connections_per_source: 10, ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let streams = open(&front, 30).await;
    assert_eq!(streams.len(), 10);
    drop(streams);
    is_admitted_again(&front).await;
}
