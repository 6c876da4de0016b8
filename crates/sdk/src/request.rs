//! Requests and answers, the same for all operations.

use api_types::oauth::TokenErrorBody;
use api_types::strict_json;
use api_types::{Cause, InvalidParam};
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::error::SdkError;

/// Largest answer that is read whole, in bytes, unless the request says otherwise. Own value.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Deepest nesting of an answer. Own value.
const MAX_DEPTH: usize = 64;

/// What a request carries.
#[derive(Debug, Default)]
pub(crate) enum Payload {
    #[default]
    Nothing,
    Bytes(Bytes),
    Stream(reqwest::Body),
}

/// A request.
#[derive(Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) max_answer: usize,
    pub(crate) fault: Option<SdkError>,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            payload: Payload::Nothing,
            max_answer: MAX_ANSWER,
            fault: None,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST.
    #[must_use]
    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// A PUT.
    #[must_use]
    pub fn put(url: Url) -> Self {
        Self::new(Method::PUT, url)
    }

    /// A PATCH.
    #[must_use]
    pub fn patch(url: Url) -> Self {
        Self::new(Method::PATCH, url)
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url)
    }

    /// Where it goes.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Adds a header field. A value that cannot be one fails the request when it is sent.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.append(HeaderName::from_static(name), value);
            }
            Err(_) => self.fault = Some(SdkError::Unusable("header value")),
        }
        self
    }

    /// Adds a header field if there is a value.
    #[must_use]
    pub fn opt_header(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// A JSON body under another media type.
    #[must_use]
    pub fn json_as(mut self, media_type: &'static str, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.payload = Payload::Bytes(bytes.into()),
            Err(_) => self.fault = Some(SdkError::Unusable("body")),
        }
        self.header("content-type", media_type)
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        self.json_as("application/json", body)
    }

    /// A form (application/x-www-form-urlencoded).
    #[must_use]
    pub fn form<'p>(mut self, pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.payload = Payload::Bytes(text.into());
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Raw bytes.
    #[must_use]
    pub fn bytes(mut self, media_type: &str, bytes: Bytes) -> Self {
        self.payload = Payload::Bytes(bytes);
        self.header("content-type", media_type)
    }

    /// A body that streams; such a request is never sent twice.
    #[must_use]
    pub fn stream(mut self, media_type: &str, body: reqwest::Body) -> Self {
        self.payload = Payload::Stream(body);
        self.header("content-type", media_type)
    }

    /// The header fields of another request.
    #[must_use]
    pub fn headers(mut self, fields: HeaderMap) -> Self {
        self.headers.extend(fields);
        self
    }

    /// A body that is handed on as it comes, under the media type that the header names; never sent twice.
    #[must_use]
    pub fn body<S, E>(mut self, chunks: S) -> Self
    where
        S: futures::TryStream<Ok = Bytes, Error = E> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.payload = Payload::Stream(reqwest::Body::wrap_stream(chunks));
        self
    }

    /// Method, address and body as they go out; the body of a stream is not known.
    pub(crate) fn sent(&self) -> (String, String, Bytes) {
        let body = match &self.payload {
            Payload::Bytes(bytes) => bytes.clone(),
            Payload::Nothing | Payload::Stream(_) => Bytes::new(),
        };
        (self.method.to_string(), self.url.to_string(), body)
    }

    /// Accepts an answer of up to `bytes`.
    #[must_use]
    pub fn accept_up_to(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// The same request once more; `None` where the body streams.
    pub(crate) fn again(&self) -> Option<Self> {
        let payload = match &self.payload {
            Payload::Nothing => Payload::Nothing,
            Payload::Bytes(bytes) => Payload::Bytes(bytes.clone()),
            Payload::Stream(_) => return None,
        };
        Some(Self {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            payload,
            max_answer: self.max_answer,
            fault: None,
        })
    }
}

/// An answer, read whole.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Body and header may hold tokens.
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("trace", &self.trace())
            .finish_non_exhaustive()
    }
}

/// The trace in a `traceparent` (W3C Trace Context 3.2.2).
pub(crate) fn trace_of(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let trace = text.split('-').nth(1)?;
    let good = trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| trace.to_owned())
}

impl Answer {
    /// A header field, if it is there once and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The trace of the decision.
    #[must_use]
    pub fn trace(&self) -> Option<String> {
        trace_of(&self.headers)
    }

    /// The answer if its status is one of `expected`, the refusal otherwise.
    ///
    /// # Errors
    /// [`SdkError::Problem`], [`SdkError::OAuth`] or [`SdkError::Unexpected`].
    pub fn expect(self, expected: &[u16]) -> Result<Self, SdkError> {
        if expected.contains(&self.status) { Ok(self) } else { Err(self.refusal()) }
    }

    /// The refusal that the answer is.
    #[must_use]
    pub fn refusal(&self) -> SdkError {
        let (status, trace) = (self.status, self.trace());
        if !(400..=599).contains(&status) {
            return SdkError::Unexpected { status, trace };
        }
        let body = strict_json::parse(&self.body, MAX_DEPTH).unwrap_or(Value::Null);
        if let Ok(refused) = serde_json::from_value::<TokenErrorBody>(body.clone()) {
            return SdkError::OAuth {
                status,
                error: refused.error,
                description: refused.error_description,
                trace,
            };
        }
        let cause = body.get("cause").and_then(Value::as_str);
        if cause.is_none() && body.get("title").is_none() {
            return SdkError::Unexpected { status, trace };
        }
        let cause = cause.and_then(|text| text.parse::<Cause>().ok());
        let invalid = body.get("invalidParams").cloned().unwrap_or_default();
        let invalid = serde_json::from_value::<Vec<InvalidParam>>(invalid).unwrap_or_default();
        SdkError::Problem { status, cause, trace, invalid }
    }

    /// The body as a `T`.
    ///
    /// # Errors
    /// It is none.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, SdkError> {
        strict_json::from_slice(&self.body, MAX_DEPTH).map_err(|_| SdkError::Malformed("body"))
    }

    /// The body as a `T` with what belongs to its version.
    ///
    /// # Errors
    /// The body is none.
    pub fn versioned<T: DeserializeOwned>(&self) -> Result<Versioned<T>, SdkError> {
        Ok(Versioned {
            value: self.json()?,
            etag: self.header("etag").map(str::to_owned),
            trace: self.trace(),
        })
    }

    /// The last segment of `Location`, which names what was created.
    ///
    /// # Errors
    /// There is none.
    pub fn created_id(&self) -> Result<String, SdkError> {
        let location = self.header("location").ok_or(SdkError::Malformed("no Location"))?;
        let path = location.split(['?', '#']).next().unwrap_or_default();
        let segment = path.rsplit('/').next().filter(|segment| !segment.is_empty());
        segment.map(str::to_owned).ok_or(SdkError::Malformed("Location"))
    }
}

/// A representation and its version.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    /// The representation.
    pub value: T,
    /// Its entity tag, for `If-Match`.
    pub etag: Option<String>,
    /// Trace of the decision.
    pub trace: Option<String>,
}

/// What was created.
#[derive(Debug, Clone)]
pub struct Created<I, T> {
    /// Its identifier.
    pub id: I,
    /// Its representation.
    pub value: T,
    /// Its entity tag.
    pub etag: Option<String>,
    /// Trace of the decision.
    pub trace: Option<String>,
}

/// `base` with path segments behind, each escaped.
pub(crate) fn at(base: &Url, segments: &[&str]) -> Result<Url, SdkError> {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    match url.path_segments_mut() {
        Ok(mut path) => path.pop_if_empty().extend(segments),
        Err(()) => return Err(SdkError::Unusable("address")),
    };
    Ok(url)
}

/// Reads an address that must be https.
pub(crate) fn https_url(text: &str) -> Result<Url, SdkError> {
    let url = Url::parse(text).map_err(|_| SdkError::Unusable("address"))?;
    if url.scheme() == "https" && url.has_host() {
        Ok(url)
    } else {
        Err(SdkError::Unusable("address is not https"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        headers.insert("traceparent", HeaderValue::from_static(trace));
        Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    #[test]
    fn a_refusal_keeps_its_cause_and_trace() {
        let body = r#"{"title":"x","status":404,"detail":"x","cause":"RESOURCE_NOT_FOUND","invalidParams":[{"param":"/a"}]}"#;
        let error = answer(404, body).expect(&[200]).unwrap_err();
        assert_eq!(error.status(), Some(404));
        assert_eq!(error.cause(), Some(Cause::ResourceNotFound));
        assert_eq!(error.trace(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert!(matches!(error, SdkError::Problem { invalid, .. } if invalid[0].param == "/a"));
    }

    #[test]
    fn each_kind_of_refusal_is_told_apart() {
        let foreign = answer(403, r#"{"title":"x","cause":"SOMETHING_ELSE"}"#).refusal();
        assert!(matches!(foreign, SdkError::Problem { cause: None, .. }));
        let oauth = answer(400, r#"{"error":"invalid_grant"}"#).refusal();
        assert!(matches!(oauth, SdkError::OAuth { ref error, .. } if error == "invalid_grant"));
        assert!(matches!(answer(502, "<html>").refusal(), SdkError::Unexpected { status: 502, .. }));
        assert!(matches!(answer(302, "").refusal(), SdkError::Unexpected { status: 302, .. }));
    }

    #[test]
    fn identifiers_are_escaped_in_paths() {
        let base = Url::parse("https://localhost:1/").unwrap();
        assert_eq!(at(&base, &["a", "b?c", "d e"]).unwrap().as_str(), "https://localhost:1/a/b%3Fc/d%20e");
        assert!(https_url("http://localhost").is_err());
    }

    #[test]
    fn the_new_identifier_stands_in_location() {
        let mut created = answer(201, "");
        assert!(created.created_id().is_err());
        created
            .headers
            .insert("location", HeaderValue::from_static("https://h/ssan-sanm/v1/anchors-lists/abc"));
        assert_eq!(created.created_id().unwrap(), "abc");
    }
}
