//! SIM-S: the identity management server of SEAL, an OpenID Provider and OAuth 2 authorization server
//! (TS 33.434 Annex A, TS 24.547; RFC 6749, 7636, 8705, 8707, 9126, 9207, 9449, 9700).
//!
//! Two listeners: the public one for browsers and clients with secrets, assertions or DPoP keys, and one with mutual TLS
//! (`mtls_endpoint_aliases`), so that browsers are never asked for a certificate.

pub mod admin;
pub mod authenticate;
pub mod authorize;
mod callback_hosts;
pub mod client_auth;
pub mod config;
pub mod directory;
mod dpop;
pub mod entitlement;
pub mod fuzz;
mod introspect;
mod known;
mod maintain;
mod metadata;
mod nonce;
mod own_token;
mod partner;
pub mod passkey;
mod provisioning;
pub mod redirect;
mod revoke;
pub mod routes;
mod server;
pub mod token;
mod userinfo;
pub mod world;

pub use admin::{Asked, Versioned, Written};
use service_http::oauth::{error, form, keys};

pub use config::{CertificateError, CertificateIssuer, IssuedCert, SimConfig};
pub use maintain::CONSOLE_CALLBACK;
pub use partner::Partner;
pub use partner::keys::PartnerKeys;
pub use routes::{MTLS_ROUTES, ROUTES};
pub use server::SimServer;
pub use service_http::oauth::keys::{KeyStore, KeyStoreError, SealedKeys, SigningKey};
pub use service_http::{password, throttle};
