//! The payload of a map: digest, ranges, conditions, quota, and what an interrupted upload leaves.

use std::time::Duration;

use authorization::Reason;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::bench::*;
use crate::sm::SmLimits;

const GLB: &str = "model/gltf-binary";

fn octets(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i % 251) as u8).collect()
}

fn repr_digest(octets: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, octets)))
}

fn tag(octets: &[u8]) -> String {
    let hash = digest(&SHA256, octets);
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

async fn with_payload(octets: &[u8]) -> (Bench, u64) {
    let bench = Bench::new().await;
    let id = bench.map(VS1, json!({ "allwEnt": allow(&["vs-2"], &[]) })).await;
    let put = ask(VS1, "PUT", bench.content(id)).typed(GLB, octets.to_vec());
    let answer = bench.send(put.with("repr-digest", repr_digest(octets))).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    (bench, id)
}

#[tokio::test]
async fn a_payload_comes_back_as_it_went_in() {
    // More than one chunk on the disk, and not a multiple of it.
    let sent = octets(200_001);
    let (bench, id) = with_payload(&sent).await;
    let got = bench.send(ask(VS2, "GET", bench.content(id))).await;
    assert_eq!((got.status, &got.body[..]), (200, &sent[..]));
    for (name, value) in [
        ("content-type", GLB),
        ("content-length", "200001"),
        ("accept-ranges", "bytes"),
        ("content-disposition", "attachment"),
        ("x-content-type-options", "nosniff"),
        ("etag", tag(&sent).as_str()),
        ("repr-digest", repr_digest(&sent).as_str()),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    let head = bench.send(ask(VS2, "HEAD", bench.content(id))).await;
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some("200001")));
    assert_eq!(head.etag(), got.etag());

    let other = octets(10);
    let put = bench.send(ask(VS1, "PUT", bench.content(id)).typed("application/zip", other.clone())).await;
    assert_eq!((put.status, put.etag()), (204, tag(&other)));
    let got = bench.send(ask(VS2, "GET", bench.content(id))).await;
    assert_eq!((&got.body[..], got.header("content-type")), (&other[..], Some("application/zip")));
    assert_eq!(bench.files(), 1, "what no map names is gone");
}

type RangeRow<'r> = (&'r str, &'r str, Option<&'r str>, u16, std::ops::Range<usize>);

#[tokio::test]
async fn a_range_is_served_or_refused() {
    let sent = octets(100_000);
    let (bench, id) = with_payload(&sent).await;
    let own = tag(&sent);
    #[rustfmt::skip] // a table stays a table
    let rows: [RangeRow; 11] = [
        ("first",               "bytes=0-0",         None, 206, 0..1),
        ("across a chunk",      "bytes=65530-65545", None, 206, 65_530..65_546),
        ("open end",            "bytes=99990-",      None, 206, 99_990..100_000),
        ("end is cut",          "bytes=99990-200000", None, 206, 99_990..100_000),
        ("suffix",              "bytes=-7",          None, 206, 99_993..100_000),
        ("two ranges",          "bytes=0-1,4-5",     None, 200, 0..100_000),
        ("another unit",        "lines=0-1",         None, 200, 0..100_000),
        ("behind the end",      "bytes=100000-",     None, 416, 0..0),
        ("of this payload",     "bytes=5-9",  Some(own.as_str()), 206, 5..10),
        ("of another payload",  "bytes=5-9",  Some("\"x\""),      200, 0..100_000),
        ("of a date",           "bytes=5-9",  Some("Sat, 21 Nov 2026 12:00:00 GMT"), 200, 0..100_000),
    ];
    for (what, range, condition, status, part) in rows {
        let mut get = ask(VS2, "GET", bench.content(id)).with("range", range);
        if let Some(condition) = condition {
            get = get.with("if-range", condition);
        }
        let got = bench.send(get).await;
        assert_eq!(got.status, status, "{what}");
        match status {
            416 => assert_eq!(got.header("content-range"), Some("bytes */100000"), "{what}"),
            206 => {
                let expected = format!("bytes {}-{}/100000", part.start, part.end - 1);
                assert_eq!(got.header("content-range"), Some(expected.as_str()), "{what}");
                assert_eq!(&got.body[..], &sent[part], "{what}");
                assert_eq!(
                    got.header("repr-digest"),
                    Some(repr_digest(&sent).as_str()),
                    "of the whole: {what}"
                );
            }
            _ => assert_eq!(&got.body[..], &sent[part], "{what}"),
        }
    }
    let known = bench.send(ask(VS2, "GET", bench.content(id)).with("if-none-match", &own)).await;
    assert_eq!((known.status, known.body.len(), known.etag()), (304, 0, own));
}

type HeaderRow<'r> = (&'r str, &'r str, &'r [(&'static str, String)], u16, &'r str);

#[tokio::test]
async fn one_spoiled_header_refuses_an_upload_and_leaves_nothing() {
    let sent = octets(70_000);
    let put = |bench: &Bench, id: u64| ask(VS1, "PUT", bench.content(id));
    #[rustfmt::skip] // a table stays a table
    let rows: [HeaderRow; 9] = [
        ("a page",            "text/html", &[], 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("an encoding",       GLB, &[("content-encoding", "gzip".into())], 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a part",            GLB, &[("content-range", "bytes 0-9/10".into())], 400, "INVALID_MSG_FORMAT"),
        ("wrong digest",      GLB, &[("repr-digest", repr_digest(b"x"))], 400, "INVALID_MSG_FORMAT"),
        ("another digest",    GLB, &[("repr-digest", "sha-512=:AAAA:".into())], 400, "INVALID_MSG_FORMAT"),
        ("no digest",         GLB, &[("repr-digest", "sha-256=AAAA".into())], 400, "INVALID_MSG_FORMAT"),
        ("must exist",        GLB, &[("if-match", "*".into())], 412, "PRECONDITION_FAILED"),
        ("another tag",       GLB, &[("if-match", tag(b"x"))], 412, "PRECONDITION_FAILED"),
        ("announced too long", GLB, &[("content-length", (1_u64 << 40).to_string())], 413, "TOO_LARGE"),
    ];
    for (what, media_type, headers, status, cause) in rows {
        let bench = Bench::new().await;
        let id = bench.map(VS1, Value::Null).await;
        let mut request = put(&bench, id).typed(media_type, sent.clone());
        for (name, value) in headers {
            request = request.with(name, value);
        }
        let answer = bench.send(request).await;
        assert_eq!((answer.status, answer.json()["cause"].as_str()), (status, Some(cause)), "{what}");
        bench.until(&format!("{what}: nothing is left"), || async { bench.files() == 0 }).await;
        assert_eq!(bench.send(ask(VS1, "GET", bench.content(id))).await.status, 404, "{what}");
        assert_eq!(bench.charged().await.len(), 1, "{what}: only the map");
        assert_eq!(
            bench.send(put(&bench, id).typed(GLB, sent.clone())).await.status,
            201,
            "{what}: the good case"
        );
    }
}

#[tokio::test]
async fn a_payload_is_replaced_by_who_knows_it() {
    let sent = octets(10);
    let (bench, id) = with_payload(&sent).await;
    let put = |name: &'static str, value: String, octets: &[u8]| {
        bench.send(ask(VS1, "PUT", bench.content(id)).typed(GLB, octets.to_vec()).with(name, value))
    };
    let stale = put("if-match", tag(b"x"), b"new").await;
    assert_eq!((stale.status, stale.reason), (412, Some(Reason::StaleVersion)));
    assert_eq!(put("if-none-match", "*".into(), b"new").await.status, 412, "only a first one");
    assert_eq!(put("if-match", tag(&sent), b"new").await.status, 204);
    assert_eq!(&bench.send(ask(VS2, "GET", bench.content(id))).await.body[..], b"new");
    // The same octets again are the same payload.
    assert_eq!(put("if-match", "*".into(), b"new").await.status, 204);
    assert_eq!(
        (&bench.send(ask(VS2, "GET", bench.content(id))).await.body[..], bench.files()),
        (&b"new"[..], 1)
    );
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, Value::Null).await;
    let frames = [Ok(Bytes::from(octets(100_000))), Err(std::io::Error::other("reset"))];
    let broken = Body::from_stream(futures::stream::iter(frames));
    let answer = bench.send(ask(VS1, "PUT", bench.content(id)).typed(GLB, broken)).await;
    assert_eq!(answer.status, 400);
    bench.until("nothing is left", || async { bench.files() == 0 }).await;

    // The sender goes away: the request is dropped in the middle.
    let (sender, rest) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let endless = Body::from_stream(futures::stream::unfold(rest, |mut rest| async {
        rest.recv().await.map(|f| (f, rest))
    }));
    let put = bench.open(ask(VS1, "PUT", bench.content(id)).typed(GLB, endless));
    sender.send(Ok(Bytes::from(octets(100_000)))).await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(200), put).await;
    assert!(dropped.is_err(), "it was still waiting");
    bench.until("nothing is left", || async { bench.files() == 0 }).await;
    assert_eq!(bench.send(ask(VS1, "GET", bench.content(id))).await.status, 404);
    assert_eq!(bench.charged().await.len(), 1, "only the map");
}

#[tokio::test]
async fn an_owner_has_a_quota_and_a_payload_a_limit() {
    let limits = SmLimits { content_octets: 100, owner_octets: 150, ..SmLimits::default() };
    let bench = Bench::with(None, limits).await;
    let one = bench.map(VS1, Value::Null).await;
    let two = bench.map(VS1, Value::Null).await;
    let other = bench.map(VS2, Value::Null).await;
    let put = |who: Who, id: u64, n: usize| {
        let body =
            Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(octets(n)))]));
        bench.send(ask(who, "PUT", bench.content(id)).typed(GLB, body))
    };
    assert_eq!(put(VS1, one, 101).await.refused(), (413, Some(Reason::TooLarge), "TOO_LARGE".into()));
    assert_eq!(put(VS1, one, 100).await.status, 201);
    assert_eq!(put(VS1, two, 51).await.status, 413);
    assert_eq!(put(VS1, two, 50).await.status, 201, "exactly the quota");
    assert_eq!(put(VS1, one, 99).await.status, 204, "what goes is given back");
    assert_eq!(put(VS2, other, 100).await.status, 201, "another owner has its own");
    assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(one))).await.status, 204);
    assert_eq!(put(VS1, two, 100).await.status, 204);
}

#[tokio::test]
async fn a_payload_goes_with_the_last_map_that_has_it() {
    let (bench, one) = with_payload(b"shared").await;
    let two = bench.map(VS2, Value::Null).await;
    assert_eq!(bench.send(ask(VS2, "PUT", bench.content(two)).typed(GLB, "shared")).await.status, 201);
    assert_eq!(bench.files(), 1, "kept once");
    assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(one))).await.status, 204);
    assert_eq!(&bench.send(ask(VS2, "GET", bench.content(two))).await.body[..], b"shared");
    assert_eq!(bench.send(ask(VS2, "DELETE", bench.at(two))).await.status, 204);
    assert_eq!(bench.files(), 0);
}

#[tokio::test]
async fn what_a_crash_leaves_is_swept_at_the_next_start() {
    let (bench, id) = with_payload(b"kept").await;
    let orphan = {
        let mut writer = bench.sm.blobs().writer(100, &|out| out.fill(3)).unwrap();
        writer.write(b"orphan").unwrap();
        writer.finish(None).unwrap()
    };
    let mut unfinished = bench.sm.blobs().writer(100, &|out| out.fill(4)).unwrap();
    unfinished.write(b"unfinished").unwrap();
    std::mem::forget(unfinished);
    assert_eq!((bench.files(), bench.sm.blobs().contains(&orphan.digest)), (3, true));
    let Bench { dir, sm, .. } = bench;
    drop(sm);
    let bench = Bench::reopened(dir, None, SmLimits::default()).await;
    bench.until("the orphan is gone", || async { bench.files() == 1 }).await;
    assert_eq!(&bench.send(ask(VS2, "GET", bench.content(id))).await.body[..], b"kept");
}

#[tokio::test]
async fn a_stream_is_charged_by_what_was_sent() {
    let sent = octets(300_000);
    let (bench, id) = with_payload(&sent).await;
    let settled = |n: usize| {
        let bench = &bench;
        async move {
            let rows = bench.charged().await;
            rows.iter().filter(|row| row.operation == "sm.content.read" && row.outcome != "RESERVED").count()
                == n
        }
    };
    let read = |rows: Vec<store::charging::ChargingRow>| {
        let rows = rows.into_iter().filter(|row| row.operation == "sm.content.read");
        rows.map(|row| (row.units, row.bytes, row.outcome)).collect::<Vec<_>>()
    };
    assert_eq!(bench.send(ask(VS2, "GET", bench.content(id))).await.status, 200);
    bench.until("settled", || settled(1)).await;
    assert_eq!(bench.send(ask(VS2, "GET", bench.content(id)).with("range", "bytes=0-9")).await.status, 206);
    bench.until("settled", || settled(2)).await;
    // The reader goes away after the first chunk.
    let mut aborted = bench.open(ask(VS2, "GET", bench.content(id))).await.into_body();
    let first = aborted.frame().await.unwrap().unwrap().into_data().unwrap();
    drop(aborted);
    bench.until("settled", || settled(3)).await;
    let rows = read(bench.charged().await);
    assert_eq!(rows[..2], [(1, 300_000, "SERVED".to_owned()), (1, 10, "SERVED".to_owned())]);
    assert_eq!((rows[2].0, rows[2].2.as_str()), (1, "PARTIAL"));
    assert!(rows[2].1 >= first.len() as u64 && rows[2].1 < 300_000, "{}", rows[2].1);
    assert_eq!(bench.charged().await.iter().filter(|row| row.operation == "sm.content.write").count(), 1);

    // Behind a `Content-Length` HTTP does not ask for the end: who has every octet was served.
    let mut body = bench.open(ask(VS2, "GET", bench.content(id))).await.into_body();
    let mut left = 300_000;
    while left > 0 {
        left -= body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    drop(body);
    bench.until("settled", || settled(4)).await;
    assert_eq!(read(bench.charged().await)[3], (1, 300_000, "SERVED".to_owned()));
    // So was who has all of nothing.
    let empty = bench.send(ask(VS1, "PUT", bench.content(id)).typed(GLB, Vec::new())).await;
    assert_eq!(empty.status, 204);
    assert_eq!(bench.send(ask(VS2, "GET", bench.content(id))).await.status, 200);
    bench.until("settled", || settled(5)).await;
    assert_eq!(read(bench.charged().await)[4], (1, 0, "SERVED".to_owned()));
}

#[tokio::test]
async fn a_reader_may_name_the_payload_it_means() {
    let sent = octets(100);
    let (bench, id) = with_payload(&sent).await;
    for method in ["GET", "HEAD"] {
        for (tags, status) in [(tag(&sent), 200), ("*".to_owned(), 200), (tag(b"other"), 412)] {
            let asked = ask(VS2, method, bench.content(id)).with("if-match", &tags);
            assert_eq!(bench.send(asked).await.status, status, "{method} {tags}");
        }
    }
    // A reader that goes on with another payload than it began with is not given a part of it.
    let part = ask(VS2, "GET", bench.content(id)).with("range", "bytes=5-").with("if-match", tag(b"other"));
    assert_eq!(bench.send(part).await.status, 412);
    let hidden = ask(VS3, "GET", bench.content(id)).with("if-match", tag(b"other"));
    assert_eq!(bench.send(hidden).await.status, 404);
}

#[tokio::test]
async fn a_stream_ends_with_the_right_to_it() {
    let sent = octets(300_000);
    for what in ["the map is gone", "the rules changed", "the lease has run out", "another payload"] {
        let (bench, id) = with_payload(&sent).await;
        let mut body = bench.open(ask(VS2, "GET", bench.content(id))).await.into_body();
        assert!(body.frame().await.unwrap().is_ok(), "{what}");
        match what {
            "the map is gone" => assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(id))).await.status, 204),
            "the rules changed" => {
                let patch = json!({ "smProf": { "allwEnt": null } });
                assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&patch)).await.status, 200);
            }
            "another payload" => {
                let put = ask(VS1, "PUT", bench.content(id)).typed(GLB, "new");
                assert_eq!(bench.send(put).await.status, 204);
            }
            _ => {}
        }
        bench.clock.advance(Duration::from_secs(2));
        if what != "the lease has run out" {
            bench.issuer.renew();
        }
        let mut got = 65_536;
        let cut = loop {
            match body.frame().await {
                Some(Ok(frame)) => got += frame.into_data().map_or(0, |data| data.len()),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(cut && got < sent.len(), "{what}: {got} octets");
    }
}

#[tokio::test]
async fn a_right_that_ends_during_an_upload_keeps_nothing() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, Value::Null).await;
    let (sender, rest) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let body = Body::from_stream(futures::stream::unfold(rest, |mut rest| async {
        rest.recv().await.map(|f| (f, rest))
    }));
    let put = bench.send(ask(VS1, "PUT", bench.content(id)).typed(GLB, body));
    let ends = async {
        sender.send(Ok(Bytes::from(octets(100_000)))).await.unwrap();
        // The issuer is not heard of any more while the octets come.
        bench.clock.advance(Duration::from_secs(2));
        drop(sender);
    };
    let (answer, ()) = tokio::join!(put, ends);
    assert_eq!((answer.status, answer.reason), (503, Some(Reason::LeaseExpired)));
    bench.until("nothing is left", || async { bench.files() == 0 }).await;
    assert_eq!(bench.send(ask(VS1, "GET", bench.content(id))).await.status, 404);
}

#[tokio::test]
async fn a_large_payload_comes_and_goes_in_small_pieces() {
    // 24 MiB, never together in the memory of either side.
    const FRAMES: usize = 384;
    let bench = Bench::new().await;
    let id = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let frame = Bytes::from(octets(65_536));
    let mut hash = aws_lc_rs::digest::Context::new(&SHA256);
    (0..FRAMES).for_each(|_| hash.update(&frame));
    let sent = hash.finish();
    let frames = futures::stream::iter((0..FRAMES).map(move |_| Ok::<_, std::io::Error>(frame.clone())));
    let put = ask(VS1, "PUT", bench.content(id)).typed("application/octet-stream", Body::from_stream(frames));
    assert_eq!(bench.send(put).await.status, 201);
    let mut body = bench.open(ask(ALICE, "GET", bench.content(id))).await.into_body();
    let mut hash = aws_lc_rs::digest::Context::new(&SHA256);
    while let Some(got) = body.frame().await {
        let got = got.unwrap().into_data().unwrap();
        assert!(got.len() <= 65_536, "{}", got.len());
        hash.update(&got);
    }
    assert_eq!(hash.finish().as_ref(), sent.as_ref());
}
