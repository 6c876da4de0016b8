//! `[log]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Log output: one JSON object a line on standard error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// `error`, `warn`, `info`, `debug` or a filter such as `info,store=debug`.
    pub level: String,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { level: "warn".into() }
    }
}
