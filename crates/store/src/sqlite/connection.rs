//! Statements on one SQLite connection.

use std::path::Path;
use std::time::Duration;

use api_types::function::Function;
use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::search::KnownClasses;
use crate::settled::Changed;
use crate::{Dialect, Migrations, Row, Sql, StoreError, Tail, Value};

/// How long a statement waits for another process that holds the file. Own value.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Prepared statements kept by a connection. Own value.
const STATEMENTS: usize = 256;

/// Pages of the write-ahead log after which they are copied into the database, while jobs wait. A page that is written
/// often is copied once. Own value: 64 MiB of log.
const CHECKPOINT_PAGES: i64 = 16_384;

/// Octets of the database that readers look at where the system holds them, instead of copying pages: an index of a
/// million places is some thousand pages, of which a search reads hundreds. Own value.
const READER_MAP: i64 = 1 << 30;

/// Most memory for pages of the writer, in KiB, which it takes as it needs them: inner pages of the indexes. Own value.
const WRITER_CACHE_KIB: i64 = 8_192;

/// The same where a million anchors are: an import touches their indexes everywhere. Own value.
const ANCHORS_CACHE_KIB: i64 = 65_536;

/// What keeps the statements of one job together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    None,
    /// Made by the first statement: a job without one needs none.
    Due,
    Open,
}

/// Statements on a connection.
pub(crate) struct SqliteSql {
    connection: Option<Connection>,
    /// A statement has failed: the job cannot be kept, as on PostgreSQL.
    pub(super) failed: bool,
    /// What the jobs of the batch have left; only with the writer.
    pub(super) tail: Option<Tail>,
    /// A statement of the batch may have changed what others decide by.
    pub(super) changed: Changed,
    /// The state that is seen, where nothing of it is changed.
    pub(super) settled: Option<u64>,
    /// What is known of classes; only with readers, which see what was committed.
    pub(super) classes: Option<KnownClasses>,
    savepoint: Savepoint,
    /// Steps of the machine that ran the queries.
    #[cfg(test)]
    pub(crate) steps: std::cell::Cell<u64>,
}

impl SqliteSql {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection: Some(connection),
            failed: false,
            tail: None,
            changed: Changed::default(),
            settled: None,
            classes: None,
            savepoint: Savepoint::None,
            #[cfg(test)]
            steps: std::cell::Cell::default(),
        }
    }

    pub(super) fn take(&mut self) -> Option<Connection> {
        self.connection.take()
    }

    /// Whether no transaction is open.
    pub(super) fn is_autocommit(&self) -> bool {
        self.connection.as_ref().is_none_or(Connection::is_autocommit)
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or(StoreError::Closed)
    }

    /// A statement without parameters and answer.
    pub(super) fn statement(&self, sql: &str) -> Result<(), StoreError> {
        let mut statement = self.connection()?.prepare_cached(sql).map_err(engine)?;
        statement.raw_execute().map_err(engine)?;
        Ok(())
    }

    /// The job that begins has a savepoint of its own, from its first statement on.
    pub(super) fn begin_job(&mut self) {
        self.failed = false;
        self.savepoint = Savepoint::Due;
    }

    /// The job that begins is all of its transaction: it is undone with it.
    pub(super) fn begin_only_job(&mut self) {
        self.failed = false;
        self.savepoint = Savepoint::None;
    }

    /// The job is over: it stays, or leaves nothing behind.
    pub(super) fn end_job(&mut self, kept: bool) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.savepoint, Savepoint::None) == Savepoint::Open {
            if !kept {
                self.statement("ROLLBACK TO job")?;
            }
            self.statement("RELEASE job")?;
        }
        Ok(())
    }

    fn open_savepoint(&mut self) -> Result<(), StoreError> {
        if self.savepoint == Savepoint::Due {
            self.statement("SAVEPOINT job")?;
            self.savepoint = Savepoint::Open;
        }
        Ok(())
    }

    fn rows(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection()?.prepare_cached(sql).map_err(engine)?;
        bind(&mut statement, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(engine)? {
            let values = (0..columns).map(|i| row.get_ref(i).map_err(engine).and_then(value));
            answer.push(Row::new(values.collect::<Result<_, _>>()?));
        }
        #[cfg(test)]
        {
            drop(rows);
            let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
            self.steps.set(self.steps.get() + u64::try_from(steps).unwrap_or_default());
        }
        Ok(answer)
    }

    fn changes(&self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let connection = self.connection()?;
        let mut statement = connection.prepare_cached(sql).map_err(engine)?;
        bind(&mut statement, params)?;
        if statement.column_count() == 0 {
            return statement.raw_execute().map(|rows| rows as u64).map_err(engine);
        }
        // RETURNING: the statement has run only when its rows have been read.
        let mut rows = statement.raw_query();
        while rows.next().map_err(engine)?.is_some() {}
        Ok(connection.changes())
    }

    fn changes_of_all(&self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, StoreError> {
        let mut statement = self.connection()?.prepare_cached(sql).map_err(engine)?;
        let order = order(&statement)?;
        let mut changed = 0;
        for params in rows {
            bind_in(&mut statement, &order, params)?;
            changed += statement.raw_execute().map_err(engine)? as u64;
        }
        Ok(changed)
    }
}

#[async_trait]
impl Sql for SqliteSql {
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.changed.note(sql);
        let answer = self.open_savepoint().and_then(|()| self.rows(sql, params));
        self.failed |= answer.is_err();
        answer
    }

    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.changed.note(sql);
        let answer = self.open_savepoint().and_then(|()| self.changes(sql, params));
        self.failed |= answer.is_err();
        answer
    }

    /// The statement is looked up once for all rows.
    async fn execute_many(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, StoreError> {
        self.changed.note(sql);
        let answer = self.open_savepoint().and_then(|()| self.changes_of_all(sql, rows));
        self.failed |= answer.is_err();
        answer
    }

    fn tail(&mut self) -> Option<&mut Tail> {
        self.tail.as_mut()
    }

    fn settled(&self) -> Option<u64> {
        self.settled.filter(|_| !self.changed.anything)
    }

    fn known_classes(&self) -> Option<KnownClasses> {
        self.classes.clone()
    }

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
}

/// For each parameter of the statement the place of its value, by the number in its name: SQLite itself numbers `$1`, `$2`
/// by first use.
fn order(statement: &CachedStatement<'_>) -> Result<Vec<usize>, StoreError> {
    let count = statement.parameter_count();
    let place = |index| statement.parameter_name(index)?.get(1..)?.parse::<usize>().ok()?.checked_sub(1);
    let order = (1..=count).map(place).collect::<Option<Vec<_>>>();
    order.ok_or(StoreError::Parameters { wanted: count, given: 0 })
}

fn bind(statement: &mut CachedStatement<'_>, params: &[Value]) -> Result<(), StoreError> {
    let order = order(statement)?;
    bind_in(statement, &order, params)
}

fn bind_in(statement: &mut CachedStatement<'_>, order: &[usize], params: &[Value]) -> Result<(), StoreError> {
    let mismatch = StoreError::Parameters { wanted: order.len(), given: params.len() };
    if order.len() != params.len() {
        return Err(mismatch);
    }
    for (index, place) in (1..).zip(order) {
        let Some(value) = params.get(*place) else { return Err(mismatch) };
        let bound = match value {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Value::Int(int) => statement.raw_bind_parameter(index, int),
            Value::Real(real) => statement.raw_bind_parameter(index, real),
            Value::Text(text) => statement.raw_bind_parameter(index, text),
            Value::Blob(blob) => statement.raw_bind_parameter(index, blob),
        };
        bound.map_err(engine)?;
    }
    Ok(())
}

fn value(value: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(
            std::str::from_utf8(text).map_err(|_| StoreError::Damaged("text is not UTF-8"))?.to_owned(),
        ),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
    })
}

/// The writer's connection: every commit is on the disk before it is answered.
pub(super) fn open_writer(path: &Path, function: Function) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(engine)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(engine)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(engine)?;
    let cache = if function == Function::San { ANCHORS_CACHE_KIB } else { WRITER_CACHE_KIB };
    connection.pragma_update(None, "cache_size", -cache).map_err(engine)?;
    Ok(connection)
}

/// A reader's connection: `query_only`, so that a statement that writes is refused.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update(None, "query_only", true).map_err(engine)?;
    connection.pragma_update(None, "mmap_size", READER_MAP).map_err(engine)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags).map_err(engine)?;
    connection.busy_timeout(BUSY_WAIT).map_err(engine)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(engine)?;
    // A plan may not depend on the values bound to a statement: it would be made again whenever one is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(engine)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Runs what has not run yet, in one transaction: a schema is never halfway.
pub(crate) fn migrate(connection: &mut Connection, migrations: &Migrations) -> Result<(), StoreError> {
    // Immediate: a second process that opens the same file waits here and then finds the work done.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(engine)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations \
         (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)",
    )
    .map_err(engine)?;
    let applied = {
        let mut statement = tx.prepare("SELECT name, sha256 FROM schema_migrations").map_err(engine)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(engine)?;
        rows.collect::<Result<Vec<(String, String)>, _>>().map_err(engine)?
    };
    let note = format!(
        "INSERT INTO schema_migrations (name, sha256, applied_at) VALUES (?1, ?2, {})",
        Dialect::Sqlite.now_s()
    );
    for migration in migrations.pending(Dialect::Sqlite, &applied)? {
        tx.execute_batch(migration.text(Dialect::Sqlite)).map_err(engine)?;
        tx.execute(&note, [migration.name, &migration.sha256(Dialect::Sqlite)]).map_err(engine)?;
    }
    tx.commit().map_err(engine)
}

pub(super) fn engine(error: rusqlite::Error) -> StoreError {
    match &error {
        rusqlite::Error::SqliteFailure(code, message) => {
            let message = message.clone().unwrap_or_else(|| code.to_string());
            match code.code {
                ErrorCode::ConstraintViolation => StoreError::Constraint(message),
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Unavailable(message),
                _ => StoreError::Engine(message),
            }
        }
        // Other messages may quote the statement, never a parameter.
        other => StoreError::Engine(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::params;

    #[test]
    fn a_statement_is_prepared_once_whatever_is_bound_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("san.sqlite");
        migrate(&mut open_writer(&path, Function::San).unwrap(), &Migrations::of(Function::San)).unwrap();
        let reader = open_reader(&path).unwrap();
        let texts = [
            "select anchor_id from anchor where class_id = $1 and start_s <= $2 order by anchor_id limit $3",
            "select distinct class_id from anchor where list_id = $1 and class_id > $2 limit $3",
        ];
        for text in texts {
            for turn in 0..3_i64 {
                reader.execute_batch("BEGIN").unwrap();
                {
                    let mut statement = reader.prepare_cached(text).unwrap();
                    bind(&mut statement, &params![turn, turn * 7, turn + 40]).unwrap();
                    let mut rows = statement.raw_query();
                    while rows.next().unwrap().is_some() {}
                    drop(rows);
                    assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{turn}: {text}");
                }
                reader.execute_batch("ROLLBACK").unwrap();
            }
        }
    }
}
