//! Passkeys of users, by credential (W3C Web Authentication).

use crate::{Row, Sql, StoreError, params};

/// A passkey.
#[derive(Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Identifier, made by the authenticator.
    pub credential_id: Vec<u8>,
    /// The account.
    pub user_id: String,
    /// What the authenticator knows the account by: random, the same for all passkeys of an account.
    pub user_handle: Vec<u8>,
    /// Point of P-256, uncompressed.
    pub public_key: Vec<u8>,
    /// The last count of signatures.
    pub sign_count: u32,
    /// The user's word for it.
    pub label: String,
    /// Seconds since 1970.
    pub created_s: i64,
    /// When it was used last.
    pub used_s: Option<i64>,
}

impl std::fmt::Debug for PasskeyRow {
    /// Without what names a person or a device.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasskeyRow")
    }
}

const COLUMNS: &str = "credential_id, user_id, user_handle, public_key, sign_count, label, created_s, used_s";

fn passkey(row: &Row) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        credential_id: row.get(0)?,
        user_id: row.get(1)?,
        user_handle: row.get(2)?,
        public_key: row.get(3)?,
        sign_count: row.get(4)?,
        label: row.get(5)?,
        created_s: row.get(6)?,
        used_s: row.get(7)?,
    })
}

/// Adds a passkey; `false` when there is one with its identifier, whoever's.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, new: &PasskeyRow) -> Result<bool, StoreError> {
    let sql = format!(
        "INSERT INTO passkeys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
    );
    let params = params![
        new.credential_id.as_slice(),
        &new.user_id,
        new.user_handle.as_slice(),
        new.public_key.as_slice(),
        new.sign_count,
        &new.label,
        new.created_s,
        new.used_s,
    ];
    Ok(tx.execute(&sql, &params).await? == 1)
}

/// A passkey, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, credential_id: &[u8]) -> Result<Option<PasskeyRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE credential_id = $1{lock}");
    tx.query_opt(&sql, &[credential_id.into()]).await?.as_ref().map(passkey).transpose()
}

/// The passkeys of an account, the oldest first.
///
/// # Errors
/// The engine's.
pub async fn of_user(tx: &mut dyn Sql, user_id: &str) -> Result<Vec<PasskeyRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE user_id = $1 ORDER BY created_s, credential_id");
    tx.query(&sql, &params![user_id]).await?.iter().map(passkey).collect()
}

/// Notes that a passkey was used.
///
/// # Errors
/// The engine's.
pub async fn used(
    tx: &mut dyn Sql,
    credential_id: &[u8],
    sign_count: u32,
    now_s: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE passkeys SET sign_count = $2, used_s = $3 WHERE credential_id = $1";
    tx.execute(sql, &[credential_id.into(), sign_count.into(), now_s.into()]).await.map(drop)
}

/// Removes a passkey of an account; `false` when it has no such one.
///
/// # Errors
/// The engine's.
pub async fn remove(tx: &mut dyn Sql, user_id: &str, credential_id: &[u8]) -> Result<bool, StoreError> {
    let sql = "DELETE FROM passkeys WHERE user_id = $1 AND credential_id = $2";
    Ok(tx.execute(sql, &[user_id.into(), credential_id.into()]).await? == 1)
}

/// Removes all passkeys of an account.
///
/// # Errors
/// The engine's.
pub async fn remove_all(tx: &mut dyn Sql, user_id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM passkeys WHERE user_id = $1", &params![user_id]).await.map(drop)
}
