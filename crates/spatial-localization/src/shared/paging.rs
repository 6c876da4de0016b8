//! Pages of lists: `limit`, `cursor` and `Link: rel="next"` (contract, section 7; RFC 8288).

use url::form_urlencoded;

use super::cursor::Bound;

/// Items of a page when the query names no number (contract, section 7).
pub const DEFAULT_LIMIT: u32 = 100;

/// Most items of a page (contract, section 7).
pub const MAX_LIMIT: u32 = 1_000;

/// The number is not 1 to [`MAX_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 1000")]
pub struct LimitError;

/// Reads `limit`.
///
/// # Errors
/// Not a plain number from 1 to [`MAX_LIMIT`].
pub fn limit(text: Option<&str>) -> Result<u32, LimitError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let limit = plain.then(|| text.parse().ok()).flatten().ok_or(LimitError)?;
    if (1..=MAX_LIMIT).contains(&limit) { Ok(limit) } else { Err(LimitError) }
}

/// What a cursor of this question is bound to: operation, caller, and every parameter but `cursor` and `limit`.
pub fn bound(operation: &str, caller: &[&str], query: &[(String, String)]) -> Bound {
    let mut asked: Vec<&(String, String)> =
        query.iter().filter(|(name, _)| name != "cursor" && name != "limit").collect();
    asked.sort();
    let asked = asked.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    Bound::new([operation].into_iter().chain(caller.iter().copied()).chain(asked))
}

/// The value of `Link` that names the next page: the same question, and where it goes on.
pub fn next_link(url: &str, query: &[(String, String)], cursor: &str) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.iter().filter(|(name, _)| name != "cursor") {
        text.append_pair(name, value);
    }
    text.append_pair("cursor", cursor);
    format!("<{url}?{}>; rel=\"next\"", text.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_1_to_1000() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(Option<&str>, Option<u32>); 9] = [
            (None, Some(100)), (Some("1"), Some(1)), (Some("1000"), Some(1000)), (Some("0"), None), (Some("1001"), None),
            (Some("-1"), None), (Some(""), None), (Some("+5"), None), (Some("99999999999999999999"), None),
        ];
        for (text, want) in rows {
            assert_eq!(limit(text).ok(), want, "{text:?}");
        }
    }

    #[test]
    fn the_next_page_is_the_same_question() {
        let query = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        let asked = query(&[("svc-id", "a&b"), ("limit", "5"), ("cursor", "old")]);
        let link = next_link("https://san.example/ssan-disc/v1/spatial-anchors", &asked, "new");
        assert_eq!(
            link,
            "<https://san.example/ssan-disc/v1/spatial-anchors?svc-id=a%26b&limit=5&cursor=new>; rel=\"next\""
        );
        let first = bound("op", &["iss", "sub"], &asked);
        assert_eq!(first, bound("op", &["iss", "sub"], &query(&[("svc-id", "a&b"), ("limit", "9")])));
        assert_ne!(first, bound("op", &["iss", "sub"], &query(&[("svc-id", "c")])));
        assert_ne!(first, bound("op", &["iss", "other"], &asked));
    }
}
