//! `[server]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConfigError;

/// Which of the two outcomes of the study decides (design section 5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The study as it stands in TR 33.721.
    Tr33721,
    /// What became of it: TS 33.434 clause 6.
    Ts33434,
    /// Every check of either whose trigger is present.
    #[default]
    Both,
}

/// Where the program listens and which functions it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSection {
    /// Address to listen on. Loopback by default: nobody is exposed by accident.
    pub bind: String,
    /// Host name in this program's urls and tokens; clients compare it with the certificate.
    pub host: String,
    /// Further names and addresses in the server certificates.
    pub also_known_as: Vec<String>,
    /// First port; each listener has a fixed distance from it. 0 takes free ports.
    pub port_base: u16,
    /// Functions to run; empty runs all that are built, but `lm`.
    pub roles: Vec<String>,
    /// Which document decides where the sources differ. Nothing that is built so far differs by it.
    pub profile: Profile,
    /// Seconds that a stop waits for requests in hand.
    pub drain_s: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1".into(),
            host: "localhost".into(),
            also_known_as: vec!["127.0.0.1".into(), "::1".into()],
            port_base: 8440,
            roles: Vec::new(),
            profile: Profile::Both,
            drain_s: 10,
        }
    }
}

/// Highest distance of a listener from the first port (contract section 1).
const HIGHEST_OFFSET: u16 = 25;

impl ServerSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.bind.parse::<std::net::IpAddr>().is_err() {
            return Err(ConfigError::value("server.bind", "an IP address such as 127.0.0.1 or 0.0.0.0"));
        }
        if self.host.is_empty() || self.host.contains(['/', ':', ' ']) {
            return Err(ConfigError::value("server.host", "a host name without scheme or port"));
        }
        if self.port_base > u16::MAX - HIGHEST_OFFSET {
            return Err(ConfigError::value("server.port_base", "0 or a port of at most 65510"));
        }
        for role in &self.roles {
            crate::wiring::Role::parse(role)
                .map_err(|known| ConfigError::value("server.roles", &format!("a list of {known}")))?;
        }
        Ok(())
    }
}
