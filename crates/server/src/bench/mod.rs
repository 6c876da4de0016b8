//! `metaseal bench`: what things cost, each beside its floor in the same run.
//!
//! Absolute figures mean little on a shared machine; the ratios are what is reported first. The program is measured as
//! others meet it: a process of its own, over kept-alive TLS, with the load generator on the same cores.

mod capif;
mod cases;
mod discovery;
mod fill;
mod floor;
mod load;
mod micro;
mod peer;
mod plot;
mod process;
mod program;
mod progress;
mod report;
mod samples;

use std::path::PathBuf;

use anyhow::Result;
use service_http::ambient::Ambient;

pub use floor::serve as serve_floor;
pub use plot::svg;
pub use report::{Bar, Report, Row};

use progress::Progress;

/// What is measured, and for how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seconds of each measurement.
    pub seconds: f64,
    /// Numbers of anchors that discovery is measured at.
    pub anchors: Vec<u32>,
    /// Number of service APIs that discovery at the core function is measured at, beside a hundred.
    pub apis: u32,
    /// Cases; empty: all.
    pub only: Vec<String>,
    /// Connections of the load generator.
    pub connections: usize,
    /// Folder of the peer that the token endpoint is measured against.
    pub peer: PathBuf,
    /// The same on a PostgreSQL that is started for it.
    pub postgres: bool,
    /// Clock and randomness.
    pub ambient: Ambient,
}

impl Options {
    /// Whether a case is asked for.
    fn wants(&self, case: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == case)
    }
}

/// The cases, in their order.
pub const CASES: [&str; 10] =
    ["signature", "check", "discovery", "token", "get", "write", "capif", "apis", "revocation", "events"];

/// Measures.
///
/// # Errors
/// The program, its floor or its store does not work.
pub async fn run(options: &Options) -> Result<Report> {
    let mut report = Report::of_this_machine(options);
    let progress = Progress::new(&report);
    if options.wants("signature") || options.wants("check") {
        progress.begin("signatures and token checks");
        micro::measure(options, &mut report).await?;
    }
    cases::measure(options, &mut report, &progress, false).await?;
    if options.postgres {
        cases::measure(options, &mut report, &progress, true).await?;
    }
    progress.end();
    report.judge();
    Ok(report)
}
