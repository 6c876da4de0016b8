//! What the console believes of a browser: cookies, where a request comes from, and the token against forged requests.

use authorization::Reason;
use axum::extract::FromRequestParts;
use http::header::{HeaderValue, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
pub(super) use service_http::cookies::cookie;
use service_http::refusal::Refusal;

use super::Console;
use super::sessions::Operator;

/// The session. `Strict`: no request that another site causes carries it. The prefix keeps other hosts from setting it.
pub(super) const SESSION: &str = "__Host-console";
/// The login under way. `Lax`: the answer of the SIM-S comes from another site.
pub(super) const LOGIN: &str = "__Host-console-login";
/// Carries the token that only a page of ours has read.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// Sets a cookie of one of the two names; an empty value takes it away.
pub(super) fn set_cookie(name: &str, value: &str) -> Option<HeaderValue> {
    let same_site = if name == SESSION { "Strict" } else { "Lax" };
    let end = if value.is_empty() { "; Max-Age=0" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}{end}"))
        .ok()
}

/// Whether a page of ours, or no page, sent the request.
fn is_own(headers: &HeaderMap, own_origin: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return false;
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next().map(HeaderValue::as_bytes), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin == own_origin.as_bytes(),
        (Some(_), Some(_)) => false,
    }
}

impl FromRequestParts<Console> for Operator {
    type Rejection = Refusal;

    /// The operator of the session, or the first of: another site, no live session, no token against forged requests.
    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Refusal> {
        if !is_own(&parts.headers, console.origin()) {
            return Err(Refusal::open(Reason::CrossSite));
        }
        let unknown = || Refusal::open(Reason::SessionUnknown);
        let cookie = cookie(&parts.headers, SESSION).ok_or_else(unknown)?;
        let ambient = &console.kit().ambient;
        let operator = console.sessions().find(cookie, ambient.monotonic()).ok_or_else(unknown)?;
        if parts.method != Method::GET && parts.method != Method::HEAD {
            let mut shown = parts.headers.get_all(CSRF).iter();
            let (one, more) = (shown.next().and_then(|value| value.to_str().ok()), shown.next());
            if more.is_some() || !one.is_some_and(|one| jose::equal(one, &operator.csrf)) {
                return Err(Refusal::open(Reason::CrossSite));
            }
        }
        Ok(operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_another_site_is_refused() {
        type Lines = &'static [(&'static str, &'static str)];
        const OWN: &str = "https://console.example";
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Lines, bool); 8] = [
            ("no browser", &[], true),
            ("own page", &[("origin", OWN), ("sec-fetch-site", "same-origin")], true),
            ("typed address", &[("sec-fetch-site", "none")], true),
            ("other origin", &[("origin", "https://evil.example")], false),
            ("hidden origin", &[("origin", "null")], false),
            ("cross-site", &[("sec-fetch-site", "cross-site")], false),
            ("other port", &[("sec-fetch-site", "same-site")], false),
            ("two origins", &[("origin", OWN), ("origin", OWN)], false),
        ];
        for (what, lines, good) in rows {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_own(&headers, OWN), good, "{what}");
        }
    }

    #[test]
    fn a_cookie_is_kept_to_its_place() {
        let set = set_cookie(SESSION, "abc").unwrap();
        assert_eq!(set, "__Host-console=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert_eq!(
            set_cookie(LOGIN, "").unwrap(),
            "__Host-console-login=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
