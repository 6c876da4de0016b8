//! Fragments that all ways share, and how identifiers travel: one text for many, so that a statement stays the same
//! whatever their number.

use crate::sql::placeholders;
use crate::{Dialect, Row, Sql, StoreError, Value};

/// The classes held, as `held`.
pub(super) fn with_held(held: &[String], params: &mut Vec<Value>) -> String {
    let held = placeholders(params, held.iter().map(Value::from));
    format!(
        "with held (class_id) as materialized \
         (select distinct class_id from class_match where match_key in ({held}))"
    )
}

/// The condition that `column` is one of the identifiers.
pub(crate) fn list(
    dialect: Dialect,
    column: &str,
    ids: impl IntoIterator<Item: std::fmt::Display>,
    params: &mut Vec<Value>,
) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    let (open, close) = (dialect.pick("[", "{"), dialect.pick("]", "}"));
    params.push(format!("{open}{}{close}", ids.join(",")).into());
    let n = params.len();
    match dialect {
        Dialect::Sqlite => format!("{column} in (select value from json_each(${n}))"),
        Dialect::Postgres => format!("{column} = any (cast(cast(${n} as text) as bigint[]))"),
    }
}

/// What a statement of one row answers: how many were read, and those that count.
pub(super) struct Aggregate {
    pub(super) count: u64,
    pub(super) ids: Vec<u32>,
}

pub(super) async fn aggregate(
    tx: &mut dyn Sql,
    sql: &str,
    params: &[Value],
) -> Result<Aggregate, StoreError> {
    aggregate_of(&tx.query_one(sql, params).await?)
}

/// Reads the row: how many, and which.
pub(super) fn aggregate_of(row: &Row) -> Result<Aggregate, StoreError> {
    let ids: Option<String> = row.get(1)?;
    let parsed = ids
        .iter()
        .flat_map(|ids| ids.split(','))
        .map(|id| id.parse().map_err(|_| StoreError::Damaged("an identifier in an index")));
    Ok(Aggregate { count: row.get(0)?, ids: parsed.collect::<Result<_, _>>()? })
}

/// The number of rows of a statement, counted up to `most`.
pub(super) async fn count_up_to(
    tx: &mut dyn Sql,
    rows: &str,
    mut params: Vec<Value>,
    most: u64,
) -> Result<u64, StoreError> {
    params.push(most.into());
    let sql = format!("select count(*) from ({rows} limit ${}) as w", params.len());
    tx.query_one(&sql, &params).await?.get(0)
}
