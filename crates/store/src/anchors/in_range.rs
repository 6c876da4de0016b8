//! Which anchors were in range of whom when it was last looked: what is told is the crossing (TS 29.437
//! `DetectedEvent`).

use std::collections::BTreeSet;

use crate::{Sql, StoreError, params};

/// Who or what looks: one event of one subscription.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The subscription.
    pub sub_id: &'a str,
    /// Number of the event in it.
    pub part: u32,
}

/// The anchors in range of a UE; the empty name stands for a fixed place.
///
/// # Errors
/// The engine's.
pub async fn of_ue(tx: &mut dyn Sql, part: Part<'_>, ue: &str) -> Result<BTreeSet<u32>, StoreError> {
    let sql = "SELECT anchor_id FROM in_range WHERE sub_id = $1 AND part = $2 AND ue = $3";
    tx.query(sql, &params![part.sub_id, part.part, ue]).await?.iter().map(|row| row.get(0)).collect()
}

/// The UEs in range of an anchor.
///
/// # Errors
/// The engine's.
pub async fn of_anchor(
    tx: &mut dyn Sql,
    part: Part<'_>,
    anchor_id: u32,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT ue FROM in_range WHERE sub_id = $1 AND part = $2 AND anchor_id = $3";
    tx.query(sql, &params![part.sub_id, part.part, anchor_id]).await?.iter().map(|row| row.get(0)).collect()
}

/// It came into range.
///
/// # Errors
/// The engine's.
pub async fn enter(tx: &mut dyn Sql, part: Part<'_>, ue: &str, anchor_id: u32) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO in_range (sub_id, part, ue, anchor_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute(sql, &params![part.sub_id, part.part, ue, anchor_id]).await.map(drop)
}

/// It left.
///
/// # Errors
/// The engine's.
pub async fn leave(tx: &mut dyn Sql, part: Part<'_>, ue: &str, anchor_id: u32) -> Result<(), StoreError> {
    let sql = "DELETE FROM in_range WHERE sub_id = $1 AND part = $2 AND ue = $3 AND anchor_id = $4";
    tx.execute(sql, &params![part.sub_id, part.part, ue, anchor_id]).await.map(drop)
}

/// Forgets all of a subscription: its events have changed.
///
/// # Errors
/// The engine's.
pub async fn clear(tx: &mut dyn Sql, sub_id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM in_range WHERE sub_id = $1", &params![sub_id]).await.map(drop)
}
