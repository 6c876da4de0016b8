//! Grants of users to clients, each with the refresh tokens that descend from it (RFC 9700 4.14.2).

use crate::{Row, Sql, StoreError};

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its random name.
    pub family: String,
    /// Who holds it.
    pub client_id: String,
    /// Whose it is.
    pub subject: String,
    /// What it permits, as JSON text.
    pub permission: String,
    /// First second at which it is void.
    pub ends_s: i64,
    /// First second at which it is void for lack of use.
    pub idle_ends_s: i64,
    /// When it was revoked.
    pub revoked_s: Option<i64>,
}

impl Family {
    /// Whether it still gives tokens.
    #[must_use]
    pub const fn is_live(&self, now_s: i64) -> bool {
        self.revoked_s.is_none() && now_s < self.ends_s && now_s < self.idle_ends_s
    }
}

fn family(row: &Row) -> Result<Family, StoreError> {
    Ok(Family {
        family: row.get(0)?,
        client_id: row.get(1)?,
        subject: row.get(2)?,
        permission: row.get(3)?,
        ends_s: row.get(4)?,
        idle_ends_s: row.get(5)?,
        revoked_s: row.get(6)?,
    })
}

/// Keeps a grant.
///
/// # Errors
/// When the store fails.
pub async fn insert(tx: &mut dyn Sql, new: &Family) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO families (family, client_id, subject, permission, ends_s, idle_ends_s)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            new.family.as_str().into(),
            new.client_id.as_str().into(),
            new.subject.as_str().into(),
            new.permission.as_str().into(),
            new.ends_s.into(),
            new.idle_ends_s.into(),
        ],
    )
    .await?;
    Ok(())
}

/// The grant, locked against a revocation at the same moment.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut dyn Sql, name: &str) -> Result<Option<Family>, StoreError> {
    let sql = format!(
        "SELECT family, client_id, subject, permission, ends_s, idle_ends_s, revoked_s FROM families
         WHERE family = $1{}",
        tx.dialect().for_update()
    );
    tx.query(&sql, &[name.into()]).await?.first().map(family).transpose()
}

/// Notes a use: permission and idle time change.
///
/// # Errors
/// When the store fails.
pub async fn touch(
    tx: &mut dyn Sql,
    name: &str,
    permission: &str,
    idle_ends_s: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE families SET permission = $2, idle_ends_s = $3 WHERE family = $1",
        &[name.into(), permission.into(), idle_ends_s.into()],
    )
    .await?;
    Ok(())
}

/// Revokes one grant.
///
/// # Errors
/// When the store fails.
pub async fn revoke(tx: &mut dyn Sql, name: &str, now_s: i64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE families SET revoked_s = $2 WHERE family = $1 AND revoked_s IS NULL",
        &[name.into(), now_s.into()],
    )
    .await?;
    Ok(())
}

/// Revokes every grant of a user.
///
/// # Errors
/// When the store fails.
pub async fn revoke_subject(tx: &mut dyn Sql, subject: &str, now_s: i64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE families SET revoked_s = $2 WHERE subject = $1 AND revoked_s IS NULL",
        &[subject.into(), now_s.into()],
    )
    .await?;
    Ok(())
}

/// Revokes every grant to a client.
///
/// # Errors
/// When the store fails.
pub async fn revoke_client(tx: &mut dyn Sql, client_id: &str, now_s: i64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE families SET revoked_s = $2 WHERE client_id = $1 AND revoked_s IS NULL",
        &[client_id.into(), now_s.into()],
    )
    .await?;
    Ok(())
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// The grant.
    pub family: String,
    /// When its successor was issued.
    pub rotated_s: Option<i64>,
    /// From the old token and this salt its successor is computed again for a client whose answer got lost.
    pub salt: Option<Vec<u8>>,
}

/// Keeps a refresh token.
///
/// # Errors
/// When the store fails.
pub async fn insert_refresh(tx: &mut dyn Sql, token_hash: &[u8], name: &str) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO refresh_tokens (token_hash, family) VALUES ($1, $2)",
        &[token_hash.into(), name.into()],
    )
    .await?;
    Ok(())
}

/// The refresh token, rotated or not.
///
/// # Errors
/// When the store fails.
pub async fn find_refresh(tx: &mut dyn Sql, token_hash: &[u8]) -> Result<Option<RefreshToken>, StoreError> {
    let rows = tx
        .query(
            "SELECT token_hash, family, rotated_s, salt FROM refresh_tokens WHERE token_hash = $1",
            &[token_hash.into()],
        )
        .await?;
    let token = |row: &Row| -> Result<RefreshToken, StoreError> {
        Ok(RefreshToken {
            token_hash: row.get(0)?,
            family: row.get(1)?,
            rotated_s: row.get(2)?,
            salt: row.get(3)?,
        })
    };
    rows.first().map(token).transpose()
}

/// Replaces a refresh token; `false` when somebody was faster.
///
/// # Errors
/// When the store fails.
pub async fn rotate(
    tx: &mut dyn Sql,
    token_hash: &[u8],
    salt: &[u8],
    now_s: i64,
) -> Result<bool, StoreError> {
    let done = tx
        .execute(
            "UPDATE refresh_tokens SET rotated_s = $3, salt = $2 WHERE token_hash = $1 AND rotated_s IS NULL",
            &[token_hash.into(), salt.into(), now_s.into()],
        )
        .await?;
    Ok(done > 0)
}
