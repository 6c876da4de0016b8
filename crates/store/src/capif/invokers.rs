//! API invokers (TS 29.222 5.5).

use std::fmt;

use super::Write;
use crate::{Row, Sql, StoreError, params};

words! {
    /// How far an onboarding is.
    InvokerState {
        /// It may do what its rights say.
        Onboarded = "ONBOARDED",
        /// Somebody has to decide.
        Pending = "PENDING",
        /// It was decided against.
        Refused = "REFUSED",
    }
}

/// An API invoker.
#[derive(Clone, PartialEq, Eq)]
pub struct InvokerRow {
    /// Its name, and that of its resource.
    pub invoker_id: String,
    /// What let it onboard.
    pub enrolment_id: String,
    /// The API invoker as JSON, without its secret.
    pub body: String,
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`): one key is one API invoker.
    pub key_sha256: Vec<u8>,
    /// SHA-256 of its onboarding secret, if one was given.
    pub secret_sha256: Option<Vec<u8>>,
    /// First second at which the onboarding is over.
    pub expires_s: Option<i64>,
    /// How far it is.
    pub state: InvokerState,
    /// Counts the changes.
    pub version: i64,
}

impl fmt::Debug for InvokerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvokerRow")
            .field("invoker_id", &self.invoker_id)
            .field("state", &self.state)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str = "invoker_id, enrolment_id, body, key_sha256, secret_sha256, expires_s, state, version";

/// Adds an API invoker. `false`: its public key belongs to one already.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &InvokerRow, now_s: i64) -> Result<bool, StoreError> {
    let sql = format!(
        "INSERT INTO capif_invoker ({COLUMNS}, created_s, changed_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) \
         ON CONFLICT (key_sha256) DO NOTHING"
    );
    let params = params![
        &row.invoker_id,
        &row.enrolment_id,
        &row.body,
        row.key_sha256.clone(),
        row.secret_sha256.clone(),
        row.expires_s,
        row.state.as_str(),
        row.version,
        now_s,
    ];
    Ok(tx.execute(&sql, &params).await? == 1)
}

/// The API invoker of that name.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, invoker: &str) -> Result<Option<InvokerRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM capif_invoker WHERE invoker_id = $1");
    tx.query_opt(&sql, &params![invoker]).await?.as_ref().map(of_row).transpose()
}

/// The API invoker of that name, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn held(tx: &mut dyn Sql, invoker: &str) -> Result<Option<InvokerRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("SELECT {COLUMNS} FROM capif_invoker WHERE invoker_id = $1{lock}");
    tx.query_opt(&sql, &params![invoker]).await?.as_ref().map(of_row).transpose()
}

/// The API invoker with this public key.
///
/// # Errors
/// The engine's.
pub async fn find_by_key(tx: &mut dyn Sql, key_sha256: &[u8]) -> Result<Option<InvokerRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM capif_invoker WHERE key_sha256 = $1");
    tx.query_opt(&sql, &params![key_sha256]).await?.as_ref().map(of_row).transpose()
}

/// Writes a changed API invoker over `version`, but for its name, enrolment and secret; its version grows. [`Write::Taken`]: its new key
/// belongs to another one.
///
/// # Errors
/// The engine's.
pub async fn update(
    tx: &mut dyn Sql,
    row: &InvokerRow,
    version: i64,
    now_s: i64,
) -> Result<Write, StoreError> {
    // A second node that takes the same key at the same moment runs into the unique column and is rolled back.
    let taken =
        find_by_key(tx, &row.key_sha256).await?.is_some_and(|other| other.invoker_id != row.invoker_id);
    if taken {
        return Ok(Write::Taken);
    }
    let sql = "UPDATE capif_invoker SET body = $3, key_sha256 = $4, expires_s = $5, state = $6, changed_s = $7, \
               version = version + 1 \
               WHERE invoker_id = $1 AND version = $2";
    let params = params![
        &row.invoker_id,
        version,
        &row.body,
        row.key_sha256.clone(),
        row.expires_s,
        row.state.as_str(),
        now_s,
    ];
    Ok(if tx.execute(sql, &params).await? == 1 { Write::Done } else { Write::Stale })
}

/// Removes an API invoker. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, invoker: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_invoker WHERE invoker_id = $1";
    Ok(tx.execute(sql, &params![invoker]).await? == 1)
}

/// Up to `limit` API invokers whose name follows `after`, by name.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<InvokerRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM capif_invoker WHERE invoker_id > $1 ORDER BY invoker_id LIMIT $2");
    tx.query(&sql, &params![after, limit]).await?.iter().map(of_row).collect()
}

/// Up to `limit` API invokers whose onboarding is over, the oldest first.
///
/// # Errors
/// The engine's.
pub async fn over(tx: &mut dyn Sql, now_s: i64, limit: u32) -> Result<Vec<InvokerRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_invoker WHERE expires_s <= $1 ORDER BY expires_s, invoker_id LIMIT $2{lock}"
    );
    tx.query(&sql, &params![now_s, limit]).await?.iter().map(of_row).collect()
}

fn of_row(row: &Row) -> Result<InvokerRow, StoreError> {
    Ok(InvokerRow {
        invoker_id: row.get(0)?,
        enrolment_id: row.get(1)?,
        body: row.get(2)?,
        key_sha256: row.get(3)?,
        secret_sha256: row.get(4)?,
        expires_s: row.get(5)?,
        state: super::word(&row.get::<String>(6)?, "capif_invoker.state")?,
        version: row.get(7)?,
    })
}
