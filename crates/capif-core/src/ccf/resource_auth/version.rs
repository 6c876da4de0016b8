//! The version of a resource as an entity tag (RFC 9110 8.8.3): its `policyVersion`, which only grows.

use authorization::Reason;
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue};
use service_http::refusal::Refusal;

/// The tag of a version.
pub(super) fn tag(version: u64) -> (http::HeaderName, HeaderValue) {
    // Quotes and digits are a header value.
    (ETAG, HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\"")))
}

/// The versions that `If-Match` lets a change begin from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is none.
    None,
    /// Whatever is there.
    Any,
    /// One of these.
    Of(Vec<u64>),
}

impl Condition {
    /// Reads `If-Match`: what is no tag of ours names no version.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(IF_MATCH).iter().peekable();
        if lines.peek().is_none() {
            return Self::None;
        }
        let text: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("?")).collect();
        let all = text.join(",");
        let mut tags = all.split(',').map(str::trim);
        if all.trim() == "*" {
            return Self::Any;
        }
        let version = |tag: &str| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
        Self::Of(tags.by_ref().filter_map(version).collect())
    }

    /// Decides whether a change may begin from what is there.
    ///
    /// # Errors
    /// `STALE_VERSION`.
    pub(super) fn check(&self, there: Option<u64>) -> Result<(), Refusal> {
        let holds = match (self, there) {
            (Self::None, _) | (Self::Any, Some(_)) => true,
            (Self::Any, None) | (Self::Of(_), None) => false,
            (Self::Of(versions), Some(there)) => versions.contains(&there),
        };
        if holds { Ok(()) } else { Err(Refusal::open(Reason::StaleVersion)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_begins_from_a_version_that_is_named() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[&str], Option<u64>, bool); 11] = [
            ("without a condition",    &[],                 Some(7), true),
            ("without, and nothing",   &[],                 None,    true),
            ("any",                    &["*"],              Some(7), true),
            ("any of nothing",         &["*"],              None,    false),
            ("this one",               &["\"7\""],          Some(7), true),
            ("one of two",             &["\"6\", \"7\""],   Some(7), true),
            ("one of two lines",       &["\"6\"", "\"7\""], Some(7), true),
            ("another",                &["\"6\""],          Some(7), false),
            ("of nothing",             &["\"7\""],          None,    false),
            ("weak",                   &["W/\"7\""],        Some(7), false),
            ("no tag",                 &["7"],              Some(7), false),
        ];
        for (what, lines, there, holds) in rows {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_MATCH, line.parse().unwrap());
            }
            assert_eq!(Condition::of(&headers).check(there).is_ok(), holds, "{what}");
        }
    }
}
