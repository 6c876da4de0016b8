//! Certificates of the CAPIF core function: who a peer is, is what its row says, never what stands in the certificate.

use crate::{Row, Sql, StoreError, Value, params};

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// SHA-256 of the certificate as in `x5t#S256` (RFC 8705 3.1).
    pub x5t_s256: String,
    /// What its holder is: `invoker`, `aef`, `apf`, `amf`.
    pub role: String,
    /// Who its holder is.
    pub principal: String,
    /// The registration of the domain that the holder belongs to; of an API invoker, itself.
    pub registration: String,
    /// Last second at which it counts.
    pub not_after_s: i64,
    /// When it was revoked.
    pub revoked_s: Option<i64>,
}

impl CertificateRow {
    /// Whether it counts at `now_s`.
    #[must_use]
    pub fn counts(&self, now_s: i64) -> bool {
        self.revoked_s.is_none() && now_s <= self.not_after_s
    }
}

const COLUMNS: &str = "x5t_s256, role, principal, registration, not_after_s, revoked_s";

/// Adds a certificate.
///
/// # Errors
/// The engine's.
pub async fn insert(tx: &mut dyn Sql, row: &CertificateRow) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO capif_certificate ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)");
    let CertificateRow { x5t_s256, role, principal, registration, not_after_s, revoked_s } = row;
    let params = params![x5t_s256, role, principal, registration, *not_after_s, *revoked_s];
    tx.execute(&sql, &params).await.map(drop)
}

/// The certificate with this thumbprint, revoked or over as it may be.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, x5t_s256: &str) -> Result<Option<CertificateRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM capif_certificate WHERE x5t_s256 = $1");
    tx.query_opt(&sql, &params![x5t_s256]).await?.as_ref().map(of_row).transpose()
}

/// Those of one principal, the one that lasts longest first.
///
/// # Errors
/// The engine's.
pub async fn of_principal(tx: &mut dyn Sql, principal: &str) -> Result<Vec<CertificateRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_certificate WHERE principal = $1 ORDER BY not_after_s DESC, x5t_s256"
    );
    tx.query(&sql, &params![principal]).await?.iter().map(of_row).collect()
}

/// The thumbprints of one principal that count at `now_s`, the one that lasts longest first.
///
/// # Errors
/// The engine's.
pub async fn live_of(tx: &mut dyn Sql, principal: &str, now_s: i64) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT x5t_s256 FROM capif_certificate WHERE principal = $1 AND revoked_s IS NULL \
               AND not_after_s >= $2 ORDER BY not_after_s DESC, x5t_s256";
    tx.query(sql, &params![principal, now_s]).await?.iter().map(|row| row.get(0)).collect()
}

/// Those of one registration, by principal.
///
/// # Errors
/// The engine's.
pub async fn of_registration(
    tx: &mut dyn Sql,
    registration: &str,
) -> Result<Vec<CertificateRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_certificate WHERE registration = $1 ORDER BY principal, x5t_s256"
    );
    tx.query(&sql, &params![registration]).await?.iter().map(of_row).collect()
}

/// Revokes one. `false`: there is none, or it was revoked before.
///
/// # Errors
/// The engine's.
pub async fn revoke(tx: &mut dyn Sql, x5t_s256: &str, now_s: i64) -> Result<bool, StoreError> {
    Ok(!revoke_where(tx, "x5t_s256", &params![now_s, x5t_s256]).await?.is_empty())
}

/// Revokes all of a principal; the thumbprints of those that were not revoked before.
///
/// # Errors
/// The engine's.
pub async fn revoke_of(tx: &mut dyn Sql, principal: &str, now_s: i64) -> Result<Vec<String>, StoreError> {
    revoke_where(tx, "principal", &params![now_s, principal]).await
}

/// Revokes all of a registration; the thumbprints of those that were not revoked before.
///
/// # Errors
/// The engine's.
pub async fn revoke_registration(
    tx: &mut dyn Sql,
    registration: &str,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    revoke_where(tx, "registration", &params![now_s, registration]).await
}

/// Forgets those that ended before `before_s`: no handshake accepts them any more.
///
/// # Errors
/// The engine's.
pub async fn purge(tx: &mut dyn Sql, before_s: i64) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM capif_certificate WHERE not_after_s < $1", &params![before_s]).await
}

async fn revoke_where(tx: &mut dyn Sql, column: &str, params: &[Value]) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "UPDATE capif_certificate SET revoked_s = $1 WHERE revoked_s IS NULL AND {column} = $2 RETURNING x5t_s256"
    );
    let rows = tx.query(&sql, params).await?;
    let mut revoked = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()?;
    revoked.sort_unstable();
    Ok(revoked)
}

fn of_row(row: &Row) -> Result<CertificateRow, StoreError> {
    Ok(CertificateRow {
        x5t_s256: row.get(0)?,
        role: row.get(1)?,
        principal: row.get(2)?,
        registration: row.get(3)?,
        not_after_s: row.get(4)?,
        revoked_s: row.get(5)?,
    })
}
