//! Names of principals: a client is never called like a user, nor the other way round (RFC 9700 4.15.1).

use crate::{Sql, StoreError};

/// Who may hold a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A user account.
    User,
    /// A client.
    Client,
}

impl Holder {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Client => "client",
        }
    }
}

/// Takes `name` for `owner`; `false` when somebody else holds it. Taking a name twice is taking it once.
///
/// # Errors
/// When the store fails.
pub async fn take(tx: &mut dyn Sql, name: &str, holder: Holder, owner: &str) -> Result<bool, StoreError> {
    tx.execute(
        "INSERT INTO principals (name, kind, owner) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        &[name.into(), holder.as_str().into(), owner.into()],
    )
    .await?;
    let rows = tx
        .query(
            "SELECT 1 FROM principals WHERE name = $1 AND kind = $2 AND owner = $3",
            &[name.into(), holder.as_str().into(), owner.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Whether anybody but the user `owner` holds `name`.
///
/// # Errors
/// When the store fails.
pub async fn is_of_another(tx: &mut dyn Sql, name: &str, owner: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM principals WHERE name = $1 AND kind = 'user' AND owner <> $2";
    Ok(tx.query_opt(sql, &[name.into(), owner.into()]).await?.is_some())
}

/// Gives back every name of `owner` but those of `keep`.
///
/// # Errors
/// When the store fails.
pub async fn release(tx: &mut dyn Sql, holder: Holder, owner: &str, keep: &[&str]) -> Result<(), StoreError> {
    let rows = tx
        .query(
            "SELECT name FROM principals WHERE kind = $1 AND owner = $2",
            &[holder.as_str().into(), owner.into()],
        )
        .await?;
    for row in rows {
        let name: String = row.get(0)?;
        if !keep.contains(&name.as_str()) {
            tx.execute("DELETE FROM principals WHERE name = $1", &[name.as_str().into()]).await?;
        }
    }
    Ok(())
}
