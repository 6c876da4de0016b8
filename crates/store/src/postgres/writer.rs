//! The writer task: many jobs, each in a savepoint, one commit; a new connection when the server was away.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connection::{Connection, Target};
use crate::StoreError;
use crate::batch::Job;
use crate::tail::Tail;

/// Wait before a second attempt to connect; it doubles with each failure. Own value.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Longest wait before an attempt to connect. Own value.
const BACK_OFF_MAX: Duration = Duration::from_secs(2);

/// READ COMMITTED: after the gate is passed, each statement sees what other nodes committed before.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT id FROM write_gate FOR UPDATE; SAVEPOINT job";

/// Runs until the queue is closed and empty.
pub(super) async fn run(target: Arc<Target>, mut queue: mpsc::Receiver<Box<dyn Job>>, most: usize) {
    let mut link = Link { target, connection: None, failures: 0, not_before: None };
    while let Some(first) = queue.recv().await {
        let mut jobs = vec![first];
        while jobs.len() < most {
            let Ok(next) = queue.try_recv() else { break };
            jobs.push(next);
        }
        let fates = link.commit_together(&mut jobs).await;
        for (job, fate) in jobs.into_iter().zip(fates) {
            let _ = catch_unwind(AssertUnwindSafe(|| job.settle(fate)));
        }
    }
}

struct Link {
    target: Arc<Target>,
    connection: Option<Connection>,
    failures: u32,
    not_before: Option<Instant>,
}

impl Link {
    /// The fate of each job, known only after the commit.
    async fn commit_together(&mut self, jobs: &mut [Box<dyn Job>]) -> Vec<Result<(), StoreError>> {
        let mut fates = Vec::with_capacity(jobs.len());
        match self.in_one_transaction(jobs, &mut fates).await {
            Ok(connection) => {
                self.connection = Some(connection);
                fates
            }
            // The connection is dropped, and with it the transaction.
            Err(error) => vec![Err(error); jobs.len()],
        }
    }

    async fn in_one_transaction(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        fates: &mut Vec<Result<(), StoreError>>,
    ) -> Result<Connection, StoreError> {
        let mut connection = self.connected().await?;
        if let Err(error) = connection.control(BEGIN).await {
            // The server went away since the last batch. No job has run yet, so a new connection may try.
            if !connection.is_closed() {
                return Err(error);
            }
            connection = self.connected().await?;
            connection.control(BEGIN).await?;
        }
        // A connection that lost its transaction is dropped, and what was left with it.
        connection.tail = Some(Tail::default());
        let last = jobs.len().saturating_sub(1);
        for (i, job) in jobs.iter_mut().enumerate() {
            connection.touched = false;
            let mark = connection.tail.as_ref().map(Tail::mark);
            let (kept, fate) = decide(job.as_mut(), &mut connection).await;
            fates.push(fate);
            if let (false, Some(tail), Some(mark)) = (kept, &mut connection.tail, mark) {
                tail.back_to(mark);
            }
            // The savepoint of a job that sent nothing is as good for the next one.
            if i < last && connection.touched {
                connection.control(next(kept)).await?;
            } else if i == last {
                end(&mut connection, kept).await?;
            }
        }
        Ok(connection)
    }

    /// The connection of the last batch, or a new one. While the server is away most jobs fail at once, without waiting.
    async fn connected(&mut self) -> Result<Connection, StoreError> {
        if let Some(connection) = self.connection.take()
            && !connection.is_closed()
        {
            return Ok(connection);
        }
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return Err(StoreError::Unavailable("waiting before the next attempt to connect".to_owned()));
        }
        match self.target.connect().await {
            Ok(connection) => {
                self.failures = 0;
                self.not_before = None;
                Ok(connection)
            }
            Err(error) => {
                let wait = BACK_OFF.saturating_mul(1 << self.failures.min(10)).min(BACK_OFF_MAX);
                self.failures += 1;
                self.not_before = Some(Instant::now() + wait);
                Err(error)
            }
        }
    }
}

/// Ends the savepoint of a job and begins the next one: one round trip.
fn next(kept: bool) -> &'static str {
    match kept {
        true => "RELEASE SAVEPOINT job; SAVEPOINT job",
        false => "ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job; SAVEPOINT job",
    }
}

/// Ends the last savepoint, writes what the jobs have left, and commits.
///
/// COMMIT of a failed transaction is answered like a ROLLBACK, without an error. It cannot happen here: RELEASE fails
/// first, and so does a statement of the tail.
async fn end(connection: &mut Connection, kept: bool) -> Result<(), StoreError> {
    let mut tail = connection.tail.take().unwrap_or_default();
    match (kept, tail.is_empty()) {
        (true, true) => connection.control("RELEASE SAVEPOINT job; COMMIT").await,
        (false, true) => connection.control("ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job; COMMIT").await,
        (kept, false) => {
            if !kept {
                connection.control("ROLLBACK TO SAVEPOINT job").await?;
            }
            tail.write(connection).await?;
            connection.control("RELEASE SAVEPOINT job; COMMIT").await
        }
    }
}

async fn decide(job: &mut dyn Job, connection: &mut Connection) -> (bool, Result<(), StoreError>) {
    connection.failed = false;
    match AssertUnwindSafe(attentive(job, connection)).catch_unwind().await {
        Ok(Some(true)) if connection.failed => (false, Err(StoreError::Spoiled)),
        Ok(Some(kept)) => (kept, Ok(())),
        Ok(None) => (false, Err(StoreError::AwaitedOutside)),
        Err(_) => (false, Err(StoreError::JobPanicked)),
    }
}

/// `None`: the job waits although no statement is under way. It would hold the gate for every node.
async fn attentive(job: &mut dyn Job, connection: &mut Connection) -> Option<bool> {
    let busy = Arc::clone(&connection.busy);
    let mut running = job.run(connection);
    poll_fn(|context| match running.as_mut().poll(context) {
        Poll::Ready(kept) => Poll::Ready(Some(kept)),
        Poll::Pending if busy.load(Ordering::Relaxed) => Poll::Pending,
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
