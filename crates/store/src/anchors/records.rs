//! One anchor of a list.

use crate::params;
use aws_lc_rs::digest::{SHA256, digest};

use crate::migrations::hex;
use crate::publications::Sync;
use crate::{Row, Sql, StoreError, Value, spatial_index};

/// An anchor as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct AnchorRow {
    /// Random, 31 bits.
    pub anchor_id: u32,
    /// The list that it belongs to.
    pub list_id: String,
    /// Its key in the `anchors` map.
    pub label: String,
    /// The owner as a match of visibility classes; the same for all anchors of a list.
    pub owner_key: String,
    /// Number of its rule set.
    pub class_id: i64,
    /// `valServInfo.serviceId` of the list.
    pub service_id: String,
    /// Random number of this life of the anchor.
    pub incarnation: i64,
    /// The `SpatialAnchor` as JSON, own members included, `anchorId` too.
    pub body: String,
    /// SHA-256 of `specInfo`, by which `anch-inf` finds it.
    pub spec_hash: Option<String>,
    /// Longitude and latitude in degrees, if it has a geographic position.
    pub at: Option<(f64, f64)>,
    /// First second of its time period.
    pub start_s: Option<i64>,
    /// First second after its time period.
    pub stop_s: Option<i64>,
    /// Whether the CAPIF core function knows it.
    pub sync: Sync,
}

pub(crate) const COLUMNS: &str = "a.anchor_id, a.list_id, a.label, a.class_id, a.service_id, a.incarnation, a.body, \
                                  a.spec_hash, a.lon, a.lat, a.start_s, a.stop_s, \
                                  a.owner_key, a.sync";

pub(crate) fn anchor_of(row: &Row, from: usize) -> Result<AnchorRow, StoreError> {
    let lon: Option<f64> = row.get(from + 8)?;
    let lat: Option<f64> = row.get(from + 9)?;
    Ok(AnchorRow {
        anchor_id: row.get(from)?,
        list_id: row.get(from + 1)?,
        label: row.get(from + 2)?,
        class_id: row.get(from + 3)?,
        service_id: row.get(from + 4)?,
        incarnation: row.get(from + 5)?,
        body: row.get(from + 6)?,
        spec_hash: row.get(from + 7)?,
        at: lon.zip(lat),
        start_s: row.get(from + 10)?,
        stop_s: row.get(from + 11)?,
        owner_key: row.get(from + 12)?,
        sync: Sync::of_column(row.get(from + 13)?)?,
    })
}

/// The key by which `anch-inf` finds application specific information.
pub fn spec_hash(spec_info: &[u8]) -> String {
    hex(digest(&SHA256, spec_info).as_ref())
}

pub(crate) fn values(anchor: &AnchorRow) -> Vec<Value> {
    params![
        anchor.anchor_id,
        anchor.list_id.as_str(),
        anchor.label.as_str(),
        anchor.class_id,
        anchor.service_id.as_str(),
        anchor.incarnation,
        anchor.body.as_str(),
        anchor.spec_hash.clone(),
        anchor.at.map(|at| at.0),
        anchor.at.map(|at| at.1),
        anchor.start_s,
        anchor.stop_s,
        anchor.owner_key.as_str(),
        anchor.sync.column(),
    ]
    .to_vec()
}

/// Adds anchors, and their places to the spatial index. Their identifiers were reserved before.
///
/// # Errors
/// An identifier or label is taken; the engine failed.
pub async fn insert(tx: &mut dyn Sql, anchors: &[AnchorRow]) -> Result<(), StoreError> {
    let sql = "insert into anchor (anchor_id, list_id, label, class_id, service_id, incarnation, body, spec_hash, lon, \
               lat, start_s, stop_s, owner_key, sync) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let rows: Vec<Vec<Value>> = anchors.iter().map(values).collect();
    tx.execute_many(sql, &rows).await?;
    for anchor in anchors {
        spatial_index::put(tx, anchor.anchor_id, anchor.class_id, anchor.at).await?;
    }
    Ok(())
}

/// Writes changed anchors and moves them in the spatial index. Identifier, list and incarnation stay.
///
/// # Errors
/// A label is taken; the engine failed.
pub async fn update(tx: &mut dyn Sql, anchors: &[AnchorRow]) -> Result<(), StoreError> {
    let sql = "update anchor set label = $3, class_id = $4, service_id = $5, body = $7, spec_hash = $8, lon = $9, \
               lat = $10, start_s = $11, stop_s = $12, owner_key = $13, sync = $14 \
               where anchor_id = $1 and list_id = $2 and incarnation = $6";
    for anchor in anchors {
        spatial_index::remove(tx, anchor.anchor_id).await?;
        if tx.execute(sql, &values(anchor)).await? != 1 {
            return Err(StoreError::Damaged("an anchor of a locked list is missing"));
        }
        spatial_index::put(tx, anchor.anchor_id, anchor.class_id, anchor.at).await?;
    }
    Ok(())
}

/// Removes anchors and their places. Their identifiers stay taken.
///
/// # Errors
/// The engine failed.
pub async fn remove(tx: &mut dyn Sql, anchor_ids: &[u32]) -> Result<(), StoreError> {
    for anchor_id in anchor_ids {
        spatial_index::remove(tx, *anchor_id).await?;
        tx.execute("delete from anchor where anchor_id = $1", &params![*anchor_id]).await?;
    }
    Ok(())
}
