//! What CAPIF costs: tokens beside those of the SIM-S, discovery among few and many service APIs, how soon a revocation is
//! everywhere, and how soon an event is with all subscribers.

mod discovery;
mod events;
mod party;
mod reads;
mod revocation;
mod tokens;

use std::path::Path;

use anyhow::Result;

use super::Options;
use super::program::Program;
use super::progress::Progress;
use super::report::Report;

/// The cases of this module.
const CASES: [&str; 4] = ["capif", "apis", "revocation", "events"];

/// A running program, its engine, and where the results go.
struct Site<'a> {
    options: &'a Options,
    progress: &'a Progress,
    program: Program,
    /// Name of the engine.
    on: &'static str,
}

/// # Errors
/// Something to be measured does not work.
pub(super) async fn measure(
    options: &Options,
    report: &mut Report,
    progress: &Progress,
    (dir, url, on): (&Path, Option<&str>, &'static str),
) -> Result<()> {
    if !CASES.iter().any(|case| options.wants(case)) {
        return Ok(());
    }
    let receiver = events::Certificate::new()?;
    let root = receiver.root_in(dir)?;
    let more = format!("[egress]\nallow_private = true\ntrusted_roots = [{root:?}]\n");
    let mut program = Program::configured(dir, url, &more, &options.ambient).await?;
    program.register().await?;
    let site = Site { options, progress, program, on };
    if options.wants("capif") {
        tokens::measure(&site, report).await?;
        reads::measure(&site, report).await?;
    }
    if options.wants("revocation") {
        revocation::measure(&site, report).await?;
    }
    if options.wants("events") {
        events::measure(&site, report, receiver).await?;
    }
    // Last, since it leaves ten thousand service APIs behind.
    if options.wants("apis") {
        discovery::measure(&site, report).await?;
    }
    Ok(())
}
