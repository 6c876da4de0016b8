//! Visibility classes of maps; their numbers come from [`crate::anchors::classes::class_of`], as those of anchors do.

use crate::anchors::classes::purge_unused;
use crate::{Sql, StoreError};

/// Removes a class that no map has any more, so that rules do not outlive their maps.
///
/// # Errors
/// The engine failed.
pub async fn purge(tx: &mut dyn Sql, class_id: i64) -> Result<(), StoreError> {
    purge_unused(tx, "map", &[class_id]).await
}
