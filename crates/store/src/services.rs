//! Services that tokens are for (contract section 5): a new spatial service is a row, not code.
//!
//! The body is the JSON of the admin API; what it means is decided elsewhere.

crate::documents::of_kind!("service");
