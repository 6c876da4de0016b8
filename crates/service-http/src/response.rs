//! What every response of ours carries, whoever made it: `traceparent`, the security headers, and
//! a problem as its body when it is an error.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use api_types::Function;
use api_types::ids::TraceId;
use api_types::problem::Cause;
use authorization::Reason;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY};
use http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::ambient::Ambient;
use crate::call::Ctx;
use crate::edge::{self, EdgeLimits};
use crate::kit::FunctionKit;
use crate::metrics;
use crate::peer::{CertRole, Peer};
use crate::problem;
use crate::record;
use crate::refusal::{Refusal, RefusalRecord};
use crate::routes::MatchedRoute;

/// Header of W3C Trace Context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Set unless the handler set the header itself (login pages have a policy of their own).
const DEFAULTS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Set always.
const ALWAYS: [(HeaderName, &str); 2] =
    [(STRICT_TRANSPORT_SECURITY, "max-age=31536000"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// The trace of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace that the request belongs to.
    pub trace: TraceId,
    /// The part of it that this function performs: 16 hex digits.
    pub span: String,
    /// The trace that a peer outside the trust domain named: a link, never the trace itself.
    pub link: Option<TraceId>,
}

impl TraceContext {
    /// The context of a request with these headers.
    ///
    /// A function of ours carries its trace on. From anybody else `traceparent` is only a link:
    /// a new trace begins (design, section 2).
    pub fn begin(headers: &HeaderMap, peer: Option<&Peer>, ambient: &Ambient) -> Self {
        let named = traceparent_of(headers);
        let ours = peer.is_some_and(|p| p.certificate_as(&[CertRole::Function]).is_some());
        match named {
            Some(trace) if ours => Self { trace, span: ambient.span_id(), link: None },
            link => Self { link, ..Self::fresh(ambient) },
        }
    }

    /// A new trace, of work that no request began.
    pub fn fresh(ambient: &Ambient) -> Self {
        // 32 hex digits are always an identifier; drawn again, should that ever change.
        loop {
            if let Ok(trace) = TraceId::try_from(ambient.trace_id()) {
                return Self { trace, span: ambient.span_id(), link: None };
            }
        }
    }

    /// The value of `traceparent`, sampled.
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("00-{}-{}-01", self.trace, self.span)).ok()
    }
}

/// The trace id in exactly one well-formed `traceparent` of version 00.
fn traceparent_of(headers: &HeaderMap) -> Option<TraceId> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    parse_traceparent(value)
}

fn parse_traceparent(value: &str) -> Option<TraceId> {
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (span, flags) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text: &str, len: usize| is_hex(text, len) && text.bytes().any(|b| b != b'0');
    let whole = parts.next().is_none() && version == "00" && is_hex(flags, 2);
    (whole && is_id(trace, 32) && is_id(span, 16)).then(|| TraceId::try_from(trace).ok()).flatten()
}

#[derive(Clone)]
struct Finish {
    ambient: Ambient,
    function: Function,
    /// Keeps what remains of a request; absent where a router stands alone.
    kit: Option<FunctionKit>,
}

/// The outermost layer of a function: checks the request head, begins the trace, catches panics,
/// turns every bare error into a problem, sets the headers, counts.
///
/// Adds the fallback for unknown paths: `router` must have none. Layers that a function adds
/// before are inside of this one.
pub fn finish(router: Router, function: Function, ambient: Ambient) -> Router {
    around_all(router, Finish { ambient, function, kit: None })
}

/// As [`finish`], with the context of each request and a record of what was answered ([`record`]).
///
/// One layer does it all: each one more would allocate for every request.
pub(crate) fn finish_recorded(router: Router, kit: &FunctionKit) -> Router {
    let finish = Finish { ambient: kit.ambient.clone(), function: kit.function, kit: Some(kit.clone()) };
    around_all(router, finish)
}

fn around_all(router: Router, finish: Finish) -> Router {
    router.fallback(unknown_path).layer(from_fn_with_state(finish, around))
}

/// Answers a path that no route has.
pub async fn unknown_path() -> Refusal {
    Refusal::open(Reason::RouteUnknown)
}

async fn around(State(finish): State<Finish>, request: Request, next: Next) -> Response {
    let began = finish.ambient.monotonic();
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>();
    let trace = TraceContext::begin(&parts.headers, peer, &finish.ambient);
    let recorded = finish.kit.as_ref().map(|kit| (kit, peer.cloned()));
    let mut ctx = None;
    let target_bytes = match parts.extensions.get::<Arc<EdgeLimits>>() {
        Some(limits) => limits.target_bytes,
        None => EdgeLimits::default().target_bytes,
    };
    let mut response = match edge::request::check(&parts, target_bytes) {
        Err(fault) => fault.into_response(),
        Ok(()) => {
            ctx = recorded.as_ref().map(|(kit, peer)| Ctx::new((*kit).clone(), trace.clone(), peer.clone()));
            if let Some(ctx) = &ctx {
                parts.extensions.insert(ctx.clone());
            }
            caught(next.run(Request::from_parts(parts, body))).await
        }
    };
    let status = response.status();
    if is_bare_error(&response) {
        response = as_problem(response);
    }
    let headers = response.headers_mut();
    headers.reserve(DEFAULTS.len() + ALWAYS.len() + 1);
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(value) = trace.header() {
        headers.insert(TRACEPARENT, value);
    }
    if let Some((kit, peer)) = recorded {
        record::keep(kit, ctx, peer, trace.trace.clone(), began, &response);
    }
    let route = response.extensions().get::<MatchedRoute>();
    let operation = route.map_or("unrouted", |route| route.0.operation);
    let took = finish.ambient.monotonic().saturating_sub(began);
    metrics::request(finish.function.as_str(), operation, status.as_u16(), took);
    tracing::debug!(
        function = finish.function.as_str(),
        operation,
        status = status.as_u16(),
        trace = trace.trace.as_str(),
        "request answered"
    );
    response
}

/// The response, or a 500 when the handler panics. The panic's text stays here.
pub async fn caught(answer: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a handler panicked");
            Refusal::open(Reason::StoreFailed).answered(500, Cause::SystemFailure).into_response()
        }
    }
}

/// Whether an error has no body of ours: a rejection of a framework extractor, say, whose text
/// would show what is inside.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return false;
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    content_type.is_none_or(|t| t.starts_with("text/plain") || t.starts_with("application/octet"))
}

fn as_problem(bare: Response) -> Response {
    let status = bare.status();
    let (status, cause) = match status {
        StatusCode::UNAUTHORIZED => (status, Cause::InvalidToken),
        StatusCode::FORBIDDEN => (status, Cause::UnauthorizedOperation),
        StatusCode::NOT_FOUND => (status, Cause::ResourceNotFound),
        StatusCode::PRECONDITION_FAILED => (status, Cause::PreconditionFailed),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => (status, Cause::TooLarge),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (status, Cause::UnsupportedMediaType),
        StatusCode::TOO_MANY_REQUESTS => (status, Cause::TooManyRequests),
        StatusCode::SERVICE_UNAVAILABLE => (status, Cause::Overloaded),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::REQUEST_TIMEOUT => (status, Cause::InvalidMsgFormat),
        other if other.is_server_error() => (StatusCode::INTERNAL_SERVER_ERROR, Cause::SystemFailure),
        _ => (StatusCode::BAD_REQUEST, Cause::InvalidMsgFormat),
    };
    let mut problem = problem::of(status, cause);
    let (parts, _) = bare.into_parts();
    for (name, value) in &parts.headers {
        if *name != CONTENT_TYPE && *name != http::header::CONTENT_LENGTH {
            problem.headers_mut().append(name.clone(), value.clone());
        }
    }
    *problem.extensions_mut() = parts.extensions;
    problem
}

/// The record of a refusal in a response, if it is one.
pub fn refusal_of(response: &Response) -> Option<&RefusalRecord> {
    response.extensions().get()
}

/// Entry points for fuzzing.
pub mod fuzz {
    use http::{HeaderMap, HeaderValue};

    /// Takes each line as one `traceparent`; never panics, and reads nothing where there are two.
    pub fn fuzz_traceparent(bytes: &[u8]) {
        let mut headers = HeaderMap::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Ok(value) = HeaderValue::from_bytes(line) {
                headers.append(super::TRACEPARENT, value);
            }
        }
        let read = super::traceparent_of(&headers);
        assert!(read.is_none() || headers.len() == 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use http::header::HOST;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    async fn ask(router: Router, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let router = finish(router, Function::San, ambient);
        let request = Request::builder().uri(path).header(HOST, "localhost");
        let request = request.body(Body::empty()).expect("request");
        let response = router.oneshot(request).await.expect("response");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("body").to_bytes().to_vec();
        (parts.status, parts.headers, body)
    }

    #[tokio::test]
    async fn every_response_carries_the_headers() {
        let router = || Router::new().route("/page", get(|| async { ([(CACHE_CONTROL, "max-age=5")], "x") }));
        for path in ["/page", "/absent", "/a/../b"] {
            let (_, headers, _) = ask(router(), path).await;
            assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
            assert_eq!(headers[REFERRER_POLICY], "no-referrer", "{path}");
            assert!(headers.contains_key(STRICT_TRANSPORT_SECURITY), "{path}");
            let trace = headers[TRACEPARENT].to_str().expect("text");
            assert!(parse_traceparent(trace).is_some(), "{trace}");
        }
        let (_, headers, _) = ask(router(), "/page").await;
        assert_eq!(headers[CACHE_CONTROL], "max-age=5", "the handler's own word");
        let (_, headers, _) = ask(router(), "/absent").await;
        assert_eq!(headers[CACHE_CONTROL], "no-store");
    }

    #[tokio::test]
    async fn no_error_leaves_without_a_problem() {
        async fn panics() -> &'static str {
            panic!("planted /srv/secret.pem")
        }
        let router = Router::new()
            .route("/panics", get(panics))
            .route("/text", get(|| async { (StatusCode::UNPROCESSABLE_ENTITY, "inner text") }))
            .route("/empty", get(|| async { StatusCode::BAD_GATEWAY }))
            .route("/teapot", get(|| async { StatusCode::IM_A_TEAPOT }));
        let rows = [
            ("/panics", 500, "SYSTEM_FAILURE"),
            ("/text", 400, "INVALID_MSG_FORMAT"),
            ("/empty", 500, "SYSTEM_FAILURE"),
            ("/teapot", 400, "INVALID_MSG_FORMAT"),
            ("/absent", 404, "RESOURCE_NOT_FOUND"),
        ];
        for (path, status, cause) in rows {
            let (got, headers, body) = ask(router.clone(), path).await;
            assert_eq!(got.as_u16(), status, "{path}");
            assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{path}");
            let body = String::from_utf8(body).expect("text");
            assert!(body.contains(cause), "{path}: {body}");
            assert!(!body.contains("planted") && !body.contains("inner text"), "{path}: {body}");
        }
    }

    #[test]
    fn an_outside_traceparent_is_only_a_link() {
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let theirs = "4bf92f3577b34da6a3ce929d0e0e4736";
        let mut headers = HeaderMap::new();
        let value = format!("00-{theirs}-00f067aa0ba902b7-01");
        headers.insert(TRACEPARENT, value.parse().expect("value"));
        let peer = |role| Peer {
            addr: ([127, 0, 0, 1], 1).into(),
            certificate: Some(Arc::new(crate::peer::PeerCertificate {
                der: bytes::Bytes::new(),
                x5t_s256: String::new(),
                role,
                name: "san".into(),
            })),
        };
        for role in CertRole::ALL {
            let context = TraceContext::begin(&headers, Some(&peer(*role)), &ambient);
            let carried_on = *role == CertRole::Function;
            assert_eq!(context.trace.as_str() == theirs, carried_on, "{role}");
            assert_eq!(context.link.is_some(), !carried_on, "{role}");
        }
        let context = TraceContext::begin(&headers, None, &ambient);
        assert_eq!(context.link.as_ref().map(TraceId::as_str), Some(theirs));
        headers.append(TRACEPARENT, value.parse().expect("value"));
        assert_eq!(TraceContext::begin(&headers, None, &ambient).link, None, "twice is never");
    }

    #[test]
    fn only_a_well_formed_traceparent_is_read() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(parse_traceparent(good).is_some());
        for bad in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        ] {
            assert!(parse_traceparent(bad).is_none(), "{bad}");
            fuzz::fuzz_traceparent(bad.as_bytes());
            fuzz::fuzz_traceparent(format!("{good}\n{bad}").as_bytes());
        }
    }
}
