//! The certificates that were issued to a client, by their digests (RFC 8705 3.1), so that they end with it.

use authorization::revocation::Kind;
use service_http::feed::NewEntry;
use store::{Sql, StoreError, meta};

/// Remembers a certificate of a client.
pub(super) async fn note(tx: &mut dyn Sql, client: &str, x5t_s256: String) -> Result<(), StoreError> {
    let mut all = issued(tx, client).await?;
    if !all.contains(&x5t_s256) {
        all.push(x5t_s256);
    }
    let text = serde_json::to_string(&all).map_err(|_| StoreError::Damaged("certificates of a client"))?;
    meta::put(tx, &key(client), &text).await
}

/// Forgets the certificates of a client; the entries that revoke them.
pub(super) async fn end_all(tx: &mut dyn Sql, client: &str) -> Result<Vec<NewEntry>, StoreError> {
    let all = issued(tx, client).await?;
    if !all.is_empty() {
        meta::delete(tx, &key(client)).await?;
    }
    Ok(all.into_iter().map(|value| NewEntry { kind: Kind::Certificate, value, expires_s: None }).collect())
}

async fn issued(tx: &mut dyn Sql, client: &str) -> Result<Vec<String>, StoreError> {
    let Some(text) = meta::find(tx, &key(client)).await? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|_| StoreError::Damaged("certificates of a client"))
}

fn key(client: &str) -> String {
    format!("sim.certificates.{client}")
}
