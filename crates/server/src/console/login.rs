//! An operator logs in at the SIM-S, also by passkey for an act that asks for one (RFC 9470) (OpenID Connect Core 3.1, RFC 7636, RFC 9126, RFC 9207).

use authorization::Reason;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use sdk::{AuthorizationRequest, SdkError};
use seal_security::sim_s::CONSOLE_CALLBACK;
use seal_security::sim_s::passkey::ACR_PASSKEY;
use service_http::refusal::Refusal;

use super::browser::{self, LOGIN, SESSION};
use super::sessions::LoggedIn;
use super::tokens::{Claims, Tokens};
use super::{Console, page};

/// Everything that an operator may need; the SIM-S leaves what the account has a right to.
const SCOPE: &str = "openid metaseal:console";

/// Longest place in the pages that is kept over a login, in bytes. Own value.
const NEXT: usize = 512;

/// `GET /login?next=&acr=`: sends the browser to the SIM-S, which asks for password or passkey each time.
pub(super) async fn begin(
    State(console): State<Console>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let sim = match console.sim().await {
        Ok(sim) => sim,
        Err(error) => return Ok(unreachable(&error)),
    };
    let query = query.unwrap_or_default();
    let request = AuthorizationRequest {
        acr_values: acr_of(&query).to_owned(),
        redirect_uri: format!("{}{CONSOLE_CALLBACK}", console.origin()),
        scope: SCOPE.to_owned(),
        resources: vec![console.origin().to_owned()],
        push: true,
        ..AuthorizationRequest::default()
    };
    // RFC 9470 4: whoever comes here logs in anew, also from a browser that the SIM-S knows.
    let pending = sim.begin(request).no_older_than(0);
    let target = match sim.authorization_url(&pending).await {
        Ok(target) => target,
        Err(error) => return Ok(unreachable(&error)),
    };
    let ambient = &console.kit().ambient;
    let cookie = ambient.random_secret();
    let replaces = browser::cookie(&headers, SESSION).map(str::to_owned);
    let next = next_of(&query);
    if !console.sessions().begin(&cookie, pending, next, replaces, ambient.monotonic()) {
        return Err(Refusal::open(Reason::Overloaded).retry_after(60));
    }
    let mut response = Redirect::to(target.as_str()).into_response();
    response.headers_mut().extend(browser::set_cookie(LOGIN, &cookie).map(|value| (SET_COOKIE, value)));
    page::protect(&mut response);
    Ok(response)
}

/// `GET /callback`: redeems the code and opens the session.
pub(super) async fn callback(
    State(console): State<Console>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let ambient = &console.kit().ambient;
    // Only the browser that began the login gets a session of it (RFC 9700 4.7).
    let login = browser::cookie(&headers, LOGIN)
        .and_then(|cookie| console.sessions().take_login(cookie, ambient.monotonic()));
    let Some(login) = login else { return Ok(failed(StatusCode::BAD_REQUEST, STALE)) };
    let sim = match console.sim().await {
        Ok(sim) => sim,
        Err(error) => return Ok(unreachable(&error)),
    };
    let location = format!("{}{CONSOLE_CALLBACK}?{}", console.origin(), query.unwrap_or_default());
    let code = match login.pending.response(&location, &console.parts().issuer, true) {
        Ok(code) => code,
        Err(SdkError::OAuth { error, .. }) if error == "access_denied" => {
            return Ok(failed(StatusCode::FORBIDDEN, DENIED));
        }
        Err(_) => return Ok(failed(StatusCode::BAD_REQUEST, STALE)),
    };
    let token = match sim.redeem(&code, Some(console.origin()), None).await {
        Ok(token) => token,
        Err(SdkError::OAuth { .. }) => return Ok(failed(StatusCode::FORBIDDEN, DENIED)),
        Err(error) => return Ok(unreachable(&error)),
    };
    let Some(claims) = Claims::of(&token).filter(|claims| !claims.roles.is_empty()) else {
        return Ok(failed(StatusCode::FORBIDDEN, DENIED));
    };
    // A login replaces the session that it began from; the cookie is new each time.
    let before = login.replaces.and_then(|cookie| console.sessions().find(&cookie, ambient.monotonic()));
    if let Some(before) = before {
        super::logout::end(&console, &before).await;
    }
    let cookie = ambient.random_secret();
    let who = LoggedIn {
        user: claims.sub,
        roles: claims.roles,
        auth_time_s: claims.auth_time,
        csrf: ambient.random_secret(),
        tokens: Tokens::of(&token, ambient.now_s()),
    };
    if !console.sessions().open(&cookie, who, ambient.monotonic()) {
        return Err(Refusal::open(Reason::Overloaded).retry_after(60));
    }
    let mut response = page::onward(&login.next);
    let cookies = [browser::set_cookie(SESSION, &cookie), browser::set_cookie(LOGIN, "")];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

const STALE: &str = "<p>This login was begun in another browser, was answered before, or took too long.</p>\
                     <p><a href=\"/login\">Log in again</a></p>";
const DENIED: &str = "<p>The account has no role that opens the console, or the login was cancelled. An administrator gives \
                      roles to accounts.</p><p><a href=\"/login\">Log in with another account</a></p>";

fn failed(status: StatusCode, body: &str) -> Response {
    page::plain(status, "The login did not succeed", body)
}

fn unreachable(error: &SdkError) -> Response {
    tracing::warn!(%error, "the SIM-S cannot be asked");
    page::plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "The login cannot begin",
        "<p>The identity management server does not answer. Look at its log, and at <code>peers.sim</code> and \
         <code>peers.sim_mtls</code> where it runs elsewhere.</p><p><a href=\"/login\">Try again</a></p>",
    )
}

/// Where in the pages to go on: a fragment of ours, and nothing else.
fn next_of(query: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let next =
        pairs.find(|(name, _)| name == "next").map(|(_, value)| value.into_owned()).unwrap_or_default();
    let good = next.starts_with("#/") && next.len() <= NEXT && next.bytes().all(|b| b.is_ascii_graphic());
    if good { next } else { String::new() }
}

/// The authentication context that a page asks for: a passkey, or (empty) whatever the account has.
fn acr_of(query: &str) -> &'static str {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    if pairs.any(|(name, value)| name == "acr" && value == ACR_PASSKEY) { ACR_PASSKEY } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_for_a_passkey_or_for_nothing() {
        for (query, acr) in
            [("acr=phr&next=%23/keys", "phr"), ("acr=3gpp:acr:password", ""), ("acr=none", ""), ("", "")]
        {
            assert_eq!(acr_of(query), acr, "{query}");
        }
    }

    #[test]
    fn the_browser_goes_on_in_our_pages_or_at_their_beginning() {
        for (query, next) in [
            ("next=%23/keys", "#/keys"),
            ("a=b&next=%23/audit%3Ftrace%3D1", "#/audit?trace=1"),
            ("next=https://evil.example", ""),
            ("next=//evil.example", ""),
            ("next=%23/a%0d%0ab", ""),
            ("", ""),
        ] {
            assert_eq!(next_of(query), next, "{query}");
        }
    }
}
