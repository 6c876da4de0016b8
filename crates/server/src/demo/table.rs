//! The run as a table on the terminal, line by line while it plays.

use super::report::{Attack, Procedure, Report, Verdict};

/// Prints what is played, as it is played; nothing when the run is to be JSON.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    quiet: bool,
}

impl Table {
    /// A table that prints, or not.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// A line about what is going on.
    pub fn note(self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// A procedure that was played.
    pub fn procedure(self, procedure: &Procedure) {
        if self.quiet {
            return;
        }
        let time = procedure.ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
        println!("\n{} {}  {} {time}", procedure.id, procedure.title, word(procedure.verdict));
        for step in &procedure.steps {
            println!(
                "   {:<5} {:<14} → {:<14} {:<52} {}",
                step.step, step.from, step.to, step.message, word(step.verdict)
            );
            if let Some(seen) = &step.seen {
                println!("         seen: {seen}");
            }
        }
    }

    /// An attack that was played.
    pub fn attack(self, attack: &Attack) {
        if self.quiet {
            return;
        }
        let status = attack.status.map_or_else(|| "closed".into(), |status| status.to_string());
        println!("   {:<48} {:<24} {:>6}  {}", attack.id, attack.got, status, word(attack.verdict));
        if attack.verdict == Verdict::Fail {
            println!("         expected {}, see trace {}", attack.expected, attack.trace.as_deref().unwrap_or("-"));
        }
    }

    /// The last line.
    pub fn sum(self, report: &Report) {
        if self.quiet {
            return;
        }
        let count = |verdict| report.procedures.iter().filter(|p| p.verdict == verdict).count();
        let refused = report.attacks.iter().filter(|a| a.verdict == Verdict::Pass).count();
        println!(
            "\n{} procedures as their sources say, {} failed, {} not built yet; {refused} of {} attacks refused for their own reason",
            count(Verdict::Pass), count(Verdict::Fail), count(Verdict::NotBuilt), report.attacks.len(),
        );
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::NotBuilt => "not built",
    }
}
