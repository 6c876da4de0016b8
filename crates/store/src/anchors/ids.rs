//! Identifiers of anchors that were ever given: none comes twice, also after its anchor is gone.

use crate::params;
use crate::{Sql, StoreError};

/// Takes an identifier for good. `false`: it was given before.
///
/// # Errors
/// The engine failed.
pub async fn reserve(tx: &mut dyn Sql, anchor_id: u32) -> Result<bool, StoreError> {
    let sql = "insert into anchor_id_used (anchor_id) values ($1) on conflict do nothing";
    Ok(tx.execute(sql, &params![anchor_id]).await? == 1)
}
