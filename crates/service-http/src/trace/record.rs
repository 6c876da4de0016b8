//! One request of a trace, as kept.

use api_types::DateTime;
use api_types::admin::{TraceStep, Why};
use api_types::function::Function;
use authorization::{Check, Reason, Verdict};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

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
    /// The records in the JSON array that the store keeps.
    pub(crate) fn from_json(text: &str) -> Vec<Self> {
        let mut kept: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        kept.iter_mut().for_each(complete);
        let mut records: Vec<Self> = serde_json::from_value(kept.into()).unwrap_or_default();
        for record in &mut records {
            // Checks of the decision that are those of its first step stand there once.
            if let (Some(why), Some(step)) = (&mut record.why, record.steps.first())
                && why.checks.is_empty()
            {
                why.checks.clone_from(&step.checks);
            }
        }
        records
    }
}

/// Gives steps and decision the members that they share with the record, where they are left out.
fn complete(record: &mut Value) {
    let trace = record["trace"].clone();
    let at = record["at_ms"].as_i64().map(DateTime::from_unix_ms);
    let at = serde_json::to_value(at).unwrap_or_default();
    let mut fill = |part: &mut Value| {
        if let Some(part) = part.as_object_mut() {
            part.entry("trace").or_insert_with(|| trace.clone());
            part.entry("at").or_insert_with(|| at.clone());
            part.entry("checks").or_insert_with(|| Value::Array(Vec::new()));
        }
    };
    if let Some(steps) = record.get_mut("steps").and_then(Value::as_array_mut) {
        steps.iter_mut().for_each(&mut fill);
    }
    record.get_mut("why").map(fill);
}

/// A record as ring and store hold it. It is written once and read back only when somebody looks, which is seldom.
#[derive(Debug)]
pub struct Written {
    pub(super) trace: String,
    pub(super) link: Option<String>,
    pub(super) at_ms: i64,
    /// Who decided.
    pub(super) function: Option<Function>,
    pub(super) json: String,
}

impl Written {
    pub(super) fn read(&self) -> Vec<TraceRecord> {
        TraceRecord::from_json(&self.json)
    }
}

/// A record that is being made, of borrowed texts: the members are those of [`TraceRecord`] and what it holds, without
/// those that are the same as the record's own. A trace is most of what is written for a request.
#[derive(Serialize)]
pub(crate) struct Draft<'d> {
    pub(crate) trace: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<&'d str>,
    pub(crate) at_ms: i64,
    pub(crate) steps: Vec<DraftStep<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<DraftWhy<'d>>,
}

#[derive(Serialize)]
pub(crate) struct DraftStep<'d> {
    pub(crate) procedure: &'d str,
    pub(crate) step: &'d str,
    pub(crate) from: &'d str,
    pub(crate) to: &'d str,
    pub(crate) message: &'d str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<DraftCheck<'d>>,
    /// Absent: when the record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<DateTime>,
}

#[derive(Serialize)]
pub(crate) struct DraftWhy<'d> {
    pub(crate) verdict: &'d str,
    pub(crate) reason: Option<&'d str>,
    pub(crate) cause: Option<&'d str>,
    pub(crate) status: u16,
    pub(crate) function: Function,
    pub(crate) operation: &'d str,
    /// Empty where the first step has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<DraftCheck<'d>>,
}

/// A check as the admin API shows it, as a list in the order of its members: that is read like the members by their names.
pub(crate) struct DraftCheck<'d> {
    check: &'d str,
    verdict: Verdict,
    expected: &'d str,
    seen: &'d str,
    remedy: Option<&'static str>,
}

impl Serialize for DraftCheck<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { check, verdict, expected, seen, remedy } = self;
        match remedy {
            None => (check, verdict, expected, seen).serialize(to),
            Some(remedy) => (check, verdict, expected, seen, remedy).serialize(to),
        }
    }
}

impl Draft<'_> {
    pub(crate) fn written(&self) -> Written {
        Written {
            trace: self.trace.to_owned(),
            link: self.link.map(str::to_owned),
            at_ms: self.at_ms,
            function: self.why.as_ref().map(|why| why.function),
            json: serde_json::to_string(&[self]).unwrap_or_else(|_| "[]".to_owned()),
        }
    }
}

/// Checks as they are kept; what failed carries the remedy of the reason.
pub(crate) fn checks(checks: &[Check], reason: Option<Reason>) -> Vec<DraftCheck<'_>> {
    let last_failed = checks.iter().rposition(|check| check.verdict == Verdict::Fail);
    let shown = checks.iter().enumerate().map(|(index, check)| DraftCheck {
        check: &check.check,
        verdict: check.verdict,
        expected: &check.expected,
        seen: &check.seen,
        remedy: reason.filter(|_| last_failed == Some(index)).map(Reason::remedy),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn made(names: &[&'static str]) -> Vec<Check> {
        let fail = |name: &&str| if *name == "failed" { Verdict::Fail } else { Verdict::Pass };
        let check = |name: &&'static str| Check {
            check: (*name).into(),
            verdict: fail(name),
            expected: "one".into(),
            seen: "two".into(),
        };
        names.iter().map(check).collect()
    }

    fn written(of_decision: &[Check], of_step: Option<&[Check]>) -> Written {
        let steps = of_step.map(|of_step| DraftStep {
            procedure: "P",
            step: "1",
            from: "a",
            to: "b",
            message: "m",
            checks: checks(of_step, None),
            at: None,
        });
        let why = DraftWhy {
            verdict: "deny",
            reason: Some(Reason::Expired.as_str()),
            cause: None,
            status: 401,
            function: Function::San,
            operation: "get",
            checks: checks(of_decision, Some(Reason::Expired)),
        };
        Draft { trace: TRACE, link: None, at_ms: 1, steps: steps.into_iter().collect(), why: Some(why) }
            .written()
    }

    #[test]
    fn what_is_written_is_read_back_with_the_remedy_of_what_failed() {
        let both = made(&["token", "failed"]);
        let [record] = written(&both, None).read().try_into().unwrap();
        let why = record.why.unwrap();
        assert_eq!((why.status, why.function, why.trace.as_str()), (401, Function::San, TRACE));
        assert_eq!((why.checks[0].check.as_str(), why.checks[0].seen.as_str()), ("token", "two"));
        assert_eq!(why.checks[0].remedy, None);
        assert_eq!(why.checks[1].remedy.as_deref(), Some(Reason::Expired.remedy()));
    }

    #[test]
    fn what_an_older_program_has_written_is_read() {
        let check = r#"{"check":"token","verdict":"fail","expected":"one","seen":"two","remedy":"three"}"#;
        let at = "2027-01-15T08:00:00Z";
        let text = format!(
            r#"[{{"trace":"{TRACE}","at_ms":5000,"steps":[{{"trace":"{TRACE}","procedure":"P","step":"1","from":"a",
            "to":"b","message":"m","checks":[{check}],"at":"{at}"}}],"why":{{"trace":"{TRACE}","verdict":"deny",
            "reason":"EXPIRED","cause":null,"status":401,"function":"san","operation":"get","checks":[],"at":"{at}"}}}}]"#
        );
        let [record] = TraceRecord::from_json(&text).try_into().unwrap();
        let why = record.why.unwrap();
        assert_eq!(why.checks[0].remedy.as_deref(), Some("three"));
        assert_eq!((record.steps[0].at, why.at), (DateTime::from_unix(1_800_000_000), why.at));
        assert_eq!(why.at, Some(record.steps[0].at));

        let [record] = written(&[], Some(&made(&["token"]))).read().try_into().unwrap();
        assert_eq!(record.steps[0].at, DateTime::from_unix_ms(1), "that of the record");
        assert_eq!(record.steps[0].trace.as_str(), TRACE);
    }

    #[test]
    fn checks_that_stand_with_the_step_are_those_of_the_decision_too() {
        let own = made(&["token", "holder"]);
        let [record] = written(&[], Some(&own)).read().try_into().unwrap();
        assert_eq!(record.why.unwrap().checks, record.steps[0].checks);
        let [record] = written(&own[..1], Some(&own)).read().try_into().unwrap();
        assert_eq!((record.why.unwrap().checks.len(), record.steps[0].checks.len()), (1, 2));
    }
}
