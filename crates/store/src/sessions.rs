//! Logins in progress and logins done, by the SHA-256 of what the browser holds.

use crate::{Row, Sql, StoreError};

/// A login form that was shown and not yet answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// SHA-256 of the identifier in the form.
    pub id_hash: Vec<u8>,
    /// The authentication request, as JSON text.
    pub request: String,
    /// SHA-256 of the cookie of the browser that it was shown to.
    pub browser: Option<Vec<u8>>,
    /// Wrong answers so far.
    pub attempts: i64,
    /// First second at which it is void.
    pub expires_s: i64,
}

fn interaction(row: &Row) -> Result<Interaction, StoreError> {
    Ok(Interaction {
        id_hash: row.get(0)?,
        request: row.get(1)?,
        browser: row.get(2)?,
        attempts: row.get(3)?,
        expires_s: row.get(4)?,
    })
}

/// Keeps a new interaction.
///
/// # Errors
/// When the store fails.
pub async fn begin(tx: &mut dyn Sql, new: &Interaction) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO interactions (id_hash, request, browser, attempts, expires_s) VALUES ($1, $2, $3, 0, $4)",
        &[new.id_hash.clone().into(), new.request.clone().into(), new.browser.clone().into(), new.expires_s.into()],
    )
    .await?;
    Ok(())
}

/// The interaction, unless it has expired.
///
/// # Errors
/// When the store fails.
pub async fn find_interaction(
    tx: &mut dyn Sql,
    id_hash: &[u8],
    now_s: i64,
) -> Result<Option<Interaction>, StoreError> {
    let rows = tx
        .query(
            "SELECT id_hash, request, browser, attempts, expires_s FROM interactions
             WHERE id_hash = $1 AND expires_s > $2",
            &[id_hash.into(), now_s.into()],
        )
        .await?;
    rows.first().map(interaction).transpose()
}

/// Whether some open interaction was shown to this browser.
///
/// # Errors
/// When the store fails.
pub async fn knows_browser(tx: &mut dyn Sql, browser: &[u8], now_s: i64) -> Result<bool, StoreError> {
    let rows = tx
        .query(
            "SELECT 1 FROM interactions WHERE browser = $1 AND expires_s > $2 LIMIT 1",
            &[browser.into(), now_s.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Counts a wrong answer, and voids the interaction at the `most`-th.
///
/// # Errors
/// When the store fails.
pub async fn count_wrong(tx: &mut dyn Sql, id_hash: &[u8], most: i64) -> Result<(), StoreError> {
    tx.execute("UPDATE interactions SET attempts = attempts + 1 WHERE id_hash = $1", &[id_hash.into()])
        .await?;
    tx.execute(
        "DELETE FROM interactions WHERE id_hash = $1 AND attempts >= $2",
        &[id_hash.into(), most.into()],
    )
    .await?;
    Ok(())
}

/// Ends an interaction; `false` when it was ended before.
///
/// # Errors
/// When the store fails.
pub async fn consume_interaction(tx: &mut dyn Sql, id_hash: &[u8], now_s: i64) -> Result<bool, StoreError> {
    let done = tx
        .execute(
            "DELETE FROM interactions WHERE id_hash = $1 AND expires_s > $2",
            &[id_hash.into(), now_s.into()],
        )
        .await?;
    Ok(done > 0)
}

/// The other forms of a browser follow it to its new cookie.
///
/// # Errors
/// When the store fails.
pub async fn move_browser(tx: &mut dyn Sql, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
    tx.execute("UPDATE interactions SET browser = $2 WHERE browser = $1", &[from.into(), to.into()]).await?;
    Ok(())
}

/// A user who has logged in with a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie.
    pub id_hash: Vec<u8>,
    /// The account.
    pub user_id: String,
    /// Time, method and what was permitted to whom, as JSON text.
    pub detail: String,
    /// First second at which it is void.
    pub expires_s: i64,
}

/// Keeps a session.
///
/// # Errors
/// When the store fails.
pub async fn open(tx: &mut dyn Sql, new: &Session) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO sessions (id_hash, user_id, detail, expires_s) VALUES ($1, $2, $3, $4)",
        &[
            new.id_hash.clone().into(),
            new.user_id.as_str().into(),
            new.detail.as_str().into(),
            new.expires_s.into(),
        ],
    )
    .await?;
    Ok(())
}

/// The session of a cookie, unless it has expired.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut dyn Sql, id_hash: &[u8], now_s: i64) -> Result<Option<Session>, StoreError> {
    let rows = tx
        .query(
            "SELECT id_hash, user_id, detail, expires_s FROM sessions WHERE id_hash = $1 AND expires_s > $2",
            &[id_hash.into(), now_s.into()],
        )
        .await?;
    let session = |row: &Row| -> Result<Session, StoreError> {
        Ok(Session {
            id_hash: row.get(0)?,
            user_id: row.get(1)?,
            detail: row.get(2)?,
            expires_s: row.get(3)?,
        })
    };
    rows.first().map(session).transpose()
}

/// Ends one session.
///
/// # Errors
/// When the store fails.
pub async fn close(tx: &mut dyn Sql, id_hash: &[u8]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sessions WHERE id_hash = $1", &[id_hash.into()]).await?;
    Ok(())
}

/// Ends every session of a user.
///
/// # Errors
/// When the store fails.
pub async fn close_all_of(tx: &mut dyn Sql, user_id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1", &[user_id.into()]).await?;
    Ok(())
}

/// Most login forms that wait for an answer. Own value: anybody may ask for one, so that the oldest give way.
pub const MOST_INTERACTIONS: i64 = 50_000;

/// Forgets what has expired, and the oldest login forms beyond `most`.
///
/// # Errors
/// When the store fails.
pub async fn purge(tx: &mut dyn Sql, now_s: i64, most: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM interactions WHERE expires_s <= $1", &[now_s.into()]).await?;
    let open: i64 = tx.query_one("SELECT COUNT(*) FROM interactions", &[]).await?.get(0)?;
    if open > most {
        let sql = "DELETE FROM interactions WHERE id_hash IN \
                   (SELECT id_hash FROM interactions ORDER BY expires_s, id_hash LIMIT $1)";
        tx.execute(sql, &[(open - most).into()]).await?;
    }
    tx.execute("DELETE FROM sessions WHERE expires_s <= $1", &[now_s.into()]).await?;
    Ok(())
}
