//! Clients of the SIM-S, as registered (RFC 7591 names).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Row, Sql, StoreError, json};
use api_types::ids::{ClientId, ValServiceId};

/// What a client was registered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Kind of client, as `sim_c`, `val_server`, `function`.
    pub kind: String,
    /// `token_endpoint_auth_method` (RFC 7591, RFC 8705).
    pub auth: String,
    /// Redirection endpoints.
    pub redirect_uris: Vec<String>,
    /// Hosts that may be called back.
    pub callback_hosts: Vec<String>,
    /// Scopes that the client may ask for.
    pub scopes: Vec<String>,
    /// VAL services of the client.
    pub val_services: Vec<ValServiceId>,
    /// Public keys for `private_key_jwt`, as JSON text.
    pub jwks: Option<String>,
    /// `public` or `pairwise` (OpenID Connect Core 8).
    pub subject_type: String,
    /// Whether unbound tokens are issued.
    pub bearer: bool,
}

/// A client.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its name.
    pub client_id: ClientId,
    /// What it may do.
    pub registration: Registration,
    /// SHA-256 of its secret.
    pub secret_sha256: Option<Vec<u8>>,
    /// Counts the changes.
    pub version: i64,
}

impl fmt::Debug for ClientRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRecord")
            .field("client_id", &self.client_id)
            .field("registration", &self.registration)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str = "client_id, registration, secret_sha256, version";

fn record(row: &Row) -> Result<ClientRecord, StoreError> {
    let client_id: String = row.get(0)?;
    let registration: String = row.get(1)?;
    Ok(ClientRecord {
        client_id: json::id(client_id, "clients.client_id")?,
        registration: json::decode(&registration, "clients.registration")?,
        secret_sha256: row.get(2)?,
        version: row.get(3)?,
    })
}

/// The client of that name.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut dyn Sql, client_id: &str) -> Result<Option<ClientRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM clients WHERE client_id = $1");
    tx.query(&sql, &[client_id.into()]).await?.first().map(record).transpose()
}

/// Writes a client, new or changed, and returns its version.
///
/// # Errors
/// When the store fails.
pub async fn put(tx: &mut dyn Sql, client: &ClientRecord, now_s: i64) -> Result<i64, StoreError> {
    let registration = json::encode(&client.registration)?;
    let rows = tx
        .query(
            "INSERT INTO clients (client_id, registration, secret_sha256, version, changed_s)
             VALUES ($1, $2, $3, 1, $4)
             ON CONFLICT (client_id) DO UPDATE SET registration = excluded.registration,
               secret_sha256 = excluded.secret_sha256, version = clients.version + 1, changed_s = excluded.changed_s
             RETURNING version",
            &[
                client.client_id.as_str().into(),
                registration.into(),
                client.secret_sha256.clone().into(),
                now_s.into(),
            ],
        )
        .await?;
    rows.first().ok_or_else(|| json::corrupt("clients.version"))?.get(0)
}

/// Removes a client; `false` when there is none.
///
/// # Errors
/// When the store fails.
pub async fn delete(tx: &mut dyn Sql, client_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM clients WHERE client_id = $1", &[client_id.into()]).await? > 0)
}

/// Up to `limit` clients whose name follows `after`, by name.
///
/// # Errors
/// When the store fails.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: i64) -> Result<Vec<ClientRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM clients WHERE client_id > $1 ORDER BY client_id LIMIT $2");
    tx.query(&sql, &[after.into(), limit.into()]).await?.iter().map(record).collect()
}
