//! `[storage]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConfigError;

/// The engines that records can be kept in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// A file per function in the data directory; nothing to install.
    #[default]
    Sqlite,
    /// A schema per function in one PostgreSQL database, with PostGIS.
    Postgres,
}

/// Where records are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StorageSection {
    /// The engine.
    pub backend: Backend,
    /// PostgreSQL connection string, for example `host=/run/postgresql dbname=metaseal user=metaseal`.
    pub url: String,
}

impl StorageSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match (self.backend, self.url.is_empty()) {
            (Backend::Postgres, true) => Err(ConfigError::value(
                "storage.url",
                "a PostgreSQL connection string, because storage.backend is postgres",
            )),
            (Backend::Sqlite, false) => Err(ConfigError::value(
                "storage.url",
                "empty while storage.backend is sqlite; set storage.backend = \"postgres\" to use it",
            )),
            _ => Ok(()),
        }
    }
}
