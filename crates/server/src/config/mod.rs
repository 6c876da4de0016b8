//! Configuration: one file per section, a default for every key, four layers.
//!
//! default < file < environment (`METASEAL_<SECTION>_<KEY>`) < command line. An unknown key is an error that
//! says where it stands and what is known there.

mod capif;
mod compat;
mod egress;
mod federation;
mod layers;
mod limits;
mod log;
mod peers;
mod server;
mod sim;
mod storage;

pub use capif::{CapifSection, InterfaceMode, TrustedIssuerSection};
pub use compat::{CompatClients, CompatSection};
pub use egress::EgressSection;
pub use federation::{CcfPartnerSection, FederationSection, TakeSetting};
pub use layers::{ConfigError, load};
pub use limits::LimitsSection;
pub use log::LogSection;
pub use peers::PeersSection;
pub use server::{Profile, ServerSection};
pub use sim::{PartnerSection, SimSection};
pub use storage::{Backend, StorageSection};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the program listens and which functions it runs.
    pub server: ServerSection,
    /// Where records are kept.
    pub storage: StorageSection,
    /// Identity management server.
    pub sim: SimSection,
    /// Admission limits of every listener.
    pub limits: LimitsSection,
    /// Requests that leave the deployment: callbacks, client key sets.
    pub egress: EgressSection,
    /// Functions that run elsewhere.
    pub peers: PeersSection,
    /// The servers as API exposing functions of a CAPIF core function.
    pub capif: CapifSection,
    /// Interconnection of the CAPIF core function with those of other domains.
    pub federation: FederationSection,
    /// A listener of the CAPIF core function for clients of others.
    pub compat: CompatSection,
    /// Log output.
    pub log: LogSection,
}

impl Config {
    /// Checks what a single key cannot say for itself.
    ///
    /// # Errors
    /// The first contradiction, with what to change.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.server.validate()?;
        self.storage.validate()?;
        self.sim.validate()?;
        self.limits.validate()?;
        self.capif.validate()?;
        self.compat.validate()?;
        self.federation.validate()?;
        self.peers.validate()
    }
}

/// The JSON Schema of the configuration file, as `metaseal config schema` prints it.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut components = Vec::new();
    <Config as ToSchema>::schemas(&mut components);
    let definitions: serde_json::Map<String, serde_json::Value> = components
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    let root = <Config as utoipa::PartialSchema>::schema();
    let mut root = serde_json::to_value(root).unwrap_or_default();
    if let Some(object) = root.as_object_mut() {
        object.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        object.insert("title".into(), "metaseal configuration".into());
        object.insert("components".into(), serde_json::json!({ "schemas": definitions }));
    }
    root
}
