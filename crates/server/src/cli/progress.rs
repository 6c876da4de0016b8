//! A progress bar for people: on the standard error, and only when that is a terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ambient;

/// Progress of something that has an end, and the time that it takes.
pub(super) struct Progress {
    bar: ProgressBar,
    began: Duration,
}

impl Progress {
    /// A bar of `length`; `what` is counted beside it.
    pub(super) fn new(length: u64, template: &str) -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, began: ambient::system_clock().monotonic() }
    }

    /// Where it is.
    pub(super) fn at(&self, position: u64, message: String) {
        self.bar.set_position(position);
        self.bar.set_message(message);
    }

    /// Another end.
    pub(super) fn of(&self, length: u64) {
        self.bar.set_length(length);
    }

    /// Ends it; the seconds that it took.
    pub(super) fn end(&self) -> f64 {
        self.bar.finish_and_clear();
        self.seconds()
    }

    /// Seconds so far.
    pub(super) fn seconds(&self) -> f64 {
        ambient::system_clock().monotonic().saturating_sub(self.began).as_secs_f64()
    }
}

/// How many a second; none when no time has passed.
pub(super) fn rate(number: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (number as f64 / seconds) as u64 } else { 0 }
}
