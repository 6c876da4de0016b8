//! What lets somebody onboard or register at the CAPIF core function, once.

use serde::{Deserialize, Serialize};

use super::account::MAX_LIST;
use crate::capif::{ApiName, EnrolmentId};
use crate::date_time::DateTime;
use crate::problem::InvalidParam;
use crate::secret::Secret;
use crate::validate::{Faults, Validate};

/// Longest name of whoever is enrolled, in characters. Own value.
pub(super) const MAX_ENROLMENT_NAME: usize = 128;

/// Longest life of an enrolment, in seconds. Own value: a week.
pub(super) const MAX_ENROLMENT_S: u32 = 7 * 24 * 3_600;

closed_enum! {
    /// What is enrolled.
    EnrolmentKind {
        /// An API invoker.
        ApiInvoker = "api_invoker",
        /// The domain of an API provider.
        ApiProvider = "api_provider",
        /// Either, at the listener for plain OpenCAPIF clients and nowhere else.
        OpenCapif = "opencapif",
    }
}

/// POST `/enrolments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Enrolment {
    /// What is enrolled.
    pub kind: EnrolmentKind,
    /// Who, for people.
    pub name: String,
    /// The service APIs that an API invoker may use, or a provider may publish; none named: all.
    #[serde(default)]
    pub apis: Vec<ApiName>,
    /// For how many seconds it may be used.
    #[serde(rename = "expiresInS", default = "an_hour")]
    pub expires_in_s: u32,
}

const fn an_hour() -> u32 {
    3_600
}

impl Validate for Enrolment {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.name, MAX_ENROLMENT_NAME, at, "name");
        faults.require(self.apis.len() <= MAX_LIST, at, "apis", "has too many elements");
        let in_range = (1..=MAX_ENROLMENT_S).contains(&self.expires_in_s);
        faults.require(in_range, at, "expiresInS", "is not between a second and a week");
        faults.done()
    }
}

/// Answer to POST `/enrolments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrolmentCreated {
    /// The enrolment.
    pub enrolment_id: EnrolmentId,
    /// What whoever onboards or registers has to show; told once.
    pub secret: Secret,
    /// When it can no longer be used.
    pub expires_at: DateTime,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_spoiled_member_is_refused() {
        let good = json!({ "kind": "api_invoker", "name": "VAL server 1", "apis": ["ssan-sanm"] });
        let read: Enrolment = serde_json::from_value(good.clone()).unwrap();
        assert_eq!((read.expires_in_s, read.validate("")), (3_600, Ok(())));
        let long = "x".repeat(MAX_ENROLMENT_NAME + 1);
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("kind", json!("administrator")), ("kind", json!(null)), ("name", json!("")), ("name", json!(long)),
            ("apis", json!(["a b"])), ("apis", json!(["*"])), ("expiresInS", json!(0)), ("expiresInS", json!(604_801)),
            ("expiresInS", json!(-1)), ("secret", json!("mine")),
        ];
        for (member, value) in rows {
            let mut body = good.clone();
            body[member] = value;
            let refused =
                serde_json::from_value::<Enrolment>(body).map_or(true, |read| read.validate("").is_err());
            assert!(refused, "{member}");
        }
    }
}
