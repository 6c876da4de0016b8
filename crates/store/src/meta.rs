//! Single values of a function's store, such as the mark of a demo.

use crate::{Sql, StoreError, params};

/// The value of a key.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, key: &str) -> Result<Option<String>, StoreError> {
    tx.query_opt("SELECT value FROM meta WHERE key = $1", &params![key])
        .await?
        .map(|row| row.get(0))
        .transpose()
}

/// Sets a key.
///
/// # Errors
/// The engine's.
pub async fn put(tx: &mut dyn Sql, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, &params![key, value]).await?;
    Ok(())
}

/// Sets a key that has no value yet; the value that it has now, on every node the same.
///
/// # Errors
/// The engine's.
pub async fn put_first(tx: &mut dyn Sql, key: &str, value: &str) -> Result<String, StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
    tx.execute(sql, &params![key, value]).await?;
    tx.query_one("SELECT value FROM meta WHERE key = $1", &params![key]).await?.get(0)
}

/// Drops a key. `false`: it had no value.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, key: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM meta WHERE key = $1", &params![key]).await? == 1)
}
