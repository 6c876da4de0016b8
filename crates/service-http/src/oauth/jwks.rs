//! The key set of an issuer (RFC 7517 5).

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::keys::KeyRing;

/// The answer of `GET /jwks`, to be kept for `max_age_s` seconds; 304 to whoever has it.
pub fn answer(ring: &KeyRing, now_s: i64, max_age_s: i64, headers: &HeaderMap) -> Response {
    let body = ring.jwks(now_s).to_string();
    let etag = format!("\"{}\"", jose::sha256_b64url(&body));
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged =
        known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag || tag.trim() == "*"));
    let mut response =
        if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    let age = format!("public, max-age={max_age_s}");
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    if let (Ok(etag), Ok(age)) = (HeaderValue::try_from(etag), HeaderValue::try_from(age)) {
        out.insert(ETAG, etag);
        out.insert(CACHE_CONTROL, age);
    }
    response
}
