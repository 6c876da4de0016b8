//! Many anchors at once: written by statements of many rows, read in the order of lists and labels.

use std::collections::BTreeSet;

use super::lists::{self, ListRow};
use super::records::{self, AnchorRow};
use crate::params;
use crate::spatial_index::{self, steps};
use crate::sql::placeholders;
use crate::{Dialect, Sql, StoreError, Value};

/// Rows of one statement. Own value: with 14 columns well below what both engines take as parameters.
const ROWS: usize = 64;

/// The values of a statement of many rows: `($1, $2), ($3, $4)`.
fn grid(rows: usize, columns: usize, cell: impl Fn(usize, usize) -> String) -> String {
    let row = |row: usize| {
        let cells: Vec<String> =
            (0..columns).map(|column| cell(column, row * columns + column + 1)).collect();
        format!("({})", cells.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Runs `sql` with a grid of rows behind it, on PostgreSQL: full statements of [`ROWS`] rows, and the rest one by one, so that two
/// texts are all that an engine prepares.
async fn insert_grid(
    tx: &mut dyn Sql,
    (head, tail): (&str, &str),
    cell: impl Fn(usize, usize) -> String,
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let Some(columns) = rows.first().map(Vec::len) else { return Ok(()) };
    if tx.dialect() == Dialect::Sqlite {
        // A statement of many rows keeps a copy of each page that it changes, to be undone alone; one of a row does not.
        let sql = format!("{head} values {}{tail}", grid(1, columns, &cell));
        return tx.execute_many(&sql, rows).await.map(drop);
    }
    let whole = rows.len() / ROWS * ROWS;
    let (full, rest) = rows.split_at(whole);
    if !full.is_empty() {
        let sql = format!("{head} values {}{tail}", grid(ROWS, columns, &cell));
        let chunks: Vec<Vec<Value>> = full.chunks(ROWS).map(|chunk| chunk.concat()).collect();
        tx.execute_many(&sql, &chunks).await?;
    }
    let sql = format!("{head} values {}{tail}", grid(1, columns, &cell));
    tx.execute_many(&sql, rest).await.map(drop)
}

/// Takes identifiers for good; those that were given before are left out of the answer.
///
/// # Errors
/// The engine failed.
pub async fn reserve(tx: &mut dyn Sql, ids: &[u32]) -> Result<BTreeSet<u32>, StoreError> {
    let mut fresh = BTreeSet::new();
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    if tx.dialect() == Dialect::Sqlite {
        let sql = "insert into anchor_id_used (anchor_id) values ($1) on conflict do nothing";
        for id in ids {
            if tx.execute(sql, &params![id]).await? == 1 {
                fresh.insert(id);
            }
        }
        return Ok(fresh);
    }
    for chunk in ids.chunks(ROWS) {
        let params: Vec<Value> = chunk.iter().map(|id| Value::from(*id)).collect();
        let values = grid(chunk.len(), 1, |_, number| format!("${number}"));
        let sql = format!(
            "insert into anchor_id_used (anchor_id) values {values} on conflict do nothing returning anchor_id"
        );
        for row in tx.query(&sql, &params).await? {
            fresh.insert(row.get(0)?);
        }
    }
    Ok(fresh)
}

/// Adds anchors whose identifiers were reserved and whose labels are free.
///
/// # Errors
/// An identifier or label is taken; the engine failed.
pub async fn insert(tx: &mut dyn Sql, anchors: &[AnchorRow]) -> Result<(), StoreError> {
    let head = "insert into anchor (anchor_id, list_id, label, class_id, service_id, incarnation, body, spec_hash, lon, \
                lat, start_s, stop_s, owner_key, sync)";
    // In the order of the table and of its identifiers' index: neighbours are written to one page while it is at hand.
    let mut anchors: Vec<&AnchorRow> = anchors.iter().collect();
    anchors.sort_unstable_by_key(|anchor| anchor.anchor_id);
    let rows: Vec<Vec<Value>> = anchors.iter().map(|anchor| records::values(anchor)).collect();
    insert_grid(tx, (head, ""), |_, number| format!("${number}"), &rows).await?;
    let placed = anchors.iter().filter_map(|anchor| Some((anchor, anchor.at?)));
    match tx.dialect() {
        Dialect::Sqlite => {
            let (rows, spots): (Vec<_>, Vec<_>) = placed
                .map(|(anchor, (lon, lat))| {
                    let (x, y, class) = (steps(lon), steps(lat), anchor.class_id);
                    let spot = spatial_index::spot(anchor.anchor_id, class);
                    (
                        params![anchor.anchor_id, x, x, y, y, class - 1, class].to_vec(),
                        params![spot, x, x, y, y].to_vec(),
                    )
                })
                .unzip();
            let head = "insert into anchor_box (anchor_id, min_lon, max_lon, min_lat, max_lat, min_class, max_class)";
            insert_grid(tx, (head, ""), |_, number| format!("${number}"), &rows).await?;
            let head = "insert into anchor_spot (spot, min_lon, max_lon, min_lat, max_lat)";
            insert_grid(tx, (head, ""), |_, number| format!("${number}"), &spots).await
        }
        Dialect::Postgres => {
            let rows: Vec<Vec<Value>> = placed
                .map(|(anchor, (lon, lat))| {
                    params![anchor.anchor_id, lon, lat, anchor.class_id as f64].to_vec()
                })
                .collect();
            insert_points(tx, &rows).await
        }
    }
}

/// Places on PostgreSQL: three of the four values of a row are one point.
async fn insert_points(tx: &mut dyn Sql, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    let cell = |column: usize, number: usize| match column {
        0 => format!("${number}"),
        1 => format!("public.ST_MakePoint(CAST(${number} AS double precision)"),
        2 => format!("CAST(${number} AS double precision)"),
        _ => format!("CAST(${number} AS double precision))"),
    };
    insert_grid(tx, ("insert into anchor_box (anchor_id, at)", ""), cell, rows).await
}

/// Which of the labels a list has.
///
/// # Errors
/// The engine failed.
pub async fn labels(
    tx: &mut dyn Sql,
    list_id: &str,
    labels: &[&str],
) -> Result<BTreeSet<String>, StoreError> {
    let mut found = BTreeSet::new();
    for labels in labels.chunks(500) {
        let mut params = params![list_id].to_vec();
        let names = placeholders(&mut params, labels.iter().map(|label| Value::from(*label)));
        let sql = format!("select label from anchor where list_id = $1 and label in ({names})");
        for row in tx.query(&sql, &params).await? {
            found.insert(row.get(0)?);
        }
    }
    Ok(found)
}

/// Whether there is a list of this name.
///
/// # Errors
/// The engine failed.
pub async fn has_list(tx: &mut dyn Sql, list_id: &str) -> Result<bool, StoreError> {
    let sql = "select 1 from anchors_list where list_id = $1";
    Ok(tx.query_opt(sql, &params![list_id]).await?.is_some())
}

/// Anchors with their lists, in the order of lists and labels, beyond a place in that order.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn page(
    tx: &mut dyn Sql,
    after: Option<(&str, &str)>,
    limit: u32,
) -> Result<Vec<(ListRow, AnchorRow)>, StoreError> {
    let mut params = Vec::new();
    let beyond = match after {
        Some((list_id, label)) => {
            params.extend([Value::from(list_id), Value::from(label)]);
            "where (a.list_id, a.label) > ($1, $2) "
        }
        None => "",
    };
    params.push(Value::from(limit));
    let sql = format!(
        "select {}, {} from anchor a join anchors_list l on l.list_id = a.list_id {beyond}\
         order by a.list_id, a.label limit ${}",
        lists::COLUMNS,
        records::COLUMNS,
        params.len()
    );
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(|row| Ok((lists::list_of(row, 0)?, records::anchor_of(row, lists::WIDTH)?))).collect()
}

/// How many anchors there are.
///
/// # Errors
/// The engine failed.
pub async fn count(tx: &mut dyn Sql) -> Result<u64, StoreError> {
    tx.query_one("select count(*) from anchor", &params![]).await?.get(0)
}
