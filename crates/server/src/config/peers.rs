//! `[peers]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConfigError;

/// Urls of functions that run in another process; those of this process need none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PeersSection {
    /// SIM-S, as its tokens name it.
    pub sim: Option<String>,
    /// The listener of the SIM-S for mutual TLS.
    pub sim_mtls: Option<String>,
    /// The admin API that the console of this process works on, or that the SIM-S of this process issues tokens for.
    pub admin: Option<String>,
    /// The console, for the SIM-S at which its operators log in.
    pub console: Option<String>,
    /// CAPIF core function at which the servers of this process register.
    pub ccf: Option<String>,
    /// Spatial anchors server.
    pub san: Option<String>,
    /// Spatial map server.
    pub sm: Option<String>,
    /// The facade of both (`lm`), where one runs: tokens may be for it too.
    pub lm: Option<String>,
    /// A location management server of TS 29.549 (`ss-lair`) that knows where UEs are, as `sm` asks it with its certificate;
    /// its own is by the roots of this deployment or those of `egress.trusted_roots`.
    pub location: Option<String>,
}

impl PeersSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let named = [
            ("peers.sim", &self.sim),
            ("peers.sim_mtls", &self.sim_mtls),
            ("peers.admin", &self.admin),
            ("peers.console", &self.console),
            ("peers.ccf", &self.ccf),
            ("peers.san", &self.san),
            ("peers.sm", &self.sm),
            ("peers.lm", &self.lm),
            ("peers.location", &self.location),
        ];
        for (key, value) in named {
            let Some(value) = value else { continue };
            let good = url::Url::parse(value).is_ok_and(|url| url.scheme() == "https" && url.path() == "/");
            if !good || value.ends_with('/') {
                return Err(ConfigError::value(key, "an https origin such as https://sim.example:8444"));
            }
        }
        Ok(())
    }
}
