//! The feed and the key set over TLS: what the issuer mounts, and what a verifier asks.

use std::time::Duration;

use api_types::problem::{Cause, InvalidParam};
use api_types::strict_json;
use async_trait::async_trait;
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use jose::Jwks;
use rustls::ClientConfig;

use super::{FeedAnswer, FeedError, RevocationFeed, RevocationLog};
use crate::call::Ctx;
use crate::peer::CertRole;
use crate::refusal::Refusal;
use crate::verifier::{FetchedKeys, KeyError, KeySource};
use authorization::Reason;

/// Longest wait of a poll. Own value.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Deepest JSON of an answer. Own value.
pub(super) const DEPTH: usize = 8;

/// Most bytes of an answer. Own value: a page of the longest entries.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// How much longer than its wait a poll may take: half of the lease. Own value.
const PATIENCE: Duration = Duration::from_millis(600);

/// Time for fetching a key set. Own value.
const KEYS_TIME: Duration = Duration::from_secs(2);

/// How long a key set is kept when its answer does not say. Own value.
const KEYS_AGE: Duration = Duration::from_secs(300);

/// Longest name of a verifier's process. Own value.
const NODE_MAX: usize = 64;

/// Handler of GET `/revocations?after=&wait_s=&node=`, for routes of `RouteAuth::Mtls` that name functions or API exposing functions.
///
/// The name of the verifier is that of its certificate; `node` tells its processes apart.
///
/// # Errors
/// 400 for a malformed query, 403 for who is no function, 500 when the store fails.
pub async fn revocations(log: &RevocationLog, ctx: &Ctx, query: Option<&str>) -> Result<Response, Refusal> {
    let certificate = ctx.peer().and_then(|peer| peer.certificate_as(&[CertRole::Function, CertRole::Aef]));
    let certificate = certificate.ok_or_else(|| Refusal::open(Reason::PeerRefused))?;
    let poll = Poll::parse(query.unwrap_or_default())?;
    let answer = log.poll(&certificate.name, &poll.node, poll.after, poll.wait).await?;
    Ok(axum::Json(answer).into_response())
}

/// The answer of GET `/jwks` (RFC 7517 5; TS 33.434 A.2), to be kept for `max_age_s`.
pub fn jwks_response(jwks: &Jwks, max_age_s: u32) -> Response {
    let body = jwks.to_value().to_string();
    let tag = format!("\"{}\"", jose::sha256_b64url(&body));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    for (name, value) in [(CACHE_CONTROL, format!("public, max-age={max_age_s}")), (ETAG, tag)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// The parameters of a poll.
#[derive(Debug, PartialEq, Eq)]
struct Poll {
    after: u64,
    wait: Duration,
    node: String,
}

impl Poll {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let wrong = |param: &str| {
            Refusal::input(
                Cause::InvalidQueryParam,
                vec![InvalidParam::new(param, "has an unacceptable value")],
            )
        };
        let (mut after, mut wait, mut node) = (None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let twice = match name.as_ref() {
                "after" => after.replace(value.parse().map_err(|_| wrong("after"))?).is_some(),
                "wait_s" => wait.replace(seconds(&value).ok_or_else(|| wrong("wait_s"))?).is_some(),
                "node" if value.len() <= NODE_MAX && value.bytes().all(|b| b.is_ascii_graphic()) => {
                    node.replace(value.into_owned()).is_some()
                }
                other => return Err(wrong(if other == "node" { "node" } else { "query" })),
            };
            if twice {
                return Err(wrong(&name));
            }
        }
        Ok(Self { after: after.unwrap_or(0), wait: wait.unwrap_or_default(), node: node.unwrap_or_default() })
    }
}

/// Takes any text as the query of a poll; never panics.
pub(super) fn read_any_query(query: &str) {
    let _ = Poll::parse(query);
}

/// Seconds with up to three decimals.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.len() > 3 {
        return None;
    }
    let ms = rest.parse::<u64>().ok()? * 10_u64.pow(3 - rest.len() as u32);
    Some((Duration::from_secs(whole.parse().ok()?) + Duration::from_millis(ms)).min(WAIT_MAX))
}

/// A client for feed and keys, with the function's own identity ([`crate::tls::client_config`]).
///
/// # Errors
/// The configuration is refused.
pub fn client(tls: ClientConfig) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
}

/// The feed of an issuer over TLS.
#[derive(Clone, Debug)]
pub struct HttpFeed {
    client: reqwest::Client,
    url: String,
    node: String,
}

impl HttpFeed {
    /// The feed at `url`, as `{sim_mtls}/revocations`; `node` is drawn anew by each process.
    pub fn new(client: reqwest::Client, url: impl Into<String>, node: impl Into<String>) -> Self {
        Self { client, url: url.into(), node: node.into() }
    }
}

#[async_trait]
impl RevocationFeed for HttpFeed {
    async fn poll(&self, after: u64, wait: Duration) -> Result<FeedAnswer, FeedError> {
        let url = format!("{}?after={after}&wait_s={:.3}&node={}", self.url, wait.as_secs_f64(), self.node);
        let body =
            fetch(&self.client, &url, wait + PATIENCE, ANSWER_MAX).await.ok_or(FeedError::Unreachable)?;
        strict_json::from_slice(&body.bytes, DEPTH).map_err(|_| FeedError::Refused)
    }
}

/// The key set of an issuer over TLS.
#[derive(Clone, Debug)]
pub struct HttpKeys {
    client: reqwest::Client,
    url: String,
}

impl HttpKeys {
    /// The key set at `url`.
    pub fn new(client: reqwest::Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }
}

#[async_trait]
impl KeySource for HttpKeys {
    async fn fetch(&self) -> Result<FetchedKeys, KeyError> {
        let body =
            fetch(&self.client, &self.url, KEYS_TIME, jose::MAX_JWKS).await.ok_or(KeyError::Unreachable)?;
        let jwks = Jwks::parse(&body.bytes).map_err(|_| KeyError::Refused)?;
        Ok(FetchedKeys { jwks, max_age: body.max_age.unwrap_or(KEYS_AGE) })
    }
}

struct Body {
    bytes: BytesMut,
    max_age: Option<Duration>,
}

/// A whole 200 answer within time and size, or nothing.
async fn fetch(client: &reqwest::Client, url: &str, time: Duration, most: usize) -> Option<Body> {
    let whole = async {
        let mut response = client.get(url).send().await.ok()?;
        if response.status() != http::StatusCode::OK {
            return None;
        }
        let max_age = response.headers().get(CACHE_CONTROL).and_then(max_age);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            if bytes.len() + chunk.len() > most {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        Some(Body { bytes, max_age })
    };
    tokio::time::timeout(time, whole).await.ok().flatten()
}

fn max_age(value: &HeaderValue) -> Option<Duration> {
    let directives = value.to_str().ok()?.split(',');
    let seconds = directives.filter_map(|directive| directive.trim().strip_prefix("max-age=")).next()?;
    Some(Duration::from_secs(u64::from(seconds.trim_matches('"').parse::<u32>().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_has_each_parameter_once() {
        let poll = Poll::parse("after=7&wait_s=0.25&node=n1").unwrap();
        assert_eq!(poll, Poll { after: 7, wait: Duration::from_millis(250), node: "n1".to_owned() });
        assert_eq!(Poll::parse("").unwrap(), Poll { after: 0, wait: Duration::ZERO, node: String::new() });
        assert_eq!(Poll::parse("wait_s=999").unwrap().wait, WAIT_MAX);
        for wrong in [
            "after=-1",
            "after=x",
            "after=1&after=1",
            "wait_s=1e3",
            "wait_s=-1",
            "wait_s=0.0001",
            "wait_s=.",
            "wait_s=NaN",
            "node=a%00b",
            "other=1",
            "after=99999999999999999999",
        ] {
            assert!(Poll::parse(wrong).is_err(), "{wrong}");
        }
        let long = format!("node={}", "x".repeat(NODE_MAX + 1));
        assert!(Poll::parse(&long).is_err());
    }

    #[test]
    fn max_age_is_read() {
        let read = |text: &'static str| max_age(&HeaderValue::from_static(text));
        assert_eq!(read("public, max-age=60"), Some(Duration::from_secs(60)));
        assert_eq!(read("no-store"), None);
        assert_eq!(read("max-age=-1"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes: Vec<u8>, text: String) {
            super::super::fuzz::fuzz_feed_answer(&bytes);
            let _ = Poll::parse(&text);
        }
    }
}
