//! SQLite, embedded: one file per function, reads inline, one writer thread with group commit.
//!
//! Measured before it was chosen: a read on the calling thread takes 2 to 5 µs, a pool behind an async front 6 to 34 times
//! that; with 16 writers one fsync for many jobs is 13 times faster than one for each.

mod connection;
mod writer;

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::JoinHandle;

use api_types::function::Function;
use futures::future::BoxFuture;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::batch::Job;
use crate::store::Limits;
use crate::{Migrations, Sql, StoreError};
pub(crate) use connection::SqliteSql;
#[cfg(test)]
pub(crate) use connection::migrate;
use connection::{engine, open_reader, open_writer};
use writer::Watched;

/// Pages copied by one step of a backup; the writer runs between two steps. Own value.
const BACKUP_STEP_PAGES: i32 = 512;

pub(crate) struct Sqlite {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    idle: Mutex<Vec<Connection>>,
    keep_idle: usize,
    watched: Watched,
}

impl Sqlite {
    pub(crate) fn open(
        dir: &Path,
        function: Function,
        migrations: &Migrations,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        // The records name people: a directory that is made here is its owner's alone.
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let path = dir.join(format!("{}.sqlite", function.as_str()));
        let mut connection = open_writer(&path, function)?;
        connection::migrate(&mut connection, migrations)?;
        let (jobs, queue) = mpsc::channel(limits.queue.max(1));
        let batch = limits.batch.max(1);
        let watched = Watched::default();
        let told = watched.clone();
        let writer = std::thread::Builder::new()
            .name(format!("store-{}", function.as_str()))
            .spawn(move || writer::run(SqliteSql::new(connection), queue, batch, &told))?;
        Ok(Self {
            path,
            jobs: Some(jobs),
            writer: Some(writer),
            idle: Mutex::new(Vec::new()),
            keep_idle: limits.readers.max(1),
            watched,
        })
    }

    pub(crate) fn submit(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let Some(jobs) = &self.jobs else { return Err(StoreError::Closed) };
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    pub(crate) fn settled(&self) -> Option<u64> {
        self.watched.settled.number()
    }

    pub(crate) fn queued(&self) -> usize {
        self.jobs.as_ref().map_or(0, |jobs| jobs.max_capacity() - jobs.capacity())
    }

    pub(crate) async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, StoreError>> + Send,
    {
        let mut reader = Reader { sql: SqliteSql::new(self.reader()?), pool: self };
        reader.sql.settled = self.watched.settled.number();
        reader.sql.classes = self.watched.classes.snapshot();
        reader.sql.statement("BEGIN")?;
        f(&mut reader.sql).await
    }

    pub(crate) async fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        let source = self.reader()?;
        let path = path.to_owned();
        let copied = tokio::task::spawn_blocking(move || copy(&source, &path)).await;
        copied.map_err(|_| StoreError::JobPanicked)?
    }

    pub(crate) async fn check(&self) -> Result<Vec<String>, StoreError> {
        let connection = self.reader()?;
        let checked = tokio::task::spawn_blocking(move || findings(&connection)).await;
        checked.map_err(|_| StoreError::JobPanicked)?
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        idle.map_or_else(|| open_reader(&self.path), Ok)
    }
}

impl Drop for Sqlite {
    /// The queue is closed, what waits in it is still written, and the file is free when this returns.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // The last clone may be dropped by a job, that is on the writer itself.
            if writer.thread().id() != std::thread::current().id() {
                let _ = writer.join();
            }
        }
    }
}

/// A connection that goes back to the pool also when the reading future is dropped halfway.
struct Reader<'p> {
    sql: SqliteSql,
    pool: &'p Sqlite,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if self.sql.statement("ROLLBACK").is_err() {
            return;
        }
        let Some(connection) = self.sql.take() else { return };
        if let Ok(mut idle) = self.pool.idle.lock()
            && idle.len() < self.pool.keep_idle
        {
            idle.push(connection);
        }
    }
}

fn copy(source: &Connection, path: &Path) -> Result<(), StoreError> {
    // Fails when the file is there: a backup never replaces another one.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut target = Connection::open(path).map_err(engine)?;
    {
        let backup = Backup::new(source, &mut target).map_err(engine)?;
        while backup.step(BACKUP_STEP_PAGES).map_err(engine)? != StepResult::Done {
            std::thread::yield_now();
        }
    }
    let found = findings(&target)?;
    target.close().map_err(|(_, error)| engine(error))?;
    std::fs::File::open(path)?.sync_all()?;
    if found.is_empty() { Ok(()) } else { Err(StoreError::Damaged("the copy of the database")) }
}

fn findings(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut statement = connection.prepare("PRAGMA integrity_check").map_err(engine)?;
    let mut rows = statement.query([]).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        let line: String = row.get(0).map_err(engine)?;
        if line != "ok" {
            found.push(line);
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check").map_err(engine)?;
    let mut rows = statement.query([]).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        let table: String = row.get(0).map_err(engine)?;
        found.push(format!("a row of {table} refers to nothing"));
    }
    Ok(found)
}
