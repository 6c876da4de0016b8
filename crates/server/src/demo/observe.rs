//! What the functions recorded of this run, read over the admin API as an operator reads it.

use anyhow::Result;
use api_types::admin::{AuditItem, ChargingItem, CheckVerdict, TraceStep};
use sdk::AdminClient;
use sdk::admin::RecordFilter;

use super::Sample;
use super::report::{Step, Verdict};

/// Reads what was recorded.
pub(super) struct Observer {
    admin: AdminClient,
}

impl Observer {
    pub(super) fn new(sample: &Sample) -> Result<Self> {
        Ok(Self { admin: sample.admin()? })
    }

    pub(super) fn admin(&self) -> &AdminClient {
        &self.admin
    }

    /// The steps of a trace; none where nobody reported any.
    pub(super) async fn steps(&self, trace: &str) -> Result<Vec<TraceStep>> {
        match self.admin.trace(trace).await {
            Ok(steps) => Ok(steps),
            Err(error) if error.status() == Some(404) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// The audit records of a trace.
    pub(super) async fn audit(&self, trace: &str) -> Result<Vec<AuditItem>> {
        let filter = RecordFilter { trace: Some(trace.to_owned()), ..RecordFilter::default() };
        Ok(self.admin.audit(&filter).await?.items)
    }

    /// Why a request was refused, by the audit. Refusals that were counted together have no record of their own; those
    /// are known by their trace.
    pub(super) async fn reason(&self, trace: &str, audit: &[AuditItem]) -> Result<Option<String>> {
        if let Some(reason) = audit.iter().rev().find_map(|item| item.reason.clone()) {
            return Ok(Some(reason));
        }
        match self.admin.why(trace).await {
            Ok(why) => Ok(why.reason),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every charging record of a consumer.
    pub(super) async fn charged(&self, consumer: &str) -> Result<Vec<ChargingItem>> {
        let mut filter = RecordFilter { consumer: Some(consumer.to_owned()), ..RecordFilter::default() };
        let mut items = Vec::new();
        loop {
            let page = self.admin.charging(&filter).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => filter.cursor = Some(next),
                None => return Ok(items),
            }
        }
    }
}

/// A step as a function reported it, under the number that it has in the source's figure: `A0` and `B3a` are 0 and 3 of
/// the two figures of 001 6.1.2.
pub(super) fn step(reported: &TraceStep) -> Step {
    let digits = reported.step.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let number = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let failed = reported.checks.iter().find(|check| check.verdict == CheckVerdict::Fail);
    let passed = reported.checks.iter().filter(|check| check.verdict == CheckVerdict::Pass);
    Step {
        step: number.to_owned(),
        from: reported.from.clone(),
        to: reported.to.clone(),
        message: reported.message.clone(),
        verdict: if failed.is_some() { Verdict::Fail } else { Verdict::Pass },
        seen: failed.map(|check| format!("{}: {}", check.check, check.seen)),
        checks: passed.map(|check| check.check.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_the_numbers_of_the_figure() {
        for (reported, number) in [("A0", "0"), ("0", "0"), ("B3a", "3"), ("B12", "12"), ("5a", "5")] {
            let step = step(&TraceStep {
                trace: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
                procedure: "TR33.721-S1".into(),
                step: reported.into(),
                from: "SIM-C".into(),
                to: "SIM-S".into(),
                message: "x".into(),
                checks: vec![],
                at: api_types::DateTime::from_unix(0),
            });
            assert_eq!((step.step.as_str(), step.verdict), (number, Verdict::Pass), "{reported}");
        }
    }
}
