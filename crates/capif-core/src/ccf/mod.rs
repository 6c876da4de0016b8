//! The core function: provider and invoker management, publishing, discovery, security contexts and tokens.

mod access_control;
mod admin;
mod allowed;
pub mod certificates;
mod compat;
pub mod config;
mod discover;
mod ended;
mod ending;
mod enrolment;
mod events;
mod federation;
pub mod fuzz;
mod identifier;
mod invoker;
mod logs;
mod metadata;
mod open_discover;
mod party;
mod provider;
mod publish;
mod published;
mod resource_auth;
mod routes;
mod routing;
mod security;
mod server;
mod sweep;

pub use access_control::EVERY_INVOKER;
pub use admin::{Part, Versioned};
pub use certificates::{CertificateError, CertificateIssuer, IssuedCertificate, Named};
pub use compat::OPENCAPIF_ROUTES;
pub use config::{CcfConfig, UnknownResources};
pub use federation::{Federation, LinkError, Partner, PartnerLink, Take};
pub use routes::ROUTES;
pub use server::CcfServer;
