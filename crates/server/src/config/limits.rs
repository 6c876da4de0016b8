//! `[limits]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConfigError;

/// Admission limits of every listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    /// Open connections of one listener.
    pub connections: usize,
    /// Open connections of one source address at one listener.
    pub connections_per_source: usize,
    /// Requests a second of one source address, before it is known who asks.
    pub requests_per_source: u32,
    /// Requests a second of one client.
    pub requests_per_client: u32,
    /// Largest map payload, in bytes.
    pub payload: u64,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_per_source: 1_024,
            requests_per_source: 2_000,
            requests_per_client: 1_000,
            payload: 256 * 1024 * 1024,
        }
    }
}

impl LimitsSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.connections == 0 || self.connections_per_source == 0 {
            return Err(ConfigError::value("limits.connections", "at least 1"));
        }
        if self.requests_per_source == 0 || self.requests_per_client == 0 {
            return Err(ConfigError::value("limits.requests_per_client", "at least 1"));
        }
        Ok(())
    }
}
