//! One OpenAPI 3.1 document.

use http::Method;
use serde_json::{Map, Value, json};
use service_http::routes::{RouteAuth, RouteSpec, StepUp};

use super::Interface;
use super::{bodies, parameters};

/// The document of an interface.
pub(super) fn of(interface: &Interface) -> Value {
    let mut schemas = Map::new();
    let problem = problem(&mut schemas);
    let mut paths: Map<String, Value> = Map::new();
    for route in interface.routes.iter().copied() {
        let item = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] =
            operation(behind(interface.listener, route), route, &problem, &mut schemas);
    }
    let mut document = json!({
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
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-console" },
            },
        },
    });
    if interface.listener == "ccf" {
        document["components"]["securitySchemes"]["enrolment"] = json!({
            "type": "http", "scheme": "bearer", "description": "One-time secret of an enrolment",
        });
    }
    if interface.listener == "ccf_compat" {
        let schemes = &mut document["components"]["securitySchemes"];
        schemes["password"] = json!({ "type": "http", "scheme": "basic" });
        schemes["administrator"] = json!({ "type": "http", "scheme": "bearer", "description": "Answer of `/login`, for ten minutes" });
    }
    document
}

/// The interface whose operation this is: the facade has those of the servers behind it.
fn behind(interface: &'static str, route: &RouteSpec) -> &'static str {
    let of = |routes: &[RouteSpec]| routes.iter().any(|one| one.operation == route.operation);
    match interface {
        "lm" if of(spatial_localization::san::ROUTES) => "san",
        "lm" => "sm",
        own => own,
    }
}

fn operation(interface: &str, route: &RouteSpec, problem: &Value, schemas: &mut Map<String, Value>) -> Value {
    let bodies = bodies::of(interface, route.operation);
    let mut operation = json!({ "operationId": route.operation, "parameters": parameters::of(interface, route.operation, route.path) });
    if let Some(step) = &route.step {
        operation["summary"] = json!(step.message);
        operation["description"] = json!(format!("{} step {}", step.procedure, step.step));
    }
    operation["security"] = match route.auth {
        RouteAuth::Public if route.path.starts_with("/api/") || route.operation == "ConsoleLogout" => {
            json!([{ "session": [] }])
        }
        // The secret of an enrolment as the bearer credential (TS 33.122 6.1).
        RouteAuth::Public if route.operation == "OnboardInvoker" => json!([{ "enrolment": [] }]),
        RouteAuth::Public if matches!(route.operation, "OpenCapifGetAuth" | "OpenCapifLogin") => {
            json!([{ "password": [] }])
        }
        RouteAuth::Public if interface == "ccf_compat" => json!([{ "administrator": [] }]),
        RouteAuth::Public => json!([]),
        RouteAuth::Token => json!([{ "accessToken": [] }]),
        RouteAuth::Mtls(_) if route.operators => json!([{ "mutualTls": [] }, { "accessToken": [] }]),
        RouteAuth::Mtls(_) => json!([{ "mutualTls": [] }]),
    };
    match route.auth {
        RouteAuth::Token => operation["x-scopes-any-of"] = json!(route.scopes),
        RouteAuth::Mtls(roles) => {
            operation["x-certificate-roles"] =
                json!(roles.iter().map(|role| role.as_str()).collect::<Vec<_>>());
        }
        RouteAuth::Public => {}
    }
    if let Some(StepUp { acr, max_age_s }) = route.step_up {
        operation["x-login-acr-values"] = json!(acr);
        operation["x-login-max-age"] = json!(max_age_s);
    }
    if let Some((media, add)) = bodies.request {
        operation["requestBody"] =
            json!({ "required": true, "content": { media: { "schema": add(schemas) } } });
    }
    let mut responses = Map::new();
    let answer = bodies.answer.map(|(media, add)| json!({ media: { "schema": add(schemas) } }));
    for (status, what) in good(route, answer.is_some()) {
        let mut response = json!({ "description": what });
        if let (Some(answer), false) = (&answer, matches!(*status, "202" | "204" | "304")) {
            response["content"] = answer.clone();
        }
        responses.insert((*status).into(), response);
    }
    for (status, what) in refusals(route) {
        let content = json!({ "application/problem+json": { "schema": problem } });
        responses.insert(status.into(), json!({ "description": what, "content": content }));
    }
    operation["responses"] = Value::Object(responses);
    operation
}

/// The answers to what is permitted.
fn good(route: &RouteSpec, answers: bool) -> &'static [(&'static str, &'static str)] {
    const DONE: (&str, &str) = ("200", "Done");
    const CREATED: (&str, &str) = ("201", "Created");
    const NO_CONTENT: (&str, &str) = ("204", "Done");
    const UNCHANGED: (&str, &str) = ("304", "The reader has it");
    match (&route.method, route.operation) {
        (_, operation) if NOT_BUILT.contains(&operation) => &[],
        (_, "CreateSpatialMap") => &[CREATED, ("202", "Accepted: a callback tells when the map is ready")],
        (_, "CreateSpatialAnchorsUsageSub") => {
            &[("200", "The usage, asked for once"), ("201", "Created: a subscription")]
        }
        (_, "ReportSpatialAnchorsUsage") => &[NO_CONTENT],
        (_, "CreateSpatialAnchorsSub" | "CreateSpatialMapsSub" | "CreateDataSourceReg" | "CreateSmasReg") => {
            &[CREATED]
        }
        (_, "CreateEnrolment" | "Subscribe") => &[CREATED],
        (_, "GetUcData") => &[DONE, UNCHANGED],
        (_, "PutSubscriber" | "PutConsent" | "PutPrivacy" | "PutPurpose") => &[DONE, CREATED],
        (_, "CreateSpatialAnchorsList" | "CreateServiceRecord" | "PushedAuthorizationRequest") => &[CREATED],
        (_, "RemoveWorldAnchor" | "RemoveTrackable" | "RemoveWorldLink") => &[DONE],
        (_, "PutUser" | "PutClient" | "PutService" | "PutPolicy" | "PutAnchorImport") => &[DONE, CREATED],
        (_, "PutSpatialMapContent") => &[CREATED, NO_CONTENT],
        (_, "ConsoleLogin") => &[("303", "To the SIM-S")],
        (_, "ConsoleLogout") => &[NO_CONTENT],
        (_, operation) if operation.starts_with("Console") && route.path.starts_with("/api/") => {
            &[("default", "What the server answered")]
        }
        (_, "GetSpatialMapContent" | "HeadSpatialMapContent") => &[DONE, ("206", "The range"), UNCHANGED],
        (_, "GetIndSpatialAnchorsList" | "GetIndSpatialMap" | "JsonWebKeySet") => &[DONE, UNCHANGED],
        (_, "Authorize") => &[("200", "The login page"), ("302", "To the redirect URI, with code or error")],
        (_, "AuthorizePost") => &[("302", "To the redirect URI, with code or error")],
        (
            _,
            "RegisterProvider"
            | "OnboardInvoker"
            | "PublishServiceApi"
            | "CreateSecurityContext"
            | "SubscribeToEvents"
            | "AppendInvocationLog",
        ) => &[CREATED],
        (_, "ConnectToNotifications") => &[("101", "A WebSocket of notifications (RFC 6455)")],
        (_, "RevokeAuthorization" | "NotifyResourceAuth") if !answers => &[NO_CONTENT],
        (&Method::DELETE, _) => &[NO_CONTENT],
        (&Method::PUT | &Method::PATCH, _) if !answers => &[NO_CONTENT],
        _ => &[DONE],
    }
}

/// Operations of functions that no process of this version runs.
const NOT_BUILT: [&str; 2] = ["PutEntitlement", "ListDisclosures"];

/// The answers to what is refused.
fn refusals(route: &RouteSpec) -> Vec<(&'static str, &'static str)> {
    let mut refusals =
        vec![("400", "The request is not as it must be"), ("429", "Too many requests"), ("503", "Not now")];
    if route.auth == RouteAuth::Token {
        refusals.push(("401", "No access token, or one that does not count"));
    }
    if route.path.starts_with("/api/") || route.step_up.is_some() {
        refusals.push(("401", "No session or token, or a login that is too old or without a passkey"));
    }
    if route.auth != RouteAuth::Public || route.path.starts_with("/api/") {
        refusals.push(("403", "Not allowed"));
    }
    if NOT_BUILT.contains(&route.operation) {
        refusals.push(("404", "ROLE_NOT_HERE: this version does not have it"));
    } else if route.path.contains('{') {
        refusals.push(("404", "Absent, or not there for this caller"));
    }
    if matches!(route.method, Method::POST | Method::PUT | Method::PATCH) {
        refusals.push(("413", "Too large"));
        refusals.push(("415", "Another media type is wanted"));
    }
    let changes_in_place = matches!(route.method, Method::PUT | Method::PATCH | Method::DELETE);
    if route.auth == RouteAuth::Token && changes_in_place {
        refusals.push(("412", "If-Match names another version"));
    }
    refusals
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
