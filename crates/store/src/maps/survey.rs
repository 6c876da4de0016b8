//! Every map, whoever may see it: for the operator, never for a caller of the function.

use crate::maps::record::{self, COLUMNS, MapRow};
use crate::{Sql, StoreError, params};

/// Up to `limit` maps by identifier, after one.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn page(tx: &mut dyn Sql, after: Option<u32>, limit: u32) -> Result<Vec<MapRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM map WHERE map_id > $1 ORDER BY map_id LIMIT $2");
    let after = after.map_or(-1, i64::from);
    tx.query(&sql, &params![after, limit]).await?.iter().map(record::read).collect()
}
