//! Where a case runs, and on which engine.

use std::future::Future;
use std::time::Duration;

use api_types::function::Function;
use store::testkit::Postgres;
use store::{BoxFuture, Limits, Migration, Migrations, Sql, Store, StoreConfig, StoreError};
use tempfile::TempDir;

/// Tables of the suite's own, beside the common ones.
pub(crate) const SUITE: &[Migration] = &[Migration {
    name: "suite/0001_tables",
    sqlite: "CREATE TABLE parent (id BIGINT PRIMARY KEY);
             CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT,
                                parent BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TABLE kinds (id BIGINT PRIMARY KEY, i BIGINT, r DOUBLE PRECISION, t TEXT, b BLOB);",
    postgres: "CREATE TABLE parent (id BIGINT PRIMARY KEY);
               CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT,
                                  parent BIGINT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
               CREATE TABLE kinds (id BIGINT PRIMARY KEY, i BIGINT, r DOUBLE PRECISION, t TEXT, b BYTEA);",
}];

/// No case waits longer for anything.
const LIMIT: Duration = Duration::from_secs(60);

/// An empty database and how to open it.
pub(crate) struct Bench {
    pub(crate) cfg: StoreConfig,
    _dir: Option<TempDir>,
}

impl Bench {
    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { cfg: StoreConfig::Sqlite { dir: dir.path().to_owned() }, _dir: Some(dir) }
    }

    pub(crate) fn postgres(server: &Postgres) -> Self {
        Self { cfg: StoreConfig::Postgres { url: server.database() }, _dir: None }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.cfg, StoreConfig::Sqlite { .. })
    }

    pub(crate) async fn open(&self) -> Store {
        self.open_with(Limits::default()).await
    }

    pub(crate) async fn open_with(&self, limits: Limits) -> Store {
        let migrations = Migrations::common().with(SUITE);
        Store::open_with(&self.cfg, Function::San, migrations, limits).await.unwrap()
    }
}

/// Runs a case, but not for ever.
pub(crate) async fn bounded<T>(case: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, case).await.expect("the case hangs")
}

/// Runs a job whose only errors are the store's.
pub(crate) async fn write<T, F>(store: &Store, f: F) -> Result<T, StoreError>
where
    F: for<'a> FnOnce(&'a mut dyn Sql) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
    T: Send + 'static,
{
    store.write(f).await
}

/// `note` with this id and nothing else.
pub(crate) async fn note(tx: &mut dyn Sql, id: i64) -> Result<(), StoreError> {
    tx.execute("INSERT INTO note (id, body) VALUES ($1, $2)", &store::params![id, "body"]).await?;
    Ok(())
}

/// The ids of `note`, in order.
pub(crate) async fn notes(store: &Store) -> Vec<i64> {
    let rows = store
        .read(|sql| Box::pin(async move { sql.query("SELECT id FROM note ORDER BY id", &[]).await }))
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

/// On SQLite each case is a test of its own. On PostgreSQL they share one server, each with a database of its own.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    $crate::bench::bounded(super::$case($crate::bench::Bench::sqlite())).await;
                }
            )+
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn postgres() {
            let server = store::testkit::Postgres::start();
            $(
                println!("{}", stringify!($case));
                $crate::bench::bounded($case($crate::bench::Bench::postgres(&server))).await;
            )+
        }
    };
}
