//! Purposes that the operator has described.

use api_types::nudm_sdm::UcPurpose;
use api_types::san::PersonalDataCategory;

use crate::json::{decode, encode};
use crate::{Row, Sql, StoreError, params};

/// A purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeRow {
    /// Its name.
    pub purpose: UcPurpose,
    /// Categories of personal data that it stands for.
    pub categories: Vec<PersonalDataCategory>,
    /// Raised by each change.
    pub version: u64,
}

/// Keeps a purpose; its version, 1 of a new one.
///
/// # Errors
/// The engine's.
pub async fn put(
    tx: &mut dyn Sql,
    purpose: &UcPurpose,
    categories: &[PersonalDataCategory],
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO udm_purpose (purpose, categories, version) VALUES ($1, $2, 1) \
               ON CONFLICT (purpose) DO UPDATE SET categories = excluded.categories, \
               version = udm_purpose.version + 1 RETURNING version";
    let version: i64 = tx.query_one(sql, &params![purpose.as_str(), encode(&categories)?]).await?.get(0)?;
    Ok(version.unsigned_abs())
}

/// A purpose.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, purpose: &UcPurpose) -> Result<Option<PurposeRow>, StoreError> {
    let sql = "SELECT purpose, categories, version FROM udm_purpose WHERE purpose = $1";
    tx.query_opt(sql, &params![purpose.as_str()]).await?.as_ref().map(of_row).transpose()
}

/// Purposes after a name, in order.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<PurposeRow>, StoreError> {
    let sql =
        "SELECT purpose, categories, version FROM udm_purpose WHERE purpose > $1 ORDER BY purpose LIMIT $2";
    tx.query(sql, &params![after, limit]).await?.iter().map(of_row).collect()
}

/// Forgets a purpose; consents to it stay. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn remove(tx: &mut dyn Sql, purpose: &UcPurpose) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM udm_purpose WHERE purpose = $1", &params![purpose.as_str()]).await? == 1)
}

fn of_row(row: &Row) -> Result<PurposeRow, StoreError> {
    let (purpose, version): (String, i64) = (row.get(0)?, row.get(2)?);
    Ok(PurposeRow {
        purpose: purpose.as_str().into(),
        categories: decode(&row.get::<String>(1)?, "a purpose")?,
        version: version.unsigned_abs(),
    })
}
