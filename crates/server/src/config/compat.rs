//! `[compat]`

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConfigError;

/// Shortest and longest password, in bytes. Own values.
const PASSWORD: std::ops::RangeInclusive<usize> = 12..=256;

/// Clients that get a listener of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CompatClients {
    /// Plain clients of OpenCAPIF.
    Opencapif,
}

/// A listener of the CAPIF core function for clients that do not speak what it speaks otherwise; off unless clients are named.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CompatSection {
    /// Whom it is for.
    pub clients: Option<CompatClients>,
    /// Password of its administrator `admin`; absent: one is drawn at the first start and shown once.
    pub admin_password: Option<String>,
}

impl std::fmt::Debug for CompatSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompatSection").field("clients", &self.clients).finish_non_exhaustive()
    }
}

impl CompatSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match &self.admin_password {
            Some(password) if !PASSWORD.contains(&password.len()) => {
                Err(ConfigError::value("compat.admin_password", "12 to 256 bytes"))
            }
            _ => Ok(()),
        }
    }

    /// Without what must not be shown.
    pub(crate) fn redact(&mut self) {
        if let Some(password) = &mut self.admin_password {
            "(set)".clone_into(password);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spoiled_key_is_refused() {
        let section = |text: &str| toml::from_str::<CompatSection>(text);
        let mut good =
            section("clients = \"opencapif\"\nadmin_password = \"twelve bytes\"\n").expect("a section");
        assert_eq!(good.validate(), Ok(()));
        assert!(!format!("{good:?}").contains("twelve"));
        good.redact();
        assert_eq!(good.admin_password.as_deref(), Some("(set)"));
        assert_eq!(CompatSection::default().clients, None);
        assert!(section("admin_password = \"eleven byte\"").expect("a section").validate().is_err());
        assert!(section("clients = \"capifcore\"").is_err() && section("password = \"x\"").is_err());
    }
}
