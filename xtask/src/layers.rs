//! The dependency direction of `docs/ARCHITECTURE.md`.

use crate::metadata::Metadata;

/// What each crate may use of the others. Functions never use each other.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("api-types", &[]),
    ("jose", &["api-types"]),
    ("authorization", &["api-types", "jose"]),
    ("store", &["api-types"]),
    ("service-http", &["api-types", "jose", "authorization", "store"]),
    ("sdk", &["api-types", "jose"]),
    ("seal-security", &["api-types", "jose", "authorization", "store", "service-http", "sdk"]),
    ("capif-aef", &["api-types", "authorization", "store", "service-http", "sdk"]),
    (
        "spatial-localization",
        &["api-types", "jose", "authorization", "store", "service-http", "sdk", "capif-aef"],
    ),
    ("capif-core", &["api-types", "jose", "authorization", "store", "service-http", "sdk"]),
    ("operator-core", &["api-types", "authorization", "store", "service-http"]),
    (
        "server",
        &[
            "api-types",
            "jose",
            "authorization",
            "store",
            "service-http",
            "sdk",
            "seal-security",
            "capif-aef",
            "capif-core",
            "operator-core",
            "spatial-localization",
        ],
    ),
    (
        "fuzz",
        &[
            "api-types",
            "authorization",
            "capif-aef",
            "capif-core",
            "jose",
            "sdk",
            "seal-security",
            "server",
            "service-http",
            "spatial-localization",
        ],
    ),
    ("xtask", &[]),
];

/// Every use that the picture does not have, and every crate that it does not show.
pub(crate) fn faults(metadata: &Metadata) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, uses) in metadata.own_edges() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            faults.push(format!("{name} has no place in the dependency picture"));
            continue;
        };
        for used in uses {
            if !allowed.contains(&used) {
                faults.push(format!("{name} may not use {used}"));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Dependency, Kind, Metadata, Node, Package, Resolve};

    fn edge(from: &str, to: &str, kind: Option<&str>) -> Metadata {
        let package =
            |n: &str| Package { id: n.into(), name: n.into(), version: "1.0.0".into(), license: None };
        let kinds = vec![Kind { kind: kind.map(Into::into) }];
        let node = Node { id: from.into(), deps: vec![Dependency { pkg: to.into(), dep_kinds: kinds }] };
        Metadata {
            packages: vec![package(from), package(to)],
            workspace_members: vec![from.into(), to.into()],
            resolve: Resolve { nodes: vec![node] },
        }
    }

    #[test]
    fn an_arrow_the_wrong_way_is_a_fault() {
        let rows = [
            ("downwards", edge("server", "store", None), 0),
            ("a function uses another", edge("seal-security", "spatial-localization", None), 1),
            ("upwards", edge("authorization", "service-http", None), 1),
            ("upwards in tests only", edge("authorization", "service-http", Some("dev")), 0),
            ("a crate that nobody knows", edge("helpers", "store", None), 1),
        ];
        for (what, metadata, expected) in rows {
            assert_eq!(faults(&metadata).len(), expected, "{what}");
        }
    }

    #[test]
    fn the_workspace_keeps_the_picture() {
        let metadata = crate::metadata::read(&crate::root()).expect("cargo metadata");
        assert_eq!(faults(&metadata), Vec::<String>::new());
    }
}
