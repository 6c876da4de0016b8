//! Enrolments: what lets an API invoker onboard, or a domain of an API provider register, exactly once.

use std::fmt;

use crate::{Row, Sql, StoreError, json, params};

/// An enrolment.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentRow {
    /// Its name.
    pub enrolment_id: String,
    /// SHA-256 of its secret.
    pub secret_sha256: Vec<u8>,
    /// Whom it is for: `api_invoker`, `api_provider`.
    pub kind: String,
    /// Name for people.
    pub name: String,
    /// Names of the service APIs that it allows; empty: as the operator's rules say.
    pub apis: Vec<String>,
    /// First second at which it is over.
    pub expires_s: i64,
    /// When it was used.
    pub used_s: Option<i64>,
}

impl fmt::Debug for EnrolmentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentRow").field("enrolment_id", &self.enrolment_id).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "enrolment_id, secret_sha256, kind, name, apis, expires_s, used_s";

/// Adds an enrolment.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &EnrolmentRow) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO capif_enrolment ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
    let params = params![
        &row.enrolment_id,
        row.secret_sha256.clone(),
        &row.kind,
        &row.name,
        json::encode(&row.apis)?,
        row.expires_s,
        row.used_s,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// The enrolment of a secret, used or over as it may be.
///
/// # Errors
/// The engine's.
pub async fn by_secret(tx: &mut dyn Sql, secret_sha256: &[u8]) -> Result<Option<EnrolmentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM capif_enrolment WHERE secret_sha256 = $1");
    tx.query_opt(&sql, &params![secret_sha256]).await?.as_ref().map(of_row).transpose()
}

/// The enrolment of that name.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, enrolment_id: &str) -> Result<Option<EnrolmentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM capif_enrolment WHERE enrolment_id = $1");
    tx.query_opt(&sql, &params![enrolment_id]).await?.as_ref().map(of_row).transpose()
}

/// Uses an enrolment up, in the transaction that grants. `true`: it was neither used nor over; whoever gets `true` is the
/// only one, on any node.
///
/// # Errors
/// The engine's.
pub async fn consume(tx: &mut dyn Sql, enrolment_id: &str, now_s: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE capif_enrolment SET used_s = $2 \
               WHERE enrolment_id = $1 AND used_s IS NULL AND expires_s > $2";
    Ok(tx.execute(sql, &params![enrolment_id, now_s]).await? == 1)
}

/// Up to `limit` enrolments whose name follows `after`, by name.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<EnrolmentRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_enrolment WHERE enrolment_id > $1 ORDER BY enrolment_id LIMIT $2"
    );
    tx.query(&sql, &params![after, limit]).await?.iter().map(of_row).collect()
}

/// Withdraws an enrolment that was not used. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn withdraw(tx: &mut dyn Sql, enrolment_id: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_enrolment WHERE enrolment_id = $1 AND used_s IS NULL";
    Ok(tx.execute(sql, &params![enrolment_id]).await? == 1)
}

/// Withdraws those of a kind and name that were not used; how many.
///
/// # Errors
/// The engine's.
pub async fn withdraw_named(tx: &mut dyn Sql, kind: &str, name: &str) -> Result<u64, StoreError> {
    let sql = "DELETE FROM capif_enrolment WHERE kind = $1 AND name = $2 AND used_s IS NULL";
    tx.execute(sql, &params![kind, name]).await
}

/// Forgets those that ended before `before_s` unused; how many. A used one bounds the rights of whoever used it.
///
/// # Errors
/// The engine's.
pub async fn purge(tx: &mut dyn Sql, before_s: i64) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM capif_enrolment WHERE expires_s < $1 AND used_s IS NULL", &params![before_s])
        .await
}

fn of_row(row: &Row) -> Result<EnrolmentRow, StoreError> {
    let apis: String = row.get(4)?;
    Ok(EnrolmentRow {
        enrolment_id: row.get(0)?,
        secret_sha256: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        apis: json::decode(&apis, "capif_enrolment.apis")?,
        expires_s: row.get(5)?,
        used_s: row.get(6)?,
    })
}
