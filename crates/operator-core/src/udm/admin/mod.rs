//! What operators do at the UDM; the routes are at `admin` (contract section 5).

mod consents;
mod purposes;
mod subscribers;

use api_types::admin::Page;
use authorization::Reason;
use service_http::refusal::Refusal;
use store::Sql;
use store::udm::subscribers::SubscriberRow;

/// Something with the version of its entity tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// What it is.
    pub body: T,
    /// Grows with each change.
    pub version: u64,
}

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// What is answered.
    pub body: T,
    /// Grows with each change.
    pub version: u64,
    /// Whether it is new: 201 instead of 200.
    pub created: bool,
}

/// The subscriber of a GPSI.
async fn known(tx: &mut dyn Sql, gpsi: &str) -> Result<SubscriberRow, Refusal> {
    let row = store::udm::subscribers::by_gpsi(tx, gpsi).await?;
    row.ok_or_else(absent)
}

fn absent() -> Refusal {
    Refusal::open(Reason::NotFound)
}

/// The page of `rows`, of which there is one more than `limit` where another page follows.
fn page<R, T>(mut rows: Vec<R>, limit: u32, place: impl Fn(&R) -> String, shown: impl Fn(R) -> T) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(place);
    Page { items: rows.into_iter().map(shown).collect(), next }
}
