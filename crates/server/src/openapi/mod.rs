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
    /// The listener that has it.
    pub listener: &'static str,
    /// Its routes.
    pub routes: Vec<&'static RouteSpec>,
}

/// The APIs of the CAPIF core function: document, title, beginning of the path.
const CAPIF: [(&str, &str, &str); 12] = [
    ("ccf-provider", "CAPIF_API_Provider_Management (TS 29.222 8.9)", "/api-provider-management/"),
    ("ccf-invoker", "CAPIF_API_Invoker_Management (TS 29.222 8.4)", "/api-invoker-management/"),
    ("ccf-publish", "CAPIF_Publish_Service_API (TS 29.222 8.2)", "/published-apis/"),
    ("ccf-discover", "CAPIF_Discover_Service_API (TS 29.222 8.1)", "/service-apis/"),
    ("ccf-open-discover", "CAPIF_Open_Discover_Service_API (TS 29.222 8.11)", "/open-api-disc/"),
    ("ccf-security", "CAPIF_Security (TS 29.222 8.5)", "/capif-security/"),
    ("ccf-events", "CAPIF_Events (TS 29.222 8.3)", "/capif-events/"),
    ("ccf-access-control", "CAPIF_Access_Control_Policy (TS 29.222 8.6)", "/access-control-policy/"),
    ("ccf-logging", "CAPIF_Logging_API_Invocation (TS 29.222 8.7)", "/api-invocation-logs/"),
    ("ccf-auditing", "CAPIF_Auditing (TS 29.222 8.8)", "/logs/"),
    ("ccf-routing", "CAPIF_Routing_Info (TS 29.222 8.10)", "/capif-routing-info/"),
    (
        "ccf-resource-auth",
        "Resources and the policies of their owners (own; TR 33.721, solution #3)",
        "/capif-resource-auth/",
    ),
];

/// Every interface.
#[must_use]
pub fn interfaces() -> Vec<Interface> {
    let mut all = vec![
        whole("admin", "Administration", crate::admin::ROUTES),
        whole("sim", "SIM-S: identity management server (TS 33.434 Annex A)", seal_security::sim_s::ROUTES),
        whole("sim_mtls", "SIM-S, listener for mutual TLS", seal_security::sim_s::MTLS_ROUTES),
        whole("console", "Console: pages for operators and their backend", crate::console::ROUTES),
        whole(
            "san",
            "Spatial anchors server (TS 29.437 ssan-sanm, ssan-disc, ssan-usg)",
            spatial_localization::san::ROUTES,
        ),
        whole(
            "sm",
            "Spatial map server (TS 29.437 ssm-smm, ssm-disc, ssm-loc, ssm-dsdisc, ssm-smasr, TS 24.550 sm_smds, and map payloads)",
            spatial_localization::sm::ROUTES,
        ),
        whole(
            "lm",
            "Location management server, a facade of the spatial servers (TR 33.721, solution #Y)",
            &spatial_localization::lm::ROUTES,
        ),
        whole("udm", "UDM: user consent (TS 29.503 Nudm_SDM)", operator_core::udm::ROUTES),
    ];
    let is_capif = |spec: &RouteSpec| CAPIF.iter().any(|(_, _, path)| spec.path.starts_with(path));
    let rest = capif_core::ccf::ROUTES.iter().filter(|spec| !is_capif(spec)).collect();
    let title = "CAPIF core function: metadata, keys and revocations";
    all.push(Interface { name: "ccf", title, listener: "ccf", routes: rest });
    all.extend(CAPIF.map(|(name, title, path)| {
        let routes = capif_core::ccf::ROUTES.iter().filter(|spec| spec.path.starts_with(path)).collect();
        Interface { name, title, listener: "ccf", routes }
    }));
    // What else is served there is what the documents of the core function say.
    let users = |spec: &&RouteSpec| spec.operation.starts_with("OpenCapif");
    let routes = capif_core::ccf::OPENCAPIF_ROUTES.iter().filter(users).collect();
    let title = "CAPIF core function: users of the listener for OpenCAPIF clients";
    all.push(Interface { name: "ccf-opencapif", title, listener: "ccf_compat", routes });
    all
}

/// One document for a whole listener.
fn whole(name: &'static str, title: &'static str, routes: &'static [RouteSpec]) -> Interface {
    Interface { name, title, listener: name, routes: routes.iter().collect() }
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
    fn each_route_of_the_core_function_stands_in_one_document() {
        let interfaces = interfaces();
        for spec in capif_core::ccf::ROUTES {
            let of_ccf = interfaces.iter().filter(|interface| interface.listener == "ccf");
            let with = of_ccf.filter(|interface| interface.routes.contains(&spec)).count();
            assert_eq!(with, 1, "{} {}", spec.method, spec.path);
        }
        assert!(interfaces.iter().all(|interface| !interface.routes.is_empty()));
    }

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
