//! Every anchor, whoever may see it: for the operator, never for a caller of the function.

use crate::anchors::discovery::Found;
use crate::anchors::records::{self, COLUMNS};
use crate::{Sql, StoreError, params};

/// Columns of an anchor.
const WIDTH: usize = 14;

/// Up to `limit` anchors by identifier, after one.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn page(tx: &mut dyn Sql, after: Option<u32>, limit: u32) -> Result<Vec<Found>, StoreError> {
    let sql = format!(
        "select {COLUMNS}, l.serv_info, l.owner_issuer, l.owner_subject, l.owner_name from anchor a \
         join anchors_list l on l.list_id = a.list_id where a.anchor_id > $1 order by a.anchor_id limit $2"
    );
    let after = after.map_or(-1, i64::from);
    let rows = tx.query(&sql, &params![after, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Found {
                anchor: records::anchor_of(row, 0)?,
                serv_info: row.get(WIDTH)?,
                owner_issuer: row.get(WIDTH + 1)?,
                owner_subject: row.get(WIDTH + 2)?,
                owner_name: row.get(WIDTH + 3)?,
                own: false,
            })
        })
        .collect()
}
