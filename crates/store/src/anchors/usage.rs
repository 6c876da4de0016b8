//! How often an anchor was discovered and accessed (TS 23.437 8.4; TS 29.437 `AnchorsUsageInfo`).

use crate::{Sql, StoreError, params};

/// Counters of one anchor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Times that it was in the answer to a discovery.
    pub discovered: u64,
    /// Accesses that consumers have reported.
    pub accessed: u64,
}

/// Adds to the counters of an anchor.
///
/// # Errors
/// The engine's.
pub async fn add(tx: &mut dyn Sql, counted: &[(u32, Usage)]) -> Result<(), StoreError> {
    let sql = "INSERT INTO anchor_usage (anchor_id, discovered, accessed) VALUES ($1, $2, $3) \
               ON CONFLICT (anchor_id) DO UPDATE SET discovered = anchor_usage.discovered + excluded.discovered, \
               accessed = anchor_usage.accessed + excluded.accessed";
    let rows: Vec<_> =
        counted.iter().map(|(id, usage)| params![*id, usage.discovered, usage.accessed].to_vec()).collect();
    tx.execute_many(sql, &rows).await.map(drop)
}

/// The counters of an anchor.
///
/// # Errors
/// The engine's.
pub async fn of_anchor(tx: &mut dyn Sql, anchor_id: u32) -> Result<Usage, StoreError> {
    let sql = "SELECT discovered, accessed FROM anchor_usage WHERE anchor_id = $1";
    let Some(row) = tx.query_opt(sql, &params![anchor_id]).await? else { return Ok(Usage::default()) };
    Ok(Usage { discovered: row.get(0)?, accessed: row.get(1)? })
}
