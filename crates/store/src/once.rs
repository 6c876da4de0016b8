//! What may be used once only: codes, request objects, `jti` of assertions and proofs (design section 2, "Once only").

use aws_lc_rs::digest::{SHA256, digest};

use crate::migrations::hex;
use crate::{Sql, StoreError, params};

/// Uses a value up. `true`: it had not been used before; whoever gets `true` is the only one, on any node.
///
/// Only the SHA-256 of the value is kept. `expires_s` is when the value stops being accepted for another reason, so that
/// the row may go: never earlier than its expiry with all leeway.
///
/// # Errors
/// The engine's.
pub async fn consume(tx: &mut dyn Sql, kind: &str, value: &str, expires_s: i64) -> Result<bool, StoreError> {
    let sql =
        "INSERT INTO once (kind, value, expires_s) VALUES ($1, $2, $3) ON CONFLICT (kind, value) DO NOTHING";
    let value = hex(digest(&SHA256, value.as_bytes()).as_ref());
    Ok(tx.execute(sql, &params![kind, value, expires_s]).await? == 1)
}

/// Drops at most `limit` rows that expired before `before_s`; how many.
///
/// `before_s` comes from a time that never steps back, else a value whose row is gone could be used again.
///
/// # Errors
/// The engine's.
pub async fn purge(tx: &mut dyn Sql, before_s: i64, limit: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM once WHERE (kind, value) IN \
               (SELECT kind, value FROM once WHERE expires_s < $1 ORDER BY expires_s LIMIT $2)";
    tx.execute(sql, &params![before_s, limit]).await
}
