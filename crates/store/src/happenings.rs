//! What happened and was not yet told: written in the transaction of the change, taken in the one that queues the
//! messages that come of it. So a crash between the two loses nothing and tells nothing twice.

use std::fmt;

use crate::{Sql, StoreError, params};

/// Something that a subscriber may want to hear of.
#[derive(Clone, PartialEq, Eq)]
pub struct Happening {
    /// What it is; the function's own word.
    pub kind: String,
    /// JSON of the function's own.
    pub body: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The trace that caused it.
    pub trace: Option<String>,
}

impl fmt::Debug for Happening {
    /// Without the body, which may name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Happening").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Notes something.
///
/// # Errors
/// The engine's.
pub async fn note(tx: &mut dyn Sql, happening: &Happening) -> Result<(), StoreError> {
    let sql = "INSERT INTO happening (kind, body, at_ms, trace) VALUES ($1, $2, $3, $4)";
    let Happening { kind, body, at_ms, trace } = happening;
    tx.execute(sql, &params![kind, body, *at_ms, trace.as_ref()]).await.map(drop)
}

/// Takes the oldest, in their order: they are gone when the transaction is kept.
///
/// # Errors
/// The engine's.
pub async fn take(tx: &mut dyn Sql, limit: u32) -> Result<Vec<Happening>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("SELECT seq, kind, body, at_ms, trace FROM happening ORDER BY seq LIMIT $1{lock}");
    let rows = tx.query(&sql, &params![limit]).await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in &rows {
        let seq: i64 = row.get(0)?;
        // Another node may have taken it while this one waited for the lock.
        if tx.execute("DELETE FROM happening WHERE seq = $1", &params![seq]).await? == 1 {
            let (kind, body, at_ms, trace) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            taken.push(Happening { kind, body, at_ms, trace });
        }
    }
    Ok(taken)
}
