//! What `cargo metadata` says of the dependency graph, as far as the checks need it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use serde::Deserialize;

/// The graph for the platform that the project is built on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    /// Every package of the graph.
    pub(crate) packages: Vec<Package>,
    /// Ids of our own packages.
    pub(crate) workspace_members: Vec<String>,
    /// Which package uses which.
    pub(crate) resolve: Resolve,
}

/// A package.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    /// Opaque id.
    pub(crate) id: String,
    /// Name on the registry.
    pub(crate) name: String,
    /// Version.
    pub(crate) version: String,
    /// SPDX expression.
    pub(crate) license: Option<String>,
}

/// The resolved graph.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Resolve {
    /// One node a package.
    pub(crate) nodes: Vec<Node>,
}

/// A package in the graph.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Node {
    /// Id of the package.
    pub(crate) id: String,
    /// What it uses.
    pub(crate) deps: Vec<Dependency>,
}

/// An edge of the graph.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    /// Id of the package used.
    pub(crate) pkg: String,
    /// For a normal build, for tests, for a build script.
    pub(crate) dep_kinds: Vec<Kind>,
}

/// Kind of an edge; `None` is a normal dependency.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Kind {
    /// `dev`, `build` or nothing.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Names of our own packages with the names of our own packages that each uses outside tests.
    pub(crate) fn own_edges(&self) -> BTreeMap<&str, Vec<&str>> {
        let name = |id: &str| {
            let own = self.workspace_members.iter().any(|member| member == id);
            self.packages.iter().find(|p| own && p.id == id).map(|p| p.name.as_str())
        };
        let edges = |node: &Node| {
            node.deps
                .iter()
                .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none()))
                .filter_map(|dependency| self.packages.iter().find(|p| p.id == dependency.pkg))
                .filter(|package| self.workspace_members.contains(&package.id))
                .map(|package| package.name.as_str())
                .collect::<Vec<_>>()
        };
        self.resolve.nodes.iter().filter_map(|node| Some((name(&node.id)?, edges(node)))).collect()
    }
}

/// The platform that the project is built on.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Asks cargo.
pub(crate) fn read(root: &Path) -> Result<Metadata> {
    let text =
        cargo(root, &["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM])?;
    let mut metadata: Metadata = serde_json::from_str(&text)?;
    // The metadata also name optional packages that a weak feature (`ring?/std`) only mentions; the tree is what is built.
    let tree = cargo(
        root,
        &[
            "tree",
            "--workspace",
            "--locked",
            "--target",
            PLATFORM,
            "--edges",
            "all",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ],
    )?;
    let built: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect();
    metadata.packages.retain(|package| built.contains(&(package.name.as_str(), package.version.as_str())));
    Ok(metadata)
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(program).args(arguments).current_dir(root).output()?;
    if !output.status.success() {
        bail!("cargo {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_is_what_is_built() {
        let metadata = read(&crate::root()).expect("cargo answers");
        let has = |name: &str| metadata.packages.iter().any(|package| package.name == name);
        assert!(has("aws-lc-rs") && has("server") && has("xtask"));
        assert!(!has("ring"), "named by a weak feature, never built");
    }
}
