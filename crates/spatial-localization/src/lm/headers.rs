//! Which header fields pass the facade.

use http::header::{
    ACCEPT, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, LINK, LOCATION, RANGE, RETRY_AFTER,
};
use http::{HeaderMap, HeaderName};

/// RFC 9530.
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The user that discovery is asked for (contract, section 7).
const UE_ID: HeaderName = HeaderName::from_static("ue-id");

/// What a request says about itself. Credentials do not pass: the facade has its own.
const REQUEST: [HeaderName; 11] = [
    ACCEPT,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_RANGE,
    RANGE,
    REPR_DIGEST,
    UE_ID,
];

/// What an answer says about itself.
const ANSWER: [HeaderName; 12] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_DISPOSITION,
    ACCEPT_RANGES,
    CACHE_CONTROL,
    ETAG,
    LINK,
    LOCATION,
    REPR_DIGEST,
    RETRY_AFTER,
    CONTENT_ENCODING,
];

/// The fields of a request that pass.
pub(super) fn of_request(headers: &HeaderMap) -> HeaderMap {
    some(headers, &REQUEST)
}

/// The fields of an answer that pass.
pub(super) fn of_answer(headers: &HeaderMap) -> HeaderMap {
    some(headers, &ANSWER)
}

fn some(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut some = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            some.append(name, value.clone());
        }
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_what_belongs_to_a_connection_stay() {
        let mut headers = HeaderMap::new();
        let names = [
            "authorization",
            "dpop",
            "cookie",
            "traceparent",
            "x-3gpp-asserted-identity",
            "x-forwarded-for",
            "host",
            "connection",
            "transfer-encoding",
            "te",
            "upgrade",
            "www-authenticate",
            "set-cookie",
            "server",
        ];
        for name in names {
            headers.append(HeaderName::from_static(name), "x".parse().unwrap());
        }
        assert!(of_request(&headers).is_empty() && of_answer(&headers).is_empty());
        headers.append("if-match", "\"1\"".parse().unwrap());
        headers.append("ue-id", "a".parse().unwrap());
        headers.append("ue-id", "b".parse().unwrap());
        assert_eq!(of_request(&headers).len(), 3, "two of a kind pass as two");
        assert!(of_answer(&headers).is_empty());
    }
}
