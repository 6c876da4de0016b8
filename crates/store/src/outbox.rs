//! Callbacks and publications that leave after the commit: queued in the transaction that causes them, delivered at least
//! once, by one node at a time.

use std::fmt;

use crate::{Row, Sql, StoreError, params};

/// The longest reason of a failure that is kept, in characters. Own value.
const ERROR_LIMIT: usize = 200;

/// A message to somebody outside.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Chosen by the caller; the same id again changes nothing.
    pub id: String,
    /// What it is, such as `SPATIAL_MAP_READY`.
    pub kind: String,
    /// Whose callback it is: the egress rules of that client apply.
    pub client: String,
    /// Where it goes.
    pub target: String,
    /// What is sent.
    pub body: String,
    /// The trace that caused it.
    pub trace: Option<String>,
    /// When it was queued, in milliseconds since 1970.
    pub queued_ms: i64,
    /// Not to be sent before.
    pub due_ms: i64,
}

impl fmt::Debug for Message {
    /// Without target and body, which may name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A message that this node has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The message.
    pub message: Message,
    /// Attempts that failed so far.
    pub attempts: u32,
}

/// What became of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It will be tried again.
    Again,
    /// That was the last attempt; it is kept for the operator.
    Dead,
    /// The claim had run out and another node has it, or it is gone.
    NotOurs,
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// The message.
    pub message: Message,
    /// Attempts made.
    pub attempts: u32,
    /// Why the last one failed.
    pub error: Option<String>,
}

const COLUMNS: &str = "id, kind, client, target, body, trace, queued_ms, due_ms, attempts";

/// Queues a message. `false`: this id is queued already.
///
/// # Errors
/// The engine's.
pub async fn queue(tx: &mut dyn Sql, message: &Message) -> Result<bool, StoreError> {
    let sql = format!(
        "INSERT INTO outbox ({COLUMNS}, dead, lease_until_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0) \
         ON CONFLICT (id) DO NOTHING"
    );
    let params = params![
        &message.id,
        &message.kind,
        &message.client,
        &message.target,
        &message.body,
        message.trace.as_ref(),
        message.queued_ms,
        message.due_ms
    ];
    Ok(tx.execute(&sql, &params).await? == 1)
}

/// Claims up to `limit` messages for `node` until `lease_until_ms`: no other node gets them before that.
///
/// # Errors
/// The engine's.
pub async fn due(
    tx: &mut dyn Sql,
    node: &str,
    now_ms: i64,
    lease_until_ms: i64,
    limit: u32,
) -> Result<Vec<Due>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE dead = 0 AND due_ms <= $1 AND lease_until_ms <= $1 \
         ORDER BY due_ms, id LIMIT $2{}",
        tx.dialect().for_update()
    );
    let rows = tx.query(&sql, &params![now_ms, limit]).await?;
    let claimed = rows.iter().map(waiting).collect::<Result<Vec<_>, _>>()?;
    let claims: Vec<_> =
        claimed.iter().map(|due| params![lease_until_ms, node, &due.message.id].to_vec()).collect();
    tx.execute_many("UPDATE outbox SET lease_until_ms = $1, node = $2 WHERE id = $3", &claims).await?;
    Ok(claimed)
}

/// When the next message can be claimed, in milliseconds; `None` when nothing waits.
///
/// # Errors
/// The engine's.
pub async fn next_due_ms(tx: &mut dyn Sql) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT MIN(CASE WHEN due_ms > lease_until_ms THEN due_ms ELSE lease_until_ms END) \
               FROM outbox WHERE dead = 0";
    tx.query_one(sql, &[]).await?.get(0)
}

/// The message was delivered and is dropped. `false`: the claim had run out and another node has it.
///
/// # Errors
/// The engine's.
pub async fn done(tx: &mut dyn Sql, id: &str, node: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM outbox WHERE id = $1 AND node = $2 AND dead = 0";
    Ok(tx.execute(sql, &params![id, node]).await? == 1)
}

/// The attempt failed: the message is due again at `again_ms`, or dead when `attempts_max` attempts were made.
///
/// # Errors
/// The engine's.
pub async fn retry(
    tx: &mut dyn Sql,
    id: &str,
    node: &str,
    again_ms: i64,
    attempts_max: u32,
    error: &str,
) -> Result<Retry, StoreError> {
    let error: String = error.chars().take(ERROR_LIMIT).collect();
    let sql = "UPDATE outbox SET attempts = attempts + 1, due_ms = $1, error = $2, node = NULL, lease_until_ms = 0, \
               dead = CASE WHEN attempts + 1 >= $3 THEN 1 ELSE 0 END \
               WHERE id = $4 AND node = $5 AND dead = 0 RETURNING dead";
    let params = params![again_ms, error, attempts_max, id, node];
    match tx.query_opt(sql, &params).await? {
        None => Ok(Retry::NotOurs),
        Some(row) if row.get(0)? => Ok(Retry::Dead),
        Some(_) => Ok(Retry::Again),
    }
}

/// Messages that were given up, after an id, for the operator.
///
/// # Errors
/// The engine's.
pub async fn dead(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<Dead>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, error FROM outbox WHERE dead = 1 AND id > $1 ORDER BY id LIMIT $2");
    let rows = tx.query(&sql, &params![after, limit]).await?;
    rows.iter()
        .map(|row| {
            let Due { message, attempts } = waiting(row)?;
            Ok(Dead { message, attempts, error: row.get(9)? })
        })
        .collect()
}

/// Whether a message waits to be delivered.
///
/// # Errors
/// The engine's.
pub async fn waits(tx: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_opt("SELECT 1 FROM outbox WHERE id = $1 AND dead = 0", &params![id]).await?.is_some())
}

/// Drops a message, whatever its state: its subscription has ended. `false`: no such message.
///
/// # Errors
/// The engine's.
pub async fn cancel(tx: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM outbox WHERE id = $1", &params![id]).await? == 1)
}

fn waiting(row: &Row) -> Result<Due, StoreError> {
    let message = Message {
        id: row.get(0)?,
        kind: row.get(1)?,
        client: row.get(2)?,
        target: row.get(3)?,
        body: row.get(4)?,
        trace: row.get(5)?,
        queued_ms: row.get(6)?,
        due_ms: row.get(7)?,
    };
    Ok(Due { message, attempts: row.get(8)? })
}
