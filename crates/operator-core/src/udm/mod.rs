//! Unified data management, as far as user consent needs it (TS 29.503 `Nudm_SDM`; TS 33.501 Annex V).
//!
//! Callers are functions of the core with a certificate of the SBI root; a SUPI is told to nobody else.

mod admin;
mod deliver;
mod modify;
mod routes;
mod server;
mod subscribe;
mod subscription;
mod telling;
mod translate;
mod uc_data;
mod unsubscribe;

pub use admin::{Versioned, Written};
pub use routes::ROUTES;
pub use server::UdmServer;
