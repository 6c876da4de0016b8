//! Published service APIs (TS 29.222 5.3). One counter versions all of them together, so that a cache of the catalogue
//! knows that it is behind.

use super::Write;
use crate::sql::placeholders;
use crate::{Row, Sql, StoreError, Value, documents, params};

/// The counter in `document_versions`.
const KIND: &str = "capif-service-api";

/// A published service API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceApiRow {
    /// Its name.
    pub api_id: String,
    /// Who published it.
    pub apf_id: String,
    /// The registration of that function.
    pub registration_id: String,
    /// The name in its URI.
    pub api_name: String,
    /// The description as JSON.
    pub body: String,
    /// Counts the changes.
    pub version: i64,
    /// Seconds since 1970.
    pub created_s: i64,
}

const COLUMNS: &str = "api_id, apf_id, registration_id, api_name, body, version, created_s";

/// Publishes a service API at these functions. [`Write::Taken`]: one of them has a service API of this name.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &ServiceApiRow, aefs: &[String]) -> Result<Write, StoreError> {
    // The counter's row lock makes publishers of all nodes take turns, so that the look below stays true.
    documents::bump(tx, KIND).await?;
    if is_taken(tx, row, aefs).await? {
        return Ok(Write::Taken);
    }
    let sql = format!("INSERT INTO capif_service_api ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
    let params = params![
        &row.api_id,
        &row.apf_id,
        &row.registration_id,
        &row.api_name,
        &row.body,
        row.version,
        row.created_s,
    ];
    tx.execute(&sql, &params).await?;
    index(tx, row, aefs).await?;
    Ok(Write::Done)
}

/// Writes a changed service API, its functions anew; its version grows.
///
/// # Errors
/// The engine's.
pub async fn update(tx: &mut dyn Sql, row: &ServiceApiRow, aefs: &[String]) -> Result<Write, StoreError> {
    documents::bump(tx, KIND).await?;
    if is_taken(tx, row, aefs).await? {
        return Ok(Write::Taken);
    }
    let sql = "UPDATE capif_service_api SET api_name = $3, body = $4, version = version + 1 \
               WHERE api_id = $1 AND version = $2";
    let params = params![&row.api_id, row.version, &row.api_name, &row.body];
    if tx.execute(sql, &params).await? != 1 {
        return Ok(Write::Stale);
    }
    tx.execute("DELETE FROM capif_service_api_aef WHERE api_id = $1", &params![&row.api_id]).await?;
    index(tx, row, aefs).await?;
    Ok(Write::Done)
}

/// The service API of that name.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, api: &str) -> Result<Option<ServiceApiRow>, StoreError> {
    select(tx, "WHERE api_id = $1", &params![api]).await.map(|rows| rows.into_iter().next())
}

/// The service API with this name in its URI at a function.
///
/// # Errors
/// The engine's.
pub async fn named(tx: &mut dyn Sql, aef: &str, api_name: &str) -> Result<Option<ServiceApiRow>, StoreError> {
    let which =
        "WHERE api_id IN (SELECT api_id FROM capif_service_api_aef WHERE aef_id = $1 AND api_name = $2)";
    select(tx, which, &params![aef, api_name]).await.map(|rows| rows.into_iter().next())
}

/// Those with this name in their URI, at any function.
///
/// # Errors
/// The engine's.
pub async fn of_name(tx: &mut dyn Sql, api_name: &str) -> Result<Vec<ServiceApiRow>, StoreError> {
    select(tx, "WHERE api_name = $1 ORDER BY api_id", &params![api_name]).await
}

/// Those that a function published, by name.
///
/// # Errors
/// The engine's.
pub async fn of_apf(tx: &mut dyn Sql, apf: &str, limit: u32) -> Result<Vec<ServiceApiRow>, StoreError> {
    select(tx, "WHERE apf_id = $1 ORDER BY api_id LIMIT $2", &params![apf, limit]).await
}

/// Those of a registration, by name.
///
/// # Errors
/// The engine's.
pub async fn of_registration(tx: &mut dyn Sql, registration: &str) -> Result<Vec<ServiceApiRow>, StoreError> {
    select(tx, "WHERE registration_id = $1 ORDER BY api_id", &params![registration]).await
}

/// Those that a function exposes, by name.
///
/// # Errors
/// The engine's.
pub async fn of_aef(tx: &mut dyn Sql, aef: &str) -> Result<Vec<ServiceApiRow>, StoreError> {
    let which =
        "WHERE api_id IN (SELECT api_id FROM capif_service_api_aef WHERE aef_id = $1) ORDER BY api_id";
    select(tx, which, &params![aef]).await
}

/// Up to `limit` of all, after a name, by name.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<ServiceApiRow>, StoreError> {
    select(tx, "WHERE api_id > $1 ORDER BY api_id LIMIT $2", &params![after, limit]).await
}

/// All of them, by name: what a cache is made of.
///
/// # Errors
/// The engine's.
pub async fn all(tx: &mut dyn Sql) -> Result<Vec<ServiceApiRow>, StoreError> {
    select(tx, "ORDER BY api_id", &[]).await
}

/// The identifiers of all with the counts of their changes, by identifier: what a cache needs to know what it has.
///
/// # Errors
/// The engine's.
pub async fn heads(tx: &mut dyn Sql) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = tx.query("SELECT api_id, version FROM capif_service_api ORDER BY api_id", &[]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many a registration has published.
///
/// # Errors
/// The engine's.
pub async fn count(tx: &mut dyn Sql, registration: &str) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) FROM capif_service_api WHERE registration_id = $1";
    tx.query_one(sql, &params![registration]).await?.get(0)
}

/// Unpublishes a service API. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, api: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_service_api WHERE api_id = $1";
    let deleted = tx.execute(sql, &params![api]).await? == 1;
    if deleted {
        documents::bump(tx, KIND).await?;
    }
    Ok(deleted)
}

/// The version of all of them together: it grows with each change and deletion, and is never used twice.
///
/// # Errors
/// The engine's.
pub async fn version(tx: &mut dyn Sql) -> Result<u64, StoreError> {
    documents::version(tx, KIND).await
}

async fn is_taken(tx: &mut dyn Sql, row: &ServiceApiRow, aefs: &[String]) -> Result<bool, StoreError> {
    if aefs.is_empty() {
        return Ok(false);
    }
    let mut params = params![&row.api_name, &row.api_id].to_vec();
    let names = placeholders(&mut params, aefs.iter().map(Value::from));
    let sql = format!(
        "SELECT 1 FROM capif_service_api_aef WHERE api_name = $1 AND api_id <> $2 AND aef_id IN ({names}) LIMIT 1"
    );
    Ok(tx.query_opt(&sql, &params).await?.is_some())
}

async fn index(tx: &mut dyn Sql, row: &ServiceApiRow, aefs: &[String]) -> Result<(), StoreError> {
    let rows: Vec<_> = aefs.iter().map(|aef| params![aef, &row.api_name, &row.api_id].to_vec()).collect();
    let sql = "INSERT INTO capif_service_api_aef (aef_id, api_name, api_id) VALUES ($1, $2, $3)";
    tx.execute_many(sql, &rows).await.map(drop)
}

async fn select(tx: &mut dyn Sql, which: &str, params: &[Value]) -> Result<Vec<ServiceApiRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM capif_service_api {which}");
    tx.query(&sql, params).await?.iter().map(of_row).collect()
}

fn of_row(row: &Row) -> Result<ServiceApiRow, StoreError> {
    Ok(ServiceApiRow {
        api_id: row.get(0)?,
        apf_id: row.get(1)?,
        registration_id: row.get(2)?,
        api_name: row.get(3)?,
        body: row.get(4)?,
        version: row.get(5)?,
        created_s: row.get(6)?,
    })
}
