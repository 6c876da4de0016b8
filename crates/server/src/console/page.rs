//! Pages that need no script, and the headers of everything that a browser shows.

use axum::response::{Html, IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderName, HeaderValue, StatusCode};

/// Nothing from elsewhere, no inline script, no inline style, no frame. `blob:` is where textures of a map's payload and
/// the worker of the map view come from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      font-src 'self'; connect-src 'self' blob:; worker-src 'self' blob:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Pages of this file: no script at all.
const PLAIN: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Sets the headers of a page with scripts, unless it is one without.
pub(super) fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert(OPENER, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE, HeaderValue::from_static("same-origin"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(PERMISSIONS, HeaderValue::from_static("camera=(), microphone=(), geolocation=()"));
}

/// What stands where the pages were not built into the program.
pub(super) fn not_built() -> Response {
    plain(
        StatusCode::OK,
        "The console is not in this program",
        "<p>Its pages were not built. Run <code>./metaseal</code> in a checkout, or <code>npm ci &amp;&amp; npm run \
         build</code> in <code>console/</code>, then build the program again. Everything else works without them.</p>",
    )
}

/// A page that tells what happened and where to go on. `body` is HTML of ours.
pub(super) fn plain(status: StatusCode, title: &str, body: &str) -> Response {
    shown(status, title, body, "")
}

/// A page that leads back to the console at `next`.
///
/// The answer to a login comes from another site, and a redirect of it would not carry a `SameSite=Strict` cookie; what
/// this page of ours asks for does.
pub(super) fn onward(next: &str) -> Response {
    let target = format!("/{}", escaped(next));
    let refresh = format!("<meta http-equiv=\"refresh\" content=\"0;url={target}\">");
    let body = format!("<p><a href=\"{target}\">Go on to the console</a></p>");
    shown(StatusCode::OK, "Logged in", &body, &refresh)
}

fn shown(status: StatusCode, title: &str, body: &str, head: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>{head}\
         </head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = (status, Html(text)).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PLAIN));
    protect(&mut response);
    response
}

/// Text that may stand in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_is_given_stays_text() {
        assert_eq!(escaped("#/a?b=\"><script>'&"), "#/a?b=&quot;&gt;&lt;script&gt;&#39;&amp;");
    }

    #[test]
    fn the_policy_lets_nothing_in_from_elsewhere() {
        for source in ["unsafe-inline", "unsafe-eval", "http:", "https:", "*"] {
            assert!(!POLICY.contains(source), "{source}");
        }
        assert!(POLICY.contains("frame-ancestors 'none'"));
    }
}
