//! Refusals on their way to the audit: queued, never awaited (design, section 2).
//!
//! What is refused before the stage `holder` costs an attacker nothing and may come by the million: of one source, one
//! reason and one second, the first [`SINGLE`] are records of their own and the rest is one record with a count.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authorization::{Reason, Stage};
use store::audit::{self, AuditRow};
use store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Refusals that may wait to be written. Own value.
const QUEUE: usize = 8_192;

/// Refusals that are written in one transaction. Own value.
const BATCH: usize = 512;

/// Records of their own per source, reason and second, before the rest is counted. Own value: a person who tries out
/// a client finds each request in the audit, a flood does not.
pub const SINGLE: u64 = 16;

/// Sources and reasons that are counted at once; more are counted together. Own value.
const COUNTED_MAX: usize = 4_096;

/// How often counts are written out. Own value: the second of the design.
const COUNT_PERIOD: Duration = Duration::from_secs(1);

/// Attempts to write a batch. Own value.
const ATTEMPTS: u32 = 5;

/// A refusal, as the recording layer hands it over.
#[derive(Clone, Debug)]
pub struct Denied {
    /// The record, ready to be appended.
    pub row: AuditRow,
    /// The fine reason.
    pub reason: Reason,
    /// Source address; refusals before `holder` are counted by it.
    pub source: Option<IpAddr>,
    /// Name of the source in a counted record.
    pub source_name: String,
}

/// The queue of one function. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AuditSink {
    queue: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
}

enum Message {
    Denied(Box<Denied>),
    Flush(oneshot::Sender<()>),
}

impl AuditSink {
    /// Starts the writer; it ends with the last clone, after it has written what is queued.
    pub fn start(store: Store) -> Self {
        let (queue, inbox) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(write_all(inbox, store, Arc::clone(&lost)));
        Self { queue, lost }
    }

    /// Queues a refusal. When the queue is full it is counted as lost, which is itself recorded.
    pub fn deny(&self, denied: Denied) {
        if self.queue.try_send(Message::Denied(Box::new(denied))).is_err() {
            self.lost.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Waits until everything queued before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }
}

async fn write_all(mut inbox: mpsc::Receiver<Message>, store: Store, lost: Arc<AtomicU64>) {
    let mut counts = Counts::default();
    let mut tick = tokio::time::interval(COUNT_PERIOD);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut messages = Vec::with_capacity(BATCH);
    loop {
        let mut flushed = Vec::new();
        let mut rows = Vec::new();
        let mut due = false;
        let open = tokio::select! {
            count = inbox.recv_many(&mut messages, BATCH) => {
                for message in messages.drain(..) {
                    match message {
                        Message::Denied(denied) => rows.extend(counts.take(*denied)),
                        Message::Flush(done) => flushed.push(done),
                    }
                }
                count > 0
            }
            _ = tick.tick() => {
                due = true;
                true
            }
        };
        // Counts are due when their second is over, when somebody waits for them, and at the end.
        if due || !flushed.is_empty() || !open {
            rows.extend(counts.drain());
        }
        if let (Some(last), missed @ 1..) = (rows.last(), lost.swap(0, Ordering::AcqRel)) {
            rows.push(overflow(last, missed));
        }
        if !rows.is_empty() {
            append(&store, rows).await;
        }
        for done in flushed {
            let _ = done.send(());
        }
        if !open {
            return;
        }
    }
}

/// Refusals that are counted rather than recorded one by one.
#[derive(Default)]
struct Counts {
    of: HashMap<(Option<IpAddr>, Reason), Count>,
}

struct Count {
    second: i64,
    seen: u64,
    /// The first refusal without a record of its own, and its source.
    waiting: Option<(AuditRow, String)>,
}

impl Counts {
    /// The records to write now.
    fn take(&mut self, denied: Denied) -> Vec<AuditRow> {
        let Denied { row, reason, source, source_name } = denied;
        if reason.stage() >= Stage::Holder {
            return vec![row];
        }
        let second = row.at_ms.div_euclid(1_000);
        let mut rows = Vec::new();
        let known = self.of.contains_key(&(source, reason));
        // Too many sources at once: they are counted together, so that memory stays bounded.
        let source = if known || self.of.len() < COUNTED_MAX { source } else { None };
        let count = self.of.entry((source, reason)).or_insert(Count { second, seen: 0, waiting: None });
        if count.second != second {
            rows.extend(count.close());
            *count = Count { second, seen: 0, waiting: None };
        }
        count.seen += 1;
        if count.seen <= SINGLE {
            rows.push(row);
        } else if count.waiting.is_none() {
            count.waiting = Some((row, source_name));
        }
        rows
    }

    /// The counted records; counting begins anew.
    fn drain(&mut self) -> Vec<AuditRow> {
        self.of.drain().filter_map(|(_, mut count)| count.close()).collect()
    }
}

impl Count {
    fn close(&mut self) -> Option<AuditRow> {
        let (mut row, source) = self.waiting.take()?;
        let more = self.seen.saturating_sub(SINGLE);
        row.object = Some(format!("{more} requests of {source}"));
        Some(row)
    }
}

fn overflow(like: &AuditRow, missed: u64) -> AuditRow {
    AuditRow {
        actor: "anonymous".to_owned(),
        owner: None,
        action: "audit.overflow".to_owned(),
        object: Some(format!("{missed} refusals not recorded one by one")),
        policy_version: None,
        consent_version: None,
        trace: None,
        ..like.clone()
    }
}

async fn append(store: &Store, rows: Vec<AuditRow>) {
    let rows = Arc::new(rows);
    for attempt in 1..=ATTEMPTS {
        let batch = Arc::clone(&rows);
        let written: Result<_, StoreError> =
            store.write(move |tx| Box::pin(async move { audit::append_many(tx, &batch).await })).await;
        match written {
            Ok(_) => return,
            Err(error) => {
                tracing::error!(error = %error, attempt, refusals = rows.len(), "refusals could not be recorded");
                tokio::time::sleep(Duration::from_millis(50) * attempt).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use api_types::function::Function;

    use super::*;

    fn denied(reason: Reason, source: u8, at_ms: i64) -> Denied {
        let row = AuditRow {
            at_ms,
            function: Function::San,
            actor: "anonymous".to_owned(),
            owner: None,
            action: "SpatialAnchorsDisc".to_owned(),
            object: None,
            verdict: crate::ledger::DENY.to_owned(),
            reason: Some(reason.as_str().to_owned()),
            cause: None,
            status: Some(401),
            policy_version: None,
            consent_version: None,
            trace: Some("t".to_owned()),
        };
        let source = Some(IpAddr::from([192, 0, 2, source]));
        Denied { row, reason, source, source_name: format!("s_{source:?}") }
    }

    #[test]
    fn a_flood_before_the_holder_is_counted_per_source_reason_and_second() {
        let mut counts = Counts::default();
        let mut rows = Vec::new();
        for _ in 0..1_000 {
            rows.extend(counts.take(denied(Reason::Expired, 1, 5_000)));
        }
        assert_eq!(rows.len(), usize::try_from(SINGLE).unwrap(), "the first ones stand alone");
        rows.extend(counts.take(denied(Reason::Expired, 2, 5_000)));
        rows.extend(counts.take(denied(Reason::KeyUnknown, 1, 5_000)));
        assert_eq!(rows.len(), usize::try_from(SINGLE).unwrap() + 2, "another source, another reason");
        let next = counts.take(denied(Reason::Expired, 1, 6_000));
        assert_eq!(next.len(), 2, "the next second closes the count");
        assert!(next[0].object.as_deref().unwrap().starts_with("984 requests of s_"));
        assert!(counts.drain().is_empty(), "nothing is counted twice");
    }

    #[test]
    fn a_refusal_of_a_known_holder_is_always_a_record() {
        let mut counts = Counts::default();
        for _ in 0..100 {
            assert_eq!(counts.take(denied(Reason::HolderWrong, 1, 5_000)).len(), 1);
        }
        assert!(counts.of.is_empty());
    }

    #[test]
    fn more_sources_than_are_counted_share_one_count() {
        let mut counts = Counts::default();
        for source in 0..(COUNTED_MAX as u32 + 500) {
            let mut one = denied(Reason::Expired, 0, 5_000);
            one.source = Some(IpAddr::from(source.to_be_bytes()));
            counts.take(one);
        }
        assert_eq!(counts.of.len(), COUNTED_MAX + 1);
    }
}
