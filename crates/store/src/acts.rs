//! Acts of operators that have begun and not ended: kept before the act, so that a crash in the middle of it leaves a
//! trace of who did what.

use crate::{Row, Sql, StoreError, params};

/// An act that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Random identifier.
    pub id: String,
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who acts, as in the audit.
    pub actor: String,
    /// What is done, as in the audit.
    pub action: String,
    /// On what, as in the audit.
    pub object: String,
    /// Trace of the request.
    pub trace: String,
}

/// Notes that an act begins.
///
/// # Errors
/// The engine's.
pub async fn begin(tx: &mut dyn Sql, act: &Act) -> Result<(), StoreError> {
    let sql = "INSERT INTO acts (id, at_ms, actor, action, object, trace) VALUES ($1, $2, $3, $4, $5, $6)";
    let Act { id, at_ms, actor, action, object, trace } = act;
    tx.execute(sql, &params![id, *at_ms, actor, action, object, trace]).await.map(drop)
}

/// Notes that an act has ended; `false` when it was not noted as begun, or another node has seen to it.
///
/// # Errors
/// The engine's.
pub async fn end(tx: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM acts WHERE id = $1", &params![id]).await? == 1)
}

/// At most `limit` acts that began before this time and have not ended, the oldest first.
///
/// # Errors
/// The engine's.
pub async fn begun_before(tx: &mut dyn Sql, at_ms: i64, limit: u32) -> Result<Vec<Act>, StoreError> {
    let sql = "SELECT id, at_ms, actor, action, object, trace FROM acts WHERE at_ms < $1 ORDER BY at_ms, id LIMIT $2";
    tx.query(sql, &params![at_ms, limit]).await?.iter().map(act).collect()
}

fn act(row: &Row) -> Result<Act, StoreError> {
    Ok(Act {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        object: row.get(4)?,
        trace: row.get(5)?,
    })
}
