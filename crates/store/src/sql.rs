//! Statements and rows, as every record file sees them.

use async_trait::async_trait;

use crate::search::KnownClasses;
use crate::value::column;
use crate::{Dialect, FromValue, StoreError, Tail, Value};

/// One row of an answer. Columns by position, in the order of the SELECT or RETURNING list.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values }
    }

    /// Column `i`, from 0.
    ///
    /// # Errors
    /// No such column, or it holds another kind; NULL only reads as an `Option`.
    pub fn get<T: FromValue>(&self, i: usize) -> Result<T, StoreError> {
        column(&self.values, i)
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the row has no column.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Statements inside one snapshot ([`crate::Store::read`]) or one job ([`crate::Store::write`]).
///
/// The text is the same for both engines: `$1`, `$2` … (each used at least once), `ON CONFLICT`, `RETURNING`. Where
/// PostgreSQL cannot infer the type of a parameter, `CAST($1 AS BIGINT)` and `CAST($1 AS TEXT)` work on both; a SUM is
/// wrapped likewise. A job whose statement has failed cannot go on: it is rolled back whatever it answers.
#[async_trait]
pub trait Sql: Send {
    /// All rows of the answer.
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// The number of rows changed.
    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError>;

    /// Where a job leaves what is written at the end of its batch; `None` in a snapshot, which writes nothing.
    fn tail(&mut self) -> Option<&mut Tail>;

    /// The number of [`crate::Store::settled`] for what this transaction sees: the same number, the same records. `None`:
    /// not known, as on PostgreSQL, or this transaction sees changes that are not committed.
    fn settled(&self) -> Option<u64> {
        None
    }

    /// What is known of classes in this snapshot; `None`: the engine is asked.
    #[doc(hidden)]
    fn known_classes(&self) -> Option<KnownClasses> {
        None
    }

    /// Which engine this is, for fragments of SQL.
    fn dialect(&self) -> Dialect;

    /// The same statement for many rows of parameters, in their order; the sum of the rows changed.
    async fn execute_many(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, StoreError> {
        let mut changed = 0;
        for params in rows {
            changed += self.execute(sql, params).await?;
        }
        Ok(changed)
    }

    /// The first row of the answer, if any.
    async fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// The first row of the answer.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when there is none.
    async fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, StoreError> {
        self.query_opt(sql, params).await?.ok_or(StoreError::Damaged("a row that must exist is missing"))
    }
}

/// Appends the values to the parameters; their names, for `IN (…)`.
pub(crate) fn placeholders(params: &mut Vec<Value>, values: impl Iterator<Item = Value>) -> String {
    let mut names = Vec::new();
    for value in values {
        params.push(value);
        names.push(format!("${}", params.len()));
    }
    names.join(", ")
}
