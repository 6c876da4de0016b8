//! Reports that are held back, by subscription: of one that is muted, or that gathers them for a while. They go with it.

use crate::{Sql, StoreError, params};

/// Holds a report back; the oldest ones of the subscription give way where there are more than `most`.
///
/// # Errors
/// The engine's.
pub async fn add(
    tx: &mut dyn Sql,
    sub_id: &str,
    body: &str,
    made_s: i64,
    most: u32,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO held_report (sub_id, body, made_s) VALUES ($1, $2, $3)";
    tx.execute(sql, &params![sub_id, body, made_s]).await?;
    let sql = "DELETE FROM held_report WHERE sub_id = $1 AND seq <= \
               (SELECT seq FROM held_report WHERE sub_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)";
    tx.execute(sql, &params![sub_id, most]).await.map(drop)
}

/// Takes all reports of a subscription out, the oldest first.
///
/// # Errors
/// The engine's.
pub async fn take(tx: &mut dyn Sql, sub_id: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT body FROM held_report WHERE sub_id = $1 ORDER BY seq";
    let rows = tx.query(sql, &params![sub_id]).await?;
    tx.execute("DELETE FROM held_report WHERE sub_id = $1", &params![sub_id]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
