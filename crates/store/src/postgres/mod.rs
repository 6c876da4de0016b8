//! PostgreSQL: one schema per function, a small pool for reads, one writer task with group commit.
//!
//! Any number of nodes may use one database. Their batches follow one another by the row lock of `write_gate`, so that a
//! job sees every job committed before it, as on SQLite, whatever the isolation level.
//!
//! SCRAM is spoken, TLS is not yet: the server belongs on loopback, a unix socket or a protected network.

mod connection;
mod schema;
mod value;
mod writer;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use api_types::function::Function;
use futures::future::BoxFuture;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use crate::batch::Job;
use crate::store::Limits;
use crate::{Migrations, Sql, StoreError};
use connection::{Connection, Target};

/// How long a read waits for a connection of the pool. Own value.
const POOL_WAIT: Duration = Duration::from_secs(5);

pub(crate) struct Postgres {
    target: Arc<Target>,
    jobs: mpsc::Sender<Box<dyn Job>>,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        function: Function,
        migrations: &Migrations,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        let target = Arc::new(Target::new(url, function)?);
        schema::migrate(&target, migrations).await?;
        let (jobs, queue) = mpsc::channel(limits.queue.max(1));
        tokio::spawn(writer::run(Arc::clone(&target), queue, limits.batch.max(1)));
        Ok(Self {
            target,
            jobs,
            permits: Semaphore::new(limits.readers.max(1)),
            idle: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn submit(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    pub(crate) fn queued(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    pub(crate) async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, StoreError>> + Send,
    {
        let _permit = timeout(POOL_WAIT, self.permits.acquire())
            .await
            .map_err(|_| StoreError::Overloaded)?
            .map_err(|_| StoreError::Closed)?;
        // A connection that is dropped on the way, by an error or with the future, is closed by that.
        let mut connection = self.connection().await?;
        // One snapshot for all statements, and no statement that writes.
        connection.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        let answer = f(&mut connection).await;
        if connection.end("ROLLBACK").await.is_ok()
            && let Ok(mut idle) = self.idle.lock()
        {
            idle.push(connection);
        }
        answer
    }

    pub(crate) async fn check(&self) -> Result<Vec<String>, StoreError> {
        let alive: i64 = self
            .read(|sql| Box::pin(async move { sql.query_one("SELECT CAST(1 AS BIGINT)", &[]).await?.get(0) }))
            .await?;
        Ok(if alive == 1 { Vec::new() } else { vec!["the engine cannot count".to_owned()] })
    }

    async fn connection(&self) -> Result<Connection, StoreError> {
        loop {
            let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
            match idle {
                Some(connection) if connection.is_closed() => {}
                Some(connection) => return Ok(connection),
                None => return self.target.connect().await,
            }
        }
    }
}
