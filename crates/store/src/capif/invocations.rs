//! The chain of invocations that API exposing functions report (TS 29.222 5.7, 5.9): each record sealed over the one
//! before, as in the audit chain.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

use crate::audit::{Head, Verification};
use crate::migrations::hex;
use crate::{Row, Sql, StoreError, Value, chain, params};

/// An invocation, before it has a place in the chain.
#[derive(Clone, PartialEq, Eq)]
pub struct InvocationRow {
    /// The log in which it was reported.
    pub log_id: String,
    /// When it was invoked, or else reported, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who reported.
    pub aef_id: String,
    /// Who invoked.
    pub invoker_id: String,
    /// The service API.
    pub api_id: String,
    /// Its name.
    pub api_name: String,
    /// Its version.
    pub api_version: String,
    /// The resource.
    pub resource_name: String,
    /// Protocol.
    pub protocol: String,
    /// Method.
    pub operation: Option<String>,
    /// For HTTP the status.
    pub result: String,
    /// The whole entry as JSON.
    pub body: String,
}

impl fmt::Debug for InvocationRow {
    /// Without the body, whose parameters may name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvocationRow").field("log_id", &self.log_id).finish_non_exhaustive()
    }
}

/// An invocation in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationRecord {
    /// Place in the chain, from 1, without a gap.
    pub seq: u64,
    /// The invocation.
    pub row: InvocationRow,
    /// `hash` of the record before.
    pub prev: String,
    /// SHA-256 over every other member, in lowercase hexadecimal.
    pub hash: String,
}

/// Which invocations [`page`] shows. An absent member matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvocationFilter {
    /// Reported by.
    pub aef_id: Option<String>,
    /// Invoked by.
    pub invoker_id: Option<String>,
    /// Not before, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Not after, in milliseconds since 1970.
    pub to_ms: Option<i64>,
    /// The service API.
    pub api_id: Option<String>,
    /// Its name.
    pub api_name: Option<String>,
    /// Its version.
    pub api_version: Option<String>,
    /// The resource.
    pub resource_name: Option<String>,
    /// Protocol.
    pub protocol: Option<String>,
    /// Method.
    pub operation: Option<String>,
    /// Status.
    pub result: Option<String>,
    /// Only records behind this place.
    pub after: u64,
}

const COLUMNS: &str = "seq, log_id, at_ms, aef_id, invoker_id, api_id, api_name, api_version, resource_name, protocol, \
                       operation, result, body, prev, hash";

/// Appends invocations in their order; the place of the last one.
///
/// # Errors
/// The engine's.
pub async fn append_many(tx: &mut dyn Sql, rows: Vec<InvocationRow>) -> Result<u64, StoreError> {
    let lock = tx.dialect().for_update();
    let mut head = read_head(tx, lock).await?;
    let mut inserts = Vec::with_capacity(rows.len());
    for row in rows {
        let seq = head.seq + 1;
        let hash = seal(seq, &row, &head.hash);
        let prev = std::mem::replace(&mut head.hash, hash.clone());
        head.seq = seq;
        inserts.push(values(InvocationRecord { seq, row, prev, hash }));
    }
    let insert = format!(
        "INSERT INTO capif_invocation ({COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    );
    tx.execute_many(&insert, &inserts).await?;
    tx.execute("UPDATE capif_invocation_head SET seq = $1, hash = $2", &params![head.seq, &head.hash])
        .await?;
    Ok(head.seq)
}

/// Up to `limit` records in the order of the chain; the next page is `after` the last one's `seq`.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn page(
    tx: &mut dyn Sql,
    filter: &InvocationFilter,
    limit: u32,
) -> Result<Vec<InvocationRecord>, StoreError> {
    let (which, mut params) = clause(filter);
    params.push(Value::from(limit));
    let sql = format!("SELECT {COLUMNS} FROM capif_invocation {which} ORDER BY seq LIMIT ${}", params.len());
    tx.query(&sql, &params).await?.iter().map(record).collect()
}

/// How many records fit: what an API invoker has used of a quota.
///
/// # Errors
/// The engine's.
pub async fn count(tx: &mut dyn Sql, filter: &InvocationFilter) -> Result<u64, StoreError> {
    let (which, params) = clause(filter);
    tx.query_one(&format!("SELECT COUNT(*) FROM capif_invocation {which}"), &params).await?.get(0)
}

/// The end of the chain, to be sent to a place off the host.
///
/// # Errors
/// The engine's.
pub async fn head(tx: &mut dyn Sql) -> Result<Head, StoreError> {
    read_head(tx, "").await
}

/// Walks the whole chain and finds the first place that was edited, removed, inserted or reordered, and a cut tail.
///
/// # Errors
/// The engine's. A record that cannot be read is a break, not an error.
pub async fn verify(tx: &mut dyn Sql) -> Result<Verification, StoreError> {
    let head = read_head(tx, "").await?;
    let sql = format!("SELECT {COLUMNS} FROM capif_invocation WHERE seq > $1 ORDER BY seq LIMIT $2");
    chain::verify(tx, &sql, head, |row, seq, last| {
        let found = record(row).ok()?;
        let whole = found.seq == seq && found.prev == last && found.hash == seal(seq, &found.row, last);
        whole.then_some(found.hash)
    })
    .await
}

/// The WHERE clause of a filter and its parameters.
fn clause(filter: &InvocationFilter) -> (String, Vec<Value>) {
    let mut sql = "WHERE seq > $1".to_owned();
    let mut params = vec![Value::from(filter.after)];
    let mut and = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            params.push(value);
            sql.push_str(&format!(" AND {condition} ${}", params.len()));
        }
    };
    fn text<T: AsRef<str>>(value: &Option<T>) -> Option<Value> {
        value.as_ref().map(|value| Value::from(value.as_ref()))
    }
    and("aef_id =", text(&filter.aef_id));
    and("invoker_id =", text(&filter.invoker_id));
    and("at_ms >=", filter.from_ms.map(Value::from));
    and("at_ms <=", filter.to_ms.map(Value::from));
    and("api_id =", text(&filter.api_id));
    and("api_name =", text(&filter.api_name));
    and("api_version =", text(&filter.api_version));
    and("resource_name =", text(&filter.resource_name));
    and("protocol =", text(&filter.protocol));
    and("operation =", text(&filter.operation));
    and("result =", text(&filter.result));
    (sql, params)
}

async fn read_head(tx: &mut dyn Sql, lock: &str) -> Result<Head, StoreError> {
    let row = tx.query_one(&format!("SELECT seq, hash FROM capif_invocation_head{lock}"), &[]).await?;
    Ok(Head { seq: row.get(0)?, hash: row.get(1)? })
}

fn values(record: InvocationRecord) -> Vec<Value> {
    let InvocationRecord { seq, row, prev, hash } = record;
    params![
        seq,
        row.log_id,
        row.at_ms,
        &row.aef_id,
        &row.invoker_id,
        &row.api_id,
        &row.api_name,
        row.api_version,
        row.resource_name,
        row.protocol,
        row.operation,
        row.result,
        row.body,
        prev,
        hash
    ]
    .into()
}

fn record(row: &Row) -> Result<InvocationRecord, StoreError> {
    Ok(InvocationRecord {
        seq: row.get(0)?,
        row: InvocationRow {
            log_id: row.get(1)?,
            at_ms: row.get(2)?,
            aef_id: row.get(3)?,
            invoker_id: row.get(4)?,
            api_id: row.get(5)?,
            api_name: row.get(6)?,
            api_version: row.get(7)?,
            resource_name: row.get(8)?,
            protocol: row.get(9)?,
            operation: row.get(10)?,
            result: row.get(11)?,
            body: row.get(12)?,
        },
        prev: row.get(13)?,
        hash: row.get(14)?,
    })
}

/// SHA-256 over a canonical encoding, as that of the audit chain: each member as a byte that says whether it is there, its
/// length in eight bytes, and its bytes.
fn seal(seq: u64, row: &InvocationRow, prev: &str) -> String {
    let mut context = Context::new(&SHA256);
    let mut member = |bytes: Option<&[u8]>| match bytes {
        None => context.update(&[0]),
        Some(bytes) => {
            context.update(&[1]);
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        }
    };
    member(Some(b"metaseal invocation record, version 1"));
    member(Some(&seq.to_be_bytes()));
    member(Some(row.log_id.as_bytes()));
    member(Some(&row.at_ms.to_be_bytes()));
    for text in [
        &row.aef_id,
        &row.invoker_id,
        &row.api_id,
        &row.api_name,
        &row.api_version,
        &row.resource_name,
        &row.protocol,
    ] {
        member(Some(text.as_bytes()));
    }
    member(row.operation.as_deref().map(str::as_bytes));
    member(Some(row.result.as_bytes()));
    member(Some(row.body.as_bytes()));
    member(Some(prev.as_bytes()));
    hex(context.finish().as_ref())
}
