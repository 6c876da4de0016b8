//! What was granted, on the way from the login to the token: pushed requests, codes, refresh token families, tokens.
//!
//! Everything secret is kept as SHA-256. What is used once is used up by one statement, so that of two nodes one wins.

pub mod codes;
pub mod families;
pub mod pushed;
pub mod tokens;

use crate::{Sql, StoreError};

/// Forgets what has expired.
///
/// # Errors
/// When the store fails.
pub async fn purge(tx: &mut dyn Sql, now_s: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM pushed_requests WHERE expires_s <= $1", &[now_s.into()]).await?;
    tx.execute("DELETE FROM tokens WHERE expires_s <= $1", &[now_s.into()]).await?;
    tx.execute(
        "DELETE FROM refresh_tokens WHERE family IN (SELECT family FROM families WHERE ends_s <= $1)",
        &[now_s.into()],
    )
    .await?;
    // A used code is kept as long as its family, so that a late second use is still seen.
    tx.execute(
        "DELETE FROM codes WHERE expires_s <= $1
         AND (used_s IS NULL OR family IN (SELECT family FROM families WHERE ends_s <= $1)
              OR family NOT IN (SELECT family FROM families))",
        &[now_s.into()],
    )
    .await?;
    tx.execute("DELETE FROM families WHERE ends_s <= $1", &[now_s.into()]).await?;
    Ok(())
}
