//! Signing keys and other secrets of an issuer, sealed before they come here.

use std::fmt;

use crate::{Row, Sql, StoreError};

/// A signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Thumbprint (RFC 7638).
    pub kid: String,
    /// JOSE algorithm.
    pub alg: String,
    /// Private key, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_s: i64,
    /// First second at which it may sign; it is published before.
    pub active_from_s: i64,
    /// First second at which it is no longer published.
    pub retires_s: Option<i64>,
    /// When it was revoked.
    pub revoked_s: Option<i64>,
}

impl fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRow").field("kid", &self.kid).field("alg", &self.alg).finish_non_exhaustive()
    }
}

fn key(row: &Row) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        kid: row.get(0)?,
        alg: row.get(1)?,
        sealed: row.get(2)?,
        created_s: row.get(3)?,
        active_from_s: row.get(4)?,
        retires_s: row.get(5)?,
        revoked_s: row.get(6)?,
    })
}

/// Every key, the oldest first.
///
/// # Errors
/// When the store fails.
pub async fn all(tx: &mut dyn Sql) -> Result<Vec<KeyRow>, StoreError> {
    let rows = tx
        .query(
            "SELECT kid, alg, sealed, created_s, active_from_s, retires_s, revoked_s FROM signing_keys
             ORDER BY active_from_s, created_s, kid",
            &[],
        )
        .await?;
    rows.iter().map(key).collect()
}

/// Keeps a new key, or changes the times of a known one.
///
/// # Errors
/// When the store fails.
pub async fn put(tx: &mut dyn Sql, key: &KeyRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO signing_keys (kid, alg, sealed, created_s, active_from_s, retires_s, revoked_s)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (kid) DO UPDATE SET active_from_s = excluded.active_from_s, retires_s = excluded.retires_s,
           revoked_s = excluded.revoked_s",
        &[
            key.kid.as_str().into(),
            key.alg.as_str().into(),
            key.sealed.clone().into(),
            key.created_s.into(),
            key.active_from_s.into(),
            key.retires_s.into(),
            key.revoked_s.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets a key.
///
/// # Errors
/// When the store fails.
pub async fn delete(tx: &mut dyn Sql, kid: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM signing_keys WHERE kid = $1", &[kid.into()]).await?;
    Ok(())
}

/// The sealed secret of that name: the one given here, unless there was one before.
///
/// # Errors
/// When the store fails.
pub async fn secret_or(tx: &mut dyn Sql, name: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    tx.execute(
        "INSERT INTO secrets (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &[name.into(), sealed.into()],
    )
    .await?;
    let rows = tx.query("SELECT sealed FROM secrets WHERE name = $1", &[name.into()]).await?;
    rows.first().ok_or_else(|| crate::json::corrupt("secrets"))?.get(0)
}
