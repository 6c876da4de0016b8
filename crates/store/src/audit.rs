//! The audit chain of a function: one record per decision, each sealed over the one before (design section 2).
//!
//! People appear only as keyed pseudonyms, which the caller makes: erasing a person's key leaves the chain whole. The
//! head of the chain is one row, taken under lock, so that records of several nodes form one chain, and a cut tail shows.

use api_types::function::Function;
use aws_lc_rs::digest::{Context, SHA256};

use crate::migrations::hex;
use crate::{Row, Sql, StoreError, Value, chain, params};

/// `prev` of the first record.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Newest records of an actor that [`refusals`] looks through. Own value.
pub const REFUSALS_AMONG: u32 = 10_000;

/// Newest records of an object that [`last_change`] looks through. Own value.
pub const CHANGE_AMONG: u32 = 100;

const COLUMNS: &str = "seq, at_ms, function, actor, owner, action, object, verdict, reason, cause, status, \
                       policy_version, consent_version, trace, prev, hash";

/// A decision, before it has a place in the chain (contract section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who decided.
    pub function: Function,
    /// Who asked: a client, or a pseudonym.
    pub actor: String,
    /// Whose object it is.
    pub owner: Option<String>,
    /// The operation.
    pub action: String,
    /// What was asked for.
    pub object: Option<String>,
    /// Whether it was permitted, in the words of the caller.
    pub verdict: String,
    /// The fine reason of a refusal.
    pub reason: Option<String>,
    /// The cause on the wire.
    pub cause: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// Version of the operator's policies that decided.
    pub policy_version: Option<u64>,
    /// Version of the consent that decided.
    pub consent_version: Option<u64>,
    /// The trace.
    pub trace: Option<String>,
}

/// A decision in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Place in the chain, from 1, without a gap.
    pub seq: u64,
    /// The decision.
    pub row: AuditRow,
    /// `hash` of the record before.
    pub prev: String,
    /// SHA-256 over every other member, in lowercase hexadecimal.
    pub hash: String,
}

/// Which records [`page`] shows. An absent member matches all.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this trace.
    pub trace: Option<String>,
    /// Of this actor.
    pub actor: Option<String>,
    /// On this object.
    pub object: Option<String>,
    /// Only records behind this place.
    pub after: u64,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Place of the last record, 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Records that are whole and in their place, from the first on.
    pub checked: u64,
    /// The head row.
    pub head: Head,
    /// The first place where the chain is broken.
    pub broken: Option<u64>,
}

impl Verification {
    /// Whether every record is as it was written, none is missing and none was added.
    pub fn intact(&self) -> bool {
        self.broken.is_none()
    }
}

/// Appends one decision; the place that it got.
///
/// # Errors
/// The engine's.
pub async fn append(tx: &mut dyn Sql, row: &AuditRow) -> Result<u64, StoreError> {
    append_many(tx, std::slice::from_ref(row)).await
}

/// Leaves a decision to be appended when the batch of the job is committed, and not at all if the job is rolled back.
///
/// # Errors
/// The transaction cannot write.
pub fn leave(tx: &mut dyn Sql, row: AuditRow) -> Result<(), StoreError> {
    tx.tail().ok_or(StoreError::Unsupported("a record in a snapshot"))?.audit.push(row);
    Ok(())
}

/// Appends decisions in their order; the place of the last one.
///
/// # Errors
/// The engine's.
pub async fn append_many(tx: &mut dyn Sql, rows: &[AuditRow]) -> Result<u64, StoreError> {
    append_all(tx, rows.to_vec()).await
}

pub(crate) async fn append_all(tx: &mut dyn Sql, rows: Vec<AuditRow>) -> Result<u64, StoreError> {
    let lock = tx.dialect().for_update();
    let mut head = read_head(tx, lock).await?;
    let mut inserts = Vec::with_capacity(rows.len());
    for row in rows {
        let seq = head.seq + 1;
        let hash = seal(seq, &row, &head.hash);
        let prev = std::mem::replace(&mut head.hash, hash.clone());
        head.seq = seq;
        inserts.push(values(AuditRecord { seq, row, prev, hash }));
    }
    let insert = format!(
        "INSERT INTO audit ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    );
    tx.execute_many(&insert, &inserts).await?;
    tx.execute("UPDATE audit_head SET seq = $1, hash = $2", &params![head.seq, &head.hash]).await?;
    Ok(head.seq)
}

/// The end of the chain, to be sent to a place off the host.
///
/// # Errors
/// The engine's.
pub async fn head(tx: &mut dyn Sql) -> Result<Head, StoreError> {
    read_head(tx, "").await
}

/// Up to `limit` records in the order of the chain; the next page is `after` the last one's `seq`.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn page(
    tx: &mut dyn Sql,
    filter: &AuditFilter,
    limit: u32,
) -> Result<Vec<AuditRecord>, StoreError> {
    let mut sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1");
    let mut params = vec![Value::from(filter.after)];
    for (column, wanted) in [("trace", &filter.trace), ("actor", &filter.actor), ("object", &filter.object)] {
        if let Some(wanted) = wanted {
            params.push(Value::from(wanted));
            sql.push_str(&format!(" AND {column} = ${}", params.len()));
        }
    }
    params.push(Value::from(limit));
    sql.push_str(&format!(" ORDER BY seq LIMIT ${}", params.len()));
    tx.query(&sql, &params).await?.iter().map(record).collect()
}

/// The newest refusals of an actor, up to `limit`, the newest first, among its newest [`REFUSALS_AMONG`] records.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn refusals(tx: &mut dyn Sql, actor: &str, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT {COLUMNS} FROM audit WHERE actor = $1 ORDER BY seq DESC LIMIT $2) AS newest \
         WHERE verdict = 'deny' ORDER BY seq DESC LIMIT $3"
    );
    tx.query(&sql, &params![actor, REFUSALS_AMONG, limit]).await?.iter().map(record).collect()
}

/// The trace of the last permit that changed an object, among the newest [`CHANGE_AMONG`] records of it.
///
/// # Errors
/// The engine's.
pub async fn last_change(tx: &mut dyn Sql, object: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT trace FROM (SELECT seq, trace, action, verdict FROM audit WHERE object = $1 ORDER BY seq DESC LIMIT $2) \
               AS newest WHERE verdict = 'permit' AND action NOT LIKE '%.read' ORDER BY seq DESC LIMIT 1";
    let found = tx.query_opt(sql, &params![object, CHANGE_AMONG]).await?;
    found.map_or(Ok(None), |row| row.get(0))
}

/// Walks the whole chain and finds the first place that was edited, removed, inserted or reordered, and a cut tail.
///
/// # Errors
/// The engine's. A record that cannot be read is a break, not an error.
pub async fn verify(tx: &mut dyn Sql) -> Result<Verification, StoreError> {
    let head = read_head(tx, "").await?;
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
    chain::verify(tx, &sql, head, |row, seq, last| {
        let found = record(row).ok()?;
        let whole = found.seq == seq && found.prev == last && found.hash == seal(seq, &found.row, last);
        whole.then_some(found.hash)
    })
    .await
}

async fn read_head(tx: &mut dyn Sql, lock: &str) -> Result<Head, StoreError> {
    let row = tx.query_one(&format!("SELECT seq, hash FROM audit_head{lock}"), &[]).await?;
    Ok(Head { seq: row.get(0)?, hash: row.get(1)? })
}

fn values(record: AuditRecord) -> Vec<Value> {
    let AuditRecord { seq, row, prev, hash } = record;
    params![
        seq,
        row.at_ms,
        row.function.as_str(),
        row.actor,
        row.owner,
        row.action,
        row.object,
        row.verdict,
        row.reason,
        row.cause,
        row.status,
        row.policy_version,
        row.consent_version,
        row.trace,
        prev,
        hash
    ]
    .into()
}

fn record(row: &Row) -> Result<AuditRecord, StoreError> {
    let function: String = row.get(2)?;
    Ok(AuditRecord {
        seq: row.get(0)?,
        row: AuditRow {
            at_ms: row.get(1)?,
            function: function.parse().map_err(|_| StoreError::Damaged("function of an audit record"))?,
            actor: row.get(3)?,
            owner: row.get(4)?,
            action: row.get(5)?,
            object: row.get(6)?,
            verdict: row.get(7)?,
            reason: row.get(8)?,
            cause: row.get(9)?,
            status: row.get(10)?,
            policy_version: row.get(11)?,
            consent_version: row.get(12)?,
            trace: row.get(13)?,
        },
        prev: row.get(14)?,
        hash: row.get(15)?,
    })
}

/// SHA-256 over a canonical encoding: each member in the order of the columns, as a byte that says whether it is there,
/// its length in eight bytes, and its bytes. Two different records never have the same encoding.
fn seal(seq: u64, row: &AuditRow, prev: &str) -> String {
    let mut context = Context::new(&SHA256);
    let mut member = |bytes: Option<&[u8]>| match bytes {
        None => context.update(&[0]),
        Some(bytes) => {
            context.update(&[1]);
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        }
    };
    fn text(text: &Option<String>) -> Option<&[u8]> {
        text.as_deref().map(str::as_bytes)
    }
    member(Some(b"metaseal audit record, version 1"));
    member(Some(&seq.to_be_bytes()));
    member(Some(&row.at_ms.to_be_bytes()));
    member(Some(row.function.as_str().as_bytes()));
    member(Some(row.actor.as_bytes()));
    member(text(&row.owner));
    member(Some(row.action.as_bytes()));
    member(text(&row.object));
    member(Some(row.verdict.as_bytes()));
    member(text(&row.reason));
    member(text(&row.cause));
    member(row.status.map(u16::to_be_bytes).as_ref().map(<[u8; 2]>::as_slice));
    member(row.policy_version.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    member(row.consent_version.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    member(text(&row.trace));
    member(Some(prev.as_bytes()));
    hex(context.finish().as_ref())
}
