//! Playing the procedures and their attacks, and what comes of it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

use super::attacks::{self, Arena};
use super::observe::{self, Observer};
use super::report::{Procedure, Report, Step, Verdict, catalogue};
use super::{Sample, Table, p1, p2, p3, p4, svg};
use crate::wiring::Running;

/// What is built.
const BUILT: [&str; 4] = ["P1", "P2", "P3", "P4"];

/// Plays what `only` names, or everything that is built where it names nothing.
///
/// # Errors
/// The run itself failed: the functions do not answer. What they decide wrongly stands in the report.
pub async fn play(running: &Running, sample: &Sample, only: &[String], table: Table) -> Result<Report> {
    let observer = Observer::new(sample)?;
    let ambient = &running.admin.kit.ambient;
    let mut report = Report::default();
    for mut procedure in catalogue() {
        if !only.is_empty() && !only.iter().any(|id| id.eq_ignore_ascii_case(procedure.id)) {
            continue;
        }
        if !BUILT.contains(&procedure.id) {
            report.procedures.push(procedure);
            continue;
        }
        let began = ambient.monotonic();
        let mut score = Score::new(ambient.trace_id(), &observer);
        let played = match procedure.id {
            "P1" => p1::play(sample, &mut score).await,
            "P2" => p2::play(sample, &mut score).await,
            "P3" => p3::play(sample, score.of("TR33.721-S2")).await,
            _ => p4::play(sample, score.of("TR33.721-S3")).await,
        };
        score.close(played);
        let took = ambient.monotonic().saturating_sub(began);
        conclude(&mut procedure, score, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        table.procedure(&procedure);
        let id = procedure.id;
        report.procedures.push(procedure);

        let mut arena = Arena::new(running, sample, &observer, table, id);
        attacks::play(&mut arena).await.with_context(|| format!("attacks on {id}"))?;
        report.attacks.append(&mut arena.played);
    }
    Ok(report)
}

/// Writes each procedure that was played as a sequence diagram into `dir`.
///
/// # Errors
/// The directory cannot be written.
pub fn write_pictures(report: &Report, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    for procedure in report.procedures.iter().filter(|procedure| procedure.verdict != Verdict::NotBuilt) {
        let file = dir.join(format!("{}.svg", procedure.id.to_ascii_lowercase()));
        std::fs::write(&file, svg::draw(procedure)).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

fn conclude(procedure: &mut Procedure, score: Score<'_>, ms: u64) {
    let failed = score.steps.iter().any(|step| step.verdict == Verdict::Fail);
    procedure.verdict = if failed { Verdict::Fail } else { Verdict::Pass };
    procedure.trace = Some(score.trace);
    procedure.ms = Some(ms);
    procedure.steps = score.steps;
}

/// The steps of one procedure while it is played.
pub(super) struct Score<'o> {
    /// Named in every request of the procedure.
    pub(super) trace: String,
    pub(super) observer: &'o Observer,
    steps: Vec<Step>,
    /// Requests whose steps stand in the score.
    seen: BTreeSet<String>,
    /// The one procedure whose steps are taken over, where a request is a step of several.
    only: Option<&'static str>,
}

impl<'o> Score<'o> {
    fn new(trace: String, observer: &'o Observer) -> Self {
        Self { trace, observer, steps: Vec::new(), seen: BTreeSet::new(), only: None }
    }

    /// Only steps of this procedure are taken over.
    fn of(&mut self, procedure: &'static str) -> &mut Self {
        self.only = Some(procedure);
        self
    }

    /// Takes over what the functions reported of a request of somebody else's.
    pub(super) async fn adopt(&mut self, trace: &str) -> Result<()> {
        let reported = self.observer.steps(trace).await?;
        let of_it = reported.iter().filter(|step| self.only.is_none_or(|only| step.procedure == only));
        self.steps.extend(of_it.map(observe::step));
        Ok(())
    }

    /// Takes over what the functions reported since the last time. Returns the traces of the requests.
    pub(super) async fn take_over(&mut self) -> Result<Vec<String>> {
        let reported = self.observer.steps(&self.trace).await?;
        let fresh: Vec<_> = reported.iter().filter(|step| !self.seen.contains(step.trace.as_str())).collect();
        let mut traces: Vec<String> = Vec::new();
        for step in &fresh {
            if !traces.iter().any(|known| known == step.trace.as_str()) {
                traces.push(step.trace.to_string());
            }
        }
        // Requests of one second come in any order, their steps do not.
        for trace in &traces {
            let of_request = fresh.iter().filter(|step| {
                step.trace.as_str() == trace && self.only.is_none_or(|only| step.procedure == only)
            });
            self.steps.extend(of_request.map(|step| observe::step(step)));
        }
        self.seen.extend(traces.iter().cloned());
        Ok(traces)
    }

    /// Adds what the client itself did or found.
    pub(super) fn client(&mut self, step: &str, (from, to): (&str, &str), message: &str, found: Found) {
        let (checks, seen) = match found {
            Ok(checks) => (checks, None),
            Err(seen) => (Vec::new(), Some(seen)),
        };
        self.steps.push(Step {
            step: step.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            message: message.to_owned(),
            verdict: if seen.is_none() { Verdict::Pass } else { Verdict::Fail },
            seen,
            checks,
        });
    }

    /// Fails the procedure where nobody reported one of the source's steps: number, sender, receiver.
    pub(super) fn require(&mut self, source: &[(&str, &str, &str)]) {
        for (number, from, to) in source {
            let is_it = |step: &Step| step.step == *number && step.from == *from && step.to == *to;
            if !self.steps.iter().any(is_it) {
                self.client(number, (from, to), "step of the source", Err("nobody reported it".into()));
            }
        }
    }

    fn close(&mut self, played: Result<()>) {
        if let Err(error) = played {
            self.client("-", ("demo", "demo"), "play the procedure", Err(format!("{error:#}")));
        }
    }
}

/// Names of the checks that hold, or what was seen instead.
pub(super) type Found = Result<Vec<String>, String>;

/// The names of `checks` if all of them hold, else the first that does not.
pub(super) fn all(checks: &[(&str, bool)]) -> Found {
    match checks.iter().find(|(_, holds)| !holds) {
        None => Ok(checks.iter().map(|(name, _)| (*name).to_owned()).collect()),
        Some((name, _)) => Err(format!("does not hold: {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_check_that_does_not_hold_is_named() {
        assert_eq!(all(&[("a", true), ("b", true)]), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(all(&[("a", true), ("b", false), ("c", false)]), Err("does not hold: b".to_owned()));
    }

    #[test]
    fn a_run_without_anything_has_nothing_to_prove() {
        let mut report = Report { procedures: catalogue(), attacks: Vec::new() };
        assert!(report.nothing_played() && !report.passed());
        report.procedures[0].verdict = Verdict::Pass;
        assert!(!report.nothing_played() && report.passed());
        report.procedures[1].verdict = Verdict::Fail;
        assert!(!report.passed());
        assert!(Report::default().nothing_played());
    }
}
