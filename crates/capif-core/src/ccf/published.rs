//! What is published, as descriptions.

use api_types::capif::publish::ServiceAPIDescription;
use store::capif::service_apis::{self, ServiceApiRow};
use store::{Sql, StoreError};

/// The description of a row.
///
/// # Errors
/// The row is damaged.
pub(crate) fn read(row: &ServiceApiRow) -> Result<ServiceAPIDescription, StoreError> {
    serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("service API"))
}

/// Those at one API exposing function.
///
/// # Errors
/// The store fails.
pub(crate) async fn of_aef(tx: &mut dyn Sql, aef: &str) -> Result<Vec<ServiceAPIDescription>, StoreError> {
    service_apis::of_aef(tx, aef).await?.iter().map(read).collect()
}

/// Those of a name.
///
/// # Errors
/// The store fails.
pub(crate) async fn of_name(tx: &mut dyn Sql, name: &str) -> Result<Vec<ServiceAPIDescription>, StoreError> {
    service_apis::of_name(tx, name).await?.iter().map(read).collect()
}
