//! The admin API (contract section 5): mutual TLS, JSON, one file per family of routes.
//!
//! A process mounts the routes of the functions that it runs; a route of another function answers
//! `ROLE_NOT_HERE`. A write is recorded in the audit of `admin` and has taken effect when it is answered.

mod accounts;
mod audit;
mod bulk;
mod capif;
mod charging;
mod clock;
mod elsewhere;
mod enrolments;
mod everywhere;
mod health;
mod keys;
mod people;
mod policies;
mod positions;
mod query;
mod record;
mod revocations;
mod routes;
mod services;
mod state;
#[cfg(test)]
mod tests;
mod traces;
mod udm;
mod verifiers;
mod views;
mod walk;

pub use everywhere::reconcile;
pub use query::fuzz_filters;
pub use record::find_cut_off;
pub use routes::{ROUTES, router};
pub use state::{Admin, AdminParts};
