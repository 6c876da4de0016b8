//! HTTP/2: floods and stalls.

use std::sync::atomic::Ordering;
use std::time::Duration;

use service_http::edge::EdgeLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use crate::support::frames::{frame, get, preface, request, reset};
use crate::support::front::Front;
use crate::support::wire::{PATIENCE, browser, http2, to_end, url};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test]
async fn an_ordinary_client_is_served() {
    let front = Front::start(EdgeLimits::default()).await;
    let client = browser(&front, b"h2");
    let response = client.get(url(&front, "/hello")).send().await.expect("response");
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.text().await.expect("text"), "hello");
    let many = (0..200).map(|_| client.get(url(&front, "/hello")).send());
    for response in futures::future::join_all(many).await {
        assert_eq!(response.expect("response").status(), 200);
    }
}

#[tokio::test]
async fn a_flood_of_resets_ends_its_own_connection_only() {
    let limits = EdgeLimits { cancelled_requests: 50, ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let client = browser(&front, b"h2");
    let mut flood = http2(&front).await;
    flood.write_all(&preface(&[])).await.expect("preface");
    let flooding = tokio::spawn(async move {
        let mut stream = 1;
        let mut sent = 0_u32;
        while sent < 100_000 {
            let mut burst = Vec::new();
            for _ in 0..100 {
                burst.extend(get(stream, "/slow"));
                burst.extend(reset(stream));
                stream += 2;
                sent += 1;
            }
            if flood.write_all(&burst).await.is_err() || flood.flush().await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        (flood, sent)
    });
    for _ in 0..5 {
        let response = client.get(url(&front, "/hello")).send().await.expect("others are served");
        assert_eq!(response.status(), 200);
        sleep(ms(10)).await;
    }
    let (mut flood, sent) = timeout(PATIENCE, flooding).await.expect("ended in time").expect("task");
    to_end(&mut flood).await;
    assert!(sent < 100_000, "the flood was let through");
    assert_eq!(front.hits.slow_ended.load(Ordering::SeqCst), 0, "what is called off is not worked on");
    let begun = front.hits.slow_begun.load(Ordering::SeqCst);
    assert!(begun < 2_000, "{begun} handlers were begun");
    let response = client.get(url(&front, "/hello")).send().await.expect("still served");
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn resets_after_a_pause_end_the_connection_too() {
    let limits = EdgeLimits { cancelled_requests: 20, ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut slow_flood = http2(&front).await;
    slow_flood.write_all(&preface(&[])).await.expect("preface");
    let mut ended = false;
    for round in 0..60_u32 {
        let stream = round * 2 + 1;
        // The handler is begun before the reset comes: the library's own count does not see it.
        let open = slow_flood.write_all(&get(stream, "/slow")).await.is_ok();
        sleep(ms(10)).await;
        if !open || slow_flood.write_all(&reset(stream)).await.is_err() {
            ended = true;
            break;
        }
    }
    if !ended {
        to_end(&mut slow_flood).await;
    }
    let begun = front.hits.slow_begun.load(Ordering::SeqCst);
    assert!((20..60).contains(&begun), "{begun} handlers were begun");
}

#[tokio::test]
async fn a_window_that_stays_shut_is_not_waited_for() {
    let limits = EdgeLimits { write_stall: ms(200), ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut stream = http2(&front).await;
    // SETTINGS_INITIAL_WINDOW_SIZE 0: headers come, no data.
    let mut opening = preface(&[(4, 0)]);
    opening.extend(get(1, "/endless"));
    stream.write_all(&opening).await.expect("write");
    let start = Instant::now();
    to_end(&mut stream).await;
    assert!(start.elapsed() < ms(2_000), "{:?}", start.elapsed());
    assert_eq!(front.hits.endless_dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_without_requests_is_closed_though_it_pings() {
    let limits = EdgeLimits { idle: ms(150), close: ms(150), ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut stream = http2(&front).await;
    stream.write_all(&preface(&[])).await.expect("preface");
    let start = Instant::now();
    let mut chunk = [0; 1_024];
    loop {
        assert!(start.elapsed() < PATIENCE, "pings keep the connection");
        if stream.write_all(&frame(6, 0, 0, b"pingping")).await.is_err() {
            break;
        }
        match timeout(ms(20), stream.read(&mut chunk)).await {
            Ok(Ok(0) | Err(_)) => break,
            _ => sleep(ms(5)).await,
        }
    }
}

#[tokio::test]
async fn a_header_list_is_bounded() {
    let limits = EdgeLimits { header_bytes: 2_048, ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut stream = http2(&front).await;
    let long = "y".repeat(10_000);
    let mut opening = preface(&[]);
    opening.extend(request(1, "/slow", &[("x-long", &long)]));
    stream.write_all(&opening).await.expect("write");
    sleep(ms(200)).await;
    assert_eq!(front.hits.slow_begun.load(Ordering::SeqCst), 0, "no handler saw it");
    drop(stream);

    let mut stream = http2(&front).await;
    // A header block that never ends (CVE-2024-27983): HEADERS without END_HEADERS, CONTINUATION.
    let mut opening = preface(&[]);
    opening.extend(frame(1, 0x01, 1, &[0x82, 0x87, 0x84]));
    stream.write_all(&opening).await.expect("write");
    let mut sent = 0_u32;
    let mut block = vec![0x00, 0x01, b'x', 0x7f, 0x81, 0x0a]; // literal of 1,408 bytes
    block.extend([b'y'; 1_408]);
    while sent < 20_000 && stream.write_all(&frame(9, 0, 1, &block)).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 20_000, "{sent} frames were taken");
}
