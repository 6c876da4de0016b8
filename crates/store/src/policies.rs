//! Operator and regulatory policies (contract section 5), versioned.
//!
//! The body is the JSON of the admin API; what it means is decided elsewhere.

use crate::{Document, Put, Sql, StoreError, documents};

const KIND: &str = "policy";

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
