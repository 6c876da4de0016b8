//! What subscribers consent to. Every change raises the version of the subscriber under the lock of its row, so that two
//! changes have an order.

use api_types::ids::Supi;
use api_types::nudm_sdm::{UcPurpose, UserConsent};

use crate::{Row, Sql, StoreError, params};

/// What was said about a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRow {
    /// The purpose.
    pub purpose: UcPurpose,
    /// What was said.
    pub consent: UserConsent,
    /// Version of the subscriber's consents in which it was said.
    pub version: u64,
    /// When.
    pub changed_s: i64,
}

/// A change that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What was said before.
    pub before: Option<UserConsent>,
    /// Version of the subscriber's consents from now on.
    pub version: u64,
}

/// Keeps what a subscriber says about a purpose; `None`: that nothing is said any more. `Ok(None)`: there is no such subscriber.
/// Saying the same again changes nothing.
///
/// # Errors
/// The engine's.
pub async fn set(
    tx: &mut dyn Sql,
    supi: &Supi,
    purpose: &UcPurpose,
    consent: Option<&UserConsent>,
    now_s: i64,
) -> Result<Option<Changed>, StoreError> {
    // The lock comes first: what is read below cannot be changed by another one.
    let locked = "UPDATE udm_subscriber SET version = version WHERE supi = $1 RETURNING version";
    let Some(row) = tx.query_opt(locked, &params![supi.as_str()]).await? else { return Ok(None) };
    let version: i64 = row.get(0)?;
    let before = find(tx, supi, purpose).await?.map(|row| row.consent);
    if before.as_ref() == consent {
        return Ok(Some(Changed { before, version: version.unsigned_abs() }));
    }
    let version = version.saturating_add(1);
    let sql = "UPDATE udm_subscriber SET version = $2, changed_s = $3 WHERE supi = $1";
    tx.execute(sql, &params![supi.as_str(), version, now_s]).await?;
    match consent {
        Some(consent) => {
            let sql = "INSERT INTO udm_consent (supi, purpose, consent, version, changed_s) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (supi, purpose) DO UPDATE SET consent = excluded.consent, \
                       version = excluded.version, changed_s = excluded.changed_s";
            let row = params![supi.as_str(), purpose.as_str(), consent.as_str(), version, now_s];
            tx.execute(sql, &row).await?;
        }
        None => {
            let sql = "DELETE FROM udm_consent WHERE supi = $1 AND purpose = $2";
            tx.execute(sql, &params![supi.as_str(), purpose.as_str()]).await?;
        }
    }
    Ok(Some(Changed { before, version: version.unsigned_abs() }))
}

/// What a subscriber says about exactly this purpose.
///
/// # Errors
/// The engine's.
pub async fn find(
    tx: &mut dyn Sql,
    supi: &Supi,
    purpose: &UcPurpose,
) -> Result<Option<ConsentRow>, StoreError> {
    let sql = "SELECT purpose, consent, version, changed_s FROM udm_consent WHERE supi = $1 AND purpose = $2";
    tx.query_opt(sql, &params![supi.as_str(), purpose.as_str()]).await?.as_ref().map(of_row).transpose()
}

/// All that a subscriber says, by purpose.
///
/// # Errors
/// The engine's.
pub async fn of(tx: &mut dyn Sql, supi: &Supi) -> Result<Vec<ConsentRow>, StoreError> {
    let sql = "SELECT purpose, consent, version, changed_s FROM udm_consent WHERE supi = $1 ORDER BY purpose";
    tx.query(sql, &params![supi.as_str()]).await?.iter().map(of_row).collect()
}

fn of_row(row: &Row) -> Result<ConsentRow, StoreError> {
    let (purpose, consent): (String, String) = (row.get(0)?, row.get(1)?);
    let version: i64 = row.get(2)?;
    Ok(ConsentRow {
        purpose: purpose.as_str().into(),
        consent: consent.as_str().into(),
        version: version.unsigned_abs(),
        changed_s: row.get(3)?,
    })
}
