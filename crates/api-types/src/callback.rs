//! Where a client may be called back: what the SIM-S tells the servers that call (own interface, for functions).

use serde::{Deserialize, Serialize};

use crate::ids::ClientId;

/// Answer to GET `/clients/{clientId}/callback-hosts` at the SIM-S.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallbackHosts {
    /// The client.
    pub client_id: ClientId,
    /// Hosts, with or without a port.
    pub callback_hosts: Vec<String>,
}
