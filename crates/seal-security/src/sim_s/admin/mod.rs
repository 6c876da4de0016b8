//! What the admin API asks of the SIM-S (contract, section 5). A write has taken effect when it is answered.

mod callers;
mod certificates;
mod clients;
mod names;
mod revocations;
mod services;
mod users;

use api_types::problem::{Cause, InvalidParam};
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use service_http::refusal::Refusal;

pub use callers::Asked;

/// Longest page of a list. Own value.
const MAX_PAGE: u32 = 1_000;

/// Something that was read, with its version for the ETag.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// What it is.
    pub body: T,
    /// Grows with each change.
    pub version: u64,
}

/// Something that was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written<T> {
    /// What is answered.
    pub body: T,
    /// Grows with each change.
    pub version: u64,
    /// Whether it is new: 201 instead of 200.
    pub created: bool,
}

fn valid<T: Validate>(body: &T) -> Result<(), Refusal> {
    body.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))
}

fn wrong(param: &str, reason: &'static str) -> Refusal {
    Refusal::input(Cause::MandatoryIeIncorrect, vec![InvalidParam::new(param, reason)])
}

fn not_found() -> Refusal {
    Refusal::open(Reason::NotFound)
}

fn taken() -> Refusal {
    Refusal::open(Reason::IdTaken)
}

fn version(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
