//! What every request must look like, before any route is sought.
//!
//! hyper has refused malformed messages; this refuses well-formed ones that two readers could
//! understand differently.

use api_types::problem::Cause;
use authorization::Reason;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version};

use crate::refusal::Refusal;

/// The methods that some route may take.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// Why a request is refused before any route is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// No host, several, or the target names another one.
    Host,
    /// The target is no absolute path of ordinary segments.
    Target,
    /// The target is too long.
    TargetTooLong,
    /// TRACE, CONNECT and other methods that no route takes.
    Method,
    /// HTTP/0.9 or HTTP/1.0, or a body framed in two ways.
    Framing,
}

impl IntoResponse for RequestFault {
    fn into_response(self) -> Response {
        let refusal = match self {
            Self::Host | Self::Target | Self::Framing => Refusal::open(Reason::BodyMalformed),
            Self::TargetTooLong => Refusal::open(Reason::TooLarge).answered(414, Cause::TooLarge),
            Self::Method => Refusal::open(Reason::MethodWrong),
        };
        let mut response = refusal.into_response();
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            let allow = HeaderValue::from_static(METHODS);
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}

/// Checks a request head.
///
/// # Errors
///
/// The first fault found.
pub fn check(parts: &Parts, target_bytes: usize) -> Result<(), RequestFault> {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if !known.contains(&parts.method) {
        return Err(RequestFault::Method);
    }
    if parts.version < Version::HTTP_11 {
        return Err(RequestFault::Framing);
    }
    let lengths = parts.headers.get_all(CONTENT_LENGTH).iter().count();
    if lengths > 1 || (lengths == 1 && parts.headers.contains_key(TRANSFER_ENCODING)) {
        return Err(RequestFault::Framing);
    }
    if !is_one_host(parts) {
        return Err(RequestFault::Host);
    }
    let target = parts.uri.path_and_query();
    if target.map_or(0, |t| t.as_str().len()) > target_bytes {
        return Err(RequestFault::TargetTooLong);
    }
    if is_plain_path(parts.uri.path()) { Ok(()) } else { Err(RequestFault::Target) }
}

/// Exactly one host is named, and the same in the target (absolute form, `:authority`) and in
/// `Host` (RFC 9112 3.2, RFC 9113 8.3.1). The target's scheme can only be `https`.
fn is_one_host(parts: &Parts) -> bool {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return false;
    }
    if parts.uri.scheme_str().is_some_and(|scheme| scheme != "https") {
        return false;
    }
    let host = host.map(|value| value.to_str().unwrap_or(""));
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let Some(name) = host.or(authority) else {
        return false;
    };
    // User information, a path or a list in `Host` is an attempt at another reader.
    let well_formed = name.parse::<http::uri::Authority>().is_ok() && !name.contains('@');
    let same = authority.is_none_or(|authority| authority.eq_ignore_ascii_case(name));
    well_formed && same && (parts.version >= Version::HTTP_2 || host.is_some())
}

/// An absolute path whose segments mean the same before and after decoding: no `.`, `..`, empty
/// segment in the middle, encoded slash, backslash or control character; valid UTF-8.
fn is_plain_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false; // asterisk form
    };
    let segments: Vec<&str> = rest.split('/').collect();
    let last = segments.len() - 1;
    segments.iter().enumerate().all(|(index, segment)| {
        let empty_is_fine = index == last;
        (!segment.is_empty() || empty_is_fine) && is_plain_segment(segment)
    })
}

fn is_plain_segment(segment: &str) -> bool {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let digits = (bytes.next().and_then(digit), bytes.next().and_then(digit));
            let (Some(high), Some(low)) = digits else {
                return false;
            };
            high << 4 | low
        } else {
            byte
        };
        if byte < 0x20 || byte == 0x7f || byte == b'/' || byte == b'\\' {
            return false;
        }
        decoded.push(byte);
    }
    decoded != b"." && decoded != b".." && std::str::from_utf8(&decoded).is_ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Entry points for fuzzing.
pub mod fuzz {
    /// Judges a path of arbitrary bytes; never panics.
    pub fn fuzz_request_path(bytes: &[u8]) {
        if let Ok(path) = std::str::from_utf8(bytes) {
            let _ = super::is_plain_path(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(build: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Parts {
        let request = build(Request::builder().uri("/a").version(Version::HTTP_11));
        request.body(()).expect("request").into_parts().0
    }

    #[test]
    fn one_spoiled_thing_is_refused_for_its_own_fault() {
        let good = parts(|r| r.header(HOST, "localhost:8446"));
        assert_eq!(check(&good, 100), Ok(()));
        let h2 = parts(|r| r.version(Version::HTTP_2).uri("https://localhost:8446/a"));
        assert_eq!(check(&h2, 100), Ok(()), "HTTP/2 needs no Host");
        let absolute = parts(|r| r.uri("https://LOCALHOST:8446/a").header(HOST, "localhost:8446"));
        assert_eq!(check(&absolute, 100), Ok(()));

        type Build = fn(http::request::Builder) -> http::request::Builder;
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Build, RequestFault); 15] = [
            ("no host",             |r| r, RequestFault::Host),
            ("two hosts",           |r| r.header(HOST, "localhost").header(HOST, "localhost"), RequestFault::Host),
            ("a list of hosts",     |r| r.header(HOST, "a, b"), RequestFault::Host),
            ("an empty host",       |r| r.header(HOST, ""), RequestFault::Host),
            ("user information",    |r| r.header(HOST, "a@localhost"), RequestFault::Host),
            ("another authority",   |r| r.uri("https://b/a").header(HOST, "localhost"), RequestFault::Host),
            ("absolute form alone", |r| r.uri("https://localhost/a"), RequestFault::Host),
            ("scheme http",         |r| r.uri("http://localhost/a").header(HOST, "localhost"), RequestFault::Host),
            ("another :authority",  |r| r.version(Version::HTTP_2).uri("https://b/a").header(HOST, "localhost"), RequestFault::Host),
            ("TRACE",               |r| r.method("TRACE").header(HOST, "localhost"), RequestFault::Method),
            ("CONNECT",             |r| r.method("CONNECT").uri("localhost:1").header(HOST, "localhost"), RequestFault::Method),
            ("an unknown method",   |r| r.method("PURGE").header(HOST, "localhost"), RequestFault::Method),
            ("HTTP/1.0",            |r| r.version(Version::HTTP_10).header(HOST, "localhost"), RequestFault::Framing),
            ("two framings",        |r| r.header(HOST, "localhost").header(CONTENT_LENGTH, "1").header(TRANSFER_ENCODING, "chunked"), RequestFault::Framing),
            ("asterisk form",       |r| r.method("OPTIONS").uri("*").header(HOST, "localhost"), RequestFault::Target),
        ];
        for (what, build, fault) in rows {
            assert_eq!(check(&parts(build), 100), Err(fault), "{what}");
        }
        let long = |n: usize| {
            let target = format!("/{}", "x".repeat(n - 1));
            parts(|r| r.uri(target).header(HOST, "localhost"))
        };
        assert_eq!(check(&long(100), 100), Ok(()));
        assert_eq!(check(&long(101), 100), Err(RequestFault::TargetTooLong));
    }

    #[test]
    fn paths_mean_one_thing() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("/", true), ("/a/b", true), ("/a/", true), ("/a/msisdn-1%40x", true), ("/a/%C3%A4", true), ("/.well-known/x", true),
            ("/a//b", false), ("//a", false), ("/a/../b", false), ("/a/.", false), ("/a/%2e%2E/b", false), ("/a/%2e", false),
            ("/a%2fb", false), ("/a%5Cb", false), ("/a%00", false), ("/a%0ab", false), ("/a%7F", false), ("/a%", false),
            ("/a%4", false), ("/a%zz", false), ("/a%ff", false), ("a", false), ("", false), ("*", false),
        ];
        for (path, plain) in rows {
            assert_eq!(is_plain_path(path), plain, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_check_panic(bytes: Vec<u8>) {
            fuzz::fuzz_request_path(&bytes);
        }
    }
}
