//! Imports in bulk: how far each is, and which list here is which list of its file.

use crate::params;
use crate::sql::placeholders;
use crate::{Row, Sql, StoreError, Value};

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Its name.
    pub import_id: String,
    /// First line that is not kept yet.
    pub next_line: u64,
    /// Anchors that are kept.
    pub imported: u64,
    /// Those among them that have another identifier.
    pub renumbered: u64,
    /// Bad lines that were left out.
    pub skipped: u64,
    /// Whether identifiers are kept.
    pub keeps_ids: bool,
    /// Whether its last line was seen.
    pub done: bool,
    /// What the operator said at its beginning, as JSON.
    pub terms: String,
}

/// A list of the file, and the one that it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportList {
    /// As the file names it.
    pub list_key: String,
    /// As it is named here.
    pub list_id: String,
    /// Its anchors so far.
    pub anchors: u64,
    /// Octets of its anchors so far.
    pub octets: u64,
    /// Entries of rules of its anchors so far.
    pub rule_entries: u64,
}

const COLUMNS: &str = "import_id, next_line, imported, renumbered, skipped, keeps_ids, done, terms";

fn import_of(row: &Row) -> Result<ImportRow, StoreError> {
    Ok(ImportRow {
        import_id: row.get(0)?,
        next_line: row.get(1)?,
        imported: row.get(2)?,
        renumbered: row.get(3)?,
        skipped: row.get(4)?,
        keeps_ids: row.get(5)?,
        done: row.get(6)?,
        terms: row.get(7)?,
    })
}

/// Begins an import, unless it has begun. `true`: it begins now; identifiers are kept when none was ever given.
///
/// # Errors
/// The engine failed.
pub async fn begin(tx: &mut dyn Sql, import_id: &str, terms: &str, now_s: i64) -> Result<bool, StoreError> {
    // `where true`: else SQLite would read `on` as that of a join.
    let sql = "insert into anchor_import (import_id, next_line, imported, renumbered, skipped, keeps_ids, done, terms, \
               changed_s) select CAST($1 AS TEXT), 1, 0, 0, 0, \
               case when exists (select 1 from anchor_id_used) then 0 else 1 end, 0, CAST($2 AS TEXT), \
               CAST($3 AS BIGINT) where true on conflict do nothing";
    Ok(tx.execute(sql, &params![import_id, terms, now_s]).await? == 1)
}

/// An import.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn find(tx: &mut dyn Sql, import_id: &str) -> Result<Option<ImportRow>, StoreError> {
    let sql = format!("select {COLUMNS} from anchor_import where import_id = $1");
    tx.query_opt(&sql, &params![import_id]).await?.as_ref().map(import_of).transpose()
}

/// As [`find`], holding the row until the job is kept: one batch of an import at a time.
///
/// # Errors
/// As [`find`].
pub async fn locked(tx: &mut dyn Sql, import_id: &str) -> Result<Option<ImportRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("select {COLUMNS} from anchor_import where import_id = $1{lock}");
    tx.query_opt(&sql, &params![import_id]).await?.as_ref().map(import_of).transpose()
}

/// Writes how far a locked import is; what it noted of lists goes when it is done.
///
/// # Errors
/// The engine failed.
pub async fn advance(tx: &mut dyn Sql, row: &ImportRow, now_s: i64) -> Result<(), StoreError> {
    let sql = "update anchor_import set next_line = $2, imported = $3, renumbered = $4, skipped = $5, done = $6, changed_s = $7 \
               where import_id = $1";
    let id = row.import_id.as_str();
    let params =
        params![id, row.next_line, row.imported, row.renumbered, row.skipped, i64::from(row.done), now_s];
    tx.execute(sql, &params).await?;
    if row.done {
        tx.execute("delete from anchor_import_list where import_id = $1", &params![id]).await?;
    }
    Ok(())
}

/// Those of the lists that the import has met before.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn lists(tx: &mut dyn Sql, import_id: &str, keys: &[&str]) -> Result<Vec<ImportList>, StoreError> {
    let mut found = Vec::new();
    // Bounded, so that no statement has more parameters than an engine takes.
    for keys in keys.chunks(500) {
        let mut params = params![import_id].to_vec();
        let names = placeholders(&mut params, keys.iter().map(|key| Value::from(*key)));
        let sql = format!(
            "select list_key, list_id, anchors, octets, rule_entries from anchor_import_list \
             where import_id = $1 and list_key in ({names})"
        );
        for row in tx.query(&sql, &params).await? {
            found.push(ImportList {
                list_key: row.get(0)?,
                list_id: row.get(1)?,
                anchors: row.get(2)?,
                octets: row.get(3)?,
                rule_entries: row.get(4)?,
            });
        }
    }
    Ok(found)
}

/// Notes lists and what they hold.
///
/// # Errors
/// The engine failed.
pub async fn put_lists(tx: &mut dyn Sql, import_id: &str, lists: &[ImportList]) -> Result<(), StoreError> {
    let sql = "insert into anchor_import_list (import_id, list_key, list_id, anchors, octets, rule_entries) \
               values ($1, $2, $3, $4, $5, $6) on conflict (import_id, list_key) do update set \
               anchors = excluded.anchors, octets = excluded.octets, rule_entries = excluded.rule_entries";
    let rows: Vec<Vec<Value>> = lists
        .iter()
        .map(|list| {
            params![
                import_id,
                list.list_key.as_str(),
                list.list_id.as_str(),
                list.anchors,
                list.octets,
                list.rule_entries
            ]
            .to_vec()
        })
        .collect();
    tx.execute_many(sql, &rows).await.map(drop)
}
