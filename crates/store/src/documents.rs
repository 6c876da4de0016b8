//! Versioned documents, the common part of [`crate::policies`] and [`crate::services`].
//!
//! Versions of a kind come from one counter, the deletions included: no version means two things, an audit record can name
//! the version that decided, and a cache knows that it is behind.

use crate::{Row, Sql, StoreError, params};

/// Most documents of one kind: decisions look at all of them. Own value.
pub const MOST_DOCUMENTS: u64 = 10_000;

/// A document as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Chosen by the caller.
    pub id: String,
    /// Grows with each change.
    pub version: u64,
    /// When it was changed, in milliseconds since 1970.
    pub at_ms: i64,
    /// JSON.
    pub body: String,
}

/// What an upsert did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// The version that it has now.
    pub version: u64,
    /// Whether it is new.
    pub created: bool,
}

/// The functions of one kind of document.
macro_rules! of_kind {
    ($kind:literal) => {
        use crate::{Document, Put, Sql, StoreError, documents};

        const KIND: &str = $kind;

        /// Makes or replaces one; its version grows.
        ///
        /// # Errors
        /// The engine's.
        pub async fn put(tx: &mut dyn Sql, id: &str, body: &str, at_ms: i64) -> Result<Put, StoreError> {
            documents::put(tx, KIND, id, body, at_ms).await
        }

        /// One of them.
        ///
        /// # Errors
        /// The engine's.
        pub async fn find(tx: &mut dyn Sql, id: &str) -> Result<Option<Document>, StoreError> {
            documents::find(tx, KIND, id).await
        }

        /// Up to `limit` of them, by id, after an id.
        ///
        /// # Errors
        /// The engine's.
        pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<Document>, StoreError> {
            documents::page(tx, KIND, after, limit).await
        }

        /// How many there are.
        ///
        /// # Errors
        /// The engine's.
        pub async fn count(tx: &mut dyn Sql) -> Result<u64, StoreError> {
            documents::count(tx, KIND).await
        }

        /// Drops one. `false`: there is none.
        ///
        /// # Errors
        /// The engine's.
        pub async fn delete(tx: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
            documents::delete(tx, KIND, id).await
        }

        /// The version of all of them together: it grows with each change and deletion, and is never used twice.
        ///
        /// # Errors
        /// The engine's.
        pub async fn version(tx: &mut dyn Sql) -> Result<u64, StoreError> {
            documents::version(tx, KIND).await
        }
    };
}

pub(crate) use of_kind;

pub(crate) async fn put(
    tx: &mut dyn Sql,
    kind: &str,
    id: &str,
    body: &str,
    at_ms: i64,
) -> Result<Put, StoreError> {
    let version = bump(tx, kind).await?;
    let update = "UPDATE documents SET version = $1, at_ms = $2, body = $3 WHERE kind = $4 AND id = $5";
    let created = tx.execute(update, &params![version, at_ms, body, kind, id]).await? == 0;
    if created {
        let insert = "INSERT INTO documents (kind, id, version, at_ms, body) VALUES ($1, $2, $3, $4, $5)";
        tx.execute(insert, &params![kind, id, version, at_ms, body]).await?;
    }
    Ok(Put { version, created })
}

pub(crate) async fn find(tx: &mut dyn Sql, kind: &str, id: &str) -> Result<Option<Document>, StoreError> {
    let sql = "SELECT id, version, at_ms, body FROM documents WHERE kind = $1 AND id = $2";
    tx.query_opt(sql, &params![kind, id]).await?.as_ref().map(document).transpose()
}

pub(crate) async fn page(
    tx: &mut dyn Sql,
    kind: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<Document>, StoreError> {
    let sql =
        "SELECT id, version, at_ms, body FROM documents WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3";
    tx.query(sql, &params![kind, after, limit]).await?.iter().map(document).collect()
}

pub(crate) async fn count(tx: &mut dyn Sql, kind: &str) -> Result<u64, StoreError> {
    tx.query_one("SELECT COUNT(*) FROM documents WHERE kind = $1", &params![kind]).await?.get(0)
}

pub(crate) async fn delete(tx: &mut dyn Sql, kind: &str, id: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM documents WHERE kind = $1 AND id = $2";
    let deleted = tx.execute(sql, &params![kind, id]).await? == 1;
    if deleted {
        bump(tx, kind).await?;
    }
    Ok(deleted)
}

pub(crate) async fn version(tx: &mut dyn Sql, kind: &str) -> Result<u64, StoreError> {
    let sql = "SELECT version FROM document_versions WHERE kind = $1";
    tx.query_opt(sql, &params![kind]).await?.map_or(Ok(0), |row| row.get(0))
}

/// The upsert takes the row lock of the counter, which orders changes and decisions between nodes.
pub(crate) async fn bump(tx: &mut dyn Sql, kind: &str) -> Result<u64, StoreError> {
    let sql = "INSERT INTO document_versions (kind, version) VALUES ($1, 1) \
               ON CONFLICT (kind) DO UPDATE SET version = document_versions.version + 1 RETURNING version";
    tx.query_one(sql, &params![kind]).await?.get(0)
}

fn document(row: &Row) -> Result<Document, StoreError> {
    Ok(Document { id: row.get(0)?, version: row.get(1)?, at_ms: row.get(2)?, body: row.get(3)? })
}
