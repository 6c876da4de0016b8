//! What somebody has registered with a function until it ends: data sources and servers of maps, groups of anchors.

use std::fmt;

use crate::{Row, Sql, StoreError, params};

/// A registration as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistrationRow {
    /// Random.
    pub reg_id: String,
    /// Which kind; the function's own word.
    pub family: String,
    /// Issuer of the owner's tokens.
    pub owner_issuer: String,
    /// Subject of the owner's tokens.
    pub owner_subject: String,
    /// The owner as audit and charging name it.
    pub owner_name: String,
    /// Whose callback hosts count.
    pub client: String,
    /// What was registered, as JSON.
    pub body: String,
    /// Counts the changes.
    pub version: i64,
    /// First second in which it is over.
    pub ends_s: Option<i64>,
    /// Seconds since 1970.
    pub created_s: i64,
}

impl fmt::Debug for RegistrationRow {
    /// Without owner and body, which may name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationRow").field("reg_id", &self.reg_id).finish_non_exhaustive()
    }
}

const COLUMNS: &str =
    "reg_id, family, owner_issuer, owner_subject, owner_name, client, body, version, ends_s, created_s";

/// Adds a registration.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &RegistrationRow) -> Result<(), StoreError> {
    let sql =
        format!("INSERT INTO registration ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    let params = params![
        &row.reg_id,
        &row.family,
        &row.owner_issuer,
        &row.owner_subject,
        &row.owner_name,
        &row.client,
        &row.body,
        row.version,
        row.ends_s,
        row.created_s,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// A registration that is not over, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn live(
    tx: &mut dyn Sql,
    family: &str,
    reg_id: &str,
    now_s: i64,
) -> Result<Option<RegistrationRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT {COLUMNS} FROM registration WHERE family = $1 AND reg_id = $2 AND (ends_s IS NULL OR ends_s > $3){lock}"
    );
    tx.query_opt(&sql, &params![family, reg_id, now_s]).await?.as_ref().map(of_row).transpose()
}

/// Those of a kind that are not over, after an identifier.
///
/// # Errors
/// The engine's.
pub async fn page(
    tx: &mut dyn Sql,
    family: &str,
    after: &str,
    now_s: i64,
    limit: u32,
) -> Result<Vec<RegistrationRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM registration WHERE family = $1 AND reg_id > $2 AND (ends_s IS NULL OR ends_s > $3) \
         ORDER BY reg_id LIMIT $4"
    );
    tx.query(&sql, &params![family, after, now_s, limit]).await?.iter().map(of_row).collect()
}

/// Those of one owner that are not over, by identifier.
///
/// # Errors
/// The engine's.
pub async fn of_owner(
    tx: &mut dyn Sql,
    family: &str,
    (issuer, subject): (&str, &str),
    now_s: i64,
    limit: u32,
) -> Result<Vec<RegistrationRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM registration WHERE family = $1 AND owner_issuer = $2 AND owner_subject = $3 \
         AND (ends_s IS NULL OR ends_s > $4) ORDER BY reg_id LIMIT $5"
    );
    tx.query(&sql, &params![family, issuer, subject, now_s, limit]).await?.iter().map(of_row).collect()
}

/// How many an owner has of a kind.
///
/// # Errors
/// The engine's.
pub async fn count(tx: &mut dyn Sql, family: &str, issuer: &str, subject: &str) -> Result<u64, StoreError> {
    let sql =
        "SELECT COUNT(*) FROM registration WHERE family = $1 AND owner_issuer = $2 AND owner_subject = $3";
    tx.query_one(sql, &params![family, issuer, subject]).await?.get(0)
}

/// Writes a changed registration. `false`: another change was first.
///
/// # Errors
/// The engine's.
pub async fn update(tx: &mut dyn Sql, row: &RegistrationRow) -> Result<bool, StoreError> {
    let sql = "UPDATE registration SET body = $3, ends_s = $4, version = version + 1 WHERE reg_id = $1 AND version = $2";
    Ok(tx.execute(sql, &params![&row.reg_id, row.version, &row.body, row.ends_s]).await? == 1)
}

/// Ends a registration.
///
/// # Errors
/// The engine's.
pub async fn remove(tx: &mut dyn Sql, reg_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM registration WHERE reg_id = $1", &params![reg_id]).await? == 1)
}

/// Forgets what is over.
///
/// # Errors
/// The engine's.
pub async fn sweep(tx: &mut dyn Sql, now_s: i64) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM registration WHERE ends_s <= $1", &params![now_s]).await
}

fn of_row(row: &Row) -> Result<RegistrationRow, StoreError> {
    Ok(RegistrationRow {
        reg_id: row.get(0)?,
        family: row.get(1)?,
        owner_issuer: row.get(2)?,
        owner_subject: row.get(3)?,
        owner_name: row.get(4)?,
        client: row.get(5)?,
        body: row.get(6)?,
        version: row.get(7)?,
        ends_s: row.get(8)?,
        created_s: row.get(9)?,
    })
}
