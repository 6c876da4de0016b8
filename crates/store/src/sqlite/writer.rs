//! The writer thread: many jobs, each in a savepoint, one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use futures::FutureExt as _;
use tokio::sync::mpsc;

use super::connection::SqliteSql;
use crate::StoreError;
use crate::batch::Job;
use crate::search::HeldClasses;
use crate::settled::{Changed, Settled};
use crate::tail::Tail;

/// What is told of commits that others have an eye on.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    pub(super) settled: Settled,
    pub(super) classes: HeldClasses,
}

/// Runs until the queue is closed and empty.
pub(super) fn run(
    mut tx: SqliteSql,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    most: usize,
    watched: &Watched,
) {
    tx.tail = Some(Tail::default());
    let mut held = None;
    while let Some(first) = held.take().or_else(|| queue.blocking_recv()) {
        // Whoever else is at work may be about to add something: on a busy machine it shares the commit.
        std::thread::yield_now();
        let mut jobs: Vec<Box<dyn Job>> = vec![first];
        while jobs.len() < most && !jobs.iter().any(|job| job.is_alone()) {
            let Ok(next) = queue.try_recv() else { break };
            if next.is_alone() {
                held = Some(next);
                break;
            }
            jobs.push(next);
        }
        let fates = commit_together(&mut tx, &mut jobs, watched);
        for (job, fate) in jobs.into_iter().zip(fates) {
            // Settling drops what the job answered; a panic there is the caller's, not the writer's.
            let _ = catch_unwind(AssertUnwindSafe(|| job.settle(fate)));
        }
    }
}

/// The fate of each job, known only after the commit.
fn commit_together(
    tx: &mut SqliteSql,
    jobs: &mut [Box<dyn Job>],
    watched: &Watched,
) -> Vec<Result<(), StoreError>> {
    let mut fates = Vec::with_capacity(jobs.len());
    match in_one_transaction(tx, jobs, &mut fates, watched) {
        Ok(()) => fates,
        Err(error) => {
            if let Some(tail) = &mut tx.tail {
                tail.clear();
            }
            // The transaction may be gone already, as after a full disk.
            if !tx.is_autocommit() {
                let _ = tx.statement("ROLLBACK");
            }
            vec![Err(error); jobs.len()]
        }
    }
}

fn in_one_transaction(
    tx: &mut SqliteSql,
    jobs: &mut [Box<dyn Job>],
    fates: &mut Vec<Result<(), StoreError>>,
    watched: &Watched,
) -> Result<(), StoreError> {
    tx.changed = Changed::default();
    // Nobody else writes.
    tx.settled = watched.settled.number();
    tx.statement("BEGIN IMMEDIATE")?;
    if let [job] = jobs {
        tx.begin_only_job();
        let (kept, fate) = run_job(tx, job.as_mut());
        fates.push(fate);
        if !kept {
            // The engine may have undone it already, as after a full disk.
            return if tx.is_autocommit() { Ok(()) } else { tx.statement("ROLLBACK") };
        }
    } else {
        for job in jobs {
            tx.begin_job();
            let (kept, fate) = run_job(tx, job.as_mut());
            tx.end_job(kept)?;
            fates.push(fate);
        }
    }
    write_tail(tx)?;
    let counts: Vec<&Settled> = [
        tx.changed.anything.then_some(&watched.settled),
        tx.changed.classes.then_some(&watched.classes.removals),
    ]
    .into_iter()
    .flatten()
    .collect();
    counts.iter().for_each(|count| count.turn());
    let committed = tx.statement("COMMIT");
    counts.iter().for_each(|count| count.turn());
    committed
}

fn write_tail(tx: &mut SqliteSql) -> Result<(), StoreError> {
    let mut tail = tx.tail.take().unwrap_or_default();
    // Statements are ready at once here.
    let written = tail.write(tx).now_or_never().unwrap_or(Err(StoreError::AwaitedOutside));
    tx.tail = Some(tail);
    written
}

/// Whether the job is kept, and its fate.
fn run_job(tx: &mut SqliteSql, job: &mut dyn Job) -> (bool, Result<(), StoreError>) {
    let mark = tx.tail.as_ref().map(Tail::mark);
    let (kept, fate) = match catch_unwind(AssertUnwindSafe(|| poll_once(job, tx))) {
        Ok(Poll::Ready(true)) if tx.failed => (false, Err(StoreError::Spoiled)),
        Ok(Poll::Ready(kept)) => (kept, Ok(())),
        Ok(Poll::Pending) => (false, Err(StoreError::AwaitedOutside)),
        Err(_) => (false, Err(StoreError::JobPanicked)),
    };
    if let (false, Some(tail), Some(mark)) = (kept, &mut tx.tail, mark) {
        tail.back_to(mark);
    }
    (kept, fate)
}

/// Statements are ready at once here, so a job that is not has awaited something else.
fn poll_once(job: &mut dyn Job, tx: &mut SqliteSql) -> Poll<bool> {
    let mut future = job.run(tx);
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}
