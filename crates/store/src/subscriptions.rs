//! Subscriptions: who is told of what, on whose authority, and when the next report is due.

use std::fmt;

use crate::{Row, Sql, StoreError, params};

/// A subscription as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Random.
    pub sub_id: String,
    /// Which kind of subscription; the function's own word.
    pub family: String,
    /// Issuer of the owner's tokens.
    pub owner_issuer: String,
    /// Subject of the owner's tokens.
    pub owner_subject: String,
    /// The owner as audit and charging name it.
    pub owner_name: String,
    /// Whose callback hosts count.
    pub client: String,
    /// What the subscriber's token said, as JSON: by this is decided again what the subscriber may hear of.
    pub standing: String,
    /// The subscription as JSON.
    pub body: String,
    /// Counts the changes.
    pub version: i64,
    /// What the function remembers between two reports, as JSON.
    pub state: String,
    /// Reports made.
    pub reports: i64,
    /// Most reports.
    pub reports_max: Option<i64>,
    /// First second in which it is over.
    pub ends_s: Option<i64>,
    /// When a periodic report is due, in seconds since 1970.
    pub next_s: Option<i64>,
    /// When the last report was made; it only waits for its messages to be delivered.
    pub ended_s: Option<i64>,
    /// The trace that created it.
    pub trace: Option<String>,
    /// Seconds since 1970.
    pub created_s: i64,
}

impl fmt::Debug for SubscriptionRow {
    /// Without owner and standing, which may name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionRow").field("sub_id", &self.sub_id).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "sub_id, family, owner_issuer, owner_subject, owner_name, client, standing, body, version, state, \
                       reports, reports_max, ends_s, next_s, ended_s, trace, created_s";

/// In force: neither at its end nor out of reports.
const LIVE: &str = "ended_s IS NULL AND (ends_s IS NULL OR ends_s > $1)";

/// Adds a subscription.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &SubscriptionRow) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO subscription ({COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
    );
    let params = params![
        &row.sub_id,
        &row.family,
        &row.owner_issuer,
        &row.owner_subject,
        &row.owner_name,
        &row.client,
        &row.standing,
        &row.body,
        row.version,
        &row.state,
        row.reports,
        row.reports_max,
        row.ends_s,
        row.next_s,
        row.ended_s,
        row.trace.as_ref(),
        row.created_s,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// A subscription in force.
///
/// # Errors
/// The engine's.
pub async fn live(
    tx: &mut dyn Sql,
    family: &str,
    sub_id: &str,
    now_s: i64,
) -> Result<Option<SubscriptionRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql =
        format!("SELECT {COLUMNS} FROM subscription WHERE {LIVE} AND family = $2 AND sub_id = $3{lock}");
    tx.query_opt(&sql, &params![now_s, family, sub_id]).await?.as_ref().map(of_row).transpose()
}

/// A subscription for which a message waits: in force, or out of reports and not yet forgotten.
///
/// # Errors
/// The engine's.
pub async fn told(tx: &mut dyn Sql, sub_id: &str, now_s: i64) -> Result<Option<SubscriptionRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM subscription WHERE sub_id = $2 AND (ends_s IS NULL OR ends_s > $1)");
    tx.query_opt(&sql, &params![now_s, sub_id]).await?.as_ref().map(of_row).transpose()
}

/// Subscriptions in force of a kind, after an identifier.
///
/// # Errors
/// The engine's.
pub async fn page(
    tx: &mut dyn Sql,
    family: &str,
    after: &str,
    now_s: i64,
    limit: u32,
) -> Result<Vec<SubscriptionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM subscription WHERE {LIVE} AND family = $2 AND sub_id > $3 ORDER BY sub_id LIMIT $4"
    );
    tx.query(&sql, &params![now_s, family, after, limit]).await?.iter().map(of_row).collect()
}

/// Subscriptions in force of a kind that an owner has.
///
/// # Errors
/// The engine's.
pub async fn of_owner(
    tx: &mut dyn Sql,
    family: &str,
    (issuer, subject): (&str, &str),
    now_s: i64,
) -> Result<Vec<SubscriptionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM subscription WHERE {LIVE} AND family = $2 AND owner_issuer = $3 \
         AND owner_subject = $4 ORDER BY sub_id"
    );
    tx.query(&sql, &params![now_s, family, issuer, subject]).await?.iter().map(of_row).collect()
}

/// Subscriptions whose periodic report is due.
///
/// # Errors
/// The engine's.
pub async fn due(tx: &mut dyn Sql, now_s: i64, limit: u32) -> Result<Vec<SubscriptionRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT {COLUMNS} FROM subscription WHERE {LIVE} AND next_s <= $1 ORDER BY next_s, sub_id LIMIT $2{lock}"
    );
    tx.query(&sql, &params![now_s, limit]).await?.iter().map(of_row).collect()
}

/// Whether there is any subscription of a kind: else nothing that happens needs to be noted.
///
/// # Errors
/// The engine's.
pub async fn any(tx: &mut dyn Sql, family: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM subscription WHERE family = $1 LIMIT 1";
    Ok(tx.query_opt(sql, &params![family]).await?.is_some())
}

/// How many an owner has.
///
/// # Errors
/// The engine's.
pub async fn count(tx: &mut dyn Sql, issuer: &str, subject: &str) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) FROM subscription WHERE owner_issuer = $1 AND owner_subject = $2";
    tx.query_one(sql, &params![issuer, subject]).await?.get(0)
}

/// Writes a changed subscription. `false`: another change was first.
///
/// # Errors
/// The engine's.
pub async fn update(tx: &mut dyn Sql, row: &SubscriptionRow) -> Result<bool, StoreError> {
    let sql = "UPDATE subscription SET standing = $3, body = $4, state = $5, reports = $6, reports_max = $7, \
               ends_s = $8, next_s = $9, ended_s = $10, version = version + 1 WHERE sub_id = $1 AND version = $2";
    let params = params![
        &row.sub_id,
        row.version,
        &row.standing,
        &row.body,
        &row.state,
        row.reports,
        row.reports_max,
        row.ends_s,
        row.next_s,
        row.ended_s,
    ];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Notes reports made: state, number, when the next is due, and whether it was the last. Not a change of the
/// subscriber's, so that the version stays.
///
/// # Errors
/// The engine's.
pub async fn reported(tx: &mut dyn Sql, row: &SubscriptionRow) -> Result<(), StoreError> {
    let sql = "UPDATE subscription SET state = $2, reports = $3, next_s = $4, ended_s = $5 WHERE sub_id = $1";
    let params = params![&row.sub_id, &row.state, row.reports, row.next_s, row.ended_s];
    tx.execute(sql, &params).await.map(drop)
}

/// Ends a subscription at once; messages that wait are not delivered any more.
///
/// # Errors
/// The engine's.
pub async fn remove(tx: &mut dyn Sql, sub_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM subscription WHERE sub_id = $1", &params![sub_id]).await? == 1)
}

/// Forgets what is over: at its end, or out of reports since before `ended_before_s`.
///
/// # Errors
/// The engine's.
pub async fn sweep(tx: &mut dyn Sql, now_s: i64, ended_before_s: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM subscription WHERE ends_s <= $1 OR ended_s <= $2";
    tx.execute(sql, &params![now_s, ended_before_s]).await
}

fn of_row(row: &Row) -> Result<SubscriptionRow, StoreError> {
    Ok(SubscriptionRow {
        sub_id: row.get(0)?,
        family: row.get(1)?,
        owner_issuer: row.get(2)?,
        owner_subject: row.get(3)?,
        owner_name: row.get(4)?,
        client: row.get(5)?,
        standing: row.get(6)?,
        body: row.get(7)?,
        version: row.get(8)?,
        state: row.get(9)?,
        reports: row.get(10)?,
        reports_max: row.get(11)?,
        ends_s: row.get(12)?,
        next_s: row.get(13)?,
        ended_s: row.get(14)?,
        trace: row.get(15)?,
        created_s: row.get(16)?,
    })
}
