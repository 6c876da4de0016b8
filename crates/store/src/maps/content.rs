//! Which payload a map has. The octets are in [`crate::blobs`]; they are written before the row and removed after it, so
//! that a crash can leave an octet too many and never one too few.

use crate::maps::record::MapRow;
use crate::{Sql, StoreError, params};

/// A payload that a map names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// SHA-256 of the octets: their address, their digest and their ETag.
    pub sha256: [u8; 32],
    /// Media type.
    pub media_type: String,
    /// Number of octets.
    pub length: u64,
}

/// What became of a new payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetContent {
    /// The map has it; the one that it had before.
    Done(Option<Content>),
    /// The owner would have more octets than the quota.
    OverQuota,
}

/// Gives a map a payload, within the owner's quota in octets. The map is as [`super::record::locked`] found it in this
/// transaction.
///
/// # Errors
/// The engine's.
pub async fn set(
    tx: &mut dyn Sql,
    map: &MapRow,
    content: &Content,
    quota: u64,
) -> Result<SetContent, StoreError> {
    let before = map.content.as_ref().map_or(0, |content| content.length);
    if !reserve(tx, map, content.length, before, quota).await? {
        return Ok(SetContent::OverQuota);
    }
    let sql = "UPDATE map SET content_sha256 = $1, content_type = $2, content_length = $3 WHERE map_id = $4";
    tx.execute(sql, &params![content.sha256, &content.media_type, content.length, map.map_id]).await?;
    Ok(SetContent::Done(map.content.clone()))
}

/// Octets of payload that an owner has.
///
/// # Errors
/// The engine's.
pub async fn usage(tx: &mut dyn Sql, owner_issuer: &str, owner_subject: &str) -> Result<u64, StoreError> {
    let sql = "SELECT octets FROM map_owner_usage WHERE owner_issuer = $1 AND owner_subject = $2";
    let row = tx.query_opt(sql, &params![owner_issuer, owner_subject]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Whether a map names the payload.
///
/// # Errors
/// The engine's.
pub async fn is_used(tx: &mut dyn Sql, sha256: &[u8; 32]) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM map WHERE content_sha256 = $1 LIMIT 1";
    Ok(tx.query_opt(sql, &params![sha256]).await?.is_some())
}

/// Every payload that a map names.
///
/// # Errors
/// The engine's.
pub async fn all_used(tx: &mut dyn Sql) -> Result<Vec<[u8; 32]>, StoreError> {
    let sql = "SELECT DISTINCT content_sha256 FROM map WHERE content_sha256 IS NOT NULL";
    tx.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect()
}

/// Gives back the octets of a map that goes.
pub(super) async fn release(tx: &mut dyn Sql, map: &MapRow, octets: u64) -> Result<(), StoreError> {
    let sql =
        "UPDATE map_owner_usage SET octets = octets - $1 WHERE owner_issuer = $2 AND owner_subject = $3";
    tx.execute(sql, &params![octets, &map.owner_issuer, &map.owner_subject]).await?;
    Ok(())
}

/// Takes `more` octets and gives back `less`, unless the sum would be over the quota. Who uses less than before may
/// always do so, also when the quota was lowered meanwhile.
async fn reserve(
    tx: &mut dyn Sql,
    map: &MapRow,
    more: u64,
    less: u64,
    quota: u64,
) -> Result<bool, StoreError> {
    let row = "INSERT INTO map_owner_usage (owner_issuer, owner_subject, octets) VALUES ($1, $2, 0) \
               ON CONFLICT (owner_issuer, owner_subject) DO NOTHING";
    tx.execute(row, &params![&map.owner_issuer, &map.owner_subject]).await?;
    let sql = "UPDATE map_owner_usage SET octets = octets + $1 - $2 \
               WHERE owner_issuer = $3 AND owner_subject = $4 \
               AND (octets + $1 - $2 <= $5 OR $1 <= $2)";
    let params = params![more, less, &map.owner_issuer, &map.owner_subject, quota];
    Ok(tx.execute(sql, &params).await? == 1)
}
