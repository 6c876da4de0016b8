//! What the documents point at is there: relative links, and paths of the repository in backquotes.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// What a path of the repository begins with.
const PLACES: [&str; 9] =
    ["crates/", "docs/", "fuzz/", "openapi/", "scripts/", "tests/", "xtask/", ".ci/", ".cargo/"];

/// Every pointer that leads nowhere.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(root)
        .output()?;
    if !listed.status.success() {
        bail!("git ls-files failed");
    }
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut faults = Vec::new();
    // The map and the table made from it have a check of their own.
    let elsewhere = ["", "spec-map.md", "docs/CONFORMANCE.md"];
    for name in names.split('\0').filter(|name| !elsewhere.contains(name)) {
        let Ok(text) = std::fs::read_to_string(root.join(name)) else { continue };
        faults.extend(of(root, name, &text));
    }
    Ok(faults)
}

fn of(root: &Path, name: &str, text: &str) -> Vec<String> {
    let here = Path::new(name).parent().unwrap_or(Path::new(""));
    let mut faults = Vec::new();
    for (number, line) in outside_fences(text) {
        for target in links(line) {
            let file = target.split('#').next().unwrap_or_default();
            let outside = target.contains("://") || target.starts_with("mailto:") || file.is_empty();
            if !outside && !root.join(here).join(file).exists() {
                faults.push(format!("{name}:{number}: the link to {target} leads nowhere"));
            }
        }
        for path in line.split('`').skip(1).step_by(2).filter_map(repository_path) {
            if !root.join(path).exists() {
                faults.push(format!("{name}:{number}: there is no {path}"));
            }
        }
    }
    faults
}

/// The lines with their numbers that are no code.
fn outside_fences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        (!inside && !fence).then_some((index + 1, line))
    })
}

/// The targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// A path in backquotes, without what stands behind `::`; `None` for a pattern, and for what is no path of ours.
fn repository_path(quoted: &str) -> Option<&str> {
    let path = quoted.split("::").next()?;
    let plain = !path.contains([' ', '<', '{', '*', '…']);
    (plain && PLACES.iter().any(|place| path.starts_with(place))).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_that_leads_nowhere_is_found() {
        let root = crate::root();
        let rows = [
            (
                "links",
                "[a](../README.md) [b](https://x.example/y) [c](#here) [d](ARCHITECTURE.md#the-crates)",
                0,
            ),
            ("a path", "`xtask/src/main.rs` and `xtask/src/main.rs::check` and `crates/<function>/src`", 0),
            ("no path", "`ssan-sanm/v1` and `POST /token`", 0),
            ("in a fence", "```sh\ncat `docs/nothing` [x](nothing.md)\n```", 0),
            ("a link", "see\n[a](nothing.md)", 1),
            ("a path that is gone", "`docs/nothing.md`", 1),
            ("a module that is gone", "`xtask/src/nothing.rs::check`", 1),
        ];
        for (what, text, expected) in rows {
            assert_eq!(of(&root, "docs/x.md", text).len(), expected, "{what}");
        }
    }

    #[test]
    fn the_documents_point_at_what_is_there() {
        assert_eq!(faults(&crate::root()).expect("readable"), Vec::<String>::new());
    }
}
