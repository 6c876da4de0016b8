//! Statements on one PostgreSQL connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api_types::function::Function;
use async_trait::async_trait;
use futures::future::try_join_all;
use futures::join;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::{Dialect, Row, Sql, StoreError, Tail, Value};

/// How long a connection may take to be made. Own value.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// How long the server may work on a statement, or a node may hold the write gate without a word, in milliseconds. Own value.
const SERVER_WAIT_MS: u32 = 10_000;

/// How long a statement is waited for: a little longer than the server's own limit. Own value.
const ANSWER_WAIT: Duration = Duration::from_secs(12);

/// Statements prepared by a connection. Own value.
const STATEMENTS: usize = 256;

/// Statements of [`Sql::execute_many`] that are under way at once. Own value.
const PIPELINE: usize = 64;

/// Where to connect, and which schema.
pub(super) struct Target {
    config: Config,
    pub(super) schema: String,
}

impl Target {
    pub(super) fn new(url: &str, function: Function) -> Result<Self, StoreError> {
        let schema = format!("metaseal_{}", function.as_str());
        // The message would quote a part of the url.
        let mut config: Config =
            url.parse().map_err(|_| StoreError::Engine("the url of the database is malformed".to_owned()))?;
        // `public` is where extensions live.
        let options = format!(
            "{} -c search_path={schema},public -c synchronous_commit=on -c statement_timeout={SERVER_WAIT_MS} \
             -c idle_in_transaction_session_timeout={SERVER_WAIT_MS}",
            config.get_options().unwrap_or_default()
        );
        config.options(options.trim().to_owned()).application_name(schema.clone());
        config.connect_timeout(CONNECT_WAIT).tcp_user_timeout(ANSWER_WAIT);
        config.keepalives_idle(ANSWER_WAIT);
        Ok(Self { config, schema })
    }

    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        let made = timeout(CONNECT_WAIT, self.config.connect(NoTls)).await.map_err(|_| late())?;
        let (client, driver) = made.map_err(engine)?;
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::warn!(error = %engine(error), "connection to PostgreSQL lost");
            }
        });
        Ok(Connection {
            client,
            statements: HashMap::new(),
            begin: None,
            failed: false,
            broken: false,
            touched: false,
            tail: None,
            busy: Arc::default(),
        })
    }
}

/// A connection and what is known of its state.
pub(super) struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
    /// Sent together with the first statement: one round trip less.
    begin: Option<&'static str>,
    /// A statement has failed: the transaction is good for nothing but a rollback.
    pub(super) failed: bool,
    /// An answer did not arrive: the connection is of no more use.
    broken: bool,
    /// A statement was sent since the savepoint was made.
    pub(super) touched: bool,
    /// What the jobs of the batch have left; only with the writer.
    pub(super) tail: Option<Tail>,
    /// A statement is under way.
    pub(super) busy: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn is_closed(&self) -> bool {
        self.broken || self.client.is_closed()
    }

    /// Begins a transaction with the first statement.
    pub(super) fn begin(&mut self, sql: &'static str) {
        self.begin = Some(sql);
    }

    /// Ends the transaction, if one was begun.
    pub(super) async fn end(&mut self, sql: &str) -> Result<(), StoreError> {
        match self.begin.take() {
            Some(_) => Ok(()),
            None => self.control(sql).await,
        }
    }

    /// Statements without parameters and answer.
    pub(super) async fn control(&mut self, sql: &str) -> Result<(), StoreError> {
        if self.is_closed() {
            return Err(StoreError::Unavailable("the connection was lost".to_owned()));
        }
        match timeout(ANSWER_WAIT, self.client.batch_execute(sql)).await {
            Ok(answer) => answer.map_err(engine),
            Err(_) => {
                self.broken = true;
                Err(late())
            }
        }
    }

    async fn supervised<T>(
        &mut self,
        sql: &str,
        run: impl AsyncFnOnce(&Client, Statement) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _busy = Busy::begin(&self.busy);
        self.touched = true;
        if self.is_closed() {
            self.failed = true;
            return Err(StoreError::Unavailable("the connection was lost".to_owned()));
        }
        let known = self.statements.get(sql).cloned();
        let client = &self.client;
        let work = async {
            let statement = match known {
                Some(statement) => statement,
                None => client.prepare(sql).await.map_err(engine)?,
            };
            Ok::<_, StoreError>((run(client, statement.clone()).await?, statement))
        };
        let begin = self.begin.take();
        let answer = timeout(ANSWER_WAIT, async {
            match begin {
                None => work.await,
                // Polled in this order, so the server sees BEGIN first.
                Some(begin) => {
                    let (begun, answer) = join!(client.batch_execute(begin), work);
                    begun.map_err(engine)?;
                    answer
                }
            }
        })
        .await;
        match answer {
            Ok(Ok((answer, statement))) => {
                if self.statements.len() >= STATEMENTS {
                    self.statements.clear();
                }
                self.statements.entry(sql.to_owned()).or_insert(statement);
                Ok(answer)
            }
            Ok(Err(error)) => {
                // The plan may be what is wrong, after a change of the schema by another node.
                self.statements.remove(sql);
                self.failed = true;
                Err(error)
            }
            Err(_) => {
                self.failed = true;
                self.broken = true;
                Err(late())
            }
        }
    }
}

#[async_trait]
impl Sql for Connection {
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let rows = self
            .supervised(sql, async |client, statement| {
                let params = checked(&statement, params)?;
                client.query(&statement, &params).await.map_err(engine)
            })
            .await?;
        rows.iter()
            .map(|row| {
                let values = (0..row.len()).map(|i| row.try_get::<_, Value>(i).map_err(engine));
                Ok(Row::new(values.collect::<Result<_, _>>()?))
            })
            .collect()
    }

    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.supervised(sql, async |client, statement| {
            let params = checked(&statement, params)?;
            client.execute(&statement, &params).await.map_err(engine)
        })
        .await
    }

    fn tail(&mut self) -> Option<&mut Tail> {
        self.tail.as_mut()
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    /// Pipelined: many statements in one round trip.
    async fn execute_many(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, StoreError> {
        let mut changed = 0;
        for rows in rows.chunks(PIPELINE) {
            let counts = self.supervised(sql, async |client, statement| {
                let each = rows.iter().map(|params| {
                    let statement = statement.clone();
                    async move {
                        let params = checked(&statement, params)?;
                        client.execute(&statement, &params).await.map_err(engine)
                    }
                });
                try_join_all(each).await
            });
            changed += counts.await?.into_iter().sum::<u64>();
        }
        Ok(changed)
    }
}

/// Marks a statement as under way for as long as it lives, also when its future is dropped.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn begin(flag: &Arc<AtomicBool>) -> Self {
        flag.store(true, Ordering::Relaxed);
        Self(Arc::clone(flag))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn checked<'p>(
    statement: &Statement,
    params: &'p [Value],
) -> Result<Vec<&'p (dyn ToSql + Sync)>, StoreError> {
    let wanted = statement.params().len();
    if wanted != params.len() {
        return Err(StoreError::Parameters { wanted, given: params.len() });
    }
    Ok(params.iter().map(|value| value as &(dyn ToSql + Sync)).collect())
}

fn late() -> StoreError {
    StoreError::Unavailable("no answer in time".to_owned())
}

/// The message of the server without its detail, which may quote a value.
pub(super) fn engine(error: tokio_postgres::Error) -> StoreError {
    let Some(found) = error.as_db_error() else {
        return if error.is_closed() || error.to_string().contains("connect") || source_is_io(&error) {
            StoreError::Unavailable("the connection was lost or refused".to_owned())
        } else {
            StoreError::Engine(error.to_string())
        };
    };
    let code = found.code();
    match code.code().get(..2) {
        Some("23") => StoreError::Constraint(found.message().to_owned()),
        // A data exception quotes the datum.
        Some("22") => StoreError::Engine(format!("data exception {}", code.code())),
        Some("08" | "40" | "53" | "57") => StoreError::Unavailable(found.message().to_owned()),
        _ if *code == SqlState::LOCK_NOT_AVAILABLE => StoreError::Unavailable(found.message().to_owned()),
        _ => StoreError::Engine(format!("{} {}", code.code(), found.message())),
    }
}

fn source_is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}
