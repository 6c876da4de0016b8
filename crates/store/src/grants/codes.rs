//! Authorization codes (RFC 6749 4.1.2).

use crate::{Row, Sql, StoreError};

/// A code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// SHA-256 of the code.
    pub code_hash: Vec<u8>,
    /// The grant that it stands for.
    pub family: String,
    /// Who may redeem it.
    pub client_id: String,
    /// Redirect URI, challenge, nonce and key that it is bound to, as JSON text.
    pub binding: String,
    /// First second at which it is void.
    pub expires_s: i64,
    /// When it was redeemed.
    pub used_s: Option<i64>,
}

fn code(row: &Row) -> Result<Code, StoreError> {
    Ok(Code {
        code_hash: row.get(0)?,
        family: row.get(1)?,
        client_id: row.get(2)?,
        binding: row.get(3)?,
        expires_s: row.get(4)?,
        used_s: row.get(5)?,
    })
}

/// Keeps a code.
///
/// # Errors
/// When the store fails.
pub async fn insert(tx: &mut dyn Sql, new: &Code) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO codes (code_hash, family, client_id, binding, expires_s) VALUES ($1, $2, $3, $4, $5)",
        &[
            new.code_hash.clone().into(),
            new.family.as_str().into(),
            new.client_id.as_str().into(),
            new.binding.as_str().into(),
            new.expires_s.into(),
        ],
    )
    .await?;
    Ok(())
}

/// The code, used or not, expired or not.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut dyn Sql, code_hash: &[u8]) -> Result<Option<Code>, StoreError> {
    let rows = tx
        .query(
            "SELECT code_hash, family, client_id, binding, expires_s, used_s FROM codes WHERE code_hash = $1",
            &[code_hash.into()],
        )
        .await?;
    rows.first().map(code).transpose()
}

/// Uses the code up; `false` when somebody was faster.
///
/// # Errors
/// When the store fails.
pub async fn consume(tx: &mut dyn Sql, code_hash: &[u8], now_s: i64) -> Result<bool, StoreError> {
    let done = tx
        .execute(
            "UPDATE codes SET used_s = $2 WHERE code_hash = $1 AND used_s IS NULL",
            &[code_hash.into(), now_s.into()],
        )
        .await?;
    Ok(done > 0)
}
