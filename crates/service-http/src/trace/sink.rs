//! Where records go: the ring at once, the store in batches.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api_types::admin::{TraceStep, TraceSummary, Why};
use api_types::function::Function;
use store::traces::{self, TraceBatch};
use store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::ring::Ring;
use super::{TraceRecord, Written};

/// Records that may wait to be written; more stay in memory only. Own value.
const QUEUE: usize = 4_096;

/// Records that are written in one transaction. Own value.
const BATCH: usize = 256;

/// How long a batch is waited for. Own value.
const PERIOD: Duration = Duration::from_millis(100);

/// Records of one trace that are read back. Own value.
const READ_MAX: u32 = 1_000;

/// Records that the store keeps, and how many are dropped at a time. Own values.
const STORED: u64 = 200_000;
const PRUNED: u32 = 2_000;

/// The traces of one function. Cheap to clone.
#[derive(Clone)]
pub struct TraceSink {
    function: Function,
    ring: Arc<Mutex<Ring>>,
    queue: mpsc::Sender<Message>,
    store: Store,
}

enum Message {
    Record(Arc<Written>),
    Flush(oneshot::Sender<()>),
}

impl TraceSink {
    /// Starts the writer; it ends with the last clone.
    pub fn start(function: Function, store: Store) -> Self {
        let (queue, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(write_all(inbox, store.clone()));
        Self { function, ring: Arc::default(), queue, store }
    }

    /// Keeps a record. A record of another function's steps is refused: each reports its own (design, section 2).
    pub fn push(&self, record: Written) {
        if record.function.is_some_and(|function| function != self.function) {
            tracing::warn!(function = self.function.as_str(), "a trace of another function is not kept");
            return;
        }
        let record = Arc::new(record);
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&record));
        if self.queue.try_send(Message::Record(record)).is_err() {
            metrics::counter!("metaseal_traces_not_stored_total").increment(1);
        }
    }

    /// Waits until everything pushed before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }

    /// The records of `trace`, or linked to it, the oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn records(&self, trace: &str) -> Result<Vec<TraceRecord>, StoreError> {
        self.flush().await;
        let wanted = trace.to_owned();
        let stored = self
            .store
            .read(move |tx| Box::pin(async move { traces::by_trace(tx, &wanted, READ_MAX).await }))
            .await?;
        let mut records: Vec<_> =
            stored.iter().flat_map(|stored| TraceRecord::from_json(&stored.batch.steps)).collect();
        let recent = self.ring.lock().unwrap_or_else(PoisonError::into_inner).of(trace);
        for record in recent.iter().flat_map(|recent| recent.read()) {
            if !records.contains(&record) {
                records.push(record);
            }
        }
        records.sort_by_key(|record| record.at_ms);
        Ok(records)
    }

    /// The steps of `trace`, or of traces linked to it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn steps(&self, trace: &str) -> Result<Vec<TraceStep>, StoreError> {
        let records = self.records(trace).await?;
        Ok(records.into_iter().flat_map(|record| record.steps).collect())
    }

    /// The decision of `trace`: a refusal before a permit, and among refusals the last one. Who names the trace from
    /// outside adds nothing to it: linked traces count only where it has no decision of its own.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn why(&self, trace: &str) -> Result<Option<Why>, StoreError> {
        let records = self.records(trace).await?;
        let decided = records.iter().any(|record| record.trace == trace && record.why.is_some());
        let meant = records.into_iter().filter(|record| !decided || record.trace == trace);
        let decisions: Vec<Why> = meant.filter_map(|record| record.why).collect();
        let denied = decisions.iter().rposition(|why| why.reason.is_some());
        Ok(denied.map(|at| decisions[at].clone()).or_else(|| decisions.last().cloned()))
    }

    /// The newest traces of this function first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn recent(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<(Vec<TraceSummary>, Option<u64>), StoreError> {
        self.flush().await;
        let rows = self
            .store
            .read(move |tx| Box::pin(async move { traces::recent(tx, before, limit).await }))
            .await?;
        let full = rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
        let next = rows.last().map(|row| row.seq).filter(|_| full);
        let mut summaries: Vec<TraceSummary> = Vec::new();
        for row in rows {
            for record in TraceRecord::from_json(&row.batch.steps) {
                merge(&mut summaries, &record);
            }
        }
        Ok((summaries, next))
    }

    /// The newest records that are still in memory, the newest first.
    pub fn newest(&self, limit: usize) -> Vec<TraceRecord> {
        let newest = self.ring.lock().unwrap_or_else(PoisonError::into_inner).newest(limit);
        newest.iter().flat_map(|record| record.read()).collect()
    }
}

impl fmt::Debug for TraceSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSink").field("function", &self.function).finish_non_exhaustive()
    }
}

/// Adds an older record to the summary of its trace.
fn merge(summaries: &mut Vec<TraceSummary>, record: &TraceRecord) {
    let Ok(trace) = api_types::ids::TraceId::try_from(record.trace.clone()) else { return };
    let at = api_types::DateTime::from_unix(record.at_ms.div_euclid(1_000));
    let known = summaries.iter_mut().find(|summary| summary.trace == trace);
    let summary = match known {
        Some(summary) => summary,
        None => {
            let verdict = record.why.as_ref().map(|why| why.verdict.clone());
            let (procedures, operations) = (Vec::new(), Vec::new());
            let link = record.link.clone().and_then(|link| link.try_into().ok());
            summaries.push(TraceSummary { trace, link, at, procedures, operations, steps: 0, verdict });
            let last = summaries.len() - 1;
            &mut summaries[last]
        }
    };
    summary.at = at;
    summary.steps += record.steps.len() as u64;
    if let Some(why) = &record.why
        && !summary.operations.contains(&why.operation)
    {
        summary.operations.push(why.operation.clone());
    }
    for step in &record.steps {
        if !summary.procedures.contains(&step.procedure) {
            summary.procedures.push(step.procedure.clone());
        }
    }
}

async fn write_all(mut inbox: mpsc::Receiver<Message>, store: Store) {
    let mut messages = Vec::with_capacity(BATCH);
    let mut batches = 0_u64;
    loop {
        let open = inbox.recv_many(&mut messages, BATCH).await > 0;
        let waited_for = messages.iter().any(|message| matches!(message, Message::Flush(_)));
        let room = BATCH.saturating_sub(messages.len());
        if open && !waited_for && room > 0 {
            // A little patience makes one transaction of many requests; a flush ends it.
            let more = async {
                while messages.len() < BATCH {
                    match inbox.recv().await {
                        None => return,
                        Some(message) => {
                            let flush = matches!(message, Message::Flush(_));
                            messages.push(message);
                            if flush {
                                return;
                            }
                        }
                    }
                }
            };
            let _ = tokio::time::timeout(PERIOD, more).await;
        }
        let mut rows = Vec::new();
        let mut flushed = Vec::new();
        for message in messages.drain(..) {
            match message {
                Message::Record(record) => rows.push(TraceBatch {
                    trace: record.trace.clone(),
                    link: record.link.clone(),
                    at_ms: record.at_ms,
                    steps: record.json.clone(),
                }),
                Message::Flush(done) => flushed.push(done),
            }
        }
        if !rows.is_empty() {
            batches += 1;
            write(&store, rows, batches.is_multiple_of(64)).await;
        }
        for done in flushed {
            let _ = done.send(());
        }
        if !open {
            return;
        }
    }
}

async fn write(store: &Store, rows: Vec<TraceBatch>, prune: bool) {
    let written: Result<(), StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                traces::insert_batch(tx, &rows).await?;
                if prune {
                    traces::prune(tx, i64::MIN, STORED, PRUNED).await?;
                }
                Ok(())
            })
        })
        .await;
    if let Err(error) = written {
        tracing::error!(error = %error, "traces could not be stored");
    }
}
