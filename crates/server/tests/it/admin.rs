//! The admin API (contract section 5) of a running program: what a write changes, and that it has changed when it is
//! answered.

mod accounts;
mod clock;
mod new_service;
mod records;
mod revocation;
mod rules;
