//! Redirection endpoints: which may be registered, and which request names a registered one.
//!
//! The comparison is of strings, byte by byte (RFC 9700 2.1). The one exception is the port of a loopback address of a
//! native application (RFC 8252 7.3).

use url::Url;

/// Longest redirect URI, in bytes. Own value.
pub const MAX_REDIRECT_URI: usize = 2048;

/// The hosts whose port is not compared. `localhost` is not among them: it may resolve to anything (RFC 8252 8.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Whether a URI may be registered: https, a loopback address over http, or a private-use scheme with a dot
/// (RFC 8252 7.1); no user, no fragment, and spelled as a browser would spell it.
#[must_use]
pub fn may_be_registered(uri: &str) -> bool {
    if uri.is_empty() || uri.len() > MAX_REDIRECT_URI || !is_plain(uri) {
        return false;
    }
    let Ok(url) = Url::parse(uri) else { return false };
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    match url.scheme() {
        // The path of a URI is compared as it was registered: only authority and scheme must be in normal form.
        "https" => {
            let after = uri.strip_prefix("https://");
            url.host_str().is_some_and(|host| after.is_some_and(|after| after.starts_with(host)))
        }
        "http" => split_loopback(uri).is_some(),
        scheme => scheme.contains('.') && url.host_str().is_none(),
    }
}

/// Whether a request may be answered at `asked`, given what the client has registered.
#[must_use]
pub fn is_registered(registered: &[String], asked: &str) -> bool {
    if asked.len() > MAX_REDIRECT_URI || !is_plain(asked) {
        return false;
    }
    registered.iter().any(|known| {
        known == asked
            || matches!((split_loopback(known), split_loopback(asked)), (Some(known), Some(asked)) if known == asked)
    })
}

/// The origin of a redirect URI as a source of `form-action` in a Content-Security-Policy.
#[must_use]
pub fn policy_source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    match (url.scheme(), url.host()) {
        // The grammar has no IPv6 address.
        (scheme, None | Some(url::Host::Ipv6(_))) => Some(format!("{scheme}:")),
        (_, Some(_)) => Some(url.origin().ascii_serialization()),
    }
}

/// Printable ASCII without what makes two parsers disagree.
fn is_plain(uri: &str) -> bool {
    uri.bytes().all(|b| {
        b.is_ascii_graphic() && !matches!(b, b'\\' | b'*' | b'#' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}')
    })
}

/// Host and rest of a loopback URI, without its port.
fn split_loopback(uri: &str) -> Option<(&'static str, &str)> {
    let (host, rest) = LOOPBACK.iter().find_map(|host| Some((*host, uri.strip_prefix(host)?)))?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(port_and_rest) => {
            let end = port_and_rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(port_and_rest.len());
            let (port, rest) = port_and_rest.split_at(end);
            if port.starts_with('0') || port.parse::<u16>().is_err() {
                return None;
            }
            rest
        }
    };
    (rest.starts_with('/') || rest.is_empty()).then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_registered_is_answered() {
        let registered = [
            "https://app.example/cb".to_owned(),
            "http://127.0.0.1/cb".to_owned(),
            "http://[::1]:9/cb".to_owned(),
            "com.example.app:/cb".to_owned(),
        ];
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("exact", "https://app.example/cb", true),
            ("loopback, any port", "http://127.0.0.1:49152/cb", true),
            ("loopback without port", "http://127.0.0.1/cb", true),
            ("loopback IPv6, other port", "http://[::1]:50000/cb", true),
            ("private-use scheme", "com.example.app:/cb", true),
            ("slash added", "https://app.example/cb/", false),
            ("query added", "https://app.example/cb?x=1", false),
            ("escape", "https://app.example/%63b", false),
            ("dots", "https://app.example/x/../cb", false),
            ("escaped dots", "https://app.example/x/%2e%2e/cb", false),
            ("upper case host", "https://APP.example/cb", false),
            ("upper case scheme", "HTTPS://app.example/cb", false),
            ("port added", "https://app.example:443/cb", false),
            ("http", "http://app.example/cb", false),
            ("other host", "https://evil.example/cb", false),
            ("host as user", "https://app.example@evil.example/cb", false),
            ("longer host", "https://app.example.evil.example/cb", false),
            ("backslash", "https://app.example\\@evil.example/cb", false),
            ("semicolon", "https://app.example/cb;x", false),
            ("look-alike host", "https://аpp.example/cb", false),
            ("fragment", "https://app.example/cb#x", false),
            ("javascript", "javascript:alert(1)//https://app.example/cb", false),
            ("data", "data:text/html,x", false),
            ("empty", "", false),
            ("loopback, other path", "http://127.0.0.1:5/cb2", false),
            ("loopback, user", "http://127.0.0.1:5@evil.example/cb", false),
            ("loopback, longer host", "http://127.0.0.1.evil.example/cb", false),
            ("loopback, no number", "http://127.0.0.1:5x/cb", false),
            ("loopback, port 0", "http://127.0.0.1:0/cb", false),
            ("loopback, port too large", "http://127.0.0.1:65536/cb", false),
            ("loopback by name", "http://localhost:5/cb", false),
            ("loopback, other address", "http://127.0.0.2/cb", false),
            ("line break", "https://app.example/cb\r\nx", false),
        ];
        for (what, asked, good) in rows {
            assert_eq!(is_registered(&registered, asked), good, "{what}");
        }
    }

    #[test]
    fn what_may_be_registered() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("https://app.example/cb?x=1", true), ("https://app.example:8443/cb", true), ("http://127.0.0.1/cb", true),
            ("http://[::1]/cb", true), ("com.example.app:/cb", true),
            ("http://app.example/cb", false), ("http://localhost/cb", false), ("https://app.example/cb#x", false),
            ("https://u@app.example/cb", false), ("https://APP.example/cb", false), ("https:app.example/cb", false), ("https:a", false),
            ("https://*.example/cb", false), ("javascript:alert(1)", false), ("myapp:/cb", false), ("/cb", false), ("", false),
        ];
        for (uri, good) in rows {
            assert_eq!(may_be_registered(uri), good, "{uri}");
        }
    }

    #[test]
    fn every_uri_that_may_be_registered_matches_itself() {
        for uri in ["https://app.example/cb", "http://127.0.0.1/cb", "http://[::1]:1/", "com.example.app:/cb"]
        {
            assert!(may_be_registered(uri) && is_registered(&[uri.to_owned()], uri), "{uri}");
        }
        assert_eq!(policy_source("http://127.0.0.1:5/cb").as_deref(), Some("http://127.0.0.1:5"));
        assert_eq!(policy_source("http://[::1]:5/cb").as_deref(), Some("http:"));
        assert_eq!(policy_source("com.example.app:/cb").as_deref(), Some("com.example.app:"));
    }
}
