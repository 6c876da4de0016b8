//! What must not stand in any file of the project.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// Unfinished work that would be shipped as done.
const WORDS: [&str; 4] = ["TODO", "FIXME", "XXX:", "HACK"];
/// Longest source file, in lines. A reader expects 100 to 300; this is where a file is surely two.
const LONGEST: usize = 700;

/// Every file that breaks a rule of the house.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output()?;
    if !listed.status.success() {
        bail!("git ls-files failed");
    }
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut faults = Vec::new();
    for name in names.split('\0').filter(|name| name.ends_with(".rs") && !name.starts_with("xtask/")) {
        let Ok(text) = std::fs::read_to_string(root.join(name)) else { continue };
        for (index, line) in text.lines().enumerate() {
            if let Some(word) = WORDS.iter().find(|word| line.contains(*word)) {
                faults.push(format!("{name}:{}: {word}", index + 1));
            }
        }
        let lines = text.lines().count();
        if lines > LONGEST {
            faults.push(format!("{name} has {lines} lines; more than {LONGEST} is two files"));
        }
    }
    Ok(faults)
}
