//! `[egress]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Requests that leave the deployment: callbacks, client key sets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EgressSection {
    /// Also connect to loopback and private addresses. For tests and closed networks.
    pub allow_private: bool,
    /// PEM files with further roots that callback receivers may be certified by.
    pub trusted_roots: Vec<String>,
}
