//! Procedure steps of traces: a row per batch of steps that a function reported, found by trace or by link.

use crate::{Row, Sql, StoreError, params};

const COLUMNS: &str = "seq, trace, link, at_ms, steps";

/// Steps of one trace, as reported together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceBatch {
    /// The trace that this function began.
    pub trace: String,
    /// The trace id that came from outside the trust domain: only a link.
    pub link: Option<String>,
    /// When the first step of the batch was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// The steps as a JSON array, redacted by the caller.
    pub steps: String,
}

/// A batch in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// Order of arrival.
    pub seq: u64,
    /// The steps.
    pub batch: TraceBatch,
}

/// Keeps batches.
///
/// # Errors
/// The engine's.
pub async fn insert_batch(tx: &mut dyn Sql, batches: &[TraceBatch]) -> Result<(), StoreError> {
    let rows: Vec<_> = batches
        .iter()
        .map(|batch| params![&batch.trace, batch.link.as_ref(), batch.at_ms, &batch.steps].to_vec())
        .collect();
    tx.execute_many("INSERT INTO traces (trace, link, at_ms, steps) VALUES ($1, $2, $3, $4)", &rows).await?;
    Ok(())
}

/// Up to `limit` batches of a trace, or of traces that link to it, in order of arrival.
///
/// # Errors
/// The engine's.
pub async fn by_trace(tx: &mut dyn Sql, trace: &str, limit: u32) -> Result<Vec<TraceRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM traces WHERE trace = $1 OR link = $1 ORDER BY seq LIMIT $2");
    tx.query(&sql, &params![trace, limit]).await?.iter().map(record).collect()
}

/// The newest batches first, up to `limit`, before a place (`None`: from the newest on).
///
/// # Errors
/// The engine's.
pub async fn recent(
    tx: &mut dyn Sql,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<TraceRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM traces WHERE seq < $1 ORDER BY seq DESC LIMIT $2");
    tx.query(&sql, &params![before.unwrap_or(u64::MAX), limit]).await?.iter().map(record).collect()
}

/// Drops what is older than `older_than_ms` or behind the newest `keep` batches, at most `limit` rows at a time; how many.
///
/// # Errors
/// The engine's.
pub async fn prune(tx: &mut dyn Sql, older_than_ms: i64, keep: u64, limit: u32) -> Result<u64, StoreError> {
    let newest: Option<i64> = tx.query_one("SELECT MAX(seq) FROM traces", &[]).await?.get(0)?;
    let Some(newest) = newest else { return Ok(0) };
    let floor = newest.saturating_sub(i64::try_from(keep).unwrap_or(i64::MAX));
    // Only the oldest rows are looked at, so that a call with nothing to drop costs no scan.
    let sql = "DELETE FROM traces WHERE seq IN (SELECT seq FROM \
               (SELECT seq, at_ms FROM traces ORDER BY seq LIMIT $3) AS oldest WHERE at_ms < $1 OR seq <= $2)";
    tx.execute(sql, &params![older_than_ms, floor, limit]).await
}

fn record(row: &Row) -> Result<TraceRecord, StoreError> {
    let batch = TraceBatch { trace: row.get(1)?, link: row.get(2)?, at_ms: row.get(3)?, steps: row.get(4)? };
    Ok(TraceRecord { seq: row.get(0)?, batch })
}
