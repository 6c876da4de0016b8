//! Access control policies (TS 29.222 5.8): for one API invoker, or for each that has none of its own.

use crate::{Row, Sql, StoreError, documents, params};

/// The counter in `document_versions`.
const KIND: &str = "capif-access-control";

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessControlRow {
    /// The service API.
    pub api_id: String,
    /// The API exposing function.
    pub aef_id: String,
    /// The API invoker; `None`: each that has no policy of its own.
    pub invoker_id: Option<String>,
    /// The policy as JSON.
    pub body: String,
    /// From the counter of all of them: no version means two things.
    pub version: u64,
}

const COLUMNS: &str = "api_id, aef_id, invoker_id, body, version";

fn name(invoker: Option<&str>) -> &str {
    invoker.unwrap_or("")
}

/// Makes or replaces a policy; its version.
///
/// # Errors
/// The engine's.
pub async fn put(
    tx: &mut dyn Sql,
    (api, aef): (&str, &str),
    invoker: Option<&str>,
    body: &str,
) -> Result<u64, StoreError> {
    let version = documents::bump(tx, KIND).await?;
    let sql = format!(
        "INSERT INTO capif_access_control ({COLUMNS}) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (api_id, aef_id, invoker_id) DO UPDATE SET body = excluded.body, version = excluded.version"
    );
    tx.execute(&sql, &params![api, aef, name(invoker), body, version]).await?;
    Ok(version)
}

/// The policy of exactly this API invoker, or of those without one.
///
/// # Errors
/// The engine's.
pub async fn find(
    tx: &mut dyn Sql,
    (api, aef): (&str, &str),
    invoker: Option<&str>,
) -> Result<Option<AccessControlRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_access_control WHERE api_id = $1 AND aef_id = $2 AND invoker_id = $3"
    );
    let params = params![api, aef, name(invoker)];
    tx.query_opt(&sql, &params).await?.as_ref().map(of_row).transpose()
}

/// Every policy of a service API at an API exposing function, the one of those without one first.
///
/// # Errors
/// The engine's.
pub async fn list(tx: &mut dyn Sql, (api, aef): (&str, &str)) -> Result<Vec<AccessControlRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_access_control WHERE api_id = $1 AND aef_id = $2 ORDER BY invoker_id"
    );
    tx.query(&sql, &params![api, aef]).await?.iter().map(of_row).collect()
}

/// Which policies [`page`] shows. An absent member matches all.
#[derive(Clone, Debug, Default)]
pub struct AccessControlFilter {
    /// Of this service API.
    pub api_id: Option<String>,
    /// Of this API invoker.
    pub invoker_id: Option<String>,
}

/// Up to `limit` policies that fit, behind a service API, a function and an API invoker, in that order.
///
/// # Errors
/// The engine's.
pub async fn page(
    tx: &mut dyn Sql,
    filter: &AccessControlFilter,
    (api, aef, invoker): (&str, &str, &str),
    limit: u32,
) -> Result<Vec<AccessControlRow>, StoreError> {
    let mut sql = format!(
        "SELECT {COLUMNS} FROM capif_access_control WHERE (api_id > $1 OR (api_id = $1 AND (aef_id > $2 OR \
         (aef_id = $2 AND invoker_id > $3))))"
    );
    let mut params = params![api, aef, invoker].to_vec();
    for (column, value) in [("api_id", &filter.api_id), ("invoker_id", &filter.invoker_id)] {
        if let Some(value) = value {
            params.push(value.into());
            sql.push_str(&format!(" AND {column} = ${}", params.len()));
        }
    }
    params.push(limit.into());
    sql.push_str(&format!(" ORDER BY api_id, aef_id, invoker_id LIMIT ${}", params.len()));
    tx.query(&sql, &params).await?.iter().map(of_row).collect()
}

/// Drops a policy. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(
    tx: &mut dyn Sql,
    (api, aef): (&str, &str),
    invoker: Option<&str>,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_access_control WHERE api_id = $1 AND aef_id = $2 AND invoker_id = $3";
    let deleted = tx.execute(sql, &params![api, aef, name(invoker)]).await? == 1;
    if deleted {
        documents::bump(tx, KIND).await?;
    }
    Ok(deleted)
}

/// Drops every policy of a service API: it was unpublished. How many.
///
/// # Errors
/// The engine's.
pub async fn delete_api(tx: &mut dyn Sql, api: &str) -> Result<u64, StoreError> {
    drop_all(tx, "api_id", api).await
}

/// Drops every policy of an API invoker: it was offboarded. How many.
///
/// # Errors
/// The engine's.
pub async fn delete_invoker(tx: &mut dyn Sql, invoker: &str) -> Result<u64, StoreError> {
    drop_all(tx, "invoker_id", invoker).await
}

/// The version of all of them together: it grows with each change and deletion.
///
/// # Errors
/// The engine's.
pub async fn version(tx: &mut dyn Sql) -> Result<u64, StoreError> {
    documents::version(tx, KIND).await
}

async fn drop_all(tx: &mut dyn Sql, column: &str, value: &str) -> Result<u64, StoreError> {
    let sql = format!("DELETE FROM capif_access_control WHERE {column} = $1");
    let deleted = tx.execute(&sql, &params![value]).await?;
    if deleted > 0 {
        documents::bump(tx, KIND).await?;
    }
    Ok(deleted)
}

fn of_row(row: &Row) -> Result<AccessControlRow, StoreError> {
    let invoker: String = row.get(2)?;
    let invoker = (!invoker.is_empty()).then_some(invoker);
    Ok(AccessControlRow {
        api_id: row.get(0)?,
        aef_id: row.get(1)?,
        invoker_id: invoker,
        body: row.get(3)?,
        version: row.get(4)?,
    })
}
