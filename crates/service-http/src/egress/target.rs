//! Where a request may go: decided by the url and what the client registered, before any name is resolved.

use std::net::IpAddr;

use url::{Host, Url};

use super::EgressError;

/// Longest url, in characters. Own value.
const URL_MAX: usize = 2_048;

/// Ports below this one, but for 443, are reached only when registered with the host. Own value.
const PORT_FREE: u16 = 1_024;

/// A url that may be tried.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) url: Url,
    /// The address, where the host is one.
    pub(super) literal: Option<IpAddr>,
    pub(super) port: u16,
}

impl Target {
    /// Reads a url that a client named; `registered` are the hosts of that client, as `host` or `host:port`.
    ///
    /// Names are compared after normalisation (case, IDNA, odd notations of IPv4 addresses), so that every spelling
    /// of one host is one host.
    ///
    /// # Errors
    /// [`EgressError::UrlRefused`], [`EgressError::HostNotRegistered`].
    pub fn parse(text: &str, registered: &[impl AsRef<str>]) -> Result<Self, EgressError> {
        let bad =
            text.len() > URL_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\');
        if bad || !starts_with_https(text) {
            return Err(EgressError::UrlRefused);
        }
        let url = Url::parse(text).map_err(|_| EgressError::UrlRefused)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        // An authority with `@` is refused even when the user is empty.
        if url.scheme() != "https" || !plain || authority(text).contains('@') {
            return Err(EgressError::UrlRefused);
        }
        let host = url.host().ok_or(EgressError::UrlRefused)?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(EgressError::UrlRefused)?;
        if !registered.iter().any(|entry| is_registered(entry.as_ref(), &host, port)) {
            return Err(EgressError::HostNotRegistered);
        }
        let literal = match host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        Ok(Self { url, literal, port })
    }

    /// The url.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }
}

impl std::fmt::Debug for Target {
    /// Without path and query, which may carry a capability.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("host", &self.url.host_str())
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn starts_with_https(text: &str) -> bool {
    text.split_at_checked(8).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https://"))
}

fn authority(text: &str) -> &str {
    let rest = text.get(8..).unwrap_or_default();
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether `entry` of a registration stands for `host` and `port`.
fn is_registered(entry: &str, host: &Host<String>, port: u16) -> bool {
    let bare = entry.parse::<std::net::Ipv6Addr>().map(|v6| format!("[{v6}]"));
    let entry = bare.as_deref().unwrap_or(entry);
    // Read as the authority of a url, so that both sides are normalised alike.
    let Ok(url) = Url::parse(&format!("https://{entry}/")) else { return false };
    if url.path() != "/" || url.query().is_some() || authority(url.as_str()).contains('@') {
        return false;
    }
    let same = url.host().is_some_and(|registered| &registered.to_owned() == host);
    // `host:443` is normalised to no port at all by the parser.
    let named = url.port().or_else(|| entry.ends_with(":443").then_some(443));
    same && named.map_or(port == 443 || port >= PORT_FREE, |named| named == port)
}

/// Entry points of the fuzz targets.
pub mod fuzz {
    /// Takes any bytes as a url and as a registered host, in two lines; never panics.
    pub fn fuzz_target(bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let (url, host) = text.split_once('\n').unwrap_or((&text, ""));
        let _ = super::Target::parse(url, &[host]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registered_https_urls_are_targets() {
        let hosts = ["cb.example", "ports.example:8443", "192.0.2.7", "::1", "tls.example:443", "127.0.0.1"];
        for good in [
            "https://cb.example/n?x=1",
            "HTTPS://CB.EXAMPLE/",
            "https://cb.example:443/",
            "https://cb.example:9443/x",
            "https://ports.example:8443/",
            "https://192.0.2.7/",
            "https://[::1]/",
            "https://tls.example/",
            "https://127.0.0.1:4711/",
        ] {
            assert!(Target::parse(good, &hosts).is_ok(), "{good}");
        }
        // Odd notations of an address are that address, and nothing else.
        for (spelt, address) in [
            ("0x7f.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
        ] {
            let target = Target::parse(&format!("https://{spelt}/"), &hosts).unwrap();
            assert_eq!(target.literal, Some(address.parse().unwrap()), "{spelt}");
        }
        use EgressError::{HostNotRegistered, UrlRefused};
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("cleartext",              "http://cb.example/",                 UrlRefused),
            ("no scheme",              "//cb.example/",                      UrlRefused),
            ("file",                   "file:///etc/passwd",                 UrlRefused),
            ("one slash",              "https:/cb.example/",                 UrlRefused),
            ("user information",       "https://cb.example@evil.example/",   UrlRefused),
            ("empty user",             "https://@cb.example/",               UrlRefused),
            ("password",               "https://u:p@cb.example/",            UrlRefused),
            ("fragment",               "https://cb.example/#x",              UrlRefused),
            ("backslash",              "https://evil.example\\@cb.example/", UrlRefused),
            ("line break",             "https://cb.example/\r\nX: 1",        UrlRefused),
            ("tab in the host",        "https://cb.exa\tmple/",              UrlRefused),
            ("port zero",              "https://cb.example:0/",              UrlRefused),
            ("port too large",         "https://cb.example:65536/",          UrlRefused),
            ("no host",                "https:///x",                         HostNotRegistered),
            ("another host",           "https://evil.example/",              HostNotRegistered),
            ("a sub-domain",           "https://x.cb.example/",              HostNotRegistered),
            ("a prefix",               "https://cb.example.evil.example/",   HostNotRegistered),
            ("a suffix",               "https://evilcb.example/",            HostNotRegistered),
            ("a well-known port",      "https://cb.example:22/",             HostNotRegistered),
            ("another port",           "https://ports.example/",             HostNotRegistered),
            ("another port, named",    "https://tls.example:8443/",          HostNotRegistered),
            ("mapped address",         "https://[::ffff:192.0.2.7]/",        HostNotRegistered),
            ("full stop at the end",   "https://cb.example./",               HostNotRegistered),
        ];
        for (what, url, refusal) in rows {
            assert_eq!(Target::parse(url, &hosts), Err(refusal), "{what}");
        }
        let none: [&str; 0] = [];
        assert_eq!(Target::parse("https://cb.example/", &none), Err(HostNotRegistered));
        let long = format!("https://cb.example/{}", "x".repeat(URL_MAX));
        assert_eq!(Target::parse(&long, &hosts), Err(UrlRefused));
        assert!(!format!("{:?}", Target::parse("https://cb.example/secret", &hosts)).contains("secret"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String, host: String) {
            let _ = Target::parse(&text, &[host.as_str()]);
            let _ = Target::parse(&format!("https://{text}"), &[text.as_str()]);
            fuzz::fuzz_target(format!("https://{text}\n{host}").as_bytes());
        }
    }
}
