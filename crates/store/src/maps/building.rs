//! A map that is asked for and not yet built (202 of TS 29.437). No reader finds it, its owner included.

use crate::{Row, Sql, StoreError, params};

/// What is kept of the request until the map is built.
#[derive(Clone, PartialEq, Eq)]
pub struct NewBuilding {
    /// The map.
    pub map_id: u32,
    /// Issuer of the owner's identity.
    pub owner_issuer: String,
    /// The owner, as that issuer names it.
    pub owner_subject: String,
    /// The owner, as audit and charging name it.
    pub owner_name: String,
    /// The client whose callback it is.
    pub owner_client: String,
    /// Who is told when the map is ready.
    pub notif_uri: String,
    /// The request, as the SM server writes it.
    pub request: String,
    /// The trace that asked.
    pub trace: Option<String>,
}

/// A map to be built.
#[derive(Clone, PartialEq, Eq)]
pub struct Building {
    /// What was asked.
    pub asked: NewBuilding,
    /// When, in seconds since 1970.
    pub asked_s: i64,
}

impl std::fmt::Debug for NewBuilding {
    /// Without owner, address and request.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewBuilding").field("map_id", &self.map_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Building {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.asked.fmt(f)
    }
}

const COLUMNS: &str =
    "map_id, owner_issuer, owner_subject, owner_name, owner_client, notif_uri, request, trace, asked_s";

/// Keeps a request under an identifier that was taken before.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, asked: &NewBuilding, now_s: i64) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO map_build ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    let params = params![
        asked.map_id,
        &asked.owner_issuer,
        &asked.owner_subject,
        &asked.owner_name,
        &asked.owner_client,
        &asked.notif_uri,
        &asked.request,
        asked.trace.as_ref(),
        now_s
    ];
    tx.execute(&sql, &params).await?;
    Ok(())
}

/// The oldest requests behind one, which is named by its time and its map: what a start of the server takes up again.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn waiting(
    tx: &mut dyn Sql,
    after: Option<(i64, u32)>,
    limit: u32,
) -> Result<Vec<Building>, StoreError> {
    let (asked_s, map_id) = after.map_or((i64::MIN, -1), |(asked_s, map_id)| (asked_s, i64::from(map_id)));
    let sql = format!(
        "SELECT {COLUMNS} FROM map_build WHERE asked_s > $1 OR (asked_s = $1 AND map_id > $2) \
         ORDER BY asked_s, map_id LIMIT $3"
    );
    tx.query(&sql, &params![asked_s, map_id, limit]).await?.iter().map(read).collect()
}

/// How many maps of an owner are under construction.
///
/// # Errors
/// The engine's.
pub async fn count(tx: &mut dyn Sql, owner_issuer: &str, owner_subject: &str) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) FROM map_build WHERE owner_issuer = $1 AND owner_subject = $2";
    tx.query_one(sql, &params![owner_issuer, owner_subject]).await?.get(0)
}

/// Takes a request out, in the transaction that keeps the map. `None`: another node has built it.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn finish(tx: &mut dyn Sql, map_id: u32) -> Result<Option<Building>, StoreError> {
    let sql = format!("DELETE FROM map_build WHERE map_id = $1 RETURNING {COLUMNS}");
    tx.query_opt(&sql, &params![map_id]).await?.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Building, StoreError> {
    Ok(Building {
        asked: NewBuilding {
            map_id: row.get(0)?,
            owner_issuer: row.get(1)?,
            owner_subject: row.get(2)?,
            owner_name: row.get(3)?,
            owner_client: row.get(4)?,
            notif_uri: row.get(5)?,
            request: row.get(6)?,
            trace: row.get(7)?,
        },
        asked_s: row.get(8)?,
    })
}
