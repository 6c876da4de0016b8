//! Operator and regulatory policies (contract section 5), versioned.
//!
//! The body is the JSON of the admin API; what it means is decided elsewhere.

crate::documents::of_kind!("policy");
