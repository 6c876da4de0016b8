//! `CAPIF_Access_Control_Policy` (TS 29.222 8.6; sheet 1.8): how often and when an API invoker may use a service API. An
//! API exposing function reads it; it is written by the operator, for which TS 29.222 has no operation.

mod list;
mod provision;

use api_types::capif::ServiceApiId;
use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::publish::ServiceAPIDescription;
use store::capif::access_control::AccessControlRow;
use store::capif::service_apis;
use store::{Sql, StoreError};

use super::events::{ApiAt, aefs_of};
use super::published;

pub(crate) use list::list;

/// Stands for every API invoker that has no policy of its own, where one is provisioned. No API invoker is called so.
pub const EVERY_INVOKER: &str = "default";

/// The policies of API invokers by name; the one of all others has no place on the wire.
///
/// # Errors
/// A row is damaged.
pub(crate) fn of_rows(rows: &[AccessControlRow]) -> Result<Vec<ApiInvokerPolicy>, StoreError> {
    rows.iter().filter(|row| row.invoker_id.is_some()).map(read).collect()
}

fn read(row: &AccessControlRow) -> Result<ApiInvokerPolicy, StoreError> {
    serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("an access control policy"))
}

/// A service API as one of the functions that expose it has it; `None`: it is not published there.
///
/// # Errors
/// The store failed.
pub(crate) async fn exposed_at(
    tx: &mut dyn Sql,
    api: &str,
    aef: &str,
) -> Result<Option<(ServiceAPIDescription, ApiAt)>, StoreError> {
    let Some(row) = service_apis::find(tx, api).await? else { return Ok(None) };
    let description = published::read(&row)?;
    let aefs: Vec<_> =
        aefs_of(&description).into_iter().filter(|exposing| exposing.as_str() == aef).collect();
    let id = ServiceApiId::try_from(api);
    Ok(match id {
        Ok(api) if !aefs.is_empty() => Some((description, ApiAt { api, aefs })),
        _ => None,
    })
}
