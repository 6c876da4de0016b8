//! Resources of API exposing functions, as they tell the CAPIF core function of them (TR 33.721 6.3, step 4).

use std::fmt;

use crate::{Row, Sql, StoreError, params};

words! {
    /// What the owner of a resource is named by.
    OwnerKind {
        /// An API invoker.
        ApiInvoker = "api_invoker",
        /// A subscriber, by GPSI.
        Gpsi = "gpsi",
        /// Somebody of another issuer, by issuer and subject as JSON.
        Principal = "principal",
    }
}

/// An owner.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// What it is named by.
    pub kind: OwnerKind,
    /// Its name.
    pub name: String,
}

impl fmt::Debug for Owner {
    /// Without the name, which may be a person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRow {
    /// Its API exposing function.
    pub aef_id: String,
    /// The resource there.
    pub resource_id: String,
    /// What it is.
    pub resource_type: String,
    /// The service API that serves it.
    pub api_id: String,
    /// Its owner.
    pub owner: Owner,
    /// Of its policies; it only grows.
    pub policy_version: u64,
    /// The resource as JSON.
    pub body: String,
    /// First second at which it is over.
    pub expires_s: Option<i64>,
    /// Milliseconds since 1970.
    pub changed_ms: i64,
}

/// What became of a resource that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is new.
    Created,
    /// It replaces one with an older policy.
    Replaced,
    /// It is there as it was told.
    Same,
    /// There is one with a newer policy, or with another of the same version.
    Stale,
}

/// Which resources of an API exposing function [`page`] shows. An absent member matches all.
#[derive(Clone, Debug, Default)]
pub struct ResourceFilter {
    /// Of this owner.
    pub owner: Option<Owner>,
    /// Of this type.
    pub resource_type: Option<String>,
}

const COLUMNS: &str = "aef_id, resource_id, resource_type, api_id, owner_kind, owner, policy_version, body, expires_s, changed_ms";

/// Makes a resource, or replaces one whose policy is older.
///
/// # Errors
/// The engine's.
pub async fn put(tx: &mut dyn Sql, row: &ResourceRow) -> Result<Told, StoreError> {
    let insert = format!(
        "INSERT INTO capif_resource ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (aef_id, resource_id) DO NOTHING"
    );
    let params = params![
        &row.aef_id,
        &row.resource_id,
        &row.resource_type,
        &row.api_id,
        row.owner.kind.as_str(),
        &row.owner.name,
        row.policy_version,
        &row.body,
        row.expires_s,
        row.changed_ms,
    ];
    if tx.execute(&insert, &params).await? == 1 {
        return Ok(Told::Created);
    }
    let update = "UPDATE capif_resource SET resource_type = $3, api_id = $4, owner_kind = $5, owner = $6, \
                  policy_version = $7, body = $8, expires_s = $9, changed_ms = $10 \
                  WHERE aef_id = $1 AND resource_id = $2 AND policy_version < $7";
    if tx.execute(update, &params).await? == 1 {
        return Ok(Told::Replaced);
    }
    let same = held(tx, &row.aef_id, &row.resource_id).await?.is_some_and(|there| {
        there.policy_version == row.policy_version && there.body == row.body && there.owner == row.owner
    });
    Ok(if same { Told::Same } else { Told::Stale })
}

/// A resource.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, aef: &str, resource: &str) -> Result<Option<ResourceRow>, StoreError> {
    one(tx, aef, resource, "").await
}

/// A resource, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn held(tx: &mut dyn Sql, aef: &str, resource: &str) -> Result<Option<ResourceRow>, StoreError> {
    let lock = tx.dialect().for_update();
    one(tx, aef, resource, lock).await
}

async fn one(
    tx: &mut dyn Sql,
    aef: &str,
    resource: &str,
    lock: &str,
) -> Result<Option<ResourceRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM capif_resource WHERE aef_id = $1 AND resource_id = $2{lock}");
    tx.query_opt(&sql, &params![aef, resource]).await?.as_ref().map(of_row).transpose()
}

/// Up to `limit` resources of an API exposing function that fit, after a name, by name.
///
/// # Errors
/// The engine's.
pub async fn page(
    tx: &mut dyn Sql,
    aef: &str,
    filter: &ResourceFilter,
    after: &str,
    limit: u32,
) -> Result<Vec<ResourceRow>, StoreError> {
    let mut sql = format!("SELECT {COLUMNS} FROM capif_resource WHERE aef_id = $1 AND resource_id > $2");
    let mut params = params![aef, after].to_vec();
    if let Some(owner) = &filter.owner {
        params.extend(params![owner.kind.as_str(), &owner.name]);
        sql.push_str(&format!(" AND owner_kind = ${} AND owner = ${}", params.len() - 1, params.len()));
    }
    if let Some(resource_type) = &filter.resource_type {
        params.push(resource_type.into());
        sql.push_str(&format!(" AND resource_type = ${}", params.len()));
    }
    params.push(limit.into());
    sql.push_str(&format!(" ORDER BY resource_id LIMIT ${}", params.len()));
    tx.query(&sql, &params).await?.iter().map(of_row).collect()
}

/// Up to `limit` resources of an owner after a function and a name, by function and name: the profile of an owner
/// (TR 33.721 6.3, step 5).
///
/// # Errors
/// The engine's.
pub async fn of_owner(
    tx: &mut dyn Sql,
    owner: &Owner,
    (after_aef, after_resource): (&str, &str),
    limit: u32,
) -> Result<Vec<ResourceRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_resource WHERE owner_kind = $1 AND owner = $2 \
         AND (aef_id > $3 OR (aef_id = $3 AND resource_id > $4)) ORDER BY aef_id, resource_id LIMIT $5"
    );
    let params = params![owner.kind.as_str(), &owner.name, after_aef, after_resource, limit];
    tx.query(&sql, &params).await?.iter().map(of_row).collect()
}

/// Up to `limit` resources of any function behind a function and a name, by function and name; only those of this function
/// or of an owner of this name, where one is given.
///
/// # Errors
/// The engine's.
pub async fn every(
    tx: &mut dyn Sql,
    (aef, owner): (Option<&str>, Option<&str>),
    (after_aef, after_resource): (&str, &str),
    limit: u32,
) -> Result<Vec<ResourceRow>, StoreError> {
    let mut sql = format!(
        "SELECT {COLUMNS} FROM capif_resource WHERE (aef_id > $1 OR (aef_id = $1 AND resource_id > $2))"
    );
    let mut params = params![after_aef, after_resource].to_vec();
    for (column, value) in [("aef_id", aef), ("owner", owner)] {
        if let Some(value) = value {
            params.push(value.into());
            sql.push_str(&format!(" AND {column} = ${}", params.len()));
        }
    }
    params.push(limit.into());
    sql.push_str(&format!(" ORDER BY aef_id, resource_id LIMIT ${}", params.len()));
    tx.query(&sql, &params).await?.iter().map(of_row).collect()
}

/// Removes a resource with its owner's policies and questions. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, aef: &str, resource: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_resource WHERE aef_id = $1 AND resource_id = $2";
    Ok(tx.execute(sql, &params![aef, resource]).await? == 1)
}

/// Removes every resource of an API exposing function: its domain is gone. Which.
///
/// # Errors
/// The engine's.
pub async fn delete_aef(tx: &mut dyn Sql, aef: &str) -> Result<Vec<String>, StoreError> {
    let sql = "DELETE FROM capif_resource WHERE aef_id = $1 RETURNING resource_id";
    let rows = tx.query(sql, &params![aef]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Holds the resources of an owner until the job is kept; how many.
///
/// # Errors
/// The engine's.
pub async fn hold_owner(tx: &mut dyn Sql, owner: &Owner) -> Result<usize, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT resource_id FROM capif_resource WHERE owner_kind = $1 AND owner = $2 \
         ORDER BY aef_id, resource_id{lock}"
    );
    Ok(tx.query(&sql, &params![owner.kind.as_str(), &owner.name]).await?.len())
}

/// Removes up to `limit` resources of an owner, with their policies and questions: it is gone. Which.
///
/// # Errors
/// The engine's.
pub async fn delete_owner(
    tx: &mut dyn Sql,
    owner: &Owner,
    limit: u32,
) -> Result<Vec<ResourceRow>, StoreError> {
    let gone = of_owner(tx, owner, ("", ""), limit).await?;
    let keys: Vec<_> = gone.iter().map(|row| params![&row.aef_id, &row.resource_id].to_vec()).collect();
    tx.execute_many("DELETE FROM capif_resource WHERE aef_id = $1 AND resource_id = $2", &keys).await?;
    Ok(gone)
}

/// Up to `limit` resources that are over, the oldest first.
///
/// # Errors
/// The engine's.
pub async fn over(tx: &mut dyn Sql, now_s: i64, limit: u32) -> Result<Vec<ResourceRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT {COLUMNS} FROM capif_resource WHERE expires_s <= $1 ORDER BY expires_s, aef_id, resource_id \
         LIMIT $2{lock}"
    );
    tx.query(&sql, &params![now_s, limit]).await?.iter().map(of_row).collect()
}

pub(super) fn owner(kind: String, name: String) -> Result<Owner, StoreError> {
    Ok(Owner { kind: super::word(&kind, "owner_kind")?, name })
}

fn of_row(row: &Row) -> Result<ResourceRow, StoreError> {
    Ok(ResourceRow {
        aef_id: row.get(0)?,
        resource_id: row.get(1)?,
        resource_type: row.get(2)?,
        api_id: row.get(3)?,
        owner: owner(row.get(4)?, row.get(5)?)?,
        policy_version: row.get(6)?,
        body: row.get(7)?,
        expires_s: row.get(8)?,
        changed_ms: row.get(9)?,
    })
}
