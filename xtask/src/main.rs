//! Helper of the project, never shipped: `cargo xtask check | spec-map | openapi`.

mod documents;
mod layers;
mod licences;
mod metadata;
mod spec_map;
mod texts;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let root = root();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["check"] => check(&root),
        ["spec-map"] => spec_map::write(&root),
        ["openapi"] => openapi(&root),
        _ => bail!("usage: cargo xtask check | spec-map | openapi"),
    }
}

fn check(root: &Path) -> Result<()> {
    let metadata = metadata::read(root)?;
    let mut faults = licences::faults(&metadata);
    faults.extend(layers::faults(&metadata));
    faults.extend(spec_map::faults(root)?);
    faults.extend(documents::faults(root)?);
    faults.extend(texts::faults(root)?);
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.is_empty() {
        println!(
            "xtask check: licences, banned crates, layers, spec-map, documents and texts are as they should be"
        );
        Ok(())
    } else {
        bail!("{} fault(s)", faults.len())
    }
}

/// The documents come from the program itself, so that they cannot differ from its routes.
fn openapi(root: &Path) -> Result<()> {
    let status = std::process::Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "-p", "server", "--bin", "metaseal", "--", "openapi", "--dir"])
        .arg(root.join("openapi"))
        .status()?;
    if !status.success() {
        bail!("the program could not write its documents");
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}
