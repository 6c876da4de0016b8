//! Leases of verifiers, as rows that every node of an issuer shares (design section 2, "Revocation").

use crate::{Row, Sql, StoreError, params};

/// What one verifier holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The issuer, by url.
    pub issuer: String,
    /// Who verifies.
    pub verifier: String,
    /// Which process of it.
    pub node: String,
    /// The epoch up to which it knows every revocation.
    pub confirmed: u64,
    /// Until when it may accept tokens, in milliseconds since 1970.
    pub lease_until_ms: i64,
}

/// Begins or renews a lease.
///
/// An older renewal that arrives late never shortens the lease that an issuer waits for; the epoch is the one named last,
/// since a verifier that began anew may know less than before.
///
/// # Errors
/// The engine's.
pub async fn renew(tx: &mut dyn Sql, lease: &LeaseRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO leases (issuer, verifier, node, confirmed, lease_until_ms) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (issuer, verifier, node) DO UPDATE SET confirmed = excluded.confirmed, \
               lease_until_ms = CASE WHEN excluded.lease_until_ms > leases.lease_until_ms \
               THEN excluded.lease_until_ms ELSE leases.lease_until_ms END";
    let LeaseRow { issuer, verifier, node, confirmed, lease_until_ms } = lease;
    tx.execute(sql, &params![issuer, verifier, node, *confirmed, *lease_until_ms]).await?;
    Ok(())
}

/// Every lease of an issuer, those that have run out included.
///
/// # Errors
/// The engine's.
pub async fn holders(tx: &mut dyn Sql, issuer: &str) -> Result<Vec<LeaseRow>, StoreError> {
    let sql = "SELECT issuer, verifier, node, confirmed, lease_until_ms FROM leases WHERE issuer = $1 \
               ORDER BY verifier, node";
    tx.query(sql, &params![issuer]).await?.iter().map(record).collect()
}

/// Drops leases that ran out before a time, at most `limit`; how many.
///
/// # Errors
/// The engine's.
pub async fn purge(tx: &mut dyn Sql, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM leases WHERE (issuer, verifier, node) IN \
               (SELECT issuer, verifier, node FROM leases WHERE lease_until_ms < $1 LIMIT $2)";
    tx.execute(sql, &params![before_ms, limit]).await
}

fn record(row: &Row) -> Result<LeaseRow, StoreError> {
    Ok(LeaseRow {
        issuer: row.get(0)?,
        verifier: row.get(1)?,
        node: row.get(2)?,
        confirmed: row.get(3)?,
        lease_until_ms: row.get(4)?,
    })
}
