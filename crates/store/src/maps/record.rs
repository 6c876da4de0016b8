//! A spatial map that is ready.

use crate::maps::content::Content;
use crate::publications::Sync;
use crate::reach::{self, Reach, Reader};
use crate::spatial_index::GeoBox;
use crate::{Row, Sql, StoreError, Value, maps::area_index, params};

/// What a map consists of, beside its identity.
#[derive(Clone, PartialEq)]
pub struct NewMap {
    /// The map.
    pub map_id: u32,
    /// Issuer of the owner's identity.
    pub owner_issuer: String,
    /// The owner, as that issuer names it.
    pub owner_subject: String,
    /// The owner, as audit and charging name it.
    pub owner_name: String,
    /// Visibility class.
    pub class_id: i64,
    /// VAL service.
    pub service_id: String,
    /// The document, as the SM server writes it.
    pub body: String,
    /// Active from here on, in seconds since 1970.
    pub start_s: Option<i64>,
    /// Inactive from here on.
    pub stop_s: Option<i64>,
    /// Layers by which it is found.
    pub layers: Vec<String>,
    /// Rectangles by which it is found.
    pub boxes: Vec<GeoBox>,
    /// Whether the CAPIF core function knows it.
    pub sync: Sync,
}

/// A map as it is kept.
#[derive(Clone, PartialEq)]
pub struct MapRow {
    /// The map.
    pub map_id: u32,
    /// Issuer of the owner's identity.
    pub owner_issuer: String,
    /// The owner, as that issuer names it.
    pub owner_subject: String,
    /// The owner, as audit and charging name it.
    pub owner_name: String,
    /// Visibility class.
    pub class_id: i64,
    /// VAL service.
    pub service_id: String,
    /// Changes with every change of the document; the payload has its digest instead.
    pub version: u64,
    /// The document.
    pub body: String,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
    /// The payload, if it was uploaded.
    pub content: Option<Content>,
    /// Whether the CAPIF core function knows it.
    pub sync: Sync,
}

/// What became of a conditional change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Done; the version that the map has now.
    To(u64),
    /// The map has another version, or is gone.
    Stale,
}

impl std::fmt::Debug for NewMap {
    /// Without owner and document.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMap").field("map_id", &self.map_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for MapRow {
    /// Without owner and document.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapRow")
            .field("map_id", &self.map_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

pub(super) const COLUMNS: &str = "map_id, owner_issuer, owner_subject, owner_name, class_id, service_id, version, body, \
                                  created_s, content_sha256, content_type, content_length, sync";

/// Takes an identifier for good. `false`: it was given before, to a map that may be gone.
///
/// # Errors
/// The engine's.
pub async fn take_id(tx: &mut dyn Sql, map_id: u32) -> Result<bool, StoreError> {
    let sql = "INSERT INTO map_id_used (map_id) VALUES ($1) ON CONFLICT (map_id) DO NOTHING";
    Ok(tx.execute(sql, &params![map_id]).await? == 1)
}

/// Keeps a new map under an identifier that was taken before. Its version is 1.
///
/// # Errors
/// The engine's; more than [`area_index::MAX_BOXES`] rectangles.
pub async fn insert(tx: &mut dyn Sql, map: &NewMap, now_s: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO map (map_id, owner_issuer, owner_subject, owner_name, class_id, service_id, version, body, \
               start_s, stop_s, created_s, sync) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11)";
    let params = params![
        map.map_id,
        &map.owner_issuer,
        &map.owner_subject,
        &map.owner_name,
        map.class_id,
        &map.service_id,
        &map.body,
        map.start_s,
        map.stop_s,
        now_s,
        map.sync.column()
    ];
    tx.execute(sql, &params).await?;
    index(tx, map).await
}

/// The map, if it is ready.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn by_id(tx: &mut dyn Sql, map_id: u32) -> Result<Option<MapRow>, StoreError> {
    one(tx, map_id, "").await
}

/// How far a caller comes with a map; `None`: there is no such map that is ready.
///
/// # Errors
/// The engine's.
pub async fn reach(tx: &mut dyn Sql, map_id: u32, reader: &Reader) -> Result<Option<Reach>, StoreError> {
    let mut params = vec![Value::from(map_id)];
    let level = reach::level("m", "m", reader, &mut params);
    let sql = format!("SELECT {level} FROM map m WHERE m.map_id = $1");
    reach::of_row(tx.query_opt(&sql, &params).await?)
}

/// The map, with its row locked until the end of the transaction.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn locked(tx: &mut dyn Sql, map_id: u32) -> Result<Option<MapRow>, StoreError> {
    let lock = tx.dialect().for_update();
    one(tx, map_id, lock).await
}

/// Replaces document, class and indexes of the map of `version`; owner, age and payload stay.
///
/// # Errors
/// The engine's; more than [`area_index::MAX_BOXES`] rectangles.
pub async fn replace(tx: &mut dyn Sql, map: &NewMap, version: u64) -> Result<Changed, StoreError> {
    let sql = "UPDATE map SET class_id = $1, service_id = $2, body = $3, start_s = $4, stop_s = $5, \
               sync = $6, version = version + 1 WHERE map_id = $7 AND version = $8";
    let params = params![
        map.class_id,
        &map.service_id,
        &map.body,
        map.start_s,
        map.stop_s,
        map.sync.column(),
        map.map_id,
        version
    ];
    if tx.execute(sql, &params).await? == 0 {
        return Ok(Changed::Stale);
    }
    unindex(tx, map.map_id).await?;
    index(tx, map).await?;
    Ok(Changed::To(version + 1))
}

/// The core function knows the map: it is of this class from now on. That is no change of its document.
///
/// # Errors
/// The engine's.
pub async fn open(tx: &mut dyn Sql, map_id: u32, class_id: i64) -> Result<(), StoreError> {
    let sql = "UPDATE map SET class_id = $2, sync = $3 WHERE map_id = $1";
    tx.execute(sql, &params![map_id, class_id, Sync::Synced.column()]).await?;
    area_index::reclass(tx, map_id, class_id).await
}

/// Drops the map of `version`; its identifier stays taken. The payload it named is returned inside [`MapRow`] by
/// [`locked`]; whether another map has it as well is for [`super::content::is_used`] to say, after the commit.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, map: &MapRow) -> Result<bool, StoreError> {
    unindex(tx, map.map_id).await?;
    let sql = "DELETE FROM map WHERE map_id = $1 AND version = $2";
    if tx.execute(sql, &params![map.map_id, map.version]).await? == 0 {
        return Ok(false);
    }
    if let Some(content) = &map.content {
        super::content::release(tx, map, content.length).await?;
    }
    Ok(true)
}

async fn one(tx: &mut dyn Sql, map_id: u32, lock: &str) -> Result<Option<MapRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM map WHERE map_id = $1{lock}");
    tx.query_opt(&sql, &params![map_id]).await?.as_ref().map(read).transpose()
}

pub(super) fn read(row: &Row) -> Result<MapRow, StoreError> {
    let content = match (row.get(9)?, row.get(10)?, row.get(11)?) {
        (Some(sha256), Some(media_type), Some(length)) => Some(Content { sha256, media_type, length }),
        _ => None,
    };
    Ok(MapRow {
        map_id: row.get(0)?,
        owner_issuer: row.get(1)?,
        owner_subject: row.get(2)?,
        owner_name: row.get(3)?,
        class_id: row.get(4)?,
        service_id: row.get(5)?,
        version: row.get(6)?,
        body: row.get(7)?,
        created_s: row.get(8)?,
        content,
        sync: Sync::of_column(row.get(12)?)?,
    })
}

async fn unindex(tx: &mut dyn Sql, map_id: u32) -> Result<(), StoreError> {
    tx.execute("DELETE FROM map_layer WHERE map_id = $1", &params![map_id]).await?;
    area_index::remove(tx, map_id).await
}

async fn index(tx: &mut dyn Sql, map: &NewMap) -> Result<(), StoreError> {
    let layers: Vec<Vec<Value>> =
        map.layers.iter().map(|layer| params![layer, map.map_id].to_vec()).collect();
    let sql = "INSERT INTO map_layer (layer_id, map_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute_many(sql, &layers).await?;
    area_index::put(tx, map.map_id, map.class_id, &map.boxes).await
}
