//! Rules of the operator.

use serde::{Deserialize, Serialize};

use super::account::MAX_LIST;
use crate::date_time::{DateTime, TimeWindow};
use crate::geo::{GeographicalCoordinates, ServiceArea};
use crate::ids::PolicyId;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child, item};

closed_enum! {
    /// Whose rule it is; a deny of a higher class cannot be undone by a lower one.
    PolicyClass {
        /// Of one deployment.
        Local = "local",
        /// Of the operator.
        Operator = "operator",
        /// Of the regulator.
        Regulatory = "regulatory",
    }
}

closed_enum! {
    /// What a rule does.
    PolicyEffect {
        /// Permits.
        Permit = "PERMIT",
        /// Denies; a deny overrides.
        Deny = "DENY",
    }
}

/// `/policies/{policyId}`. An empty list means any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<PolicyId>,
    /// Whose rule it is.
    pub class: PolicyClass,
    /// What it does.
    pub effect: PolicyEffect,
    /// Client or VAL user identifiers.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Service identifiers.
    #[serde(default)]
    pub services: Vec<String>,
    /// Operations.
    #[serde(default)]
    pub actions: Vec<String>,
    /// Resources.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Where it holds; absent: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<ServiceArea>,
    /// When it holds; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<TimeWindow>,
    /// Grows with each change; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl Validate for Policy {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        for (key, list) in [
            ("subjects", &self.subjects),
            ("services", &self.services),
            ("actions", &self.actions),
            ("resources", &self.resources),
        ] {
            faults.require(list.len() <= MAX_LIST, at, key, "has too many elements");
            let here = child(at, key);
            for (index, text) in list.iter().take(MAX_LIST).enumerate() {
                if text.is_empty() || text.chars().count() > 256 || text.chars().any(char::is_control) {
                    faults.add(item(&here, index), "is empty, too long or holds control characters");
                }
            }
        }
        faults.part(self.area.as_ref(), at, "area");
        faults.part(self.period.as_ref(), at, "period");
        faults.done()
    }
}

/// POST `/policies/explain`: a question as a request would put it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyExplain {
    /// Client and VAL user identifiers of the caller.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Where the caller is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<GeographicalCoordinates>,
    /// When; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime>,
}

impl Validate for PolicyExplain {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(self.subjects.len() <= MAX_LIST, at, "subjects", "has too many elements");
        faults.opt_text(self.service.as_ref(), 256, at, "service");
        faults.opt_text(self.action.as_ref(), 256, at, "action");
        faults.opt_text(self.resource.as_ref(), 256, at, "resource");
        faults.part(self.position.as_ref(), at, "position");
        faults.done()
    }
}

closed_enum! {
    /// Outcome of the rules.
    PolicyOutcome {
        /// A rule permits, none denies.
        Permit = "PERMIT",
        /// A rule denies.
        Deny = "DENY",
        /// No rule speaks of it.
        NotApplicable = "NOT_APPLICABLE",
    }
}

/// Answer to POST `/policies/explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyExplained {
    /// The outcome.
    pub decision: PolicyOutcome,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<PolicyId>,
    /// Its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<PolicyClass>,
    /// Every rule that applied.
    #[serde(default)]
    pub matched: Vec<PolicyId>,
    /// Version of the set of rules.
    pub version: u64,
}
