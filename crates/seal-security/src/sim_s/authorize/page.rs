//! The pages of the authorization endpoint: the login form (TS 24.547 6.2.2) and the one for requests that cannot be
//! answered at a redirect URI.
//!
//! They work without script, but for passkeys; load nothing, and cannot be framed (RFC 9700 4.16, 4.2.4).

use std::collections::BTreeSet;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use service_http::ambient::Ambient;

use crate::sim_s::directory::OPENID;
use crate::sim_s::error::{OAuthError, no_store};
use crate::sim_s::passkey;
use crate::sim_s::redirect;

/// The style of every page.
pub(crate) const STYLE: &str = include_str!("../../../templates/page.css");

/// The script of passkeys, for pages that offer them.
pub(crate) const SCRIPT: &str = include_str!("../../../templates/passkey.js");

/// RFC 6797: a browser that was here once comes by TLS for a year.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

#[derive(Template)]
#[template(path = "login.html")]
struct LoginTemplate<'a> {
    nonce: &'a str,
    style: &'static str,
    script: &'static str,
    client: &'a str,
    scopes: Vec<&'a str>,
    failed: bool,
    interaction: &'a str,
    challenge: &'a str,
    relying_party: &'a str,
    password: bool,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    nonce: &'a str,
    style: &'static str,
    code: &'a str,
    text: &'a str,
}

/// What the login form shows.
#[derive(Debug, Clone, Copy)]
pub struct LoginPage<'a> {
    /// Who asks.
    pub client_id: &'a str,
    /// For what.
    pub scopes: &'a BTreeSet<String>,
    /// Where the browser goes after the login.
    pub redirect_uri: &'a str,
    /// Identifier of the interaction.
    pub interaction: &'a str,
    /// Host of the issuer, which passkeys are for.
    pub relying_party: &'a str,
    /// Whether a password will do.
    pub password: bool,
    /// Whether the answer before was wrong.
    pub failed: bool,
}

/// The login form.
#[must_use]
pub fn login(page: LoginPage<'_>, ambient: &Ambient) -> Response {
    let nonce = ambient.random_id();
    let scopes = page.scopes.iter().filter(|scope| *scope != OPENID).map(|scope| in_words(scope)).collect();
    let template = LoginTemplate {
        nonce: &nonce,
        style: STYLE,
        script: SCRIPT,
        client: page.client_id,
        scopes,
        failed: page.failed,
        interaction: page.interaction,
        challenge: &passkey::challenge(page.interaction),
        relying_party: page.relying_party,
        password: page.password,
    };
    let status = if page.failed { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    html(status, template.render().ok(), &nonce, Some(page.redirect_uri))
}

/// The page of a request that is answered nowhere else.
#[must_use]
pub fn error(error: &OAuthError, ambient: &Ambient) -> Response {
    let nonce = ambient.random_id();
    let (text, status) = match error.retry_after_s {
        Some(_) if error.code.status() == 400 => ("Too many attempts. Wait a moment, then try again.", 429),
        _ if error.code.status() == 401 => (error.code.description(), 400),
        _ => (error.code.description(), error.code.status()),
    };
    let template = ErrorTemplate { nonce: &nonce, style: STYLE, code: error.code.as_str(), text };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = html(status, template.render().ok(), &nonce, None);
    if let Some(seconds) = error.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(error.record(status.as_u16()));
    response
}

/// A page, with what keeps others away from it.
pub(crate) fn html(status: StatusCode, body: Option<String>, nonce: &str, target: Option<&str>) -> Response {
    let Some(body) = body else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    // Browsers apply form-action to the redirect after the form as well.
    let after =
        target.and_then(redirect::policy_source).map(|source| format!(" {source}")).unwrap_or_default();
    let form = if target.is_some() { format!("'self'{after}") } else { "'none'".to_owned() };
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action {form}; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = (status, body).into_response();
    no_store(&mut response);
    protect(&mut response);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    } else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    response
}

/// The headers of every answer that a browser gets.
pub(crate) fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(http::header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
}

/// A scope as a user understands it; one that was added as data shows its name.
fn in_words(scope: &str) -> &str {
    match scope {
        "3gpp:seal:san.read" => "read spatial anchors and your subscriptions to them",
        "3gpp:seal:san.write" => "create, change and delete spatial anchors",
        "3gpp:seal:san.discover" => "find spatial anchors around you, and count your use of them",
        "3gpp:seal:sm.read" => "read and find spatial maps",
        "3gpp:seal:sm.write" => "create, change and delete spatial maps",
        "3gpp:seal:sm.localize" => "locate your device in a spatial map",
        "metaseal:console" => "open the console of this deployment",
        "metaseal:admin" => "administer this deployment, as far as your roles go",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_s::error::ErrorCode;
    use authorization::Reason;

    #[test]
    fn pages_are_kept_to_themselves() {
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let scopes = BTreeSet::from([OPENID.to_owned(), "3gpp:seal:san.read".to_owned(), "<b>".to_owned()]);
        let page = LoginPage {
            client_id: "<script>",
            scopes: &scopes,
            redirect_uri: "http://127.0.0.1:5/cb",
            interaction: "abc",
            relying_party: "sim.example",
            password: true,
            failed: false,
        };
        for response in [login(page, &ambient), error(&OAuthError::malformed(), &ambient)] {
            let headers = response.headers();
            let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
            assert_eq!(headers[X_FRAME_OPTIONS], "DENY");
            assert_eq!(headers[REFERRER_POLICY], "no-referrer");
            assert_eq!(headers[http::header::CACHE_CONTROL], "no-store");
        }
        let braked = OAuthError::new(ErrorCode::AccessDenied, Reason::LoginThrottled).retry_after(7);
        let braked = error(&braked, &ambient);
        assert_eq!((braked.status().as_u16(), &braked.headers()[RETRY_AFTER]), (429, &HeaderValue::from(7)));
    }

    #[test]
    fn what_others_have_named_is_escaped() {
        let template = LoginTemplate {
            nonce: "n",
            style: STYLE,
            client: "<script>",
            scopes: vec!["<b>"],
            failed: true,
            interaction: "\"x",
            script: "",
            challenge: "c",
            relying_party: "\"y",
            password: true,
        };
        let body = template.render().unwrap();
        assert!(!body.contains("<script>") && !body.contains("<b>") && !body.contains("\"\"x"));
        assert!(body.contains("role=\"alert\"") && body.contains("lang=\"en\""));
    }
}
