//! One request of a trace, as kept.

use api_types::admin::{self, CheckVerdict, TraceStep, Why};
use authorization::{Check, Reason, Verdict};
use serde::{Deserialize, Serialize};

/// Steps of one request, and how it was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceRecord {
    /// The trace.
    pub trace: String,
    /// Trace id from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When the request came, in milliseconds since 1970.
    pub at_ms: i64,
    /// Procedure steps, in order.
    #[serde(default)]
    pub steps: Vec<TraceStep>,
    /// The decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

impl TraceRecord {
    /// The record as one element of the JSON array that the store keeps.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&[self]).unwrap_or_else(|_| "[]".to_owned())
    }

    pub(crate) fn from_json(text: &str) -> Vec<Self> {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// Checks as the admin API shows them; what failed carries the remedy of the reason.
pub(crate) fn checks(checks: &[Check], reason: Option<Reason>) -> Vec<admin::Check> {
    let last_failed = checks.iter().rposition(|check| check.verdict == Verdict::Fail);
    let shown = checks.iter().enumerate().map(|(index, check)| admin::Check {
        check: check.check.to_string(),
        verdict: match check.verdict {
            Verdict::Pass => CheckVerdict::Pass,
            Verdict::Fail => CheckVerdict::Fail,
            Verdict::Skip => CheckVerdict::Skip,
        },
        expected: check.expected.clone().into_owned(),
        seen: check.seen.clone().into_owned(),
        remedy: reason.filter(|_| last_failed == Some(index)).map(|reason| reason.remedy().to_owned()),
    });
    shown.collect()
}
