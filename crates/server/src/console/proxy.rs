//! What the pages ask for, on its way to `admin`, `san` or `sm` in the operator's name.
//!
//! Each of them decides and records by itself; the console adds a token and takes nothing away. A path leads to one of
//! the servers and to nowhere else.

use authorization::Reason;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use sdk::https::AnswerStream;
use sdk::{Request, SdkError};
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use url::Url;

use super::Console;
use super::sessions::Operator;

/// Header fields of an answer that the pages get to see.
const SHOWN: [HeaderName; 9] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    ETAG,
    LINK,
    LOCATION,
    RETRY_AFTER,
    WWW_AUTHENTICATE,
    HeaderName::from_static("repr-digest"),
];

/// A server, and what is asked of it.
struct Upstream<'c> {
    origin: &'c str,
    scope: &'static str,
    url: Url,
}

/// Every method of `/api/{server}/{path}`.
pub(super) async fn forward(
    State(console): State<Console>,
    ctx: Ctx,
    operator: Operator,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let upstream = upstream(&console, &uri)?;
    let mut answer = ask(&console, &ctx, &operator, &upstream, (&method, &headers, &body)).await?;
    // A token that was revoked meanwhile, by a changed rule for example, is replaced once.
    if answer.status == 401 && !wants_login(&answer) {
        operator.tokens.lock().await.forget();
        answer = ask(&console, &ctx, &operator, &upstream, (&method, &headers, &body)).await?;
        if answer.status == 401 && !wants_login(&answer) {
            console.sessions().close(&operator);
            return Err(Refusal::open(Reason::SessionUnknown));
        }
    }
    Ok(shown(answer))
}

fn upstream<'c>(console: &'c Console, uri: &Uri) -> Result<Upstream<'c>, Refusal> {
    let not_here = || Refusal::open(Reason::RoleNotHere);
    let parts = console.parts();
    let path = uri.path();
    let (origin, scope, rest) = if let Some(rest) = path.strip_prefix("/api/admin/") {
        (parts.admin.as_str(), "metaseal:admin", format!("v1/{rest}"))
    } else if let Some(rest) = path.strip_prefix("/api/san/") {
        (parts.san.as_deref().ok_or_else(not_here)?, "3gpp:seal:san", rest.to_owned())
    } else if let Some(rest) = path.strip_prefix("/api/sm/") {
        (parts.sm.as_deref().ok_or_else(not_here)?, "3gpp:seal:sm", rest.to_owned())
    } else {
        return Err(Refusal::open(Reason::RouteUnknown));
    };
    if !is_plain(&rest) {
        return Err(Refusal::open(Reason::RouteUnknown));
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let url =
        Url::parse(&format!("{origin}/{rest}{query}")).map_err(|_| Refusal::open(Reason::RouteUnknown))?;
    Ok(Upstream { origin, scope, url })
}

/// Whether every segment names something, and none leads elsewhere, also once it is decoded.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|segment| {
        let lower = segment.to_ascii_lowercase();
        let leads_away =
            matches!(segment, "" | "." | "..") || ["%2e", "%2f", "%5c"].iter().any(|s| lower.contains(s));
        !leads_away && segment.bytes().all(|b| b.is_ascii_graphic() && !b"\\?#<>\"".contains(&b))
    })
}

async fn ask(
    console: &Console,
    ctx: &Ctx,
    operator: &Operator,
    upstream: &Upstream<'_>,
    (method, headers, body): (&Method, &HeaderMap, &Bytes),
) -> Result<AnswerStream, Refusal> {
    let token = operator.tokens.lock().await.for_server(console, upstream.origin, upstream.scope).await;
    let token = token.inspect_err(|refusal| {
        if refusal.reason == Reason::SessionUnknown {
            console.sessions().close(operator);
        }
    })?;
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut request = Request::new(method.clone(), upstream.url.clone())
        .header("authorization", &format!("Bearer {}", token.expose()))
        .opt_header("if-match", text(IF_MATCH));
    if !body.is_empty() {
        request = request.bytes(text(CONTENT_TYPE).unwrap_or("application/json"), body.clone());
    }
    let https = console.parts().https.clone().with_trace(ctx.trace().trace.as_str());
    https.open(request).await.map_err(|error: SdkError| {
        tracing::warn!(%error, server = upstream.origin, "a server cannot be asked");
        Refusal::open(Reason::DependencyDown)
    })
}

/// Whether the answer asks for a fresher login (RFC 9470), which only the operator can give.
fn wants_login(answer: &AnswerStream) -> bool {
    let mut challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter();
    challenges.any(|value| value.as_bytes().windows(STEP_UP.len()).any(|part| part == STEP_UP))
}

const STEP_UP: &[u8] = b"insufficient_user_authentication";

/// The answer, piece by piece.
fn shown(answer: AnswerStream) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut headers = HeaderMap::new();
    for name in SHOWN {
        for value in answer.headers.get_all(&name) {
            headers.append(name.clone(), value.clone());
        }
    }
    let pieces = futures::stream::try_unfold(answer, |mut answer| async move {
        let piece = answer.chunk().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(piece.map(|piece| (piece, answer)))
    });
    let mut response = (status, Body::from_stream(pieces)).into_response();
    response.headers_mut().extend(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_nowhere_else() {
        for (path, plain) in [
            ("v1/users/alice", true),
            ("v1/users/alice%40campus.example", true),
            ("v1/audit/verify", true),
            ("v1/../jwks", false),
            ("v1/%2e%2e/jwks", false),
            ("v1/a%2Fb", false),
            ("v1/a%5cb", false),
            ("v1//x", false),
            ("v1/", false),
            ("", false),
        ] {
            assert_eq!(is_plain(path), plain, "{path}");
        }
    }
}
