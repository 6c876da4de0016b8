//! What an API exposing function of CAPIF keeps: how often it was invoked, logs on their way to the core function, and what
//! was withdrawn.

use crate::{Sql, StoreError, params};

/// Invocations that may be made without asking again: from `from` on, `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Invocations before them.
    pub from: u64,
    /// How many; 0: the limit is reached.
    pub count: u64,
}

/// Counts `more` invocations that were made, perhaps fewer than none, and then reserves as many as `take` says of those that
/// are made already. What is reserved counts as made, on every node and after a crash.
///
/// # Errors
/// The engine's.
pub async fn reserve(
    tx: &mut dyn Sql,
    invoker: &str,
    api: &str,
    more: i64,
    take: impl FnOnce(u64) -> u64,
) -> Result<Block, StoreError> {
    let from = add(tx, invoker, api, more).await?;
    let count = take(from);
    if count > 0 {
        add(tx, invoker, api, i64::try_from(count).unwrap_or(i64::MAX)).await?;
    }
    Ok(Block { from, count })
}

/// Counts `more` invocations, perhaps fewer than none; how many there are then. The row is held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn add(tx: &mut dyn Sql, invoker: &str, api: &str, more: i64) -> Result<u64, StoreError> {
    let sql = "INSERT INTO aef_count (invoker_id, api_name, total) \
               VALUES ($1, $2, CASE WHEN CAST($3 AS BIGINT) > 0 THEN CAST($3 AS BIGINT) ELSE 0 END) \
               ON CONFLICT (invoker_id, api_name) DO UPDATE SET total = CASE \
               WHEN aef_count.total + CAST($3 AS BIGINT) > 0 THEN aef_count.total + CAST($3 AS BIGINT) ELSE 0 END \
               RETURNING total";
    let total: i64 = tx.query_one(sql, &params![invoker, api, more]).await?.get(0)?;
    Ok(total.unsigned_abs())
}

/// A log that waits for the core function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLog {
    /// Its identifier.
    pub id: String,
    /// What is sent.
    pub body: String,
    /// Attempts that failed.
    pub attempts: u32,
}

/// Queues a log. `false`: `most` wait already, and it is not kept.
///
/// # Errors
/// The engine's.
pub async fn queue_log(
    tx: &mut dyn Sql,
    id: &str,
    body: &str,
    now_ms: i64,
    most: u64,
) -> Result<bool, StoreError> {
    let waiting: i64 = tx.query_one("SELECT COUNT(*) FROM aef_log", &[]).await?.get(0)?;
    if waiting.unsigned_abs() >= most {
        return Ok(false);
    }
    let sql = "INSERT INTO aef_log (id, body, due_ms, attempts) VALUES ($1, $2, $3, 0)";
    tx.execute(sql, &params![id, body, now_ms]).await?;
    Ok(true)
}

/// Logs that are due, up to `limit`. No other node gets them before `until_ms`.
///
/// # Errors
/// The engine's.
pub async fn claim_logs(
    tx: &mut dyn Sql,
    now_ms: i64,
    until_ms: i64,
    limit: u32,
) -> Result<Vec<WaitingLog>, StoreError> {
    let sql = format!(
        "SELECT id, body, attempts FROM aef_log WHERE due_ms <= $1 ORDER BY due_ms, id LIMIT $2{}",
        tx.dialect().for_update()
    );
    let rows = tx.query(&sql, &params![now_ms, limit]).await?;
    let of_row =
        |row: &crate::Row| Ok(WaitingLog { id: row.get(0)?, body: row.get(1)?, attempts: row.get(2)? });
    let logs = rows.iter().map(of_row).collect::<Result<Vec<_>, StoreError>>()?;
    let claims: Vec<_> = logs.iter().map(|log| params![until_ms, &log.id].to_vec()).collect();
    tx.execute_many("UPDATE aef_log SET due_ms = $1 WHERE id = $2", &claims).await?;
    Ok(logs)
}

/// A log was taken, or will never be.
///
/// # Errors
/// The engine's.
pub async fn drop_log(tx: &mut dyn Sql, id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM aef_log WHERE id = $1", &params![id]).await.map(drop)
}

/// A log was not taken and is due again later.
///
/// # Errors
/// The engine's.
pub async fn retry_log(tx: &mut dyn Sql, id: &str, due_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE aef_log SET due_ms = $2, attempts = attempts + 1 WHERE id = $1";
    tx.execute(sql, &params![id, due_ms]).await.map(drop)
}

/// An authorization that was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawnRow {
    /// Whose.
    pub invoker_id: String,
    /// For which service API, by its name.
    pub api_name: String,
    /// Tokens issued up to this second are good no more.
    pub until_s: i64,
    /// From then on no such token is left.
    pub forget_s: i64,
}

/// Keeps what was withdrawn; forgets what no token is left for.
///
/// # Errors
/// The engine's.
pub async fn withdraw(tx: &mut dyn Sql, row: &WithdrawnRow) -> Result<(), StoreError> {
    tx.execute("DELETE FROM aef_withdrawn WHERE forget_s < $1", &params![row.until_s]).await?;
    let sql = "INSERT INTO aef_withdrawn (invoker_id, api_name, until_s, forget_s) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (invoker_id, api_name) DO UPDATE SET until_s = excluded.until_s, forget_s = excluded.forget_s";
    tx.execute(sql, &params![&row.invoker_id, &row.api_name, row.until_s, row.forget_s]).await.map(drop)
}

/// Everything that was withdrawn and that a token may still be left for.
///
/// # Errors
/// The engine's.
pub async fn withdrawn(tx: &mut dyn Sql, now_s: i64) -> Result<Vec<WithdrawnRow>, StoreError> {
    let sql = "SELECT invoker_id, api_name, until_s, forget_s FROM aef_withdrawn WHERE forget_s >= $1";
    let of_row = |row: &crate::Row| {
        Ok(WithdrawnRow {
            invoker_id: row.get(0)?,
            api_name: row.get(1)?,
            until_s: row.get(2)?,
            forget_s: row.get(3)?,
        })
    };
    tx.query(sql, &params![now_s]).await?.iter().map(of_row).collect()
}
