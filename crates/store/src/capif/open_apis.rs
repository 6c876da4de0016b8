//! The service APIs that anybody may discover, who is not onboarded: one document, which an operator writes.

use crate::{Document, Put, Sql, StoreError, documents};

/// The kind of the document.
const KIND: &str = "capif-open-apis";

/// The one that there is.
const ID: &str = "open-apis";

/// Makes or replaces the document.
///
/// # Errors
/// The engine's.
pub async fn put(tx: &mut dyn Sql, body: &str, at_ms: i64) -> Result<Put, StoreError> {
    documents::put(tx, KIND, ID, body, at_ms).await
}

/// The document; `None`: nobody has written one.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql) -> Result<Option<Document>, StoreError> {
    documents::find(tx, KIND, ID).await
}

/// Drops the document: what the configuration says counts again. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql) -> Result<bool, StoreError> {
    documents::delete(tx, KIND, ID).await
}
