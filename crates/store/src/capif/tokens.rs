//! Which access tokens are out, and what they name, so that a withdrawal finds them. The tokens themselves are not kept.

use super::resources::Owner;
use crate::{Sql, StoreError, Value, params};

/// An access token that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its identifier.
    pub jti: String,
    /// Whose it is.
    pub invoker_id: String,
    /// The API exposing function that it is for.
    pub aef_id: String,
    /// The names of the service APIs that its scope has there.
    pub apis: Vec<String>,
    /// The resources that its details name there.
    pub resources: Vec<String>,
    /// The permission of a resource owner that it rests on.
    pub permission: Option<String>,
    /// First second at which nobody accepts it any more.
    pub expires_s: i64,
}

/// Notes a token, in the transaction that issues it.
///
/// # Errors
/// The engine's; a service API or resource twice.
pub async fn insert(tx: &mut dyn Sql, row: &TokenRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO capif_token (jti, invoker_id, permission, expires_s) VALUES ($1, $2, $3, $4)";
    let params = params![&row.jti, &row.invoker_id, row.permission.as_ref(), row.expires_s];
    tx.execute(sql, &params).await?;
    add_apis(tx, &row.jti, &row.aef_id, &row.apis).await?;
    let rows: Vec<_> =
        row.resources.iter().map(|resource| params![&row.jti, &row.aef_id, resource].to_vec()).collect();
    let sql = "INSERT INTO capif_token_resource (jti, aef_id, resource_id) VALUES ($1, $2, $3)";
    tx.execute_many(sql, &rows).await.map(drop)
}

/// Notes service APIs at a further API exposing function that a token is for.
///
/// # Errors
/// The engine's; a service API twice.
pub async fn add_apis(tx: &mut dyn Sql, jti: &str, aef: &str, apis: &[String]) -> Result<(), StoreError> {
    let rows: Vec<_> = apis.iter().map(|api| params![jti, aef, api].to_vec()).collect();
    let sql = "INSERT INTO capif_token_api (jti, aef_id, api_name) VALUES ($1, $2, $3)";
    tx.execute_many(sql, &rows).await.map(drop)
}

/// The tokens of an API invoker that live at `now_s`, by `jti`.
///
/// # Errors
/// The engine's.
pub async fn of_invoker(tx: &mut dyn Sql, invoker: &str, now_s: i64) -> Result<Vec<String>, StoreError> {
    select(tx, "invoker_id = $2", &params![now_s, invoker]).await
}

/// Up to `limit` tokens of an API invoker that live at `now_s`, those that live longest first, with what they name. A token
/// for several functions is told as one for the first.
///
/// # Errors
/// The engine's.
pub async fn described(
    tx: &mut dyn Sql,
    invoker: &str,
    now_s: i64,
    limit: u32,
) -> Result<Vec<TokenRow>, StoreError> {
    let sql = "SELECT jti, permission, expires_s FROM capif_token WHERE invoker_id = $1 AND expires_s > $2 \
               ORDER BY expires_s DESC, jti LIMIT $3";
    let mut tokens = Vec::new();
    for row in tx.query(sql, &params![invoker, now_s, limit]).await? {
        let jti: String = row.get(0)?;
        let apis = "SELECT aef_id, api_name FROM capif_token_api WHERE jti = $1 ORDER BY aef_id, api_name";
        let apis = tx.query(apis, &params![&jti]).await?;
        let aef_id = apis.first().map(|row| row.get(0)).transpose()?.unwrap_or_default();
        let resources = "SELECT resource_id FROM capif_token_resource WHERE jti = $1 ORDER BY resource_id";
        let resources = tx.query(resources, &params![&jti]).await?;
        tokens.push(TokenRow {
            jti,
            invoker_id: invoker.to_owned(),
            aef_id,
            apis: apis.iter().map(|row| row.get(1)).collect::<Result<_, _>>()?,
            resources: resources.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?,
            permission: row.get(1)?,
            expires_s: row.get(2)?,
        });
    }
    Ok(tokens)
}

/// The tokens of an API invoker for an API exposing function that live at `now_s`.
///
/// # Errors
/// The engine's.
pub async fn of_invoker_at(
    tx: &mut dyn Sql,
    invoker: &str,
    aef: &str,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    let which = "invoker_id = $2 AND jti IN (SELECT jti FROM capif_token_api WHERE aef_id = $3)";
    select(tx, which, &params![now_s, invoker, aef]).await
}

/// The tokens of an API invoker that name a service API at an API exposing function and live at `now_s`.
///
/// # Errors
/// The engine's.
pub async fn of_api(
    tx: &mut dyn Sql,
    invoker: &str,
    aef: &str,
    api_name: &str,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    let which =
        "invoker_id = $2 AND jti IN (SELECT jti FROM capif_token_api WHERE aef_id = $3 AND api_name = $4)";
    select(tx, which, &params![now_s, invoker, aef, api_name]).await
}

/// The tokens of anybody that name a service API at an API exposing function and live at `now_s`.
///
/// # Errors
/// The engine's.
pub async fn of_any(
    tx: &mut dyn Sql,
    aef: &str,
    api_name: &str,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    let which = "jti IN (SELECT jti FROM capif_token_api WHERE aef_id = $2 AND api_name = $3)";
    select(tx, which, &params![now_s, aef, api_name]).await
}

/// The tokens of anybody for an API exposing function that live at `now_s`.
///
/// # Errors
/// The engine's.
pub async fn of_aef(tx: &mut dyn Sql, aef: &str, now_s: i64) -> Result<Vec<String>, StoreError> {
    select(tx, "jti IN (SELECT jti FROM capif_token_api WHERE aef_id = $2)", &params![now_s, aef]).await
}

/// The tokens of anybody that name a resource and live at `now_s`.
///
/// # Errors
/// The engine's.
pub async fn of_resource(
    tx: &mut dyn Sql,
    aef: &str,
    resource: &str,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    let which = "jti IN (SELECT jti FROM capif_token_resource WHERE aef_id = $2 AND resource_id = $3)";
    select(tx, which, &params![now_s, aef, resource]).await
}

/// The tokens that name a resource and live at `now_s`, but for those of one API invoker: its owner.
///
/// # Errors
/// The engine's.
pub async fn of_resource_but(
    tx: &mut dyn Sql,
    (aef, resource): (&str, &str),
    invoker: &str,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    let which = "invoker_id <> $4 AND jti IN \
                 (SELECT jti FROM capif_token_resource WHERE aef_id = $2 AND resource_id = $3)";
    select(tx, which, &params![now_s, aef, resource, invoker]).await
}

/// The tokens of anybody that name a resource of an owner and live at `now_s`.
///
/// # Errors
/// The engine's.
pub async fn of_owner(tx: &mut dyn Sql, owner: &Owner, now_s: i64) -> Result<Vec<String>, StoreError> {
    let which = "jti IN (SELECT t.jti FROM capif_token_resource t JOIN capif_resource r \
                 ON r.aef_id = t.aef_id AND r.resource_id = t.resource_id \
                 WHERE r.owner_kind = $2 AND r.owner = $3)";
    select(tx, which, &params![now_s, owner.kind.as_str(), &owner.name]).await
}

/// The tokens that rest on a permission and live at `now_s`.
///
/// # Errors
/// The engine's.
pub async fn of_permission(
    tx: &mut dyn Sql,
    permission: &str,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    select(tx, "permission = $2", &params![now_s, permission]).await
}

/// Forgets a token. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, jti: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM capif_token WHERE jti = $1", &params![jti]).await? == 1)
}

/// Drops at most `limit` tokens that ended before `before_s`; how many.
///
/// # Errors
/// The engine's.
pub async fn purge(tx: &mut dyn Sql, before_s: i64, limit: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM capif_token WHERE jti IN \
               (SELECT jti FROM capif_token WHERE expires_s < $1 ORDER BY expires_s LIMIT $2)";
    tx.execute(sql, &params![before_s, limit]).await
}

async fn select(tx: &mut dyn Sql, which: &str, params: &[Value]) -> Result<Vec<String>, StoreError> {
    let sql = format!("SELECT jti FROM capif_token WHERE expires_s > $1 AND {which} ORDER BY jti");
    tx.query(&sql, params).await?.iter().map(|row| row.get(0)).collect()
}
