//! Pages of lists: `limit`, `cursor` and `Link: rel="next"` (contract, section 7; RFC 8288).

use api_types::query::Query;
use authorization::Principal;
use http::HeaderValue;
use service_http::call::Call;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::StoreError;
use url::form_urlencoded;

use super::cursor::Bound;
use super::cursor_secret::CursorSecret;
use super::input;

/// Items of a page when the query names no number (contract, section 7).
const DEFAULT_LIMIT: u32 = 100;

/// Most items of a page (contract, section 7).
const MAX_LIMIT: u32 = 1_000;

/// Most rows that are read at a time. Own value.
const BATCH_MAX: u32 = 1_000;

/// Octets of rows after which a page ends, though it has fewer items than were asked for; also what is read at a time,
/// about. Own value.
const PAGE_OCTETS: usize = 8 * 1024 * 1024;

/// Rows that one page holds against the exact question: what a shape leaves out of its boxes, for one. Own value.
const PAGE_ROWS: usize = 2_048;

/// Fewest rows that are read at a time, and most of the first read. Own values.
const BATCH_MIN: u32 = 16;
const BATCH_FIRST: u32 = 128;

/// The number is not 1 to [`MAX_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 1000")]
struct LimitError;

/// Reads `limit`.
///
/// # Errors
/// Not a plain number from 1 to [`MAX_LIMIT`].
fn limit(text: Option<&str>) -> Result<u32, LimitError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    let limit = plain.then(|| text.parse().ok()).flatten().ok_or(LimitError)?;
    if (1..=MAX_LIMIT).contains(&limit) { Ok(limit) } else { Err(LimitError) }
}

/// What a cursor of this question is bound to: operation, caller, and every parameter but `cursor` and `limit`.
fn bound(operation: &str, caller: &[&str], query: &[(String, String)]) -> Bound {
    let mut asked: Vec<&(String, String)> =
        query.iter().filter(|(name, _)| name != "cursor" && name != "limit").collect();
    asked.sort();
    let asked = asked.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    Bound::new([operation].into_iter().chain(caller.iter().copied()).chain(asked))
}

/// A question as it is asked page by page.
pub(crate) struct Paged {
    /// Items of a page.
    pub(crate) limit: u32,
    /// The page begins beyond this identifier.
    pub(crate) after: Option<u32>,
    /// Most rows of the first read, after which their size is known.
    first: u32,
    bound: Bound,
    pairs: Vec<(String, String)>,
}

impl Paged {
    /// Reads `limit` and `cursor` of a query, which is given as it was sent.
    ///
    /// # Errors
    /// 400: no such limit; a cursor of another caller or question.
    pub(crate) async fn read(
        kit: &FunctionKit,
        secret: &CursorSecret,
        call: &Call,
        operation: &str,
        query: &Query,
        text: Option<&str>,
    ) -> Result<Self, Refusal> {
        let limit = limit(query.raw("limit")).map_err(|_| input::parameter("limit", "must be 1 to 1000"))?;
        let text = text.unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let Principal { issuer, subject } = call.caller.principal();
        let bound = bound(operation, &[&issuer, &subject, call.caller.client_id.as_str()], &pairs);
        let after = match query.raw("cursor") {
            None => None,
            Some(cursor) => {
                let foreign = || input::parameter("cursor", "is not a cursor of this caller and query");
                let place = secret.key(kit).await?.open(&bound, cursor).map_err(|_| foreign())?;
                Some(place.parse().map_err(|_| foreign())?)
            }
        };
        Ok(Self { limit, after, first: BATCH_FIRST, bound, pairs })
    }

    /// With so many rows of the first read at most: for rows that may be large.
    #[must_use]
    pub(crate) fn reading_first(self, rows: u32) -> Self {
        Self { first: rows, ..self }
    }

    /// Fills a page from batches of rows, which `fetch` reads beyond an identifier, in its order and at most so many; `keep`
    /// tells the identifier of a row and what it is shown as, if it is. `size` tells the octets of a row. A page ends
    /// early, and names the next one, when its items are large, when [`PAGE_ROWS`] were held against the exact question,
    /// or when the store has examined as many as it may.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn fill<R, T, F>(
        &self,
        fetch: impl Fn(Option<u32>, u32) -> F,
        id: impl Fn(&R) -> u32,
        size: impl Fn(&R) -> usize,
        keep: impl Fn(R) -> Result<Option<T>, StoreError>,
    ) -> Result<Page<T>, StoreError>
    where
        F: Future<Output = Result<Rows<R>, StoreError>>,
    {
        let wanted = self.limit as usize;
        let mut batch = (self.limit + 1).min(self.first);
        let mut octets = 0;
        let mut left = PAGE_ROWS;
        let mut found: Vec<(u32, T)> = Vec::with_capacity(wanted.min(256) + 1);
        let mut after = self.after;
        loop {
            let Rows { rows, next } = fetch(after, batch).await?;
            let count = rows.len();
            let mean = rows.iter().map(&size).sum::<usize>().div_ceil(count.max(1)).max(1);
            for row in rows {
                let (row_id, row_octets) = (id(&row), size(&row));
                if let Some(item) = keep(row)? {
                    let full = found.len() == wanted || octets + row_octets > PAGE_OCTETS;
                    if full && let Some((last, _)) = found.last() {
                        let next = Some(*last);
                        return Ok(Page { found, next });
                    }
                    octets += row_octets;
                    found.push((row_id, item));
                }
            }
            left = left.saturating_sub(count);
            if next.is_none() || left == 0 || count < batch as usize {
                return Ok(Page { found, next });
            }
            after = next;
            let most = u32::try_from(PAGE_OCTETS / mean).unwrap_or(BATCH_MAX).clamp(BATCH_MIN, BATCH_MAX);
            batch = most.min(batch.saturating_mul(8));
        }
    }

    /// Names the next page in `Link`, where there is one.
    ///
    /// # Errors
    /// The store or the cryptographic library failed.
    pub(crate) async fn link<T>(
        &self,
        kit: &FunctionKit,
        secret: &CursorSecret,
        path: &str,
        page: &Page<T>,
    ) -> Result<Option<HeaderValue>, StoreError> {
        let Some(last) = page.next else { return Ok(None) };
        let key = secret.key(kit).await?;
        let cursor = key
            .seal(kit.ambient.random_bytes(), &self.bound, &last.to_string())
            .map_err(|_| StoreError::Damaged("a cursor cannot be sealed"))?;
        let url = format!("{}{path}", kit.origin);
        Ok(HeaderValue::try_from(next_link(&url, &self.pairs, &cursor)).ok())
    }
}

/// What was found for a page.
pub(crate) struct Page<T> {
    /// At most `limit` items, by identifier.
    pub(crate) found: Vec<(u32, T)>,
    /// The next page begins beyond this identifier; `None`: there is no more. It need not be that of an item.
    next: Option<u32>,
}

impl<T> Page<T> {
    /// One that was filled elsewhere; the next one begins beyond `next`.
    pub(crate) fn of(found: Vec<(u32, T)>, next: Option<u32>) -> Self {
        Self { found, next }
    }
}

/// Rows beyond an identifier.
pub(crate) struct Rows<R> {
    /// In their order.
    pub(crate) rows: Vec<R>,
    /// Everything up to this identifier was considered; `None`: everything there is.
    pub(crate) next: Option<u32>,
}

/// The value of `Link` that names the next page: the same question, and where it goes on.
fn next_link(url: &str, query: &[(String, String)], cursor: &str) -> String {
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
