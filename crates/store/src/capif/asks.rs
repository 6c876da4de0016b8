//! Questions to the owners of resources, and their answers (TR 33.721 6.3, NOTE to step 7).

use std::fmt;

use super::resources::Owner;
use crate::{Row, Sql, StoreError, params};

words! {
    /// How far a question is.
    AskState {
        /// Nobody has answered.
        Open = "OPEN",
        /// Yes.
        Permitted = "PERMITTED",
        /// No.
        Denied = "DENIED",
        /// Nobody answered in time.
        Expired = "EXPIRED",
        /// A yes for once, and used.
        Used = "USED",
    }
}

/// A question.
#[derive(Clone, PartialEq, Eq)]
pub struct AskRow {
    /// Its name.
    pub ask_id: String,
    /// Where the resource is.
    pub aef_id: String,
    /// The resource.
    pub resource_id: String,
    /// Who asks.
    pub invoker_id: String,
    /// What for, and which parts, as JSON.
    pub actions: String,
    /// SHA-256 of the nonce that the answer must hold.
    pub nonce_sha256: [u8; 32],
    /// How far it is.
    pub state: AskState,
    /// First second at which it cannot be answered any more.
    pub expires_s: i64,
    /// First second at which a yes counts no longer; `None`: it counts once.
    pub until_s: Option<i64>,
    /// When it was answered.
    pub decided_s: Option<i64>,
    /// Seconds since 1970.
    pub created_s: i64,
}

impl fmt::Debug for AskRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskRow")
            .field("ask_id", &self.ask_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str = "ask_id, aef_id, resource_id, invoker_id, actions, nonce_sha256, state, expires_s, until_s, \
                       decided_s, created_s";

/// Asks. `false`: a question of the same requester about the same resource is open.
///
/// # Errors
/// The engine's; there is no such resource.
pub async fn open(tx: &mut dyn Sql, row: &AskRow) -> Result<bool, StoreError> {
    let close = "UPDATE capif_ask SET state = 'EXPIRED' WHERE aef_id = $1 AND resource_id = $2 AND invoker_id = $3 \
                 AND state = 'OPEN' AND expires_s <= $4";
    let whose = [&row.aef_id, &row.resource_id, &row.invoker_id];
    tx.execute(close, &params![whose[0], whose[1], whose[2], row.created_s]).await?;
    let sql = format!(
        "INSERT INTO capif_ask ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (aef_id, resource_id, invoker_id) WHERE state = 'OPEN' DO NOTHING"
    );
    let params = params![
        &row.ask_id,
        whose[0],
        whose[1],
        whose[2],
        &row.actions,
        &row.nonce_sha256,
        row.state.as_str(),
        row.expires_s,
        row.until_s,
        row.decided_s,
        row.created_s,
    ];
    Ok(tx.execute(&sql, &params).await? == 1)
}

/// A question, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, ask: &str) -> Result<Option<AskRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("SELECT {COLUMNS} FROM capif_ask WHERE ask_id = $1{lock}");
    tx.query_opt(&sql, &params![ask]).await?.as_ref().map(of_row).transpose()
}

/// The question of a requester about a resource that is open now.
///
/// # Errors
/// The engine's.
pub async fn open_of(
    tx: &mut dyn Sql,
    (aef, resource): (&str, &str),
    invoker: &str,
    now_s: i64,
) -> Result<Option<AskRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_ask WHERE aef_id = $1 AND resource_id = $2 AND invoker_id = $3 \
         AND state = 'OPEN' AND expires_s > $4"
    );
    let params = params![aef, resource, invoker, now_s];
    tx.query_opt(&sql, &params).await?.as_ref().map(of_row).transpose()
}

/// Answers a question, once. `false`: it is not open, over, or the nonce is another.
///
/// # Errors
/// The engine's.
pub async fn decide(
    tx: &mut dyn Sql,
    ask: &str,
    nonce_sha256: &[u8; 32],
    (permitted, until_s): (bool, Option<i64>),
    now_s: i64,
) -> Result<bool, StoreError> {
    let (state, until_s) = if permitted { (AskState::Permitted, until_s) } else { (AskState::Denied, None) };
    let sql = "UPDATE capif_ask SET state = $3, until_s = $4, decided_s = $5 \
               WHERE ask_id = $1 AND nonce_sha256 = $2 AND state = 'OPEN' AND expires_s > $5";
    let params = params![ask, nonce_sha256, state.as_str(), until_s, now_s];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// The answers that count now for a requester and a resource, the newest first: a no until the question is over, a yes
/// until its end, or once if it has none and until the question is over.
///
/// # Errors
/// The engine's.
pub async fn decisions(
    tx: &mut dyn Sql,
    (aef, resource): (&str, &str),
    invoker: &str,
    now_s: i64,
) -> Result<Vec<AskRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_ask WHERE aef_id = $1 AND resource_id = $2 AND invoker_id = $3 \
         AND ((state = 'PERMITTED' AND until_s > $4) OR (state IN ('PERMITTED', 'DENIED') AND until_s IS NULL \
         AND expires_s > $4)) ORDER BY decided_s DESC, ask_id"
    );
    let params = params![aef, resource, invoker, now_s];
    tx.query(&sql, &params).await?.iter().map(of_row).collect()
}

/// Uses up a yes that counts once. `true`: whoever gets it is the only one.
///
/// # Errors
/// The engine's.
pub async fn take(tx: &mut dyn Sql, ask: &str) -> Result<bool, StoreError> {
    let sql =
        "UPDATE capif_ask SET state = 'USED' WHERE ask_id = $1 AND state = 'PERMITTED' AND until_s IS NULL";
    Ok(tx.execute(sql, &params![ask]).await? == 1)
}

/// Up to `limit` questions that an owner can answer now, the oldest first.
///
/// # Errors
/// The engine's.
pub async fn open_of_owner(
    tx: &mut dyn Sql,
    owner: &Owner,
    now_s: i64,
    limit: u32,
) -> Result<Vec<AskRow>, StoreError> {
    let columns: Vec<_> = COLUMNS.split(", ").map(|column| format!("a.{}", column.trim())).collect();
    let sql = format!(
        "SELECT {} FROM capif_ask a JOIN capif_resource r ON r.aef_id = a.aef_id AND r.resource_id = a.resource_id \
         WHERE r.owner_kind = $1 AND r.owner = $2 AND a.state = 'OPEN' AND a.expires_s > $3 \
         ORDER BY a.created_s, a.ask_id LIMIT $4",
        columns.join(", ")
    );
    let params = params![owner.kind.as_str(), &owner.name, now_s, limit];
    tx.query(&sql, &params).await?.iter().map(of_row).collect()
}

/// Up to `limit` questions behind a name, by name; only those that can be answered at `open_at_s`, where that is given.
///
/// # Errors
/// The engine's.
pub async fn page(
    tx: &mut dyn Sql,
    after: &str,
    open_at_s: Option<i64>,
    limit: u32,
) -> Result<Vec<AskRow>, StoreError> {
    let mut params = params![after, limit].to_vec();
    let open = match open_at_s {
        None => "",
        Some(now_s) => {
            params.push(now_s.into());
            " AND state = 'OPEN' AND expires_s > $3"
        }
    };
    let sql = format!("SELECT {COLUMNS} FROM capif_ask WHERE ask_id > $1{open} ORDER BY ask_id LIMIT $2");
    tx.query(&sql, &params).await?.iter().map(of_row).collect()
}

/// How many questions a requester has asked since `since_s`.
///
/// # Errors
/// The engine's.
pub async fn count_since(tx: &mut dyn Sql, invoker: &str, since_s: i64) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) FROM capif_ask WHERE invoker_id = $1 AND created_s >= $2";
    tx.query_one(sql, &params![invoker, since_s]).await?.get(0)
}

/// Drops every question about a resource: it is another owner's now. How many.
///
/// # Errors
/// The engine's.
pub async fn delete_resource(tx: &mut dyn Sql, (aef, resource): (&str, &str)) -> Result<u64, StoreError> {
    let sql = "DELETE FROM capif_ask WHERE aef_id = $1 AND resource_id = $2";
    tx.execute(sql, &params![aef, resource]).await
}

/// Drops every question of an API invoker: it was offboarded. How many.
///
/// # Errors
/// The engine's.
pub async fn delete_invoker(tx: &mut dyn Sql, invoker: &str) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM capif_ask WHERE invoker_id = $1", &params![invoker]).await
}

/// Forgets questions that ended before `before_s` and whose answer counts no longer; how many.
///
/// # Errors
/// The engine's.
pub async fn purge(tx: &mut dyn Sql, before_s: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM capif_ask WHERE expires_s < $1 AND (until_s IS NULL OR until_s < $1)";
    tx.execute(sql, &params![before_s]).await
}

fn of_row(row: &Row) -> Result<AskRow, StoreError> {
    Ok(AskRow {
        ask_id: row.get(0)?,
        aef_id: row.get(1)?,
        resource_id: row.get(2)?,
        invoker_id: row.get(3)?,
        actions: row.get(4)?,
        nonce_sha256: row.get(5)?,
        state: super::word(&row.get::<String>(6)?, "capif_ask.state")?,
        expires_s: row.get(7)?,
        until_s: row.get(8)?,
        decided_s: row.get(9)?,
        created_s: row.get(10)?,
    })
}
