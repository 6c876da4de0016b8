//! One OpenAPI 3.1 document.

use http::Method;
use serde_json::{Map, Value, json};
use service_http::routes::{RouteAuth, RouteSpec};

use super::Interface;
use super::bodies;

/// The document of an interface.
pub(super) fn of(interface: &Interface) -> Value {
    let mut schemas = Map::new();
    let problem = problem(&mut schemas);
    let mut paths: Map<String, Value> = Map::new();
    for route in interface.routes {
        let item = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] =
            operation(interface.name, route, &problem, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": format!("metaseal: {}", interface.title), "version": env!("CARGO_PKG_VERSION") },
        "servers": [{ "url": "{origin}", "variables": { "origin": { "default": "https://localhost" } } }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "accessToken": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "Access token of the SIM-S, bound to a certificate (RFC 8705) or sent as DPoP (RFC 9449)",
                },
                "mutualTls": { "type": "mutualTLS" },
            },
        },
    })
}

fn operation(interface: &str, route: &RouteSpec, problem: &Value, schemas: &mut Map<String, Value>) -> Value {
    let bodies = bodies::of(interface, route.operation);
    let mut operation = json!({ "operationId": route.operation, "parameters": parameters(route.path) });
    if let Some(step) = &route.step {
        operation["summary"] = json!(step.message);
        operation["description"] = json!(format!("{} step {}", step.procedure, step.step));
    }
    operation["security"] = match route.auth {
        RouteAuth::Public => json!([]),
        RouteAuth::Token => json!([{ "accessToken": [] }]),
        RouteAuth::Mtls(_) => json!([{ "mutualTls": [] }]),
    };
    match route.auth {
        RouteAuth::Token => operation["x-scopes-any-of"] = json!(route.scopes),
        RouteAuth::Mtls(roles) => {
            operation["x-certificate-roles"] = json!(roles.iter().map(|role| role.as_str()).collect::<Vec<_>>());
        }
        RouteAuth::Public => {}
    }
    if let Some((media, add)) = bodies.request {
        operation["requestBody"] = json!({ "required": true, "content": { media: { "schema": add(schemas) } } });
    }
    let mut good = json!({ "description": "Done" });
    if let Some(add) = bodies.answer {
        good["content"] = json!({ "application/json": { "schema": add(schemas) } });
    }
    let mut responses = Map::new();
    responses.insert(good_status(route, bodies.answer.is_some()).into(), good);
    for (status, what) in refusals(route) {
        let content = json!({ "application/problem+json": { "schema": problem } });
        responses.insert(status.into(), json!({ "description": what, "content": content }));
    }
    operation["responses"] = Value::Object(responses);
    operation
}

fn good_status(route: &RouteSpec, answers: bool) -> &'static str {
    match (&route.method, answers) {
        (&Method::DELETE, _) | (&Method::PUT | &Method::PATCH, false) => "204",
        (&Method::POST, true) if route.operation.starts_with("Create") => "201",
        _ => "200",
    }
}

fn refusals(route: &RouteSpec) -> Vec<(&'static str, &'static str)> {
    let mut refusals = vec![("400", "The request is not as it must be"), ("429", "Too many requests"), ("503", "Not now")];
    if route.auth != RouteAuth::Public {
        refusals.push(("401", "No access token, or one that does not count"));
        refusals.push(("403", "Not allowed"));
    }
    if route.path.contains('{') {
        refusals.push(("404", "Absent, or not there for this caller"));
    }
    refusals
}

fn parameters(path: &str) -> Vec<Value> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

fn problem(schemas: &mut Map<String, Value>) -> Value {
    use api_types::problem::ProblemDetails;
    use utoipa::{PartialSchema as _, ToSchema as _};
    let mut found = vec![(ProblemDetails::name().into_owned(), ProblemDetails::schema())];
    ProblemDetails::schemas(&mut found);
    for (name, schema) in found {
        schemas.entry(name).or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
    }
    json!({ "$ref": format!("#/components/schemas/{}", ProblemDetails::name()) })
}
