//! The core function: provider and invoker management, publishing, discovery, security contexts and tokens.

pub mod certificates;
pub mod config;
mod events;
mod metadata;
mod routes;
mod server;

pub use certificates::{CertificateError, CertificateIssuer, IssuedCertificate, Named};
pub use config::CcfConfig;
pub use routes::ROUTES;
pub use server::CcfServer;
