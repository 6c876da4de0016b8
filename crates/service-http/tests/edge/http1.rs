//! HTTP/1.1: slow, large and ambiguous requests.

use std::sync::atomic::Ordering;
use std::time::Duration;

use service_http::edge::EdgeLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use crate::support::front::{ECHO_MAX, Front};
use crate::support::wire::{PATIENCE, exchange, http1, status, to_end};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sends a byte every 20 ms until the peer closes; how long it let us.
async fn drip(front: &Front, opening: &str, byte: &str) -> (Duration, String) {
    let stream = http1(front).await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    writer.write_all(opening.as_bytes()).await.expect("write");
    let start = Instant::now();
    let byte = byte.to_owned();
    let dripping = tokio::spawn(async move {
        while writer.write_all(byte.as_bytes()).await.is_ok() && writer.flush().await.is_ok() {
            sleep(ms(20)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, reader.read_to_end(&mut answer)).await.expect("closed in time");
    dripping.abort();
    (start.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_header_that_never_ends_is_cut_though_bytes_keep_coming() {
    let front = Front::start(EdgeLimits { header_read: ms(250), ..EdgeLimits::default() }).await;
    for opening in ["", "GET /hello HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let (took, answer) = drip(&front, opening, "a").await;
        assert!(took < ms(1_500), "{opening:?}: {took:?}");
        assert!(!answer.contains(" 200 "), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let limits =
        EdgeLimits { idle: ms(150), header_read: ms(5_000), close: ms(200), ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let mut stream = http1(&front).await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("write");
    let start = Instant::now();
    let answer = to_end(&mut stream).await;
    assert_eq!(status(&answer), 200);
    assert!(start.elapsed() < ms(1_500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_body_that_drips_or_stops_is_cut() {
    let limits = EdgeLimits {
        body_silence: ms(200),
        body_window: ms(300),
        body_bytes_per_window: 200,
        ..EdgeLimits::default()
    };
    let front = Front::start(limits).await;
    let opening = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\n";
    let (took, answer) = drip(&front, opening, "a").await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(took < ms(1_500), "{took:?}");

    let answer = exchange(&front, &format!("{opening}abc")).await;
    assert_eq!(status(&answer), 408, "silence: {answer}");

    let chunked = "POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab";
    assert_eq!(status(&exchange(&front, chunked).await), 408, "half a chunk");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_cut() {
    let front = Front::start(EdgeLimits { write_stall: ms(200), ..EdgeLimits::default() }).await;
    let mut stream = http1(&front).await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("write");
    let start = Instant::now();
    while front.hits.endless_dropped.load(Ordering::SeqCst) == 0 {
        assert!(start.elapsed() < PATIENCE, "the response is still held");
        sleep(ms(10)).await;
    }
}

#[tokio::test]
async fn sizes_are_bounded() {
    let limits =
        EdgeLimits { target_bytes: 200, header_bytes: 8_192, header_fields: 20, ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    let get = |target: &str, fields: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n")
    };
    let post = |fields: &str, body: &str| {
        format!("POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n{body}")
    };
    let long = |n: usize| format!("/hello?{}", "x".repeat(n - 7));
    let fields = |n: usize| (0..n).map(|i| format!("x-{i}: 1\r\n")).collect::<String>();
    let length = |n: usize| post(&format!("content-length: {n}\r\n"), &"x".repeat(n));
    let chunks = |n: usize| {
        let body = format!("{n:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(n));
        post("transfer-encoding: chunked\r\n", &body)
    };
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, String, &[u16]); 14] = [
        ("target at the limit",       get(&long(200), ""), &[200]),
        ("target over the limit",     get(&long(201), ""), &[414]),
        ("target far over",           get(&long(7_000), ""), &[414]),
        ("target over the buffer",    get(&long(70_000), ""), &[414, 431, 0]),
        ("fields at the limit",       get("/hello", &fields(18)), &[200]),
        ("fields over the limit",     get("/hello", &fields(21)), &[431]),
        ("a field over the buffer",   get("/hello", &format!("x: {}\r\n", "y".repeat(20_000))), &[431, 0]),
        ("body at the limit",         length(ECHO_MAX), &[200]),
        ("body over the limit",       length(ECHO_MAX + 1), &[413]),
        ("announced only",            post("content-length: 99999999999\r\n", ""), &[413]),
        ("chunks at the limit",       chunks(ECHO_MAX), &[200]),
        ("chunks over the limit",     chunks(ECHO_MAX + 1), &[413]),
        ("encoded",                   post("content-encoding: gzip\r\ncontent-length: 2\r\n", "xx"), &[415]),
        ("announced beyond numbers",  post("content-length: 99999999999999999999999\r\n", ""), &[400]),
    ];
    for (what, request, want) in rows {
        let answer = exchange(&front, &request).await;
        assert!(want.contains(&status(&answer)), "{what}: {answer}");
    }
}

#[tokio::test]
async fn what_two_readers_could_read_differently_is_refused() {
    let front = Front::start(EdgeLimits::default()).await;
    let end = "connection: close\r\n\r\n";
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, String, u16); 19] = [
        ("good",                  format!("GET /hello HTTP/1.1\r\nhost: localhost\r\n{end}"), 200),
        ("good, absolute form",   format!("GET https://localhost/hello HTTP/1.1\r\nhost: localhost\r\n{end}"), 200),
        ("no host",               format!("GET /hello HTTP/1.1\r\n{end}"), 400),
        ("two hosts",             format!("GET /hello HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n{end}"), 400),
        ("two different hosts",   format!("GET /hello HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n{end}"), 400),
        ("another absolute host", format!("GET https://evil/hello HTTP/1.1\r\nhost: localhost\r\n{end}"), 400),
        ("absolute http",         format!("GET http://localhost/hello HTTP/1.1\r\nhost: localhost\r\n{end}"), 400),
        ("HTTP/1.0",              format!("GET /hello HTTP/1.0\r\nhost: localhost\r\n{end}"), 400),
        ("TRACE",                 format!("TRACE /hello HTTP/1.1\r\nhost: localhost\r\n{end}"), 405),
        ("CONNECT",               format!("CONNECT localhost:443 HTTP/1.1\r\nhost: localhost\r\n{end}"), 405),
        ("asterisk",              format!("OPTIONS * HTTP/1.1\r\nhost: localhost\r\n{end}"), 400),
        ("encoded slash",         format!("GET /hello%2f HTTP/1.1\r\nhost: localhost\r\n{end}"), 400),
        ("dot segments",          format!("GET /x/../hello HTTP/1.1\r\nhost: localhost\r\n{end}"), 400),
        ("NUL",                   format!("GET /hello%00 HTTP/1.1\r\nhost: localhost\r\n{end}"), 400),
        ("two lengths",           format!("POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n{end}x"), 400),
        ("negative length",       format!("POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n{end}"), 400),
        ("unknown coding",        format!("POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: identity\r\n{end}"), 400),
        ("blank before colon",    format!("GET /hello HTTP/1.1\r\nhost : localhost\r\n{end}"), 400),
        ("folded field",          format!("GET /hello HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\n{end}"), 400),
    ];
    for (what, request, want) in rows {
        let answer = exchange(&front, &request).await;
        assert_eq!(status(&answer), want, "{what}: {answer}");
    }
}

#[tokio::test]
async fn two_framings_cannot_smuggle_a_request() {
    let front = Front::start(EdgeLimits::default()).await;
    // Read by its length, the body would end in the middle of `DELETE` and leave a request behind;
    // read by its chunks, it is all body.
    let inner = "DELETE /echo HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for framing in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
    ] {
        let body = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
        let request = format!(
            "POST /echo HTTP/1.1\r\nhost: localhost\r\n{framing}\r\n{body}\
             GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        );
        let answer = exchange(&front, &request).await;
        assert_eq!(front.hits.erased.load(Ordering::SeqCst), 0, "{answer}");
        assert!(answer.matches("HTTP/1.1 ").count() <= 2, "{answer}");
    }
}

#[tokio::test]
async fn a_header_does_not_change_the_method() {
    let front = Front::start(EdgeLimits::default()).await;
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let request = format!(
            "POST /echo?_method=DELETE HTTP/1.1\r\nhost: localhost\r\n{name}: DELETE\r\n\
             content-length: 2\r\nconnection: close\r\n\r\nab"
        );
        let answer = exchange(&front, &request).await;
        assert!(answer.ends_with("\r\n\r\n2"), "{answer}");
    }
    assert_eq!(front.hits.erased.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_before_the_body_is_read_reaches_the_peer() {
    let front = Front::start(EdgeLimits::default()).await;
    let size = 4_000_000;
    for target in ["/echo", "/absent"] {
        let mut stream = http1(&front).await;
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("write");
        // As simple clients do: all of the body, and only then the answer.
        stream.write_all(&vec![b'x'; size]).await.expect("write");
        stream.flush().await.expect("flush");
        let answer = to_end(&mut stream).await;
        let want = if target == "/echo" { 413 } else { 404 };
        assert_eq!(status(&answer), want, "{target}: {answer}");
    }
}
