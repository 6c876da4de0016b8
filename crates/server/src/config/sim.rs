//! `[sim]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConfigError;

/// Longest life of an access token, in seconds (identity sheet 1.6).
const ACCESS_TOKEN_MAX_S: u64 = 600;

/// Identity management server (TS 33.434 Annex A).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimSection {
    /// Life of an access token, in seconds.
    pub access_token_s: u64,
    /// Life of an ID token, in seconds; longer than an access token's (TS 33.434 6.2.2).
    pub id_token_s: u64,
    /// Life of an authorization code, in seconds.
    pub code_s: u64,
    /// Life of a refresh token without use, in seconds.
    pub refresh_idle_s: u64,
    /// Life of a refresh token in all, in seconds.
    pub refresh_max_s: u64,
    /// Answer a login with 303 instead of the 302 of TS 24.547.
    pub see_other: bool,
    /// Ask every DPoP proof for a nonce of ours (RFC 9449 section 8).
    pub dpop_nonce_required: bool,
    /// Failed logins a minute that one account and source may have.
    pub failed_logins_per_minute: u32,
    /// Logins a minute that one source may try.
    pub logins_per_minute: u32,
    /// Seconds between scheduled rotations of the signing key.
    pub key_rotation_s: u64,
    /// Partner SIM-S that are trusted to say who their users are.
    pub partners: Vec<PartnerSection>,
}

/// A partner SIM-S (TS 24.547 6.2.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerSection {
    /// What rules call its users together, and what stands behind the `@` of their names here.
    pub name: String,
    /// Its issuer, as https://sim.op-b.example:8444.
    pub issuer: String,
    /// Where its keys are; absent: `jwks` below the issuer.
    #[serde(default)]
    pub jwks: Option<String>,
    /// VAL services that its users may take part in.
    #[serde(default)]
    pub val_services: Vec<String>,
}

impl PartnerSection {
    fn is_good(&self) -> bool {
        let https = |text: &str| url::Url::parse(text).is_ok_and(|url| url.scheme() == "https");
        let is_id = api_types::ids::is_id;
        is_id(&self.name)
            && !self.name.contains('@')
            && https(&self.issuer)
            && !self.issuer.ends_with('/')
            && self.jwks.as_deref().is_none_or(https)
            && self.val_services.iter().all(|service| is_id(service))
    }
}

impl Default for SimSection {
    fn default() -> Self {
        Self {
            access_token_s: 300,
            id_token_s: 600,
            code_s: 60,
            refresh_idle_s: 3_600,
            refresh_max_s: 28_800,
            see_other: false,
            dpop_nonce_required: false,
            failed_logins_per_minute: 10,
            logins_per_minute: 60,
            key_rotation_s: 30 * 24 * 3_600,
            partners: Vec::new(),
        }
    }
}

impl SimSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=ACCESS_TOKEN_MAX_S).contains(&self.access_token_s) {
            return Err(ConfigError::value("sim.access_token_s", "between 1 and 600 seconds"));
        }
        if self.id_token_s <= self.access_token_s {
            return Err(ConfigError::value("sim.id_token_s", "longer than sim.access_token_s"));
        }
        if !self.partners.iter().all(PartnerSection::is_good) {
            let what =
                "a list of tables with name, issuer (https, no slash at its end), jwks and val_services";
            return Err(ConfigError::value("sim.partners", what));
        }
        if !(1..=60).contains(&self.code_s) {
            return Err(ConfigError::value("sim.code_s", "between 1 and 60 seconds"));
        }
        Ok(())
    }
}
