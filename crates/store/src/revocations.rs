//! The revocation log of an issuer: numbered by epochs without a gap, so that a verifier knows when it has everything.
//!
//! What no token is left for is dropped in time. The highest epoch that was ever dropped is kept as the floor: up to it
//! there may be gaps, beyond it there are none.

use crate::{Row, Sql, StoreError, params};

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// `token`, `subject`, `client`, `certificate`, `key` …
    pub kind: String,
    /// jti, sub, client id, x5t#S256, kid …
    pub value: String,
    /// Whose token, by url.
    pub issuer: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// From when on, in seconds since 1970, it spoils nothing any more; `None`: it is for good.
    pub expires_s: Option<i64>,
}

/// A revocation with its epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationRecord {
    /// From 1, without a gap.
    pub epoch: u64,
    /// What is revoked.
    pub revocation: Revocation,
}

/// Appends one; its epoch.
///
/// # Errors
/// The engine's.
pub async fn append(tx: &mut dyn Sql, revocation: &Revocation) -> Result<u64, StoreError> {
    append_many(tx, std::slice::from_ref(revocation)).await
}

/// Appends several in their order; the epoch of the last one, or the present epoch when there is none.
///
/// # Errors
/// The engine's.
pub async fn append_many(tx: &mut dyn Sql, revocations: &[Revocation]) -> Result<u64, StoreError> {
    let lock = tx.dialect().for_update();
    let mut epoch: u64 =
        tx.query_one(&format!("SELECT epoch FROM revocation_head{lock}"), &[]).await?.get(0)?;
    let mut rows = Vec::with_capacity(revocations.len());
    for Revocation { kind, value, issuer, at_ms, expires_s } in revocations {
        epoch += 1;
        rows.push(params![epoch, kind, value, issuer, *at_ms, *expires_s].to_vec());
    }
    tx.execute_many(
        "INSERT INTO revocations (epoch, kind, value, issuer, at_ms, expires_s) VALUES ($1, $2, $3, $4, $5, $6)",
        &rows,
    )
    .await?;
    tx.execute("UPDATE revocation_head SET epoch = $1", &params![epoch]).await?;
    Ok(epoch)
}

/// The present epoch; 0 before the first revocation.
///
/// # Errors
/// The engine's.
pub async fn epoch(tx: &mut dyn Sql) -> Result<u64, StoreError> {
    tx.query_one("SELECT epoch FROM revocation_head", &[]).await?.get(0)
}

/// Up to `limit` revocations after an epoch, in order.
///
/// # Errors
/// The engine's.
pub async fn after(tx: &mut dyn Sql, epoch: u64, limit: u32) -> Result<Vec<RevocationRecord>, StoreError> {
    let sql = "SELECT epoch, kind, value, issuer, at_ms, expires_s FROM revocations WHERE epoch > $1 ORDER BY epoch LIMIT $2";
    tx.query(sql, &params![epoch, limit]).await?.iter().map(record).collect()
}

/// The epoch of the newest revocation of this value, if it was ever revoked.
///
/// # Errors
/// The engine's.
pub async fn newest(
    tx: &mut dyn Sql,
    kind: &str,
    value: &str,
    issuer: &str,
) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT MAX(epoch) FROM revocations WHERE kind = $1 AND value = $2 AND issuer = $3";
    tx.query_one(sql, &params![kind, value, issuer]).await?.get(0)
}

/// The highest epoch that was ever dropped; 0 when none was.
///
/// # Errors
/// The engine's.
pub async fn floor(tx: &mut dyn Sql) -> Result<u64, StoreError> {
    tx.query_one("SELECT floor FROM revocation_head", &[]).await?.get(0)
}

/// Drops at most `limit` revocations that expired before `before_s`; how many.
///
/// `before_s` comes from a time that never steps back, else a token whose revocation is gone could be taken for good.
///
/// # Errors
/// The engine's.
pub async fn purge(tx: &mut dyn Sql, before_s: i64, limit: u32) -> Result<u64, StoreError> {
    let sql = "SELECT epoch FROM revocations WHERE expires_s < $1 ORDER BY expires_s, epoch LIMIT $2";
    let rows = tx.query(sql, &params![before_s, limit]).await?;
    let epochs = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<u64>, _>>()?;
    let Some(highest) = epochs.iter().max().copied() else { return Ok(0) };
    // The head is locked first, as by `append_many`, so that whoever reads sees floor and rows agree.
    let lock = tx.dialect().for_update();
    tx.query_one(&format!("SELECT epoch FROM revocation_head{lock}"), &[]).await?;
    let sql = "UPDATE revocation_head SET floor = CASE WHEN floor < $1 THEN $1 ELSE floor END";
    tx.execute(sql, &params![highest]).await?;
    let rows: Vec<_> = epochs.iter().map(|epoch| params![*epoch].to_vec()).collect();
    tx.execute_many("DELETE FROM revocations WHERE epoch = $1", &rows).await?;
    Ok(epochs.len() as u64)
}

fn record(row: &Row) -> Result<RevocationRecord, StoreError> {
    let revocation = Revocation {
        kind: row.get(1)?,
        value: row.get(2)?,
        issuer: row.get(3)?,
        at_ms: row.get(4)?,
        expires_s: row.get(5)?,
    };
    Ok(RevocationRecord { epoch: row.get(0)?, revocation })
}
