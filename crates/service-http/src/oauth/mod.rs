//! What the issuers of tokens share (SIM-S, CAPIF core function): strict forms, errors of RFC 6749 5.2, signing keys.

pub mod error;
pub mod form;
pub mod jwks;
pub mod keys;
pub mod signing;
