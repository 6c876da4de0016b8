//! The types that travel on the wire, and nothing else: no clock, no storage, no HTTP framework, no decision.
//!
//! One file per record or operation. Names are those of the sources: TS 29.122, TS 29.437, TS 29.549, TS 24.550,
//! TS 29.571, TS 29.572, TS 29.222, RFC 6749, RFC 8414, RFC 9728. Types of requests have a `validate` that lists every fault with
//! the JSON Pointer of the member; its text never repeats what was sent.

#[macro_use]
mod open_enum;
#[macro_use]
pub mod ids;
pub mod lm;

pub mod admin;
pub mod bulk;
pub mod callback;
pub mod capif;
pub mod common_data;
pub mod date_time;
pub mod faces;
pub mod function;
pub mod fuzz;
pub mod geo;
pub mod idm;
pub mod merge_patch;
pub mod nudm_sdm;
pub mod oauth;
pub mod problem;
pub mod query;
pub mod san;
pub mod secret;
pub mod sm;
pub mod strict_json;
pub mod validate;

pub use date_time::{DateTime, TimeWindow};
pub use function::Function;
pub use problem::{Cause, InvalidParam, ProblemDetails};
pub use secret::Secret;
