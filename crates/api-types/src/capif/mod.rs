//! The APIs of the CAPIF core function and of API exposing functions (TS 29.222 Rel-19), one file per API, and our own
//! API for policies of resource owners.
//!
//! Unknown members are ignored, absent ones not written, enumerations of 3GPP are open. Members that other vendors add
//! (`vendorSpecific-…`, TS 29.122 5.2.13) are kept where they are of use.

mod checks;
mod reader;

pub mod access_control;
pub mod aef_security;
pub mod discover;
pub mod events;
pub mod ids;
pub mod invoker;
pub mod logging;
pub mod network;
pub mod open_discover;
pub mod profile;
pub mod provider;
pub mod publish;
pub mod resource_auth;
pub mod routing;
pub mod security;
pub mod token;
pub mod vendor;

#[cfg(test)]
mod tests;

pub use ids::{
    AefId, AmfId, ApfId, ApiInvokerId, ApiName, ApiProvDomId, AskId, CapifRole, EnrolmentId, OnboardingId,
    RegistrationId, ResourceId, ServiceApiId,
};
pub use vendor::VendorSpecific;

/// Most elements of a list that has no limit of its own. Own value.
pub const MAX_LIST: usize = 256;

/// Longest value of an enumeration that this version does not know, in characters. Own value.
pub const MAX_WORD: usize = 64;

/// Longest version, identifier of a foreign function, or other short text, in characters. Own value.
pub const MAX_NAME: usize = 256;

/// Longest description or other information for people, in characters. Own value.
pub const MAX_DESCRIPTION: usize = 4096;

/// Longest key, CSR or certificate chain, in bytes of PEM. Own value.
pub const MAX_PEM: usize = 16 * 1024;

/// Longest secret, in bytes. Own value.
pub const MAX_SECRET: usize = 4096;

/// Longest access token, in bytes. Own value.
pub const MAX_TOKEN: usize = 16 * 1024;
