//! Security contexts of API invokers (TS 29.222 5.6): a row for each service API at each API exposing function, so that the
//! end of one leaves the others.

use crate::sql::placeholders;
use crate::{Row, Sql, StoreError, Value, params};

/// A security context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextRow {
    /// Whose.
    pub invoker_id: String,
    /// What was asked for and answered, as JSON.
    pub body: String,
    /// Counts the changes.
    pub version: i64,
}

/// What was negotiated for one service API at one API exposing function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextEntry {
    /// The API exposing function.
    pub aef_id: String,
    /// The service API.
    pub api_id: String,
    /// Its name, as scopes have it.
    pub api_name: String,
    /// The security method that was chosen.
    pub method: String,
}

/// Whose entry is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The API invoker.
    pub invoker_id: String,
    /// What it was.
    pub entry: ContextEntry,
}

/// Writes a context, new or changed, its entries anew; its version.
///
/// # Errors
/// The engine's; an entry twice.
pub async fn put(
    tx: &mut dyn Sql,
    context: &ContextRow,
    entries: &[ContextEntry],
    now_s: i64,
) -> Result<i64, StoreError> {
    let invoker = &context.invoker_id;
    let sql = "INSERT INTO capif_context (invoker_id, body, version, created_s, changed_s) VALUES ($1, $2, 1, $3, $3) \
               ON CONFLICT (invoker_id) DO UPDATE SET body = excluded.body, changed_s = excluded.changed_s, \
               version = capif_context.version + 1 RETURNING version";
    let version = tx.query_one(sql, &params![invoker, &context.body, now_s]).await?.get(0)?;
    tx.execute("DELETE FROM capif_context_entry WHERE invoker_id = $1", &params![invoker]).await?;
    let rows: Vec<_> = entries
        .iter()
        .map(|ContextEntry { aef_id, api_id, api_name, method }| {
            params![invoker, aef_id, api_id, api_name, method].to_vec()
        })
        .collect();
    let insert = "INSERT INTO capif_context_entry (invoker_id, aef_id, api_id, api_name, method) \
                  VALUES ($1, $2, $3, $4, $5)";
    tx.execute_many(insert, &rows).await?;
    Ok(version)
}

/// Writes the JSON of a context and leaves its entries. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn put_body(tx: &mut dyn Sql, invoker: &str, body: &str, now_s: i64) -> Result<bool, StoreError> {
    let sql =
        "UPDATE capif_context SET body = $2, changed_s = $3, version = version + 1 WHERE invoker_id = $1";
    Ok(tx.execute(sql, &params![invoker, body, now_s]).await? == 1)
}

/// The context of an API invoker.
///
/// # Errors
/// The engine's.
pub async fn find(tx: &mut dyn Sql, invoker: &str) -> Result<Option<ContextRow>, StoreError> {
    context(tx, invoker, "").await
}

/// The context of an API invoker, held until the job is kept.
///
/// # Errors
/// The engine's.
pub async fn held(tx: &mut dyn Sql, invoker: &str) -> Result<Option<ContextRow>, StoreError> {
    let lock = tx.dialect().for_update();
    context(tx, invoker, lock).await
}

async fn context(tx: &mut dyn Sql, invoker: &str, lock: &str) -> Result<Option<ContextRow>, StoreError> {
    let sql = format!("SELECT invoker_id, body, version FROM capif_context WHERE invoker_id = $1{lock}");
    let Some(row) = tx.query_opt(&sql, &params![invoker]).await? else { return Ok(None) };
    Ok(Some(ContextRow { invoker_id: row.get(0)?, body: row.get(1)?, version: row.get(2)? }))
}

/// Up to `limit` contexts whose API invoker follows `after`, by API invoker.
///
/// # Errors
/// The engine's.
pub async fn page(tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<ContextRow>, StoreError> {
    let sql = "SELECT invoker_id, body, version FROM capif_context WHERE invoker_id > $1 ORDER BY invoker_id LIMIT $2";
    let of_row =
        |row: &Row| Ok(ContextRow { invoker_id: row.get(0)?, body: row.get(1)?, version: row.get(2)? });
    tx.query(sql, &params![after, limit]).await?.iter().map(of_row).collect()
}

/// The entries of an API invoker, by function and service API.
///
/// # Errors
/// The engine's.
pub async fn entries(tx: &mut dyn Sql, invoker: &str) -> Result<Vec<ContextEntry>, StoreError> {
    let sql = "SELECT aef_id, api_id, api_name, method FROM capif_context_entry WHERE invoker_id = $1 \
               ORDER BY aef_id, api_id";
    tx.query(sql, &params![invoker]).await?.iter().map(|row| entry(row, 0)).collect()
}

/// The entries of an API invoker at one API exposing function, by service API.
///
/// # Errors
/// The engine's.
pub async fn entries_at(tx: &mut dyn Sql, invoker: &str, aef: &str) -> Result<Vec<ContextEntry>, StoreError> {
    let sql = "SELECT aef_id, api_id, api_name, method FROM capif_context_entry \
               WHERE invoker_id = $1 AND aef_id = $2 ORDER BY api_id";
    tx.query(sql, &params![invoker, aef]).await?.iter().map(|row| entry(row, 0)).collect()
}

/// Ends one entry. `false`: there is none. Others stay.
///
/// # Errors
/// The engine's.
pub async fn remove_entry(tx: &mut dyn Sql, invoker: &str, aef: &str, api: &str) -> Result<bool, StoreError> {
    let which = "invoker_id = $1 AND aef_id = $2 AND api_id = $3";
    Ok(!end(tx, which, &params![invoker, aef, api]).await?.is_empty())
}

/// Ends the entries of an API invoker for these service APIs at an API exposing function; those that were there.
///
/// # Errors
/// The engine's.
pub async fn remove_entries(
    tx: &mut dyn Sql,
    invoker: &str,
    aef: &str,
    apis: &[String],
) -> Result<Vec<ContextEntry>, StoreError> {
    if apis.is_empty() {
        return Ok(Vec::new());
    }
    let mut params = params![invoker, aef].to_vec();
    let names = placeholders(&mut params, apis.iter().map(Value::from));
    let which = format!("invoker_id = $1 AND aef_id = $2 AND api_id IN ({names})");
    Ok(end(tx, &which, &params).await?.into_iter().map(|gone| gone.entry).collect())
}

/// Ends every entry of an API invoker at an API exposing function; those that were there.
///
/// # Errors
/// The engine's.
pub async fn remove_at(tx: &mut dyn Sql, invoker: &str, aef: &str) -> Result<Vec<ContextEntry>, StoreError> {
    let gone = end(tx, "invoker_id = $1 AND aef_id = $2", &params![invoker, aef]).await?;
    Ok(gone.into_iter().map(|gone| gone.entry).collect())
}

/// Ends every entry for a service API, of any API invoker: it was unpublished.
///
/// # Errors
/// The engine's.
pub async fn remove_api(tx: &mut dyn Sql, api: &str) -> Result<Vec<Gone>, StoreError> {
    end(tx, "api_id = $1", &params![api]).await
}

/// Ends every entry for a service API at an API exposing function, of any API invoker: it is not there any more.
///
/// # Errors
/// The engine's.
pub async fn remove_api_at(tx: &mut dyn Sql, aef: &str, api: &str) -> Result<Vec<Gone>, StoreError> {
    end(tx, "aef_id = $1 AND api_id = $2", &params![aef, api]).await
}

/// Ends every entry at an API exposing function, of any API invoker: its domain is gone.
///
/// # Errors
/// The engine's.
pub async fn remove_aef(tx: &mut dyn Sql, aef: &str) -> Result<Vec<Gone>, StoreError> {
    end(tx, "aef_id = $1", &params![aef]).await
}

/// Removes a whole context. `false`: there is none.
///
/// # Errors
/// The engine's.
pub async fn delete(tx: &mut dyn Sql, invoker: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM capif_context WHERE invoker_id = $1", &params![invoker]).await? == 1)
}

/// Deletes entries and counts the change at each context.
async fn end(tx: &mut dyn Sql, which: &str, params: &[Value]) -> Result<Vec<Gone>, StoreError> {
    let sql = format!(
        "DELETE FROM capif_context_entry WHERE {which} RETURNING invoker_id, aef_id, api_id, api_name, method"
    );
    let rows = tx.query(&sql, params).await?;
    let gone = |row: &Row| Ok(Gone { invoker_id: row.get(0)?, entry: entry(row, 1)? });
    let mut gone = rows.iter().map(gone).collect::<Result<Vec<_>, StoreError>>()?;
    // The engines return rows in no order. Locks are taken in the order of the names, so that no two jobs wait for each
    // other.
    let key = |gone: &Gone| (gone.invoker_id.clone(), gone.entry.aef_id.clone(), gone.entry.api_id.clone());
    gone.sort_by_cached_key(key);
    let mut changed: Vec<&String> = gone.iter().map(|gone| &gone.invoker_id).collect();
    changed.dedup();
    let rows: Vec<_> = changed.into_iter().map(|invoker| params![invoker].to_vec()).collect();
    tx.execute_many("UPDATE capif_context SET version = version + 1 WHERE invoker_id = $1", &rows).await?;
    Ok(gone)
}

/// The entry whose columns begin at `first`.
fn entry(row: &Row, first: usize) -> Result<ContextEntry, StoreError> {
    Ok(ContextEntry {
        aef_id: row.get(first)?,
        api_id: row.get(first + 1)?,
        api_name: row.get(first + 2)?,
        method: row.get(first + 3)?,
    })
}
