//! Hosts that a client has registered for callbacks (`callbackHosts` of the admin interface).

use crate::{Sql, StoreError, params};

/// Replaces the hosts of a client; no host drops it.
///
/// # Errors
/// The engine's.
pub async fn put(tx: &mut dyn Sql, client_id: &str, hosts: &[String]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM client_host WHERE client_id = $1", &params![client_id]).await?;
    let rows: Vec<_> = hosts.iter().map(|host| params![client_id, host].to_vec()).collect();
    let sql = "INSERT INTO client_host (client_id, host) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute_many(sql, &rows).await?;
    Ok(())
}

/// The hosts of a client, in their order.
///
/// # Errors
/// The engine's.
pub async fn of_client(tx: &mut dyn Sql, client_id: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT host FROM client_host WHERE client_id = $1 ORDER BY host";
    tx.query(sql, &params![client_id]).await?.iter().map(|row| row.get(0)).collect()
}
