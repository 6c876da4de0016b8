//! World links of ETSI GS ARF 005, by number.

use crate::{Row, Sql, StoreError, params};

/// A link.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Its number.
    pub link_id: u32,
    /// Random: with the number it makes a UUID that nobody finds by counting.
    pub life: i64,
    /// Issuer of the owner's identity.
    pub owner_issuer: String,
    /// Who made it, as that issuer names it.
    pub owner_subject: String,
    /// Who made it, as audit and charging name it.
    pub owner_name: String,
    /// The document, as the SM server writes it.
    pub body: String,
}

impl std::fmt::Debug for LinkRow {
    /// Without owner and document.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkRow").field("link_id", &self.link_id).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "link_id, life, owner_issuer, owner_subject, owner_name, body";

fn link(row: &Row) -> Result<LinkRow, StoreError> {
    Ok(LinkRow {
        link_id: row.get(0)?,
        life: row.get(1)?,
        owner_issuer: row.get(2)?,
        owner_subject: row.get(3)?,
        owner_name: row.get(4)?,
        body: row.get(5)?,
    })
}

/// Adds a link; `false` when there is one with its number.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, new: &LinkRow, now_s: i64) -> Result<bool, StoreError> {
    let sql = format!(
        "INSERT INTO world_link ({COLUMNS}, created_s) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
    );
    let params = params![
        new.link_id,
        new.life,
        &new.owner_issuer,
        &new.owner_subject,
        &new.owner_name,
        &new.body,
        now_s
    ];
    Ok(tx.execute(&sql, &params).await? == 1)
}

/// A link.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, link_id: u32) -> Result<Option<LinkRow>, StoreError> {
    one(tx, link_id, "").await
}

/// A link, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn locked(tx: &mut dyn Sql, link_id: u32) -> Result<Option<LinkRow>, StoreError> {
    let lock = tx.dialect().for_update();
    one(tx, link_id, lock).await
}

async fn one(tx: &mut dyn Sql, link_id: u32, lock: &str) -> Result<Option<LinkRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM world_link WHERE link_id = $1{lock}");
    tx.query_opt(&sql, &params![link_id]).await?.as_ref().map(link).transpose()
}

/// Links by number, beyond one.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: Option<u32>, limit: u32) -> Result<Vec<LinkRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM world_link WHERE link_id > $1 ORDER BY link_id LIMIT $2");
    let after = after.map_or(-1, i64::from);
    tx.query(&sql, &params![after, limit]).await?.iter().map(link).collect()
}

/// How many links somebody has made.
///
/// # Errors
/// The engine's.
pub async fn count(tx: &mut dyn Sql, issuer: &str, subject: &str) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM world_link WHERE owner_issuer = $1 AND owner_subject = $2";
    tx.query_opt(sql, &params![issuer, subject]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Writes the document of a link; `false` when there is none.
///
/// # Errors
/// The engine's.
pub async fn replace(tx: &mut dyn Sql, link_id: u32, body: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE world_link SET body = $2 WHERE link_id = $1";
    Ok(tx.execute(sql, &params![link_id, body]).await? == 1)
}

/// Removes a link; `false` when there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, link_id: u32) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM world_link WHERE link_id = $1", &params![link_id]).await? == 1)
}
