//! Reading a cookie (RFC 6265 5.4): once or not at all.

use http::HeaderMap;
use http::header::COOKIE;

/// Longest value that is read, in bytes. Own value.
const MAX_COOKIE: usize = 128;

/// The one value of a cookie, if the browser sent it once.
#[must_use]
pub fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value);
    match (ours.next(), ours.next()) {
        (Some(value), None) if !value.is_empty() && value.len() <= MAX_COOKIE => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_cookie_is_read_once_or_not_at_all() {
        let long = format!("__Host-a={}", "x".repeat(129));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("__Host-a=abc", Some("abc")), ("b=1; __Host-a=abc; c=2", Some("abc")), ("__Host-a=abc; __Host-a=def", None),
            ("a=abc", None), ("__Host-a=", None), (long.as_str(), None),
        ];
        for (line, value) in rows {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(line).unwrap())]);
            assert_eq!(cookie(&headers, "__Host-a"), value, "{line}");
        }
    }
}
