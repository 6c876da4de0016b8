//! Filters and pages of the lists.

use api_types::function::Function;
use api_types::problem::{Cause, InvalidParam};
use axum::extract::FromRequestParts;
use http::request::Parts;
use service_http::refusal::Refusal;

/// Entries of a page when `limit` is absent. Own value.
const DEFAULT: u32 = 100;
/// Most entries of a page. Own value.
const MOST: u32 = 1_000;

/// The query of a request to the admin API.
#[derive(Debug, Default)]
pub(super) struct Filters(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Filters {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

/// Takes any bytes as the query of a list; never panics.
pub fn fuzz_filters(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(filters) = Filters::parse(text) else { return };
    assert!(
        filters.limit().is_ok_and(|limit| (1..=MOST).contains(&limit)) || filters.text("limit").is_some()
    );
    let _ = (filters.number("after"), filters.function(), filters.place());
}

impl Filters {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(refuse(name, "stands twice"));
            }
        }
        Ok(Self(pairs))
    }

    /// A parameter's text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        self.text(name).map(|text| text.parse().map_err(|_| refuse(name, "is not a number"))).transpose()
    }

    /// The function that is named, if one is.
    pub(super) fn function(&self) -> Result<Option<Function>, Refusal> {
        let parse =
            |text: &str| text.parse().map_err(|_| refuse("function", "is no function of this program"));
        self.text("function").map(parse).transpose()
    }

    /// How many entries the page may have.
    pub(super) fn limit(&self) -> Result<u32, Refusal> {
        match self.number("limit")? {
            None => Ok(DEFAULT),
            Some(number) => match u32::try_from(number) {
                Ok(limit @ 1..=MOST) => Ok(limit),
                _ => Err(refuse("limit", "is not between 1 and 1000")),
            },
        }
    }

    /// A cursor of ours: a function and the place in its records.
    pub(super) fn place(&self) -> Result<Option<(Function, u64)>, Refusal> {
        let Some(cursor) = self.text("cursor") else { return Ok(None) };
        let place = cursor.split_once('.').and_then(|(f, n)| Some((f.parse().ok()?, n.parse().ok()?)));
        place.map(Some).ok_or_else(|| refuse("cursor", "is not one that this program gave"))
    }
}

/// Refuses a parameter.
pub(super) fn refuse(param: &str, reason: &str) -> Refusal {
    let invalid = InvalidParam { param: param.to_owned(), reason: Some(reason.to_owned()) };
    Refusal::input(Cause::InvalidQueryParam, vec![invalid])
}
