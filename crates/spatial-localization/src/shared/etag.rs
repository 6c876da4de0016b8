//! Entity tags and conditional requests (RFC 9110 8.8.3, 13.1).
//!
//! A tag is made of the bytes that this caller is shown, so that it never tells of an edit that is hidden from it.

use authorization::Reason;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use service_http::refusal::Refusal;

/// The strong entity tag of a representation.
pub fn strong(representation: &[u8]) -> String {
    let hash = digest(&SHA256, representation);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..18]))
}

/// Refuses a request whose `If-Match` names none of the current tags.
///
/// # Errors
/// `STALE_VERSION` (412).
pub fn check_if_match(headers: &HeaderMap, current: &[&str]) -> Result<(), Refusal> {
    match tags(headers, &IF_MATCH) {
        Some(tags) if !tags.iter().any(|tag| tag == "*" || current.contains(&tag.as_str())) => {
            Err(Refusal::open(Reason::StaleVersion))
        }
        _ => Ok(()),
    }
}

/// Whether `If-None-Match` names the current tag, so that 304 answers (weak comparison).
pub fn is_not_modified(headers: &HeaderMap, current: &str) -> bool {
    tags(headers, &IF_NONE_MATCH)
        .is_some_and(|tags| tags.iter().any(|tag| tag == "*" || tag.trim_start_matches("W/") == current))
}

/// The tags of a header; `None` without it. What is no text is a tag that matches nothing.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let texts = values.map(|value| value.to_str().unwrap_or_default());
    Some(texts.flat_map(|text| text.split(',')).map(|tag| tag.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn conditions_compare_as_rfc_9110_says() {
        let now = strong(b"body");
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, String, bool, bool); 6] = [
            ("the tag", now.clone(), true, true), ("any", "*".into(), true, true),
            ("in a list", format!("\"x\", {now}"), true, true), ("another", strong(b"other"), false, false),
            ("weak never matches strongly", format!("W/{now}"), false, true), ("garbage", "x".into(), false, false),
        ];
        for (what, value, matches, not_modified) in rows {
            assert_eq!(check_if_match(&with(IF_MATCH, &value), &[&now]).is_ok(), matches, "{what}");
            assert_eq!(is_not_modified(&with(IF_NONE_MATCH, &value), &now), not_modified, "{what}");
        }
        assert!(
            check_if_match(&HeaderMap::new(), &[&now]).is_ok() && !is_not_modified(&HeaderMap::new(), &now)
        );
    }
}
