//! Domains of API providers and their functions (TS 29.222 5.10).

use crate::{Row, Sql, StoreError, params};

/// A registered domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Its registration.
    pub registration_id: String,
    /// The domain.
    pub domain_id: String,
    /// What let it register.
    pub enrolment_id: String,
    /// The domain as JSON, without `regSec`.
    pub body: String,
    /// Counts the changes.
    pub version: i64,
}

/// A function of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionRow {
    /// Its name: an API exposing, publishing or management function.
    pub function_id: String,
    /// The registration that it belongs to.
    pub registration_id: String,
    /// What it is: `aef`, `apf`, `amf`.
    pub role: String,
}

const COLUMNS: &str = "registration_id, domain_id, enrolment_id, body, version";
const FUNCTION_COLUMNS: &str = "function_id, registration_id, role";

/// Adds a domain; its functions follow by [`insert_function`].
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &ProviderRow, now_s: i64) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO capif_provider ({COLUMNS}, created_s, changed_s) VALUES ($1, $2, $3, $4, $5, $6, $6)"
    );
    let params =
        params![&row.registration_id, &row.domain_id, &row.enrolment_id, &row.body, row.version, now_s,];
    tx.execute(&sql, &params).await.map(drop)
}

/// A domain by its registration, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, registration: &str) -> Result<Option<ProviderRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("SELECT {COLUMNS} FROM capif_provider WHERE registration_id = $1{lock}");
    tx.query_opt(&sql, &params![registration]).await?.as_ref().map(of_row).transpose()
}

/// Writes a changed domain over `version`; its version grows. `false`: another change was first.
///
/// # Errors
/// The engine's.
pub async fn update(
    tx: &mut dyn Sql,
    row: &ProviderRow,
    version: i64,
    now_s: i64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE capif_provider SET body = $3, changed_s = $4, version = version + 1 WHERE registration_id = $1 AND version = $2";
    Ok(tx.execute(sql, &params![&row.registration_id, version, &row.body, now_s]).await? == 1)
}

/// Removes a domain and its functions. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, registration: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_provider WHERE registration_id = $1";
    Ok(tx.execute(sql, &params![registration]).await? == 1)
}

/// Up to `limit` domains whose registration follows `after`, by registration.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<ProviderRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_provider WHERE registration_id > $1 ORDER BY registration_id LIMIT $2"
    );
    tx.query(&sql, &params![after, limit]).await?.iter().map(of_row).collect()
}

/// Adds a function.
///
/// # Errors
/// The engine's; the name is in use.
pub async fn insert_function(tx: &mut dyn Sql, row: &FunctionRow) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO capif_provider_function ({FUNCTION_COLUMNS}) VALUES ($1, $2, $3)");
    tx.execute(&sql, &params![&row.function_id, &row.registration_id, &row.role]).await.map(drop)
}

/// The functions of a domain, by name.
///
/// # Errors
/// The engine's.
pub async fn functions(tx: &mut dyn Sql, registration: &str) -> Result<Vec<FunctionRow>, StoreError> {
    let sql = format!(
        "SELECT {FUNCTION_COLUMNS} FROM capif_provider_function WHERE registration_id = $1 ORDER BY function_id"
    );
    tx.query(&sql, &params![registration]).await?.iter().map(function_of_row).collect()
}

/// The function of that name.
///
/// # Errors
/// The engine's.
pub async fn function(tx: &mut dyn Sql, function_id: &str) -> Result<Option<FunctionRow>, StoreError> {
    let sql = format!("SELECT {FUNCTION_COLUMNS} FROM capif_provider_function WHERE function_id = $1");
    tx.query_opt(&sql, &params![function_id]).await?.as_ref().map(function_of_row).transpose()
}

/// Removes a function. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete_function(tx: &mut dyn Sql, function_id: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_provider_function WHERE function_id = $1";
    Ok(tx.execute(sql, &params![function_id]).await? == 1)
}

fn of_row(row: &Row) -> Result<ProviderRow, StoreError> {
    Ok(ProviderRow {
        registration_id: row.get(0)?,
        domain_id: row.get(1)?,
        enrolment_id: row.get(2)?,
        body: row.get(3)?,
        version: row.get(4)?,
    })
}

fn function_of_row(row: &Row) -> Result<FunctionRow, StoreError> {
    Ok(FunctionRow { function_id: row.get(0)?, registration_id: row.get(1)?, role: row.get(2)? })
}
