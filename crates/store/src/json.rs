//! Records that live as JSON text in one column, because nothing is ever searched in them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// A row does not hold what this version of the program writes.
pub(crate) fn corrupt(what: &'static str) -> StoreError {
    StoreError::Damaged(what)
}

/// Reads a column.
pub(crate) fn decode<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(what))
}

/// Writes a column.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| corrupt("JSON"))
}

/// Reads an identifier.
pub(crate) fn id<T: TryFrom<String>>(text: String, what: &'static str) -> Result<T, StoreError> {
    T::try_from(text).map_err(|_| corrupt(what))
}
