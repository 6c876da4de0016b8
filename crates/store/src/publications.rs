//! What the CAPIF core function must be told of objects and has not acknowledged (TR 33.721 6.3.2.1 step 4): a mark for each
//! object with the version that it has here, written in the transaction of the change, and what is gone.
//!
//! An object is an anchors list or a map; its resources at the core function are its anchors, or itself. What is told is
//! read when it is told: only the last version ever goes.

use crate::{Row, Sql, StoreError, Value, params};

/// Whether the core function knows an object that was made with one of its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// It was made without such a token: nothing depends on the core function.
    #[default]
    Free,
    /// Not yet: it is the owner's alone.
    Pending,
    /// It has acknowledged it.
    Synced,
}

impl Sync {
    pub(crate) const fn column(self) -> i64 {
        match self {
            Self::Free => 0,
            Self::Pending => 1,
            Self::Synced => 2,
        }
    }

    pub(crate) fn of_column(column: i64) -> Result<Self, StoreError> {
        match column {
            0 => Ok(Self::Free),
            1 => Ok(Self::Pending),
            2 => Ok(Self::Synced),
            _ => Err(StoreError::Damaged("the column sync")),
        }
    }
}

/// Which objects a function publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objects {
    /// The anchors lists of `san`.
    Lists,
    /// The maps of `sm`.
    Maps,
}

/// The mark of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The list or map.
    pub object_id: String,
    /// Counts its changes.
    pub version: u64,
    /// The version that the core function has acknowledged; 0: none.
    pub told: u64,
    /// Attempts that failed since.
    pub attempts: u32,
    /// Somebody has changed it, and may wait for it to be told.
    pub urgent: bool,
}

const COLUMNS: &str = "object_id, version, told, attempts, due_ms";

/// `due_ms` of what somebody has changed, and of what is only to be caught up with.
const AT_ONCE: i64 = 0;
const IN_TIME: i64 = 1;

fn mark_of(row: &Row) -> Result<Mark, StoreError> {
    let due_ms: i64 = row.get(4)?;
    Ok(Mark {
        object_id: row.get(0)?,
        version: row.get(1)?,
        told: row.get(2)?,
        attempts: row.get(3)?,
        urgent: due_ms == AT_ONCE,
    })
}

/// Objects were made or changed: their versions count up, and are due at once.
///
/// # Errors
/// The engine's.
pub async fn mark(tx: &mut dyn Sql, object_ids: &[&str]) -> Result<(), StoreError> {
    mark_for(tx, object_ids, AT_ONCE).await
}

/// As [`mark`], of many at once: behind whatever somebody waits for.
///
/// # Errors
/// The engine's.
pub async fn mark_many(tx: &mut dyn Sql, object_ids: &[&str]) -> Result<(), StoreError> {
    mark_for(tx, object_ids, IN_TIME).await
}

async fn mark_for(tx: &mut dyn Sql, object_ids: &[&str], due_ms: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO publication (object_id, version, told, due_ms, attempts) VALUES ($1, 1, 0, $2, 0) \
               ON CONFLICT (object_id) DO UPDATE SET version = publication.version + 1, due_ms = $2, attempts = 0";
    let rows: Vec<Vec<Value>> = object_ids.iter().map(|id| params![*id, due_ms].to_vec()).collect();
    tx.execute_many(sql, &rows).await.map(drop)
}

/// The next version of an object is to be greater than `version` as well: the core function has met that one.
///
/// # Errors
/// The engine's.
pub async fn raise(tx: &mut dyn Sql, object_id: &str, version: u64) -> Result<(), StoreError> {
    let sql = "UPDATE publication SET version = (CASE WHEN version > $2 THEN version ELSE $2 END) + 1, due_ms = $3 \
               WHERE object_id = $1";
    tx.execute(sql, &params![object_id, version, IN_TIME]).await.map(drop)
}

/// An object is gone, or resources of it are.
///
/// # Errors
/// The engine's.
pub async fn gone(tx: &mut dyn Sql, resource_ids: &[String]) -> Result<(), StoreError> {
    let sql = "INSERT INTO publication_gone (resource_id, due_ms, attempts) VALUES ($1, 0, 0) \
               ON CONFLICT (resource_id) DO UPDATE SET due_ms = 0";
    let rows: Vec<Vec<Value>> = resource_ids.iter().map(|id| params![id].to_vec()).collect();
    tx.execute_many(sql, &rows).await.map(drop)
}

/// Drops the mark of an object that is gone.
///
/// # Errors
/// The engine's.
pub async fn unmark(tx: &mut dyn Sql, object_id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM publication WHERE object_id = $1", &params![object_id]).await.map(drop)
}

/// Marks every object that has none: those that were made while nothing was told.
///
/// # Errors
/// The engine's.
pub async fn mark_unmarked(tx: &mut dyn Sql, objects: Objects) -> Result<u64, StoreError> {
    let (id, table) = match objects {
        Objects::Lists => ("list_id", "anchors_list"),
        Objects::Maps => ("CAST(map_id AS TEXT)", "map"),
    };
    // `where true`: else SQLite would read `on` as that of a join.
    let sql = format!(
        "INSERT INTO publication (object_id, version, told, due_ms, attempts) SELECT {id}, 1, 0, {IN_TIME}, 0 FROM {table} \
         WHERE true ON CONFLICT (object_id) DO NOTHING"
    );
    tx.execute(&sql, &[]).await
}

/// Up to `limit` objects whose last version is to be told now, those that wait longest first.
///
/// # Errors
/// The engine's.
pub async fn due(tx: &mut dyn Sql, now_ms: i64, limit: u32) -> Result<Vec<Mark>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM publication WHERE told < version AND due_ms <= $1 ORDER BY due_ms, object_id LIMIT $2"
    );
    tx.query(&sql, &params![now_ms, limit]).await?.iter().map(mark_of).collect()
}

/// Up to `limit` resources that are gone, which is to be told now.
///
/// # Errors
/// The engine's.
pub async fn due_gone(tx: &mut dyn Sql, now_ms: i64, limit: u32) -> Result<Vec<String>, StoreError> {
    let sql =
        "SELECT resource_id FROM publication_gone WHERE due_ms <= $1 ORDER BY due_ms, resource_id LIMIT $2";
    tx.query(sql, &params![now_ms, limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// The core function has acknowledged a version of an object. `false`: it had acknowledged a later one, or the object is gone.
///
/// # Errors
/// The engine's.
pub async fn told(tx: &mut dyn Sql, object_id: &str, version: u64) -> Result<bool, StoreError> {
    let sql =
        "UPDATE publication SET told = $2, attempts = 0 WHERE object_id = $1 AND told < $2 AND version >= $2";
    Ok(tx.execute(sql, &params![object_id, version]).await? == 1)
}

/// The core function has acknowledged that a resource is gone.
///
/// # Errors
/// The engine's.
pub async fn told_gone(tx: &mut dyn Sql, resource_id: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM publication_gone WHERE resource_id = $1";
    tx.execute(sql, &params![resource_id]).await.map(drop)
}

/// An object was refused: not again before `due_ms`, unless it changes.
///
/// # Errors
/// The engine's.
pub async fn later(tx: &mut dyn Sql, object_id: &str, due_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE publication SET due_ms = $2, attempts = attempts + 1 WHERE object_id = $1";
    tx.execute(sql, &params![object_id, due_ms]).await.map(drop)
}

/// The mark of an object.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, object_id: &str) -> Result<Option<Mark>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM publication WHERE object_id = $1");
    tx.query_opt(&sql, &params![object_id]).await?.as_ref().map(mark_of).transpose()
}

/// Up to `limit` marks by object, after one: for a comparison of all.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<Mark>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM publication WHERE object_id > $1 ORDER BY object_id LIMIT $2");
    tx.query(&sql, &params![after, limit]).await?.iter().map(mark_of).collect()
}
