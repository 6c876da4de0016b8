//! Roots and certificates of a deployment (design section 3).
//!
//! Each root serves one purpose and a route accepts exactly one of them:
//! `web` certifies what browsers and UEs connect to, `sbi` certifies functions and VAL servers towards each
//! other, `admin` certifies operators, `capif` whoever the CAPIF core function has onboarded or registered. A certificate's identity is its SAN URI `urn:metaseal:<role>:<name>`.

mod authority;
mod csr;
mod files;

pub use authority::{Authority, Identity, Purpose};
pub use csr::{CsrIssuer, CsrRefused};
pub use files::{Pki, write_private};

/// The roots that exist so far, in the order of the `ca.pem` bundle.
pub const ROOTS: [&str; 4] = ["web", "sbi", "admin", "capif"];
