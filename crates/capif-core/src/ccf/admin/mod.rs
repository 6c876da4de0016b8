//! What an operator does over `admin`: reads what is on record, ends parties, provisions, revokes. TS 29.222 has no operation
//! for any of it.

mod apis;
mod asks;
mod contexts;
mod enrolments;
mod explain;
mod invokers;
mod limits;
mod open_apis;
mod providers;
mod refusals;
mod resources;
mod revoke;

use api_types::DateTime;
use api_types::admin::{CapifCertificate, EnrolmentInfo, Page};
use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use service_http::refusal::Refusal;
use store::capif::certificates::{self, CertificateRow};
use store::capif::enrolments::{self as records, EnrolmentRow};
use store::{Sql, StoreError};

pub(crate) use open_apis::open_names;

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Where the last page ended; empty: at the beginning.
    pub cursor: &'a str,
    /// Most items.
    pub limit: u32,
}

impl Part<'_> {
    /// The page of `rows`, of which there is one more than fits where another page follows.
    fn page<R, T>(
        self,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> String,
        shown: impl Fn(R) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(place);
        Ok(Page { items: rows.into_iter().map(shown).collect::<Result<_, _>>()?, next })
    }

    /// What is read for it: one more than it shows.
    fn with_one_more(self) -> u32 {
        self.limit.saturating_add(1)
    }
}

/// A record with the version of its entity tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The record.
    pub body: T,
    /// Its version.
    pub version: u64,
}

fn absent() -> Refusal {
    Refusal::open(Reason::NotFound)
}

fn wrong(at: &str, reason: &'static str) -> Refusal {
    Refusal::input(Cause::MandatoryIeIncorrect, vec![InvalidParam::new(at, reason)])
}

/// A parameter that does not fit.
fn wrong_parameter(name: &str, reason: &'static str) -> Refusal {
    Refusal::input(Cause::InvalidQueryParam, vec![InvalidParam::new(name, reason)])
}

/// The certificates of a party.
async fn certificates_of(
    tx: &mut dyn Sql,
    principal: &str,
    now_s: i64,
) -> Result<Vec<CapifCertificate>, StoreError> {
    let rows = certificates::of_principal(tx, principal).await?;
    Ok(rows.into_iter().map(|row| certificate(row, now_s)).collect())
}

fn certificate(row: CertificateRow, now_s: i64) -> CapifCertificate {
    CapifCertificate {
        counts: row.counts(now_s),
        not_after: DateTime::from_unix(row.not_after_s),
        revoked_at: row.revoked_s.map(DateTime::from_unix),
        x5t_s256: row.x5t_s256,
    }
}

/// What let a party in, if it is still on record.
async fn enrolment_of(tx: &mut dyn Sql, enrolment: &str) -> Result<Option<EnrolmentInfo>, StoreError> {
    records::find(tx, enrolment).await?.map(enrolment_info).transpose()
}

fn enrolment_info(row: EnrolmentRow) -> Result<EnrolmentInfo, StoreError> {
    let damaged = StoreError::Damaged("enrolment");
    Ok(EnrolmentInfo {
        enrolment_id: row.enrolment_id.try_into().map_err(|_| damaged.clone())?,
        kind: row.kind.parse().map_err(|_| damaged)?,
        name: row.name,
        apis: row.apis,
        expires_at: DateTime::from_unix(row.expires_s),
        used_at: row.used_s.map(DateTime::from_unix),
    })
}
