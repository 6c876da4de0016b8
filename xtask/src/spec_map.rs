//! `spec-map.md`: from clause to module to test, kept true; and the conformance table made from it.
//!
//! A row of the map is `| ids | what | modules | tests |`. Modules are paths in backquotes, tests are
//! `path::name` in backquotes. A row that is not built says `later:` or `none:` with the reason instead; one that is built
//! in part says `partly:`, its tests, and what is missing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const MAP: &str = "spec-map.md";
const TABLE: &str = "docs/CONFORMANCE.md";

struct Row {
    line: usize,
    ids: Vec<String>,
    what: String,
    modules: String,
    tests: String,
}

impl Row {
    fn status(&self) -> &'static str {
        match (self.tests.split(':').next(), self.modules.split(':').next()) {
            (Some("later"), _) | (_, Some("later")) => "later",
            (Some("none"), _) => "no behaviour",
            (Some("partly"), _) => "built in part",
            _ => "built and tested",
        }
    }
}

/// Every statement of the map that is not true.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join(MAP)).with_context(|| format!("{MAP} is missing"))?;
    let rows = rows(&text);
    let mut faults = Vec::new();
    let mut seen = BTreeMap::new();
    for row in &rows {
        for id in &row.ids {
            if let Some(first) = seen.insert(id.clone(), row.line) {
                faults.push(format!("{MAP}:{}: {id} stands in line {first} already", row.line));
            }
        }
        for module in quoted(&row.modules) {
            if !root.join(module).exists() {
                faults.push(format!("{MAP}:{}: there is no {module}", row.line));
            }
        }
        for test in quoted(&row.tests) {
            if let Some(fault) = missing_test(root, test) {
                faults.push(format!("{MAP}:{}: {fault}", row.line));
            }
        }
        let reason = ["later:", "none:"].iter().any(|word| row.tests.starts_with(word));
        if quoted(&row.tests).next().is_none() && !reason {
            faults.push(format!("{MAP}:{}: {} has no test and no reason why", row.line, row.ids.join(", ")));
        }
        if quoted(&row.modules).next().is_none() && !reason {
            faults.push(format!("{MAP}:{}: {} has no module", row.line, row.ids.join(", ")));
        }
    }
    if rows.is_empty() {
        faults.push(format!("{MAP} has no rows"));
    }
    let written = fs::read_to_string(root.join(TABLE)).unwrap_or_default();
    if written != conformance(&rows) {
        faults.push(format!("{TABLE} differs from {MAP}; run `cargo xtask spec-map`"));
    }
    Ok(faults)
}

/// Writes the conformance table.
pub(crate) fn write(root: &Path) -> Result<()> {
    let text = fs::read_to_string(root.join(MAP)).with_context(|| format!("{MAP} is missing"))?;
    fs::write(root.join(TABLE), conformance(&rows(&text)))?;
    Ok(())
}

fn rows(text: &str) -> Vec<Row> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    text.lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with('|'))
        .filter_map(|(index, line)| {
            let [ids, what, modules, tests] = <[String; 4]>::try_from(cells(line)).ok()?;
            if ids == "ids" || ids.starts_with("---") {
                return None;
            }
            let ids = ids.split(',').map(|id| id.trim().to_owned()).collect();
            Some(Row { line: index + 1, ids, what, modules, tests })
        })
        .collect()
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn missing_test(root: &Path, test: &str) -> Option<String> {
    let Some((path, name)) = test.split_once("::") else {
        return (!root.join(test).exists()).then(|| format!("there is no {test}"));
    };
    let Ok(source) = fs::read_to_string(root.join(path)) else {
        return Some(format!("there is no {path}"));
    };
    let found = source.contains(&format!("fn {name}(")) || source.contains(&format!("\"{name}\""));
    (!found).then(|| format!("{path} has no test {name}"))
}

fn conformance(rows: &[Row]) -> String {
    let mut text = String::from(
        "# Conformance statement\n\nMade from `spec-map.md` by `cargo xtask spec-map`; do not edit.\n\n\
         | requirement | status | what | test or reason |\n|---|---|---|---|\n",
    );
    for row in rows {
        for id in &row.ids {
            text.push_str(&format!("| {id} | {} | {} | {} |\n", row.status(), row.what, row.tests));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_is_not_true_is_found() {
        let dir = std::env::temp_dir().join(format!("spec-map-{}", std::process::id()));
        fs::create_dir_all(dir.join("docs")).expect("writable");
        fs::write(dir.join("a.rs"), "fn good() {}").expect("writable");
        let rows = [
            ("true", "| A-1 | x | `a.rs` | `a.rs::good` |", 0),
            ("reason", "| A-1 | x | later: next | later: next |", 0),
            ("no module", "| A-1 | x | `b.rs` | `a.rs::good` |", 1),
            ("no test", "| A-1 | x | `a.rs` | `a.rs::bad` |", 1),
            ("nothing", "| A-1 | x | `a.rs` | |", 1),
            ("in part", "| A-1 | x | `a.rs` | partly: `a.rs::good`. The rest: later |", 0),
            ("in no part", "| A-1 | x | `a.rs` | partly: soon |", 1),
            ("nowhere", "| A-1 | x | | `a.rs::good` |", 1),
            ("twice", "| A-1, A-1 | x | `a.rs` | `a.rs::good` |", 1),
        ];
        for (what, row, expected) in rows {
            fs::write(dir.join(MAP), format!("| ids | what | modules | tests |\n|---|---|---|---|\n{row}\n"))
                .expect("writable");
            write(&dir).expect("writable");
            assert_eq!(faults(&dir).expect("readable").len(), expected, "{what}");
        }
        fs::write(dir.join(TABLE), "old").expect("writable");
        assert!(faults(&dir).expect("readable").iter().any(|fault| fault.contains("differs")));
        fs::remove_dir_all(&dir).expect("removable");
    }
}
