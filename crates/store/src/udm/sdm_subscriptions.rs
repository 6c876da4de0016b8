//! Who is told when what a subscriber consents to changes (TS 29.503 `SdmSubscription`).

use api_types::ids::Supi;

use crate::json::id;
use crate::{Row, Sql, StoreError, params};

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdmSubscriptionRow {
    /// Its identifier.
    pub sub_id: String,
    /// Whose data.
    pub supi: Supi,
    /// The function that subscribed, by its certificate.
    pub peer: String,
    /// What it asked for, as JSON.
    pub body: String,
    /// It is over from then on.
    pub expires_s: i64,
    /// When it was made.
    pub created_s: i64,
}

const COLUMNS: &str = "sub_id, supi, peer, body, expires_s, created_s";

/// Keeps a new subscription.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &SdmSubscriptionRow) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO udm_sdm_subscription ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)");
    let params = params![&row.sub_id, row.supi.as_str(), &row.peer, &row.body, row.expires_s, row.created_s];
    tx.execute(&sql, &params).await.map(drop)
}

/// A subscription that is not over.
///
/// # Errors
/// The engine's.
pub async fn live(
    tx: &mut dyn Sql,
    sub_id: &str,
    now_s: i64,
) -> Result<Option<SdmSubscriptionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM udm_sdm_subscription WHERE sub_id = $1 AND expires_s > $2");
    tx.query_opt(&sql, &params![sub_id, now_s]).await?.as_ref().map(of_row).transpose()
}

/// Subscriptions to a subscriber's data that are not over.
///
/// # Errors
/// The engine's.
pub async fn of(tx: &mut dyn Sql, supi: &Supi, now_s: i64) -> Result<Vec<SdmSubscriptionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM udm_sdm_subscription WHERE supi = $1 AND expires_s > $2 ORDER BY sub_id"
    );
    tx.query(&sql, &params![supi.as_str(), now_s]).await?.iter().map(of_row).collect()
}

/// How many subscriptions a function has.
///
/// # Errors
/// The engine's.
pub async fn count(tx: &mut dyn Sql, peer: &str) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) FROM udm_sdm_subscription WHERE peer = $1";
    let count: i64 = tx.query_one(sql, &params![peer]).await?.get(0)?;
    Ok(count.unsigned_abs())
}

/// Keeps what a subscription asks for now, and until when.
///
/// # Errors
/// The engine's.
pub async fn update(tx: &mut dyn Sql, sub_id: &str, body: &str, expires_s: i64) -> Result<(), StoreError> {
    let sql = "UPDATE udm_sdm_subscription SET body = $2, expires_s = $3 WHERE sub_id = $1";
    tx.execute(sql, &params![sub_id, body, expires_s]).await.map(drop)
}

/// Ends a subscription. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn remove(tx: &mut dyn Sql, sub_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM udm_sdm_subscription WHERE sub_id = $1", &params![sub_id]).await? == 1)
}

/// Forgets what is over; how many there were.
///
/// # Errors
/// The engine's.
pub async fn sweep(tx: &mut dyn Sql, now_s: i64) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM udm_sdm_subscription WHERE expires_s <= $1", &params![now_s]).await
}

fn of_row(row: &Row) -> Result<SdmSubscriptionRow, StoreError> {
    Ok(SdmSubscriptionRow {
        sub_id: row.get(0)?,
        supi: id(row.get(1)?, "a subscription at the UDM")?,
        peer: row.get(2)?,
        body: row.get(3)?,
        expires_s: row.get(4)?,
        created_s: row.get(5)?,
    })
}
