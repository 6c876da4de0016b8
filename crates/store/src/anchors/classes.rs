//! Visibility classes: one number per distinct rule set, and who holds it (design, section 4).

use crate::params;
use aws_lc_rs::digest::{SHA256, digest};

use crate::migrations::hex;
use crate::{Sql, StoreError};

/// Largest class number: 31 bits, the width of the third dimension of the spatial index.
pub const MAX_CLASS: u32 = 0x7FFF_FFFF;

/// Draws before a number is given up for. Own value: with a million classes one draw in 2,000 hits a taken number.
const DRAWS: usize = 8;

/// A rule set as the store needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassDef {
    /// One text per distinct rule set; kept as a hash.
    pub key: String,
    /// What a holder has, one of these, as text.
    pub matches: Vec<String>,
}

/// The number of a rule set; `draws` are random numbers, of which one is used when the rule set is new.
///
/// # Errors
/// The engine failed; all draws are taken.
pub async fn class_of(tx: &mut dyn Sql, def: &ClassDef, draws: &[u32]) -> Result<i64, StoreError> {
    let hash = hex(digest(&SHA256, def.key.as_bytes()).as_ref());
    // The shared row lock holds off `purge` on another node until this job is kept, and no other user of the class.
    let lock = tx.dialect().pick("", " for key share");
    let known = format!("select class_id from visibility_class where class_hash = $1{lock}");
    for draw in draws.iter().take(DRAWS) {
        if let Some(row) = tx.query_opt(&known, &params![hash.as_str()]).await? {
            return row.get(0);
        }
        let insert =
            "insert into visibility_class (class_id, class_hash) values ($1, $2) on conflict do nothing";
        let class_id = i64::from(draw & MAX_CLASS);
        if tx.execute(insert, &params![class_id, hash.as_str()]).await? == 1 {
            let sql = "insert into class_match (match_key, class_id) values ($1, $2) on conflict do nothing";
            let rows: Vec<_> =
                def.matches.iter().map(|key| params![key.as_str(), class_id].to_vec()).collect();
            tx.execute_many(sql, &rows).await?;
            return Ok(class_id);
        }
    }
    match tx.query_opt(&known, &params![hash.as_str()]).await? {
        Some(row) => row.get(0),
        None => Err(StoreError::Damaged("no free number for a visibility class")),
    }
}

/// Removes those of the classes that no anchor has any more, so that rules do not outlive their anchors.
///
/// # Errors
/// The engine failed.
pub async fn purge(tx: &mut dyn Sql, classes: &[i64]) -> Result<(), StoreError> {
    purge_unused(tx, "anchor", classes).await
}

/// Removes those of the classes that no row of `table` has any more.
pub(crate) async fn purge_unused(
    tx: &mut dyn Sql,
    table: &'static str,
    classes: &[i64],
) -> Result<(), StoreError> {
    let lock =
        format!("select class_id from visibility_class where class_id = $1{}", tx.dialect().for_update());
    let used = format!("select 1 from {table} where class_id = $1 limit 1");
    let remove = format!(
        "delete from visibility_class where class_id = $1 \
         and not exists (select 1 from {table} where {table}.class_id = visibility_class.class_id)"
    );
    let mut classes = classes.to_vec();
    classes.sort_unstable();
    classes.dedup();
    for class_id in classes {
        // Most classes are still in use, and are left alone without a lock.
        if tx.query_opt(&used, &params![class_id]).await?.is_some() {
            continue;
        }
        tx.query(&lock, &params![class_id]).await?;
        if tx.execute(&remove, &params![class_id]).await? == 1 {
            tx.execute("delete from class_match where class_id = $1", &params![class_id]).await?;
        }
    }
    Ok(())
}
