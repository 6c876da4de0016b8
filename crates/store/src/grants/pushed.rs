//! Pushed authorization requests (RFC 9126).

use crate::{Sql, StoreError};

/// A request that a client has pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRequest {
    /// SHA-256 of the `request_uri`.
    pub urn_hash: Vec<u8>,
    /// Who pushed it.
    pub client_id: String,
    /// The request, as JSON text.
    pub request: String,
    /// First second at which it is void.
    pub expires_s: i64,
}

/// Keeps a request.
///
/// # Errors
/// When the store fails.
pub async fn insert(tx: &mut dyn Sql, new: &PushedRequest) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO pushed_requests (urn_hash, client_id, request, expires_s) VALUES ($1, $2, $3, $4)",
        &[
            new.urn_hash.clone().into(),
            new.client_id.as_str().into(),
            new.request.as_str().into(),
            new.expires_s.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Takes out a request of that client, once, with the second at which it becomes void (RFC 9126 4).
///
/// # Errors
/// When the store fails.
pub async fn consume(
    tx: &mut dyn Sql,
    urn_hash: &[u8],
    client_id: &str,
) -> Result<Option<(String, i64)>, StoreError> {
    let rows = tx
        .query(
            "DELETE FROM pushed_requests WHERE urn_hash = $1 AND client_id = $2 RETURNING request, expires_s",
            &[urn_hash.into(), client_id.into()],
        )
        .await?;
    rows.first().map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}
