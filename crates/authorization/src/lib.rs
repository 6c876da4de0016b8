//! Decisions: who may do what, with the reason of each refusal. Pure: no IO, no clock, no HTTP status.
//!
//! A request passes the stages of [`Stage`] in their order and stops at the first refusal. Each module is one stage or
//! one record that a stage looks at; `service-http` puts them in a row and is the only place that turns a [`Reason`]
//! into an answer.

pub mod access_rules;
pub mod area;
pub mod caller;
pub mod capif;
pub mod check;
pub mod claims;
pub mod fuzz;
pub mod holder;
pub mod issuer_table;
pub mod parts;
pub mod policy;
mod reason;
pub mod revocation;
pub mod scope;
mod stage;
pub mod subject;
#[cfg(test)]
mod testing;
pub mod token;
pub mod user_consent;

pub use access_rules::{ClassSpec, Grant, Item, Match, Rules, Visibility};
pub use caller::{Caller, CallerKind, Principal};
pub use check::{Check, Verdict};
pub use claims::AccessClaims;
pub use issuer_table::{IssuerRow, IssuerTable};
pub use reason::{Reason, UnknownReason};
pub use scope::{Catalogue, ScopeSet};
pub use stage::Stage;
