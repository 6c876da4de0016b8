//! Answers as plain OpenCAPIF clients and its test suite compare them: statuses and texts of refusals, and 404 where nothing
//! was discovered. What was decided, and what is audited, stays; what is not named here is told as at the other listener.

use authorization::Reason;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use service_http::peer::CertRole;
use service_http::problem::PROBLEM_JSON;
use service_http::refusal::RefusalRecord;
use service_http::routes::{MatchedRoute, RouteAuth, RouteSpec};

/// Longest body of a discovery that can be one of nothing, in bytes: one description is longer. Own value.
const NOTHING_FOUND: u64 = 64;

/// Status, `detail` and `cause` of a problem.
type Text = (u16, &'static str, &'static str);

/// Answers in the words that are expected.
pub(super) async fn told(request: Request, next: Next) -> Response {
    let query = request.uri().query().map(str::to_owned);
    let response = next.run(request).await;
    let Some(MatchedRoute(spec)) = response.extensions().get::<MatchedRoute>().copied() else {
        return response;
    };
    let reason = response.extensions().get::<RefusalRecord>().map(|record| record.reason);
    match reason {
        Some(reason) if spec.operation == "ObtainAccessToken" => match token_error(reason) {
            Some((status, error, description)) => {
                let body = json!({ "error": error, "error_description": description });
                with_body(response, status, "application/json", &body)
            }
            None => response,
        },
        Some(reason) => match text(spec, reason) {
            Some(text) => problem(response, text.0, text.1, &text.2.replace("{role}", role_of(spec))),
            None => response,
        },
        None if spec.operation == "DiscoverServiceApis" && response.status() == StatusCode::OK => {
            discovered(response, query.as_deref().unwrap_or_default()).await
        }
        None => response,
    }
}

/// 404 where nothing was found.
async fn discovered(response: Response, query: &str) -> Response {
    if response.body().size_hint().exact().is_none_or(|length| length > NOTHING_FOUND) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, NOTHING_FOUND as usize).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let read: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let response = Response::from_parts(parts, Body::from(bytes));
    if read.get("serviceAPIDescriptions").is_some() {
        return response;
    }
    let named = query.split('&').find_map(|parameter| parameter.strip_prefix("api-invoker-id="));
    let id: String = named.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    let detail = format!("API Invoker {id} has no API Published that accomplish filter conditions");
    problem(response, 404, &detail, "No API Published accomplish filter conditions")
}

const NOT_OWNER: Text = (401, "User not authorized", "You are not the owner of this resource");

/// The words for a refusal.
fn text(spec: &RouteSpec, reason: Reason) -> Option<Text> {
    use Reason::{IdTaken, NotFound, NotOwner, PeerRefused};
    Some(match (spec.operation, reason) {
        (_, PeerRefused) => (401, "Role not authorized for this API route", "User role must be {role}"),
        ("ReplaceInvoker" | "ModifyInvoker" | "OffboardInvoker", NotOwner | NotFound) => {
            (404, "Please provide an existing Network App ID", "Network App ID does not exist")
        }
        ("ReplaceProvider" | "ModifyProvider" | "DeregisterProvider", NotOwner | NotFound) => {
            (404, "Please provide an existing API Provider ID", "API Provider ID does not exist")
        }
        ("OnboardInvoker", IdTaken) => (403, "Invoker already registered", "Identical invoker public key"),
        ("PublishServiceApi", IdTaken) => (
            403,
            "Already registered service with same api name and aef id",
            "Found service with same api name and aef id",
        ),
        (
            "PublishServiceApi"
            | "ListServiceApis"
            | "GetServiceApi"
            | "ReplaceServiceApi"
            | "ModifyServiceApi"
            | "UnpublishServiceApi",
            NotOwner,
        ) => (401, "User not authorized", "Certificate not authorized"),
        ("GetServiceApi" | "ReplaceServiceApi" | "ModifyServiceApi" | "UnpublishServiceApi", NotFound) => {
            (404, "Service API not found", "No Service with specific credentials exists")
        }
        (
            "UpdateSecurityContext"
            | "ObtainSecurityContext"
            | "RemoveSecurityContext"
            | "RevokeAuthorization",
            NotFound,
        ) => (404, "Security context not found", "API Invoker has no security context"),
        ("AppendInvocationLog", NotOwner) => {
            (401, "AEF id not matching in request and body", "Not identical AEF id")
        }
        ("ReplaceEventSubscription" | "ModifyEventSubscription" | "UnsubscribeFromEvents", NotFound) => {
            NOT_OWNER
        }
        ("ListAccessControlPolicies", NotFound) => {
            (404, "No ACLs found for the requested service", "Wrong id")
        }
        ("AuditInvocationLogs", NotFound) => (404, "Parameters do not match any log entry", "No logs found"),
        (_, NotOwner) => NOT_OWNER,
        _ => return None,
    })
}

/// Likewise at the token endpoint: status, `error`, `error_description`.
fn token_error(reason: Reason) -> Option<(u16, &'static str, &'static str)> {
    Some(match reason {
        Reason::PeerRefused => (401, "unauthorized_client", "Role not authorized for this API route"),
        Reason::ClientAuthWrong => (400, "invalid_client", "Client Id not found"),
        Reason::ScopeUnknown => (400, "invalid_scope", "The first characters must be '3gpp'"),
        Reason::TargetWrong => (400, "invalid_scope", "One of aef_id not belongs of your security context"),
        Reason::MethodNotNegotiated => (
            400,
            "invalid_scope",
            "One of the api names does not exist or is not associated with the aef id provided",
        ),
        _ => return None,
    })
}

/// The word for whoever may call.
fn role_of(spec: &RouteSpec) -> &'static str {
    match spec.auth {
        RouteAuth::Mtls(roles) => roles.first().copied().map_or("", CertRole::as_str),
        _ => "",
    }
}

fn problem(response: Response, status: u16, detail: &str, cause: &str) -> Response {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        _ => "Not Found",
    };
    let body = json!({ "title": title, "status": status, "detail": detail, "cause": cause });
    with_body(response, status, PROBLEM_JSON, &body)
}

/// The same response, its record and headers included, with another body.
fn with_body(response: Response, status: u16, media_type: &'static str, body: &Value) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Response::from_parts(parts, Body::from(body.to_string()))
}
