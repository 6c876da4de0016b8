//! Who is behind a GPSI, and what is left out about them.

use api_types::admin::Privacy;
use api_types::ids::{ExternalId, Gpsi, Supi};

use crate::json::{decode, encode, id};
use crate::{Row, Sql, StoreError, params};

/// A subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberRow {
    /// SUPI. Stays in the core.
    pub supi: Supi,
    /// GPSI.
    pub gpsi: Gpsi,
    /// External identifier.
    pub external_id: Option<ExternalId>,
    /// Raised by each change of what is consented to.
    pub version: u64,
    /// When that last changed.
    pub changed_s: i64,
    /// What is left out or made coarser.
    pub privacy: Privacy,
    /// Raised by each change of that.
    pub privacy_version: u64,
}

/// What became of a subscriber that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// New.
    Created,
    /// Known; its external identifier is the one given now.
    Kept,
    /// GPSI, SUPI or external identifier belong to another subscriber.
    Taken,
}

const COLUMNS: &str = "supi, gpsi, external_id, version, changed_s, privacy, privacy_version";

/// How an external identifier is spelt as a GPSI (TS 29.571).
const EXTID: &str = "extid-";

/// Keeps who is behind a GPSI. A GPSI never moves to another SUPI.
/// An external identifier is kept without the `extid-` by which it is a GPSI.
///
/// # Errors
/// The engine's.
pub async fn put(
    tx: &mut dyn Sql,
    (gpsi, supi): (&Gpsi, &Supi),
    external_id: Option<&ExternalId>,
    now_s: i64,
) -> Result<Put, StoreError> {
    let external = external_id.map(|id| {
        let text = id.as_str();
        text.strip_prefix(EXTID).unwrap_or(text).to_owned()
    });
    let sql = "SELECT supi, gpsi FROM udm_subscriber WHERE supi = $1 OR gpsi = $2 OR external_id = $3";
    let known = tx.query(sql, &params![supi.as_str(), gpsi.as_str(), external.as_ref()]).await?;
    for row in &known {
        let (its_supi, its_gpsi): (String, String) = (row.get(0)?, row.get(1)?);
        if its_supi != supi.as_str() || its_gpsi != gpsi.as_str() {
            return Ok(Put::Taken);
        }
    }
    if known.is_empty() {
        let sql = format!("INSERT INTO udm_subscriber ({COLUMNS}) VALUES ($1, $2, $3, 0, $4, $5, 0)");
        let privacy = encode(&Privacy::default())?;
        tx.execute(&sql, &params![supi.as_str(), gpsi.as_str(), external.as_ref(), now_s, privacy]).await?;
        return Ok(Put::Created);
    }
    let sql = "UPDATE udm_subscriber SET external_id = $2 WHERE supi = $1";
    tx.execute(sql, &params![supi.as_str(), external.as_ref()]).await?;
    Ok(Put::Kept)
}

/// The subscriber of a GPSI, which may be spelt as an external identifier.
///
/// # Errors
/// The engine's.
pub async fn by_gpsi(tx: &mut dyn Sql, gpsi: &str) -> Result<Option<SubscriberRow>, StoreError> {
    let external = gpsi.strip_prefix(EXTID).unwrap_or_default();
    let sql = format!(
        "SELECT {COLUMNS} FROM udm_subscriber WHERE gpsi = $1 OR (external_id = $2 AND $2 <> '') ORDER BY supi LIMIT 1"
    );
    tx.query_opt(&sql, &params![gpsi, external]).await?.as_ref().map(of_row).transpose()
}

/// The subscriber of a SUPI.
///
/// # Errors
/// The engine's.
pub async fn by_supi(tx: &mut dyn Sql, supi: &str) -> Result<Option<SubscriberRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM udm_subscriber WHERE supi = $1");
    tx.query_opt(&sql, &params![supi]).await?.as_ref().map(of_row).transpose()
}

/// Subscribers after a GPSI, in order.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<SubscriberRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM udm_subscriber WHERE gpsi > $1 ORDER BY gpsi LIMIT $2");
    tx.query(&sql, &params![after, limit]).await?.iter().map(of_row).collect()
}

/// Keeps what is left out about a subscriber; the version of that.
///
/// # Errors
/// The engine's.
pub async fn set_privacy(tx: &mut dyn Sql, supi: &Supi, privacy: &Privacy) -> Result<u64, StoreError> {
    let sql = "UPDATE udm_subscriber SET privacy = $2, privacy_version = privacy_version + 1 WHERE supi = $1 \
               RETURNING privacy_version";
    let version: i64 = tx.query_one(sql, &params![supi.as_str(), encode(privacy)?]).await?.get(0)?;
    Ok(version.unsigned_abs())
}

fn of_row(row: &Row) -> Result<SubscriberRow, StoreError> {
    const WHAT: &str = "a subscriber";
    let external: Option<String> = row.get(2)?;
    let (version, privacy_version): (i64, i64) = (row.get(3)?, row.get(6)?);
    Ok(SubscriberRow {
        supi: id(row.get(0)?, WHAT)?,
        gpsi: id(row.get(1)?, WHAT)?,
        external_id: external.map(|text| id(text, WHAT)).transpose()?,
        version: version.unsigned_abs(),
        changed_s: row.get(4)?,
        privacy: decode(&row.get::<String>(5)?, WHAT)?,
        privacy_version: privacy_version.unsigned_abs(),
    })
}
