//! Visibility classes of maps; their numbers come from [`crate::anchors::classes::class_of`], as those of anchors do.

use crate::{Sql, StoreError, params};

/// Removes a class that no map has any more, so that rules do not outlive their maps.
///
/// # Errors
/// The engine failed.
pub async fn purge(tx: &mut dyn Sql, class_id: i64) -> Result<(), StoreError> {
    let lock = tx.dialect().for_update();
    let lock = format!("SELECT class_id FROM visibility_class WHERE class_id = $1{lock}");
    tx.query(&lock, &params![class_id]).await?;
    let sql = "DELETE FROM visibility_class WHERE class_id = $1 \
               AND NOT EXISTS (SELECT 1 FROM map WHERE map.class_id = visibility_class.class_id)";
    if tx.execute(sql, &params![class_id]).await? == 1 {
        tx.execute("DELETE FROM class_match WHERE class_id = $1", &params![class_id]).await?;
    }
    Ok(())
}
