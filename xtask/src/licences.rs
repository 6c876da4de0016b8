//! Licences and banned crates over the whole dependency graph.

use crate::metadata::{Metadata, Package};

/// Licences that a dependency may have.
const ALLOWED: [&str; 14] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "Unlicense",
];
/// Further licences of single crates.
const ALLOWED_FOR: [(&str, &str); 1] = [("aws-lc-sys", "OpenSSL")];
/// Crates that must not be in the graph: a second crypto provider, or a C library of the system.
const BANNED: [&str; 7] =
    ["ring", "openssl", "openssl-sys", "native-tls", "boring", "boring-sys", "rustls-openssl"];

/// Everything that is wrong with the graph.
pub(crate) fn faults(metadata: &Metadata) -> Vec<String> {
    let mut faults = Vec::new();
    for package in &metadata.packages {
        if BANNED.contains(&package.name.as_str()) {
            faults.push(format!("{} {} is banned", package.name, package.version));
        }
        match &package.license {
            None => faults.push(format!("{} {} names no licence", package.name, package.version)),
            Some(expression) if !permitted(package, expression) => {
                faults.push(format!("{} {} is under {expression}", package.name, package.version));
            }
            Some(_) => {}
        }
    }
    faults
}

/// An expression is permitted when every `AND` part has an `OR` choice that is.
fn permitted(package: &Package, expression: &str) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let words = flat.split_whitespace().filter(|word| *word != "WITH" && *word != "LLVM-exception");
    let mut choice = false;
    let mut all = true;
    for word in words {
        match word {
            "OR" => {}
            "AND" => {
                all &= choice;
                choice = false;
            }
            licence => {
                let special = ALLOWED_FOR.iter().any(|(name, l)| package.name == *name && *l == licence);
                choice |= special || ALLOWED.contains(&licence);
            }
        }
    }
    all && choice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Resolve;

    fn with(name: &str, license: Option<&str>) -> Metadata {
        let package = Package {
            id: name.into(),
            name: name.into(),
            version: "1.0.0".into(),
            license: license.map(Into::into),
        };
        Metadata { packages: vec![package], workspace_members: vec![], resolve: Resolve { nodes: vec![] } }
    }

    #[test]
    fn what_may_not_be_used_is_named() {
        let good = [Some("MIT"), Some("MIT OR GPL-3.0"), Some("MIT/Apache-2.0"), Some("(MIT OR X) AND ISC")];
        for license in good {
            assert_eq!(faults(&with("a", license)), Vec::<String>::new(), "{license:?}");
        }
        let rows = [
            ("copyleft", "a", Some("GPL-3.0"), "under GPL-3.0"),
            ("one part of two", "a", Some("MIT AND GPL-3.0"), "under MIT AND"),
            ("none", "a", None, "names no licence"),
            ("banned", "ring", Some("MIT"), "is banned"),
            ("special for another crate", "a", Some("OpenSSL"), "under OpenSSL"),
        ];
        for (what, name, license, expected) in rows {
            let faults = faults(&with(name, license));
            assert!(faults.len() == 1 && faults[0].contains(expected), "{what}: {faults:?}");
        }
    }
}
