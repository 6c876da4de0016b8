//! Anchors lists: the resource of `ssan-sanm`, with owner, incarnation and row version.

use crate::anchors::records::{self, AnchorRow};
use crate::params;
use crate::reach::{self, Reach, Reader};
use crate::{Row, Sql, StoreError, Value};

/// An anchors list without its anchors. `Debug` is left out: the owner is personal data.
#[derive(Clone, PartialEq)]
pub struct ListRow {
    /// Resource identifier, random.
    pub list_id: String,
    /// Issuer of the owner's tokens.
    pub owner_issuer: String,
    /// Subject of the owner's tokens.
    pub owner_subject: String,
    /// The owner as audit and charging name it: a client, or the pseudonym of a user.
    pub owner_name: String,
    /// `valServInfo.serviceId`.
    pub service_id: String,
    /// `valServInfo` as JSON.
    pub serv_info: String,
    /// Random number of this life of the list; grants carry it.
    pub incarnation: i64,
    /// Counts the changes.
    pub version: i64,
    /// Seconds since 1970.
    pub created_s: i64,
}

pub(crate) const COLUMNS: &str = "l.list_id, l.owner_issuer, l.owner_subject, l.service_id, l.serv_info, l.incarnation, l.version, \
                       l.created_s, l.owner_name";
/// How many columns [`COLUMNS`] has.
pub(crate) const WIDTH: usize = 9;

pub(crate) fn list_of(row: &Row, from: usize) -> Result<ListRow, StoreError> {
    Ok(ListRow {
        list_id: row.get(from)?,
        owner_issuer: row.get(from + 1)?,
        owner_subject: row.get(from + 2)?,
        service_id: row.get(from + 3)?,
        serv_info: row.get(from + 4)?,
        incarnation: row.get(from + 5)?,
        version: row.get(from + 6)?,
        created_s: row.get(from + 7)?,
        owner_name: row.get(from + 8)?,
    })
}

/// Adds a list.
///
/// # Errors
/// The identifier is taken; the engine failed.
pub async fn insert(tx: &mut dyn Sql, list: &ListRow) -> Result<(), StoreError> {
    let sql = "insert into anchors_list (list_id, owner_issuer, owner_subject, service_id, serv_info, incarnation, \
               version, created_s, owner_name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = params![
        list.list_id.as_str(),
        list.owner_issuer.as_str(),
        list.owner_subject.as_str(),
        list.service_id.as_str(),
        list.serv_info.as_str(),
        list.incarnation,
        list.version,
        list.created_s,
        list.owner_name.as_str(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// A list and its anchors, by label, in one indexed read. A list is never without an anchor.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn with_anchors(
    tx: &mut dyn Sql,
    list_id: &str,
) -> Result<Option<(ListRow, Vec<AnchorRow>)>, StoreError> {
    let sql = format!(
        "select {COLUMNS}, {} from anchors_list l join anchor a on a.list_id = l.list_id \
         where l.list_id = $1 order by a.label",
        records::COLUMNS
    );
    let rows = tx.query(&sql, &params![list_id]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let list = list_of(first, 0)?;
    let anchors = rows.iter().map(|row| records::anchor_of(row, WIDTH)).collect::<Result<_, _>>()?;
    Ok(Some((list, anchors)))
}

/// How far a caller comes with a list, by the anchor that lets it furthest; `None`: there is no such list.
///
/// # Errors
/// The engine failed.
pub async fn reach(tx: &mut dyn Sql, list_id: &str, reader: &Reader) -> Result<Option<Reach>, StoreError> {
    let mut params = vec![Value::from(list_id)];
    let level = reach::level("a", "l", reader, &mut params);
    // Anchors that the index cannot tell apart are asked about once.
    let sql = format!(
        "select max({level}) from anchors_list l \
         join (select distinct list_id, class_id, start_s, stop_s from anchor where list_id = $1) a \
         on a.list_id = l.list_id where l.list_id = $1"
    );
    reach::of_row(tx.query_opt(&sql, &params).await?)
}

/// As [`with_anchors`], holding the row of the list until the job is kept.
///
/// # Errors
/// As [`with_anchors`].
pub async fn lock_with_anchors(
    tx: &mut dyn Sql,
    list_id: &str,
) -> Result<Option<(ListRow, Vec<AnchorRow>)>, StoreError> {
    let lock = format!("select version from anchors_list where list_id = $1{}", tx.dialect().for_update());
    if tx.query_opt(&lock, &params![list_id]).await?.is_none() {
        return Ok(None);
    }
    with_anchors(tx, list_id).await
}

/// Writes the service information and counts the version. `false`: the version was no longer `list.version`.
///
/// # Errors
/// The engine failed.
pub async fn update(tx: &mut dyn Sql, list: &ListRow) -> Result<bool, StoreError> {
    let sql = "update anchors_list set service_id = $3, serv_info = $4, version = version + 1 \
               where list_id = $1 and version = $2";
    let params =
        params![list.list_id.as_str(), list.version, list.service_id.as_str(), list.serv_info.as_str()];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Removes a list whose anchors are gone.
///
/// # Errors
/// The engine failed; the list still has an anchor.
pub async fn remove(tx: &mut dyn Sql, list_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from anchors_list where list_id = $1", &params![list_id]).await? == 1)
}
