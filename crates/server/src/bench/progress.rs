//! What is being done, on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::report::Report;

/// Width of the bar in characters.
const WIDTH: usize = 24;

/// Steps so far, of about so many.
pub(super) struct Progress {
    done: AtomicUsize,
    steps: usize,
    terminal: bool,
}

impl Progress {
    pub(super) fn new(report: &Report) -> Self {
        Self { done: AtomicUsize::new(0), steps: report.steps, terminal: std::io::stderr().is_terminal() }
    }

    /// A step begins.
    pub(super) fn begin(&self, what: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed).min(self.steps);
        self.show(done as f64 / self.steps.max(1) as f64, what, !self.terminal);
    }

    /// How far a long step has come.
    pub(super) fn within(&self, what: &str, share: f64) {
        if self.terminal {
            self.show(share, what, false);
        }
    }

    /// Everything is done.
    pub(super) fn end(&self) {
        if self.terminal {
            eprintln!("\r\u{1b}[K");
        }
    }

    fn show(&self, share: f64, what: &str, line: bool) {
        let full = ((share.clamp(0.0, 1.0) * WIDTH as f64).round() as usize).min(WIDTH);
        let bar = format!("[{}{}] {what}", "#".repeat(full), ".".repeat(WIDTH - full));
        if line {
            eprintln!("{bar}");
        } else {
            eprint!("\r\u{1b}[K{bar}");
            let _ = std::io::stderr().flush();
        }
    }
}
