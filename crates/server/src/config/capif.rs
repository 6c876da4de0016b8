//! `[capif]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use service_http::interfaces::{Interfaces, Mode};
use utoipa::ToSchema;

use super::ConfigError;

/// Interfaces that a mode can be set for.
const INTERFACES: [&str; 10] = [
    "ssan-sanm",
    "ssan-disc",
    "ssan-usg",
    "ssan-grpm",
    "ssm-smm",
    "ssm-disc",
    "ssm-loc",
    "ssm-dsdisc",
    "ssm-smasr",
    "sm_smds",
];

/// Whose tokens open an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InterfaceMode {
    /// Those of the SIM-S.
    Sim,
    /// Those of the CAPIF core function.
    Capif,
    /// Both.
    #[default]
    Both,
}

/// The servers of this process as API exposing functions of a CAPIF core function.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CapifSection {
    /// Secret of an enrolment (kind `api_provider`) with which `san` registers at `peers.ccf`; it is used up by that.
    pub san_enrolment: Option<String>,
    /// Likewise for `sm`.
    pub sm_enrolment: Option<String>,
    /// Whose tokens open which interface, by the name of the API, as `"ssan-sanm" = "capif"`; both where none is named.
    pub interfaces: BTreeMap<String, InterfaceMode>,
}

impl std::fmt::Debug for CapifSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CapifSection").field("interfaces", &self.interfaces).finish_non_exhaustive()
    }
}

impl CapifSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for (key, secret) in
            [("capif.san_enrolment", &self.san_enrolment), ("capif.sm_enrolment", &self.sm_enrolment)]
        {
            if secret
                .as_deref()
                .is_some_and(|secret| secret.is_empty() || secret.contains(char::is_whitespace))
            {
                return Err(ConfigError::value(
                    key,
                    "the secret of an enrolment, as POST /v1/enrolments answered it",
                ));
            }
        }
        if !self.interfaces.keys().all(|name| INTERFACES.contains(&name.as_str())) {
            let known = format!("a table of {} with sim, capif or both", INTERFACES.join(", "));
            return Err(ConfigError::value("capif.interfaces", &known));
        }
        Ok(())
    }

    /// The modes, as the guard takes them.
    #[must_use]
    pub fn modes(&self) -> Interfaces {
        let mode = |mode: &InterfaceMode| match mode {
            InterfaceMode::Sim => Mode::Sim,
            InterfaceMode::Capif => Mode::Capif,
            InterfaceMode::Both => Mode::Both,
        };
        let named = self.interfaces.iter().map(|(name, of)| (name.clone(), mode(of))).collect();
        Interfaces { otherwise: Mode::Both, named }
    }

    /// Whether an interface opens for nobody without a core function.
    #[must_use]
    pub fn wants_ccf(&self) -> bool {
        self.interfaces.values().any(|mode| *mode == InterfaceMode::Capif)
    }

    /// Without what must not be shown.
    pub(crate) fn redact(&mut self) {
        for secret in [&mut self.san_enrolment, &mut self.sm_enrolment].into_iter().flatten() {
            "(set)".clone_into(secret);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spoiled_key_is_refused() {
        let section = |text: &str| toml::from_str::<CapifSection>(text);
        let good =
            section("san_enrolment = \"s\"\n[interfaces]\n\"ssan-sanm\" = \"capif\"\nsm_smds = \"sim\"\n");
        let good = good.expect("a good section");
        assert_eq!(good.validate(), Ok(()));
        assert!(good.wants_ccf() && !format!("{good:?}").contains("\"s\""));
        assert_eq!(good.modes().named.get("ssan-sanm"), Some(&Mode::Capif));
        for bad in ["san_enrolment = \"\"", "sm_enrolment = \"a b\"", "interfaces = { ssan-samn = \"both\" }"]
        {
            assert!(section(bad).expect("a section").validate().is_err(), "{bad}");
        }
        for bad in ["interfaces = { ssan-sanm = \"none\" }", "sam_enrolment = \"s\""] {
            assert!(section(bad).is_err(), "{bad}");
        }
    }
}
