//! `[federation]`

use std::collections::BTreeSet;

use api_types::capif::{ApfId, ApiName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConfigError;

/// Interconnection of the CAPIF core function of this process with those of other domains (CAPIF-6).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FederationSection {
    /// Name of this core function towards partners: letters and digits.
    pub ccf_id: Option<String>,
    /// The partners.
    pub partners: Vec<CcfPartnerSection>,
}

/// How service APIs of a partner get here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TakeSetting {
    /// The partner publishes them here.
    #[default]
    Published,
    /// They are discovered there once a minute.
    Discovered,
}

/// A core function of another domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CcfPartnerSection {
    /// Its name: the one that its certificate carries, letters and digits.
    pub ccf_id: String,
    /// Its CAPIF provider domain, as `shareableInfo.capifProvDoms` names it.
    pub domain: String,
    /// Its origin, as https://ccf.op-b.example:8445.
    pub url: String,
    /// File with its roots (PEM): the one above its server certificate, and the one above the certificate that it shows.
    pub roots: String,
    /// Names of the service APIs that it may bring here; none: all.
    #[serde(default)]
    pub apis: Vec<String>,
    /// How they get here.
    #[serde(default)]
    pub take: TakeSetting,
}

impl CcfPartnerSection {
    fn is_good(&self) -> bool {
        let origin = url::Url::parse(&self.url).is_ok_and(|url| url.scheme() == "https" && url.path() == "/");
        is_name(&self.ccf_id)
            && !self.domain.is_empty()
            && origin
            && !self.url.ends_with('/')
            && !self.roots.is_empty()
            && self.apis.iter().all(|api| ApiName::try_from(api.as_str()).is_ok())
    }
}

fn is_name(text: &str) -> bool {
    ApfId::try_from(text).is_ok()
}

impl FederationSection {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !self.ccf_id.as_deref().is_none_or(is_name) {
            return Err(ConfigError::value("federation.ccf_id", "1 to 64 letters and digits"));
        }
        if self.ccf_id.is_none() && !self.partners.is_empty() {
            return Err(ConfigError::value(
                "federation.ccf_id",
                "the name of this core function, where there are partners",
            ));
        }
        let names: BTreeSet<_> = self.partners.iter().map(|partner| &partner.ccf_id).collect();
        let known = names.len() == self.partners.len()
            && !names.iter().any(|name| Some(*name) == self.ccf_id.as_ref());
        if !known || !self.partners.iter().all(CcfPartnerSection::is_good) {
            let what = "a list of tables with ccf_id (each its own), domain, url (https, no slash at its end), roots (a PEM \
                        file), apis and take (published or discovered)";
            return Err(ConfigError::value("federation.partners", what));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spoiled_key_is_refused() {
        let section = |text: &str| toml::from_str::<FederationSection>(text);
        let text = "ccf_id = \"CCFA\"\n[[partners]]\nccf_id = \"CCFB\"\ndomain = \"op-b\"\nurl = \"https://ccf.b.example:8445\"\nroots = \"b.pem\"\n";
        assert_eq!(section(text).expect("a good section").validate(), Ok(()));
        assert_eq!(FederationSection::default().validate(), Ok(()));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("\"CCFA\"", "\"CCF-A\""), ("ccf_id = \"CCFA\"\n", ""), ("\"CCFB\"", "\"CCFA\""), ("\"CCFB\"", "\"b:c\""),
            ("\"op-b\"", "\"\""), ("https://", "http://"), (":8445", ":8445/"), (":8445", ":8445/x"), ("\"b.pem\"", "\"\""),
        ];
        for (good, bad) in rows {
            let spoiled = text.replacen(good, bad, 1);
            assert!(section(&spoiled).expect("a section").validate().is_err(), "{spoiled}");
        }
        assert!(section(&format!("{text}take = \"both\"\n")).is_err());
        assert!(section(&format!("{text}apis = [\"a b\"]\n")).expect("a section").validate().is_err());
    }
}
