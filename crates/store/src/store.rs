//! One function's store, on either engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api_types::function::Function;
use futures::future::BoxFuture;

use crate::batch::job;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::{Dialect, Migrations, Sql, StoreError};

/// Which engine, and where.
#[derive(Clone)]
pub enum StoreConfig {
    /// A file `<function>.sqlite` in this directory.
    Sqlite {
        /// Made when absent.
        dir: PathBuf,
    },
    /// A schema `metaseal_<function>` of this database, by `postgres://user:password@host:port/database`.
    ///
    /// SCRAM is spoken; TLS is not yet. The address should be loopback, a unix socket, or a protected network.
    Postgres {
        /// Connection string.
        url: String,
    },
}

impl std::fmt::Debug for StoreConfig {
    /// Without the url, which carries the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { dir } => f.debug_struct("Sqlite").field("dir", dir).finish(),
            Self::Postgres { .. } => f.debug_struct("Postgres").finish_non_exhaustive(),
        }
    }
}

/// Bounds of the queues. Own values.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs that may wait for the writer; one more is [`StoreError::Overloaded`].
    pub queue: usize,
    /// Jobs that share one commit.
    pub batch: usize,
    /// Connections of PostgreSQL that read at once, and idle ones that SQLite keeps.
    pub readers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue: 4096, batch: 512, readers: 8 }
    }
}

/// One function's records. Cheap to clone; the writer ends with the last clone.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    function: Function,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Store {
    /// Opens or makes the function's store and brings its schema up to date.
    ///
    /// # Errors
    /// The engine cannot be reached or opened; a released migration was edited; the database is of a newer program.
    pub async fn open(
        cfg: &StoreConfig,
        function: Function,
        migrations: Migrations,
    ) -> Result<Self, StoreError> {
        Self::open_with(cfg, function, migrations, Limits::default()).await
    }

    /// As [`Store::open`], with other bounds.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(
        cfg: &StoreConfig,
        function: Function,
        migrations: Migrations,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        let engine = match cfg {
            StoreConfig::Sqlite { dir } => {
                Engine::Sqlite(Arc::new(Sqlite::open(dir, function, &migrations, limits)?))
            }
            StoreConfig::Postgres { url } => {
                Engine::Postgres(Arc::new(Postgres::open(url, function, &migrations, limits).await?))
            }
        };
        Ok(Self { engine, function })
    }

    /// Whose records these are.
    pub fn function(&self) -> Function {
        self.function
    }

    /// Which engine this is.
    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Reads in one snapshot; a statement that writes is refused.
    ///
    /// # Errors
    /// Those of the closure; the engine cannot be reached; all readers are taken.
    pub async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, StoreError>> + Send,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(f).await,
            Engine::Postgres(postgres) => postgres.read(f).await,
        }
    }

    /// Runs a job on the function's one writer and answers after the commit.
    ///
    /// The job may await its own statements and nothing else. `Err` rolls this job back and no other. When the commit
    /// fails, every job of the batch gets that error: also those that had answered `Err`, which may have seen rows that
    /// were never kept. A job that was begun is finished also when the caller goes away.
    ///
    /// # Errors
    /// Those of the job, and every [`StoreError`] as `E`.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit(f, false).await
    }

    /// As [`Store::write`], for a job that changes much: it shares its commit with no other, so that SQLite keeps no copy
    /// of each page that it changes in order to undo it alone.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_alone<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit(f, true).await
    }

    async fn submit<T, E, F>(&self, f: F, alone: bool) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = job(f, alone);
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.submit(job),
            Engine::Postgres(postgres) => postgres.submit(job),
        }?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// A number that is the same for as long as nothing was changed by which anybody decides; `None` while that is not
    /// known, which it never is on PostgreSQL.
    ///
    /// What was read in a snapshot that began after the number was asked for stands while the number is this one.
    pub fn settled(&self) -> Option<u64> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.settled(),
            Engine::Postgres(_) => None,
        }
    }

    /// Jobs that wait for the writer, for metrics; those of the batch under way are not among them.
    pub fn queued(&self) -> usize {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.queued(),
            Engine::Postgres(postgres) => postgres.queued(),
        }
    }

    /// Copies the database to a new file while it is in use, and checks the copy (SQLite only; `pg_dump` otherwise).
    ///
    /// # Errors
    /// The file exists or cannot be written; the copy is damaged; another engine.
    pub async fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.backup_to(path).await,
            Engine::Postgres(_) => Err(StoreError::Unsupported("online backup: use pg_dump")),
        }
    }

    /// What the engine finds wrong with the database; nothing when it is sound.
    ///
    /// # Errors
    /// The engine cannot be reached.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.check().await,
            Engine::Postgres(postgres) => postgres.check().await,
        }
    }
}
