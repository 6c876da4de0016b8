//! A request through the facade (TR 33.721, solution #Y, "get map", steps 1 to 3).

use authorization::Reason;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::{Method, StatusCode};
use sdk::https::AnswerStream;
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use url::Url;

use super::{LmServer, PROCEDURE, headers};

/// Largest request path and query. Own value: as much as the edge takes.
const MAX_TARGET: usize = 16 * 1024;

/// # Errors
/// The token does not do here or behind, or the server behind cannot be asked.
pub(super) async fn forward(
    State(lm): State<LmServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    // step 2: the facade has validated the token by itself; the use of it is on record before it goes on.
    let spec = call.ctx.route().ok_or_else(|| Refusal::open(Reason::RouteUnknown))?;
    let behind = lm.behind(spec.path).ok_or_else(|| Refusal::open(Reason::RoleNotHere))?;
    let now_s = call.ctx.ambient().now_s();
    call.ctx.step(PROCEDURE, "2", "LM-S", "LM-S", "Validate access token");
    // Every scope of this server that the token has, so that one exchange serves many requests.
    let scopes: Vec<&str> = super::ROUTES
        .iter()
        .filter(|route| lm.behind(route.path).is_some_and(|one| one.function == behind.function))
        .flat_map(|route| route.scopes.iter().copied())
        .filter(|scope| call.caller.scopes.covers(scope))
        .collect();
    let scopes = unique(scopes);
    let server = lm.0.tokens.for_server(&call, &behind.origin, &scopes, now_s).await?;
    let permit = Permit::new("lm.forward").object(spec.operation).units(0);
    ledger::permit_read(&lm.0.kit.store, &call, permit).await?;

    let outgoing = outgoing(&call, &behind.origin, request)?;
    let answer = server.open(outgoing).await.map_err(|error| {
        tracing::warn!(error = %error, "the server behind the facade cannot be asked");
        call.ctx.fail("server behind", "answers", error.to_string());
        Refusal::open(Reason::DependencyDown).discoverable(true)
    })?;
    // step 3: its answer, as it is. That it refuses our token is our fault, not the caller's.
    if answer.status == 401 {
        call.ctx.fail("server behind", "takes the exchanged token", "refused it");
        return Err(Refusal::open(Reason::DependencyDown).discoverable(true));
    }
    call.ctx.step(PROCEDURE, "3", "LM-S", "LM-C", "Answer of the spatial server");
    Ok(handed_on(answer))
}

fn unique(mut scopes: Vec<&str>) -> Vec<&str> {
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// The same request to the server behind, without the credentials, in the same trace.
fn outgoing(call: &Call, origin: &str, request: Request) -> Result<sdk::Request, Refusal> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    if target.len() > MAX_TARGET {
        return Err(Refusal::open(Reason::TooLarge));
    }
    // The path matched a route: it begins with a slash and names no other host.
    let url = Url::parse(&format!("{origin}{target}")).map_err(|_| Refusal::open(Reason::RouteUnknown))?;
    let mut outgoing =
        sdk::Request::new(parts.method.clone(), url).headers(headers::of_request(&parts.headers));
    if let Some(trace) = call.ctx.trace().header().as_ref().and_then(|value| value.to_str().ok()) {
        outgoing = outgoing.header("traceparent", trace);
    }
    if matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) {
        outgoing = outgoing.body(body.into_data_stream());
    }
    Ok(outgoing)
}

fn handed_on(answer: AnswerStream) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let fields = headers::of_answer(&answer.headers);
    // A server that breaks off breaks off here too: nobody takes a part for the whole.
    let chunks = stream::unfold(answer, |mut answer| async {
        match answer.chunk().await {
            Ok(chunk) => chunk.map(|chunk| (Ok(chunk), answer)),
            Err(error) => Some((Err(error), answer)),
        }
    });
    let mut response = (status, Body::from_stream(chunks)).into_response();
    response.headers_mut().extend(fields);
    response
}
