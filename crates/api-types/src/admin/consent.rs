//! What an operator keeps about subscribers at the UDM: identities, purposes, consents, wishes about privacy.

use serde::{Deserialize, Serialize};

use crate::ids::{ExternalId, Gpsi, Supi};
use crate::nudm_sdm::{UcPurpose, UserConsent};
use crate::problem::InvalidParam;
use crate::san::PersonalDataCategory;
use crate::validate::{Faults, Validate};

/// Most elements of a list of categories: each stands there once. Own value.
const MAX_CATEGORIES: usize = 6;

/// `/subscribers/{gpsi}`: who is behind a GPSI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscriber {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpsi: Option<Gpsi>,
    /// SUPI. Never read back: it does not leave the core.
    #[serde(default, skip_serializing)]
    pub supi: Option<Supi>,
    /// External identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
}

/// `/purposes/{purpose}`: which categories of personal data a purpose stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Purpose {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<UcPurpose>,
    /// Categories.
    #[serde(default)]
    pub categories: Vec<PersonalDataCategory>,
}

/// `/subscribers/{gpsi}/consents/{purpose}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Consent {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<UcPurpose>,
    /// `CONSENT_GIVEN` or `CONSENT_NOT_GIVEN`.
    pub consent: UserConsent,
    /// Version of all that the subscriber consents to; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// `/subscribers/{gpsi}/privacy`: what is left out or made coarser whatever was consented to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Privacy {
    /// Categories that are left out.
    #[serde(default)]
    pub hide: Vec<PersonalDataCategory>,
    /// Categories that are made coarser.
    #[serde(default)]
    pub coarsen: Vec<PersonalDataCategory>,
}

fn once_each(faults: &mut Faults, list: &[PersonalDataCategory], at: &str, key: &str) {
    let repeated = (1..list.len()).any(|end| list[..end].contains(&list[end]));
    faults.require(list.len() <= MAX_CATEGORIES && !repeated, at, key, "names a category twice");
}

impl Validate for Subscriber {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(self.supi.is_some(), at, "supi", crate::validate::MISSING);
        faults.done()
    }
}

impl Validate for Purpose {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        once_each(&mut faults, &self.categories, at, "categories");
        faults.done()
    }
}

impl Validate for Consent {
    /// What an operator writes is one of the two values, so that nothing unclear is kept.
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(
            self.consent.is_known(),
            at,
            "consent",
            "is neither CONSENT_GIVEN nor CONSENT_NOT_GIVEN",
        );
        faults.done()
    }
}

impl Validate for Privacy {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        once_each(&mut faults, &self.hide, at, "hide");
        once_each(&mut faults, &self.coarsen, at, "coarsen");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn fault<T: DeserializeOwned + Validate>(value: Value) -> Option<String> {
        match serde_json::from_value::<T>(value) {
            Ok(value) => value.validate("").err().map(|faults| faults[0].param.clone()),
            Err(_) => Some("unread".to_owned()),
        }
    }

    #[test]
    fn one_spoilt_member_is_refused() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Option<String>, Option<&str>); 10] = [
            ("subscriber", fault::<Subscriber>(json!({"supi": "imsi-001010000000001"})), None),
            ("no supi", fault::<Subscriber>(json!({"externalId": "a@b"})), Some("/supi")),
            ("purpose", fault::<Purpose>(json!({"categories": ["location", "identity"]})), None),
            ("category twice", fault::<Purpose>(json!({"categories": ["location", "location"]})), Some("/categories")),
            ("unknown category", fault::<Purpose>(json!({"categories": ["mood"]})), Some("unread")),
            ("consent", fault::<Consent>(json!({"consent": "CONSENT_NOT_GIVEN"})), None),
            ("unclear consent", fault::<Consent>(json!({"consent": "MAYBE"})), Some("/consent")),
            ("no consent", fault::<Consent>(json!({})), Some("unread")),
            ("privacy", fault::<Privacy>(json!({"hide": ["identity"], "coarsen": ["location"]})), None),
            ("hidden twice", fault::<Privacy>(json!({"hide": ["identity", "identity"]})), Some("/hide")),
        ];
        for (what, found, expected) in rows {
            assert_eq!(found.as_deref(), expected, "{what}");
        }
    }

    #[test]
    fn a_supi_is_never_read_back() {
        let subscriber: Subscriber = serde_json::from_value(json!({"supi": "imsi-001010000000001"})).unwrap();
        assert_eq!(serde_json::to_value(&subscriber).unwrap(), json!({}));
    }
}
