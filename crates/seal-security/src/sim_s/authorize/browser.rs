//! What the authorization endpoint believes of a browser.
//!
//! The form is protected by its own identifier. Headers and the cookie only ever refuse: a client without cookies, as a
//! SIM-C may be, gets through, and a browser that says that another site sent it does not.

use http::HeaderMap;
use http::header::{HeaderValue, ORIGIN};
use service_http::cookies;

/// Name of the cookie. The prefix keeps other hosts from setting it.
pub const COOKIE_NAME: &str = "__Host-sim-login";

/// Whether a POST of the login form may have been sent by a page of ours.
///
/// Pages with `no-referrer` send `Origin: null` to their own server; that is believed only when the browser says itself
/// that the request is of the same origin.
#[must_use]
pub fn is_same_origin(headers: &HeaderMap, own_origin: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return false;
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next().map(HeaderValue::as_bytes), origins.next()) {
        (None, _) => true,
        (Some(b"null"), None) => site == Some(b"same-origin"),
        (Some(origin), None) => origin == own_origin.as_bytes(),
        (Some(_), Some(_)) => false,
    }
}

/// The value of our cookie, if the browser sent it once.
#[must_use]
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookies::cookie(headers, COOKIE_NAME)
}

/// Sets the cookie, until the browser is closed.
#[must_use]
pub fn set_cookie(value: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{COOKIE_NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Lax")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;

    #[test]
    fn a_form_of_another_site_is_refused() {
        type Lines = &'static [(&'static str, &'static str)];
        const OWN: &str = "https://sim.example";
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Lines, bool); 9] = [
            ("no browser", &[], true),
            ("own page", &[("origin", OWN), ("sec-fetch-site", "same-origin")], true),
            ("own page, no-referrer", &[("origin", "null"), ("sec-fetch-site", "same-origin")], true),
            ("older browser", &[("origin", OWN)], true),
            ("other origin", &[("origin", "https://evil.example")], false),
            ("hidden origin", &[("origin", "null")], false),
            ("cross-site", &[("sec-fetch-site", "cross-site")], false),
            ("other port", &[("origin", "https://sim.example:1"), ("sec-fetch-site", "same-site")], false),
            ("two origins", &[("origin", OWN), ("origin", OWN)], false),
        ];
        for (what, lines, good) in rows {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_same_origin(&headers, OWN), good, "{what}");
        }
    }

    #[test]
    fn the_cookie_is_read_once_or_not_at_all() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("__Host-sim-login=abc", Some("abc")), ("a=1; __Host-sim-login=abc; b=2", Some("abc")),
            ("__Host-sim-login=abc; __Host-sim-login=def", None), ("sim-login=abc", None), ("__Host-sim-login=", None),
        ];
        for (line, value) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(line));
            assert_eq!(cookie(&headers), value, "{line}");
        }
        let set = set_cookie("abc").unwrap();
        assert_eq!(set, "__Host-sim-login=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
    }
}
