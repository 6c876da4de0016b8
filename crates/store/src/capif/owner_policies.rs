//! Policies that an owner has set at the CAPIF core function itself, beside those of the API exposing function.

use super::resources::{self, Owner};
use crate::{Sql, StoreError, params};

/// An owner's policies for one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerPolicyRow {
    /// Who set them. They count only as long as the resource is that owner's.
    pub owner: Owner,
    /// The policies as JSON.
    pub body: String,
    /// Counts the changes.
    pub version: u64,
}

/// Makes or replaces the policies of a resource that is there; their version.
///
/// # Errors
/// The engine's; there is no such resource.
pub async fn put(
    tx: &mut dyn Sql,
    (aef, resource): (&str, &str),
    owner: &Owner,
    body: &str,
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO capif_owner_policy (aef_id, resource_id, owner_kind, owner, body, version) \
               VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (aef_id, resource_id) DO UPDATE SET \
               owner_kind = excluded.owner_kind, owner = excluded.owner, body = excluded.body, \
               version = capif_owner_policy.version + 1 RETURNING version";
    let params = params![aef, resource, owner.kind.as_str(), &owner.name, body];
    tx.query_one(sql, &params).await?.get(0)
}

/// The policies of a resource.
///
/// # Errors
/// The engine's.
pub async fn find(
    tx: &mut dyn Sql,
    (aef, resource): (&str, &str),
) -> Result<Option<OwnerPolicyRow>, StoreError> {
    let sql = "SELECT owner_kind, owner, body, version FROM capif_owner_policy \
               WHERE aef_id = $1 AND resource_id = $2";
    let Some(row) = tx.query_opt(sql, &params![aef, resource]).await? else {
        return Ok(None);
    };
    let owner = resources::owner(row.get(0)?, row.get(1)?)?;
    Ok(Some(OwnerPolicyRow { owner, body: row.get(2)?, version: row.get(3)? }))
}

/// Drops the policies of a resource. `false`: there are none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, (aef, resource): (&str, &str)) -> Result<bool, StoreError> {
    let sql = "DELETE FROM capif_owner_policy WHERE aef_id = $1 AND resource_id = $2";
    Ok(tx.execute(sql, &params![aef, resource]).await? == 1)
}
