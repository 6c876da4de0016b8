//! `metaseal bench`

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::arguments::{Bench, BenchFloor, Common};
use crate::ambient;
use crate::bench::{self, CASES, Options};

/// Seconds of a measurement, and of one of a quick run.
const SECONDS: f64 = 5.0;
const QUICK_SECONDS: f64 = 1.0;

/// Anchors of a whole run, and of a quick one.
const ANCHORS: [u32; 3] = [10_000, 100_000, 1_000_000];
const QUICK_ANCHORS: [u32; 2] = [10_000, 50_000];

/// Service APIs of a whole run, and of a quick one.
const APIS: u32 = 10_000;
const QUICK_APIS: u32 = 1_000;

/// Bars that are missed are reported and are no failure: a shared machine is no judge.
pub(super) async fn run(common: Common, options: Bench) -> Result<ExitCode> {
    if let Some(unknown) = options.only.iter().find(|only| !CASES.contains(&only.as_str())) {
        bail!("{unknown} is none of {}", CASES.join(", "));
    }
    let standard = if options.quick { QUICK_ANCHORS.to_vec() } else { ANCHORS.to_vec() };
    let report = bench::run(&Options {
        seconds: options.seconds.unwrap_or(if options.quick { QUICK_SECONDS } else { SECONDS }),
        anchors: if options.anchors.is_empty() { standard } else { options.anchors },
        apis: if options.quick { QUICK_APIS } else { APIS },
        only: options.only,
        connections: options.connections,
        peer: options.peer,
        postgres: options.postgres,
        ambient: ambient::system(),
    })
    .await?;
    if let Some(file) = &options.plot {
        std::fs::write(file, bench::svg(&report)).with_context(|| format!("writing {}", file.display()))?;
    }
    if common.json {
        crate::out!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn floor(options: BenchFloor) -> Result<ExitCode> {
    let postgres = options.postgres.as_deref();
    bench::serve_floor(&options.dir, postgres, &options.told, &ambient::system()).await?;
    Ok(ExitCode::SUCCESS)
}
