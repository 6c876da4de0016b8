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

/// A record as the store keeps it: checks of the decision that are those of its first step stand there once.
#[derive(Serialize)]
struct Kept<'r> {
    trace: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'r str>,
    at_ms: i64,
    steps: &'r [TraceStep],
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
}

impl TraceRecord {
    /// The record as one element of the JSON array that the store keeps.
    pub(crate) fn to_json(&self) -> String {
        let why = self.why.as_ref().map(|why| match self.steps.first() {
            Some(step) if step.checks == why.checks => without_checks(why),
            _ => why.clone(),
        });
        let Self { trace, link, at_ms, steps, .. } = self;
        let kept = Kept { trace, link: link.as_deref(), at_ms: *at_ms, steps, why };
        serde_json::to_string(&[kept]).unwrap_or_else(|_| "[]".to_owned())
    }

    pub(crate) fn from_json(text: &str) -> Vec<Self> {
        let mut records: Vec<Self> = serde_json::from_str(text).unwrap_or_default();
        for record in &mut records {
            if let (Some(why), Some(step)) = (&mut record.why, record.steps.first())
                && why.checks.is_empty()
            {
                why.checks.clone_from(&step.checks);
            }
        }
        records
    }
}

/// A decision without its checks.
fn without_checks(why: &Why) -> Why {
    Why {
        trace: why.trace.clone(),
        verdict: why.verdict.clone(),
        reason: why.reason.clone(),
        cause: why.cause.clone(),
        status: why.status,
        function: why.function,
        operation: why.operation.clone(),
        checks: Vec::new(),
        at: why.at,
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

#[cfg(test)]
mod tests {
    use api_types::function::Function;

    use super::*;

    /// Checks of the decision, and those of its step.
    fn record(of_decision: &[&str], of_step: Option<&[&str]>) -> TraceRecord {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let shown = |names: &[&str]| -> Vec<admin::Check> {
            let made: Vec<Check> = names
                .iter()
                .map(|name| Check {
                    check: (*name).to_owned().into(),
                    verdict: Verdict::Pass,
                    expected: "one".into(),
                    seen: "one".into(),
                })
                .collect();
            checks(&made, None)
        };
        let id = || api_types::ids::TraceId::try_from(trace.to_owned()).unwrap();
        let at = api_types::DateTime::from_unix(1_800_000_000);
        let steps = of_step.map(|names| TraceStep {
            trace: id(),
            procedure: "P".to_owned(),
            step: "1".to_owned(),
            from: "a".to_owned(),
            to: "b".to_owned(),
            message: "m".to_owned(),
            checks: shown(names),
            at,
        });
        let why = Why {
            trace: id(),
            verdict: "permit".to_owned(),
            reason: None,
            cause: None,
            status: 200,
            function: Function::San,
            operation: "get".to_owned(),
            checks: shown(of_decision),
            at: Some(at),
        };
        let steps = steps.into_iter().collect();
        TraceRecord { trace: trace.to_owned(), link: None, at_ms: 1, steps, why: Some(why) }
    }

    #[test]
    fn a_record_comes_back_whole_though_its_checks_are_kept_once() {
        for kept in [
            record(&["token", "holder"], Some(&["token", "holder"])),
            record(&["token", "holder"], Some(&["token"])),
            record(&["token"], None),
        ] {
            assert_eq!(TraceRecord::from_json(&kept.to_json()), std::slice::from_ref(&kept));
        }
        let once = record(&["holder"], Some(&["holder"])).to_json();
        assert_eq!(once.matches("holder").count(), 1, "{once}");
    }
}
