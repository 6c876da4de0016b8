//! Where the operator last saw a VAL UE; written over the admin interface only, never from what a UE says of itself.

use crate::params;
use crate::spatial_index::GeoBox;
use crate::{Sql, StoreError};

/// A position in WGS 84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UePosition {
    /// Longitude in degrees.
    pub lon: f64,
    /// Latitude in degrees.
    pub lat: f64,
    /// Metres above the ellipsoid.
    pub alt: Option<f64>,
    /// Seconds since 1970.
    pub at_s: i64,
}

/// Sets the position of a VAL UE. The last report counts, whatever time it names: a write has taken effect when it is
/// answered (contract, section 5).
///
/// # Errors
/// The engine failed.
pub async fn put(tx: &mut dyn Sql, val_ue_id: &str, position: &UePosition) -> Result<(), StoreError> {
    let sql = "insert into ue_position (val_ue_id, lon, lat, alt, at_s) values ($1, $2, $3, $4, $5) \
               on conflict (val_ue_id) do update set lon = excluded.lon, lat = excluded.lat, alt = excluded.alt, \
               at_s = excluded.at_s";
    let UePosition { lon, lat, alt, at_s } = *position;
    tx.execute(sql, &params![val_ue_id, lon, lat, alt, at_s]).await.map(drop)
}

/// The position of a VAL UE, if one is known.
///
/// # Errors
/// The engine failed.
pub async fn of_ue(tx: &mut dyn Sql, val_ue_id: &str) -> Result<Option<UePosition>, StoreError> {
    let sql = "select lon, lat, alt, at_s from ue_position where val_ue_id = $1";
    let Some(row) = tx.query_opt(sql, &params![val_ue_id]).await? else { return Ok(None) };
    Ok(Some(UePosition { lon: row.get(0)?, lat: row.get(1)?, alt: row.get(2)?, at_s: row.get(3)? }))
}

/// The VAL UEs in a box, by name, after one.
///
/// # Errors
/// The engine failed.
pub async fn within(
    tx: &mut dyn Sql,
    area: &GeoBox,
    after: &str,
    limit: u32,
) -> Result<Vec<(String, UePosition)>, StoreError> {
    let sql = "select val_ue_id, lon, lat, alt, at_s from ue_position where lat between $1 and $2 and lon between $3 \
               and $4 and val_ue_id > $5 order by val_ue_id limit $6";
    let params = params![area.min_lat, area.max_lat, area.min_lon, area.max_lon, after, limit];
    let rows = tx.query(sql, &params).await?;
    rows.iter()
        .map(|row| {
            let (lon, lat, alt, at_s) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            Ok((row.get(0)?, UePosition { lon, lat, alt, at_s }))
        })
        .collect()
}

/// Forgets a VAL UE.
///
/// # Errors
/// The engine failed.
pub async fn forget(tx: &mut dyn Sql, val_ue_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from ue_position where val_ue_id = $1", &params![val_ue_id]).await? == 1)
}
