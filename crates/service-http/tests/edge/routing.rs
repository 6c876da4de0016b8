//! Routes, fallbacks and rate limits, as a client sees them.

use std::num::NonZeroU32;

use http::Method;
use service_http::edge::EdgeLimits;
use service_http::limits::RateSettings;

use crate::support::front::Front;
use crate::support::wire::{browser, url};

#[tokio::test]
async fn whatever_is_refused_is_a_problem_with_all_headers() {
    let front = Front::start(EdgeLimits::default()).await;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        (Method::GET,     "/hello",            200, "",                   ""),
        (Method::GET,     "/page",             200, "",                   ""),
        (Method::HEAD,    "/page",             200, "",                   ""),
        (Method::HEAD,    "/hello",            405, "",                   "GET"),
        (Method::POST,    "/hello",            405, "INVALID_MSG_FORMAT", "GET"),
        (Method::OPTIONS, "/hello",            405, "INVALID_MSG_FORMAT", "GET"),
        (Method::PUT,     "/echo",             405, "INVALID_MSG_FORMAT", "POST, DELETE"),
        (Method::GET,     "/absent",           404, "RESOURCE_NOT_FOUND", ""),
        (Method::GET,     "/hello/",           404, "RESOURCE_NOT_FOUND", ""),
        (Method::GET,     "/typed?number=x",   400, "INVALID_MSG_FORMAT", ""),
        (Method::GET,     "/typed?number=4711", 200, "",                  ""),
    ];
    for alpn in [b"h2".as_slice(), b"http/1.1"] {
        let client = browser(&front, alpn);
        for (method, path, status, cause, allow) in rows.clone() {
            let what = format!("{method} {path}");
            let response = client.request(method.clone(), url(&front, path)).send().await.expect("response");
            assert_eq!(response.status().as_u16(), status, "{what}");
            let headers = response.headers().clone();
            assert!(headers.contains_key("traceparent"), "{what}");
            assert_eq!(headers["x-content-type-options"], "nosniff", "{what}");
            assert_eq!(headers["cache-control"], "no-store", "{what}");
            assert!(headers.contains_key("strict-transport-security"), "{what}");
            let told = headers.get("allow").map_or("", |v| v.to_str().expect("text"));
            assert_eq!(told, allow, "{what}");
            let body = response.text().await.expect("text");
            assert!(body.contains(cause), "{what}: {body}");
            if !cause.is_empty() {
                assert_eq!(headers["content-type"], "application/problem+json", "{what}");
                assert!(!body.contains("deserialize"), "{what}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn a_source_is_slowed_down_but_not_where_it_must_not_be() {
    let few = |n| NonZeroU32::new(n).expect("number");
    let rates = RateSettings { source_per_s: few(1), source_burst: few(12), ..RateSettings::demo() };
    let front = Front::with(EdgeLimits::default(), None, rates).await;
    let ask = async |path: &str, client: &reqwest::Client| {
        let response = client.get(url(&front, path)).send().await.expect("response");
        let wait = response.headers().get("retry-after").is_some();
        (response.status().as_u16(), wait)
    };
    let client = browser(&front, b"h2");
    assert_eq!(ask("/dear", &client).await, (200, false), "10 of 12 units");
    assert_eq!(ask("/hello", &client).await, (200, false));
    assert_eq!(ask("/dear", &client).await, (429, true));
    let fresh = browser(&front, b"http/1.1");
    assert_eq!(ask("/dear", &fresh).await, (429, true), "a new connection buys nothing");
    for _ in 0..30 {
        assert_eq!(ask("/feed", &client).await, (200, false), "never limited");
    }
}
