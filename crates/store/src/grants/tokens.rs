//! Access tokens that were issued, by `jti`, as long as they live.

use crate::{Row, Sql, StoreError};

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// Its `jti`.
    pub jti: String,
    /// The grant that it came from; none for a client's own.
    pub family: Option<String>,
    /// Who got it.
    pub client_id: String,
    /// Its `sub`.
    pub subject: String,
    /// Its `scope`.
    pub scope: String,
    /// Its `exp`.
    pub expires_s: i64,
}

/// Notes a token.
///
/// # Errors
/// When the store fails.
pub async fn insert(tx: &mut dyn Sql, new: &IssuedToken) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO tokens (jti, family, client_id, subject, scope, expires_s) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            new.jti.as_str().into(),
            new.family.clone().into(),
            new.client_id.as_str().into(),
            new.subject.as_str().into(),
            new.scope.as_str().into(),
            new.expires_s.into(),
        ],
    )
    .await?;
    Ok(())
}

const COLUMNS: &str = "jti, family, client_id, subject, scope, expires_s";

fn token(row: &Row) -> Result<IssuedToken, StoreError> {
    Ok(IssuedToken {
        jti: row.get(0)?,
        family: row.get(1)?,
        client_id: row.get(2)?,
        subject: row.get(3)?,
        scope: row.get(4)?,
        expires_s: row.get(5)?,
    })
}

/// The token of that `jti`.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut dyn Sql, jti: &str) -> Result<Option<IssuedToken>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE jti = $1");
    tx.query(&sql, &[jti.into()]).await?.first().map(token).transpose()
}

/// Up to `limit` tokens whose `jti` follows `after` and that have not expired, by `jti`.
///
/// # Errors
/// When the store fails.
pub async fn page(
    tx: &mut dyn Sql,
    after: &str,
    now_s: i64,
    limit: u32,
) -> Result<Vec<IssuedToken>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE jti > $1 AND expires_s > $2 ORDER BY jti LIMIT $3");
    tx.query(&sql, &[after.into(), now_s.into(), limit.into()]).await?.iter().map(token).collect()
}

/// When the last of all tokens expires; `None` when there is none.
///
/// # Errors
/// When the store fails.
pub async fn last_expiry(tx: &mut dyn Sql) -> Result<Option<i64>, StoreError> {
    tx.query_one("SELECT MAX(expires_s) FROM tokens", &[]).await?.get(0)
}

/// The `jti` of every token of a grant that may still be accepted somewhere.
///
/// # Errors
/// When the store fails.
pub async fn of_family(tx: &mut dyn Sql, family: &str) -> Result<Vec<String>, StoreError> {
    let rows = tx.query("SELECT jti FROM tokens WHERE family = $1", &[family.into()]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
