//! The run as a table on the terminal, line by line while it plays.

use std::io::IsTerminal as _;

use super::report::{Attack, Procedure, Report, Verdict};

/// Prints what is played, as it is played; nothing when the run is to be JSON.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    quiet: bool,
    colour: bool,
}

impl Table {
    /// A table that prints, or not.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { quiet, colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
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
        let trace = procedure.trace.as_deref().map(|trace| format!("trace {trace}")).unwrap_or_default();
        crate::out!("\n{} {} ({})", procedure.id, procedure.title, procedure.source);
        crate::out!("   {} {time}  {trace}", self.word(procedure.verdict));
        for step in &procedure.steps {
            crate::out!(
                "   {:<5} {:<14} → {:<14} {:<52} {}",
                step.step,
                step.from,
                step.to,
                step.message,
                self.word(step.verdict)
            );
            if let Some(seen) = &step.seen {
                crate::out!("         seen: {seen}");
            }
        }
        crate::out!("   attacks: what was tried, the reason in the audit, the status on the wire, the trace");
    }

    /// An attack that was played.
    pub fn attack(self, attack: &Attack) {
        if self.quiet {
            return;
        }
        let status = attack.status.map_or_else(|| "closed".into(), |status| status.to_string());
        let trace = attack.trace.as_deref().unwrap_or_default();
        crate::out!(
            "   {:<54} {:<22} {status:>6}  {}  {trace}",
            attack.id,
            attack.got,
            self.word(attack.verdict)
        );
        if attack.verdict == Verdict::Fail {
            crate::out!("         expected {}; `metaseal why {trace}` tells more", attack.expected);
        }
    }

    /// The last line.
    pub fn sum(self, report: &Report) {
        if self.quiet {
            return;
        }
        let count = |verdict| report.procedures.iter().filter(|p| p.verdict == verdict).count();
        let refused = report.attacks.iter().filter(|a| a.verdict == Verdict::Pass).count();
        crate::out!(
            "\n{} procedures as their sources say, {} failed, {} not built yet; {refused} of {} attacks refused for their own reason",
            count(Verdict::Pass),
            count(Verdict::Fail),
            count(Verdict::NotBuilt),
            report.attacks.len(),
        );
    }

    fn word(self, verdict: Verdict) -> &'static str {
        match (verdict, self.colour) {
            (Verdict::Pass, false) => "pass",
            (Verdict::Pass, true) => "\x1b[32mpass\x1b[0m",
            (Verdict::Fail, false) => "FAIL",
            (Verdict::Fail, true) => "\x1b[1;31mFAIL\x1b[0m",
            (Verdict::NotBuilt, _) => "not built",
        }
    }
}
