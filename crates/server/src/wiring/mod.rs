//! Putting a process together: certificates, records, functions, listeners.

mod aef;
mod ccf;
mod federation;
mod function;
mod issuer;
mod opencapif;
mod ports;
mod role;
mod start;
mod udm;

pub use issuer::{CapifCertificates, SbiCertificates};
pub use role::{LISTENERS, Listener, Role};
pub use start::{Assembly, Exposed, Running, start};

use api_types::function::Function;
use store::Migrations;

/// The name of the core function in the certificate with which it comes to API exposing functions.
const CORE_NAME: &str = "ccf";
/// Directory of the SQLite files below the data directory.
pub const RECORDS: &str = "records";
/// Directory of the encrypted payloads below the data directory.
pub const BLOBS: &str = "blobs";

/// The migrations of a function.
#[must_use]
pub fn migrations_of(function: Function) -> Migrations {
    Migrations::of(function)
}
