//! `CAPIF_Routing_Info` (TS 29.222 8.10; sheet 1.10): where invocations go that arrive at a function that hides the others.
//! That function reads it; it is written by the operator, for which TS 29.222 has no operation.

mod obtain;
mod provision;

use api_types::capif::routing::RoutingInfo;
use store::StoreError;
use store::capif::routing::RoutingRow;

pub(crate) use obtain::obtain;

/// The rules of a row.
///
/// # Errors
/// The row is damaged.
pub(crate) fn read(row: &RoutingRow) -> Result<RoutingInfo, StoreError> {
    serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("routing rules"))
}
