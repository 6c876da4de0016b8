//! Charging records: one per served unit, numbered without a gap, written once however often they are sent.

use api_types::function::Function;

use crate::{Row, Sql, StoreError, Value, params};

const COLUMNS: &str = "seq, id, at_ms, function, consumer, client, owner, service, operation, resource, units, bytes, \
                       outcome, trace";

/// `outcome` of a record whose amounts are not final yet: a stream reserves before its first byte.
pub const RESERVED: &str = "RESERVED";

/// A served unit (contract section 5), before it has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargingRow {
    /// Chosen by the caller; the same id again changes nothing.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who served.
    pub function: Function,
    /// Who was served: a client, or a pseudonym.
    pub consumer: String,
    /// The client.
    pub client: String,
    /// Whose object it is.
    pub owner: Option<String>,
    /// The VAL service.
    pub service: Option<String>,
    /// The operation.
    pub operation: String,
    /// What was served.
    pub resource: Option<String>,
    /// How many units.
    pub units: u64,
    /// How many bytes of payload.
    pub bytes: u64,
    /// [`RESERVED`] or how it ended.
    pub outcome: String,
    /// The trace.
    pub trace: Option<String>,
}

/// A served unit with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargingRecord {
    /// From 1, without a gap.
    pub seq: u64,
    /// The unit.
    pub row: ChargingRow,
}

/// Writes one record; its number. An id that is there already keeps its record and its number.
///
/// # Errors
/// The engine's.
pub async fn append(tx: &mut dyn Sql, row: &ChargingRow) -> Result<u64, StoreError> {
    // The head is locked before the id is looked up: two nodes that send one id are served one after the other.
    let lock = tx.dialect().for_update();
    let head = tx.query_one(&format!("SELECT seq FROM charging_head{lock}"), &[]).await?;
    let seq = head.get::<u64>(0)? + 1;
    let insert = format!(
        "INSERT INTO charging ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (id) DO NOTHING"
    );
    if tx.execute(&insert, &values(seq, row)).await? == 0 {
        return tx.query_one("SELECT seq FROM charging WHERE id = $1", &params![&row.id]).await?.get(0);
    }
    tx.execute("UPDATE charging_head SET seq = $1", &params![seq]).await?;
    Ok(seq)
}

/// Leaves a record to be written when the batch of the job is committed, and not at all if the job is rolled back. Its
/// id must be a fresh one.
///
/// # Errors
/// The transaction cannot write.
pub fn leave(tx: &mut dyn Sql, row: ChargingRow) -> Result<(), StoreError> {
    tx.tail().ok_or(StoreError::Unsupported("a record in a snapshot"))?.charging.push(row);
    Ok(())
}

/// Writes records of fresh ids, in their order.
pub(crate) async fn append_new(tx: &mut dyn Sql, rows: &[ChargingRow]) -> Result<(), StoreError> {
    let lock = tx.dialect().for_update();
    let head = tx.query_one(&format!("SELECT seq FROM charging_head{lock}"), &[]).await?;
    let first = head.get::<u64>(0)? + 1;
    let inserts: Vec<_> = (first..).zip(rows).map(|(seq, row)| values(seq, row)).collect();
    let insert = format!(
        "INSERT INTO charging ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    );
    // An id that is there already fails the batch: no number may stay without a record.
    tx.execute_many(&insert, &inserts).await?;
    let last = first + rows.len() as u64 - 1;
    tx.execute("UPDATE charging_head SET seq = $1", &params![last]).await?;
    Ok(())
}

/// Writes records in their order; their numbers.
///
/// # Errors
/// The engine's.
pub async fn append_many(tx: &mut dyn Sql, rows: &[ChargingRow]) -> Result<Vec<u64>, StoreError> {
    let mut numbers = Vec::with_capacity(rows.len());
    for row in rows {
        numbers.push(append(tx, row).await?);
    }
    Ok(numbers)
}

/// Gives a reserved record its final amounts. `false`: no such record, or it is settled already.
///
/// # Errors
/// The engine's.
pub async fn settle(
    tx: &mut dyn Sql,
    id: &str,
    units: u64,
    bytes: u64,
    outcome: &str,
) -> Result<bool, StoreError> {
    let sql = "UPDATE charging SET units = $1, bytes = $2, outcome = $3 WHERE id = $4 AND outcome = $5";
    Ok(tx.execute(sql, &params![units, bytes, outcome, id, RESERVED]).await? == 1)
}

/// Up to `limit` records `after` a number, of one consumer or of all.
///
/// # Errors
/// The engine's; a damaged record.
pub async fn page(
    tx: &mut dyn Sql,
    consumer: Option<&str>,
    after: u64,
    limit: u32,
) -> Result<Vec<ChargingRecord>, StoreError> {
    let rows = match consumer {
        Some(consumer) => {
            let sql = format!(
                "SELECT {COLUMNS} FROM charging WHERE consumer = $1 AND seq > $2 ORDER BY seq LIMIT $3"
            );
            tx.query(&sql, &params![consumer, after, limit]).await?
        }
        None => {
            let sql = format!("SELECT {COLUMNS} FROM charging WHERE seq > $1 ORDER BY seq LIMIT $2");
            tx.query(&sql, &params![after, limit]).await?
        }
    };
    rows.iter().map(record).collect()
}

fn values(seq: u64, row: &ChargingRow) -> Vec<Value> {
    params![
        seq,
        &row.id,
        row.at_ms,
        row.function.as_str(),
        &row.consumer,
        &row.client,
        row.owner.as_ref(),
        row.service.as_ref(),
        &row.operation,
        row.resource.as_ref(),
        row.units,
        row.bytes,
        &row.outcome,
        row.trace.as_ref()
    ]
    .into()
}

fn record(row: &Row) -> Result<ChargingRecord, StoreError> {
    let function: String = row.get(3)?;
    Ok(ChargingRecord {
        seq: row.get(0)?,
        row: ChargingRow {
            id: row.get(1)?,
            at_ms: row.get(2)?,
            function: function.parse().map_err(|_| StoreError::Damaged("function of a charging record"))?,
            consumer: row.get(4)?,
            client: row.get(5)?,
            owner: row.get(6)?,
            service: row.get(7)?,
            operation: row.get(8)?,
            resource: row.get(9)?,
            units: row.get(10)?,
            bytes: row.get(11)?,
            outcome: row.get(12)?,
            trace: row.get(13)?,
        },
    })
}
