//! A JSON body that was read strictly and is valid.

use api_types::problem::Cause;
use api_types::strict_json;
use api_types::validate::Validate;
use authorization::Reason;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::body::{self, BodyFault};
use crate::refusal::Refusal;
use crate::routes::{BODY_LIMIT, MatchedRoute};

/// Deepest nesting of a body. Own value: a GeoJSON polygon in a message needs 10.
pub const DEPTH_MAX: usize = 32;

/// The body of a request as `T`: media type, size, strict JSON, then `T::validate`.
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

/// As [`JsonBody`], of a merge patch (RFC 7396).
#[derive(Clone, Debug)]
pub struct MergePatchBody<T>(pub T);

/// As [`JsonBody`], when there may be no body at all.
#[derive(Clone, Debug)]
pub struct OptionalJsonBody<T>(pub Option<T>);

impl<S: Sync, T: DeserializeOwned + Validate> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (bytes, headers) = read(request).await?;
        check_type(&headers, &["application/json"])?;
        parse(&bytes).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned + Validate> FromRequest<S> for MergePatchBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (bytes, headers) = read(request).await?;
        check_type(&headers, &["application/merge-patch+json"])?;
        parse(&bytes).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned + Validate> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (bytes, headers) = read(request).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        check_type(&headers, &["application/json"])?;
        parse(&bytes).map(|body| Self(Some(body)))
    }
}

/// All bytes of a body within the limit of its route, and the headers.
///
/// # Errors
///
/// 413, 408, or 415 for a body that is encoded.
pub async fn read(request: Request) -> Result<(Bytes, HeaderMap), Refusal> {
    let (parts, body): (_, Body) = request.into_parts();
    let route = parts.extensions.get::<MatchedRoute>();
    let limit = route.map_or(BODY_LIMIT, |route| route.0.body_limit);
    // A compressed body could be a bomb; nobody needs one here.
    if parts.headers.contains_key(CONTENT_ENCODING) {
        return Err(unsupported());
    }
    body::check_announced(&parts.headers, limit)?;
    let bytes = body::collect(body, limit).await.map_err(BodyFault::into_refusal)?;
    Ok((bytes, parts.headers))
}

/// Refuses a media type that is none of `types`. Parameters are ignored, but for a `charset`
/// other than UTF-8.
///
/// # Errors
///
/// 415.
pub fn check_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Refusal> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next().and_then(|value| value.to_str().ok());
    let (Some(value), None) = (value, values.next()) else {
        return Err(unsupported());
    };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = types.iter().any(|known| essence.eq_ignore_ascii_case(known));
    let foreign_charset = parts.any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, charset)| {
            name.eq_ignore_ascii_case("charset") && !charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    });
    if known && !foreign_charset { Ok(()) } else { Err(unsupported()) }
}

/// Strict JSON as a valid `T`.
///
/// # Errors
///
/// 400 with the members at fault, never their values.
pub fn parse<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T, Refusal> {
    let body: T = strict_json::from_slice(bytes, DEPTH_MAX).map_err(|error| {
        let mut refusal = Refusal::input(error.cause(), error.invalid());
        if error.cause() == Cause::InvalidMsgFormat {
            refusal.reason = Reason::BodyMalformed;
        }
        refusal
    })?;
    match body.validate("") {
        Ok(()) => Ok(body),
        Err(invalid) => {
            let missing = api_types::validate::MISSING;
            let all_missing = invalid.iter().all(|p| p.reason.as_deref() == Some(missing));
            let cause = if all_missing { Cause::MandatoryIeMissing } else { Cause::MandatoryIeIncorrect };
            Err(Refusal::input(cause, invalid))
        }
    }
}

fn unsupported() -> Refusal {
    Refusal::open(Reason::MediaTypeWrong)
}

impl BodyFault {
    fn into_refusal(self) -> Refusal {
        self.into()
    }
}

/// Entry points for fuzzing.
pub mod fuzz {
    use http::header::CONTENT_TYPE;
    use http::{HeaderMap, HeaderValue};

    /// Takes any bytes as `Content-Type`; never panics.
    pub fn fuzz_media_type(bytes: &[u8]) {
        let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, value)]);
        let _ = super::check_type(&headers, &["application/json", "application/merge-patch+json"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api_types::problem::InvalidParam;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Thing {
        count: u32,
    }

    impl Validate for Thing {
        fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
            if self.count <= 10 {
                return Ok(());
            }
            Err(vec![InvalidParam::new(format!("{at}/count"), "is at most 10")])
        }
    }

    async fn extract(content_type: &str, body: Vec<u8>) -> Result<Thing, (u16, Cause)> {
        let request = Request::builder().header(CONTENT_TYPE, content_type);
        let request = request.body(Body::from(body)).expect("request");
        let got = JsonBody::<Thing>::from_request(request, &()).await;
        got.map(|JsonBody(thing)| thing).map_err(|refusal| {
            let told = format!("{:?}", refusal.invalid);
            assert!(!told.contains("4711"), "a value is echoed: {told}");
            refusal.on_the_wire()
        })
    }

    #[tokio::test]
    async fn one_spoiled_thing_is_refused_for_its_own_cause() {
        let json = "application/json";
        assert_eq!(extract(json, br#"{"count":10}"#.to_vec()).await, Ok(Thing { count: 10 }));
        assert!(extract("Application/JSON; charset=utf-8", br#"{"count":1}"#.to_vec()).await.is_ok());
        let deep = [vec![b'['; 40], vec![b']'; 40]].concat();
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, Vec<u8>, u16); 10] = [
            ("text",             "text/plain", br#"{"count":1}"#.to_vec(), 415),
            ("a form",           "application/x-www-form-urlencoded", b"count=1".to_vec(), 415),
            ("a charset",        "application/json; charset=utf-16", br#"{"count":1}"#.to_vec(), 415),
            ("no JSON",          json, b"count".to_vec(), 400),
            ("a member twice",   json, br#"{"count":1,"count":2}"#.to_vec(), 400),
            ("trailing bytes",   json, br#"{"count":1}x"#.to_vec(), 400),
            ("a member missing", json, b"{}".to_vec(), 400),
            ("out of range",     json, br#"{"count":4711}"#.to_vec(), 400),
            ("too deep",         json, deep, 400),
            ("too large",        json, vec![b' '; BODY_LIMIT + 1], 413),
        ];
        for (what, content_type, body, status) in rows {
            let got = extract(content_type, body).await.map_err(|(status, _)| status);
            assert_eq!(got, Err(status), "{what}");
        }
        assert_eq!(extract(json, b"{}".to_vec()).await, Err((400, Cause::MandatoryIeMissing)));
    }

    #[tokio::test]
    async fn an_encoded_body_is_not_opened() {
        let request = Request::builder()
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_ENCODING, "gzip")
            .body(Body::from("{}"))
            .expect("request");
        let refusal = JsonBody::<Thing>::from_request(request, &()).await.expect_err("encoded");
        assert_eq!(refusal.on_the_wire(), (415, Cause::UnsupportedMediaType));
    }
}
