//! Routing information of service APIs behind topology hiding (TS 29.222 5.11).

use crate::{Sql, StoreError, params};

/// The rules of a service API at an API exposing function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingRow {
    /// The rules as JSON.
    pub body: String,
    /// Counts the changes.
    pub version: i64,
}

/// Makes or replaces the rules; their version. 1: there were none.
///
/// # Errors
/// The engine's.
pub async fn put(tx: &mut dyn Sql, api: &str, aef: &str, body: &str) -> Result<i64, StoreError> {
    let sql = "INSERT INTO capif_routing (api_id, aef_id, body, version) VALUES ($1, $2, $3, 1) \
               ON CONFLICT (api_id, aef_id) DO UPDATE SET body = excluded.body, \
               version = capif_routing.version + 1 RETURNING version";
    tx.query_one(sql, &params![api, aef, body]).await?.get(0)
}

/// The rules.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, api: &str, aef: &str) -> Result<Option<RoutingRow>, StoreError> {
    let sql = "SELECT body, version FROM capif_routing WHERE api_id = $1 AND aef_id = $2";
    let Some(row) = tx.query_opt(sql, &params![api, aef]).await? else { return Ok(None) };
    Ok(Some(RoutingRow { body: row.get(0)?, version: row.get(1)? }))
}

/// Drops the rules. `false`: there are none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, api: &str, aef: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_routing WHERE api_id = $1 AND aef_id = $2";
    Ok(tx.execute(sql, &params![api, aef]).await? == 1)
}

/// Drops every rule of a service API: it was unpublished. How many.
///
/// # Errors
/// The engine's.
pub async fn delete_api(tx: &mut dyn Sql, api: &str) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM capif_routing WHERE api_id = $1", &params![api]).await
}
