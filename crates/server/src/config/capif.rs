//! `[capif]`

use std::collections::{BTreeMap, BTreeSet};

use api_types::function::Function;
use api_types::ids::is_id;
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
    /// Domains with which the core function may share the service APIs of `san` and `sm`; none named: none.
    pub shared_with: Vec<String>,
    /// Core functions of other domains whose tokens `san` and `sm` take as well.
    pub trusted_issuers: Vec<TrustedIssuerSection>,
    /// Whether an API invoker that has used up all its invocations of a service API loses its authorization for it at the
    /// core function (`OVERLIMIT_USAGE`); else it is only refused.
    pub withdraw_over_limit: bool,
    /// Whether the core function asks the owner of an anchor or map that has no rules and no visibility (TR 33.721 6.3.2.1,
    /// NOTE to step 7), before somebody else gets a token for it; else nobody does.
    pub ask_owners: bool,
    /// Whose tokens open which interface, by the name of the API, as `"ssan-sanm" = "capif"`; both where none is named.
    pub interfaces: BTreeMap<String, InterfaceMode>,
}

/// A CAPIF core function of another domain.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuerSection {
    /// What stands behind the `@` of its API invokers' names here, in rules and records.
    pub name: String,
    /// What stands as `iss` in its tokens: its origin, as https://ccf.op-b.example:8445.
    pub issuer: String,
    /// File with its roots (PEM): above its server certificate, and above those of its API invokers.
    pub roots: String,
    /// Where its keys are; absent: `jwks` below the issuer.
    #[serde(default)]
    pub jwks: Option<String>,
    /// Secret of an enrolment there (kind `api_provider`), with which `san` registers and publishes. Without one, its tokens
    /// name `san` as the own core function does, and this one has to be interconnected with it.
    #[serde(default)]
    pub san_enrolment: Option<String>,
    /// Likewise for `sm`.
    #[serde(default)]
    pub sm_enrolment: Option<String>,
    /// Whether it tells what it has revoked, to whoever is registered there. If not, a token counts until its end.
    #[serde(default = "yes")]
    pub revocations: bool,
}

fn yes() -> bool {
    true
}

impl std::fmt::Debug for TrustedIssuerSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedIssuerSection").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl TrustedIssuerSection {
    /// The secret with which a server registers.
    #[must_use]
    pub fn enrolment(&self, function: Function) -> Option<&str> {
        match function {
            Function::San => self.san_enrolment.as_deref(),
            Function::Sm => self.sm_enrolment.as_deref(),
            _ => None,
        }
    }

    fn is_good(&self) -> bool {
        let url = |text: &str| url::Url::parse(text).is_ok_and(|url| url.scheme() == "https");
        let registers = self.san_enrolment.is_some() || self.sm_enrolment.is_some();
        is_id(&self.name)
            && !self.name.contains('@')
            && self.name.len() <= 32
            && url(&self.issuer)
            && !self.issuer.ends_with('/')
            && !self.roots.is_empty()
            && self.jwks.as_deref().is_none_or(url)
            && [&self.san_enrolment, &self.sm_enrolment].into_iter().flatten().all(|secret| is_secret(secret))
            && (registers || !self.revocations)
    }
}

fn is_secret(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
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
            if !secret.as_deref().is_none_or(is_secret) {
                return Err(ConfigError::value(
                    key,
                    "the secret of an enrolment, as POST /v1/enrolments answered it",
                ));
            }
        }
        let names: BTreeSet<_> = self.trusted_issuers.iter().map(|issuer| &issuer.name).collect();
        if names.len() != self.trusted_issuers.len()
            || !self.trusted_issuers.iter().all(TrustedIssuerSection::is_good)
        {
            let what = "a list of tables with name (unlike the others), issuer (https, no slash at its end), roots (a PEM file), jwks, san_enrolment, \
                        sm_enrolment and revocations, which is false where neither registers there";
            return Err(ConfigError::value("capif.trusted_issuers", what));
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
        let foreign = self.trusted_issuers.iter_mut();
        let foreign = foreign.flat_map(|issuer| [&mut issuer.san_enrolment, &mut issuer.sm_enrolment]);
        let own = [&mut self.san_enrolment, &mut self.sm_enrolment];
        for secret in own.into_iter().chain(foreign).flatten() {
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
        let issuer = "[[trusted_issuers]]\nname = \"op-b\"\nissuer = \"https://ccf.b.example\"\nroots = \"b.pem\"\nsan_enrolment = \"s\"\n";
        let mut foreign = section(issuer).expect("a good section");
        assert_eq!(foreign.validate(), Ok(()));
        assert!(!format!("{foreign:?}").contains("\"s\""));
        foreign.redact();
        assert_eq!(foreign.trusted_issuers[0].enrolment(Function::San), Some("(set)"));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("\"op-b\"", "\"\""), ("\"op-b\"", "\"a@b\""), ("https://", "http://"), (".example", ".example/"), ("b.pem", ""), ("san_enrolment = \"s\"\n", ""), ("\"s\"", "\"\""),
            ("san_enr", "jwks = \"ftp://x\"\nsan_enr"),
        ];
        for (good, bad) in rows {
            let spoiled = issuer.replacen(good, bad, 1);
            assert!(section(&spoiled).expect("a section").validate().is_err(), "{spoiled}");
        }
        let federated = issuer.replace("san_enrolment = \"s\"", "revocations = false");
        assert_eq!(section(&federated).expect("a section").validate(), Ok(()));
        for bad in ["interfaces = { ssan-sanm = \"none\" }", "sam_enrolment = \"s\""] {
            assert!(section(bad).is_err(), "{bad}");
        }
    }
}
