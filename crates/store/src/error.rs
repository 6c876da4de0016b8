//! What can go wrong below a record. No message carries a parameter or a column value.

/// Why the store did not do what was asked.
///
/// `Clone`, because a commit that fails answers every job of its batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The queue of the writer, or the pool of readers, is full. Nothing was done.
    #[error("the store is overloaded")]
    Overloaded,
    /// A job waited for something else than its own statements; it was rolled back.
    #[error("a store job awaited something outside the store")]
    AwaitedOutside,
    /// A job panicked; it was rolled back.
    #[error("a store job panicked")]
    JobPanicked,
    /// A statement of the job had failed although the job answered `Ok`; it was rolled back.
    #[error("a statement of the store job had failed")]
    Spoiled,
    /// The writer has ended: the store was closed.
    #[error("the store is closed")]
    Closed,
    /// The engine cannot be reached, or did not answer in time. Whether a commit in flight was kept is unknown.
    #[error("the storage engine is unreachable: {0}")]
    Unavailable(String),
    /// A unique, foreign-key or check constraint refused the statement.
    #[error("constraint: {0}")]
    Constraint(String),
    /// The engine refused the statement, or failed.
    #[error("storage engine: {0}")]
    Engine(String),
    /// The number of parameters is not what the statement has.
    #[error("the statement has {wanted} parameters, {given} were given")]
    Parameters {
        /// Parameters in the statement.
        wanted: usize,
        /// Parameters given.
        given: usize,
    },
    /// The row has no such column.
    #[error("no column {index}")]
    NoSuchColumn {
        /// Position, from 0.
        index: usize,
    },
    /// The column holds something else.
    #[error("column {index} holds {found}, not {wanted}")]
    ColumnKind {
        /// Position, from 0.
        index: usize,
        /// What the caller asked for.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A stored record does not hold what its module wrote.
    #[error("stored record is damaged: {0}")]
    Damaged(&'static str),
    /// A released migration was edited.
    #[error("migration {0} differs from the one that this database was made with")]
    MigrationEdited(String),
    /// The database has a migration that this program does not know: it was made by a newer one.
    #[error("migration {0} is unknown to this program")]
    MigrationUnknown(String),
    /// A file operation failed.
    #[error("file: {0}")]
    File(String),
    /// The engine has no such operation.
    #[error("not offered by this storage engine: {0}")]
    Unsupported(&'static str),
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.kind().to_string())
    }
}
