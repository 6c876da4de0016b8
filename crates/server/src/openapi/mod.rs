//! OpenAPI documents of the program's own interfaces, made from the route tables that the routers are made from.

mod bodies;
mod document;
mod parameters;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use service_http::routes::RouteSpec;

/// An interface that gets a document.
pub struct Interface {
    /// Name of the file, without ending.
    pub name: &'static str,
    /// Title in the document.
    pub title: &'static str,
    /// Its routes.
    pub routes: &'static [RouteSpec],
}

/// Every interface.
#[must_use]
pub fn interfaces() -> Vec<Interface> {
    vec![
        Interface { name: "admin", title: "Administration", routes: crate::admin::ROUTES },
        Interface {
            name: "sim",
            title: "SIM-S: identity management server (TS 33.434 Annex A)",
            routes: seal_security::sim_s::ROUTES,
        },
        Interface {
            name: "sim_mtls",
            title: "SIM-S, listener for mutual TLS",
            routes: seal_security::sim_s::MTLS_ROUTES,
        },
        Interface {
            name: "console",
            title: "Console: pages for operators and their backend",
            routes: crate::console::ROUTES,
        },
        Interface {
            name: "san",
            title: "Spatial anchors server (TS 29.437 ssan-sanm, ssan-disc, ssan-usg)",
            routes: spatial_localization::san::ROUTES,
        },
        Interface {
            name: "sm",
            title: "Spatial map server (TS 29.437 ssm-smm, ssm-disc, ssm-loc, ssm-dsdisc, ssm-smasr, TS 24.550 sm_smds, and map payloads)",
            routes: spatial_localization::sm::ROUTES,
        },
        Interface {
            name: "lm",
            title: "Location management server, a facade of the spatial servers (TR 33.721, solution #Y)",
            routes: &spatial_localization::lm::ROUTES,
        },
    ]
}

/// Every document by its file name.
#[must_use]
pub fn documents() -> Vec<(String, Value)> {
    interfaces()
        .iter()
        .map(|interface| (format!("{}.json", interface.name), document::of(interface)))
        .collect()
}

/// The document of one interface.
#[must_use]
pub fn document(name: &str) -> Option<Value> {
    interfaces().iter().find(|interface| interface.name == name).map(document::of)
}

/// Writes the documents into `dir`.
///
/// # Errors
/// Those of the file system.
pub fn write(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    for (name, document) in documents() {
        let mut text = serde_json::to_string_pretty(&document)?;
        text.push('\n');
        std::fs::write(dir.join(&name), text).with_context(|| format!("writing {name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_documents_are_those_of_the_routes() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi");
        for (name, document) in documents() {
            let text = std::fs::read_to_string(dir.join(&name)).unwrap_or_default();
            let written: Value = serde_json::from_str(&text).unwrap_or_default();
            assert!(written == document, "openapi/{name} differs from the routes; run `cargo xtask openapi`");
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_write_has_a_body() {
        for (name, document) in documents() {
            let text = document.to_string();
            for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
                let schema = reference.split('"').next().unwrap_or_default();
                assert!(document["components"]["schemas"].get(schema).is_some(), "{name}: {schema}");
            }
            for (path, item) in document["paths"].as_object().expect("paths") {
                for method in ["put", "patch"] {
                    let Some(operation) = item.get(method) else { continue };
                    let told =
                        operation.get("requestBody").is_some() || operation["responses"].get("404").is_some();
                    assert!(told, "{name}: {method} {path} has no body");
                }
            }
        }
    }
}
