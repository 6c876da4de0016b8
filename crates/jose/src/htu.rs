//! The HTTP target URI of a DPoP proof, normalised (RFC 9449 4.3; RFC 3986 6.2.2, 6.2.3).

use std::fmt::Write as _;

/// Longest URI that is compared, in bytes. Own value.
pub const MAX_HTU: usize = 2048;

/// The URI without query and fragment, in normal form: scheme and host in lower case, no default port, no dot segment,
/// `/` for an empty path, percent-encoding in upper case and only where needed.
///
/// `None` for anything but an `http` or `https` URI without user information.
#[must_use]
pub fn normalise(uri: &str) -> Option<String> {
    if uri.len() > MAX_HTU || !uri.bytes().all(|b| matches!(b, 0x21..=0x7e)) {
        return None;
    }
    let uri = uri.split(['?', '#']).next()?;
    let (scheme, rest) = uri.split_once("://")?;
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority_parts(authority)?;
    let mut out = String::with_capacity(uri.len() + 1);
    out.push_str(if default_port == "443" { "https://" } else { "http://" });
    out.push_str(&host.to_ascii_lowercase());
    if !port.is_empty() && port != default_port {
        let _ = write!(out, ":{port}");
    }
    push_path(path, &mut out)?;
    Some(out)
}

/// Whether two URIs name one target.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    matches!((normalise(a), normalise(b)), (Some(a), Some(b)) if a == b)
}

fn authority_parts(authority: &str) -> Option<(&str, &str)> {
    let bracket = authority.find(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[bracket..].find(':') {
        Some(colon) => (&authority[..bracket + colon], &authority[bracket + colon + 1..]),
        None => (authority, ""),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let host_is_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
        }
        None => !host.is_empty() && host.bytes().all(plain),
    };
    let port_is_good = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
    (host_is_good && port_is_good).then_some((host, port))
}

fn push_path(path: &str, out: &mut String) -> Option<()> {
    let start = out.len();
    if path.is_empty() {
        out.push('/');
        return Some(());
    }
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let segment = decode_unreserved(segment)?;
        // RFC 3986 5.2.4: a trailing dot segment leaves the slash behind.
        match segment.as_str() {
            "." if !last => {}
            "." => out.push('/'),
            ".." => {
                let parent = out[start..].rfind('/').map_or(start, |slash| start + slash);
                out.truncate(parent);
                if last {
                    out.push('/');
                }
            }
            _ => {
                out.push('/');
                out.push_str(&segment);
            }
        }
    }
    Some(())
}

fn decode_unreserved(segment: &str) -> Option<String> {
    let mut out = String::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(char::from(b));
            continue;
        }
        let hex = |b: u8| char::from(b).to_digit(16);
        let code = hex(bytes.next()?)? * 16 + hex(bytes.next()?)?;
        match char::from_u32(code)? {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') => out.push(c),
            _ => write!(out, "%{code:02X}").ok()?,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_target_are_equal() {
        const TARGET: &str = "https://sim.example/a/b%2Fc";
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("itself", "https://sim.example/a/b%2Fc"), ("query", "https://sim.example/a/b%2Fc?x=/y"),
            ("fragment", "https://sim.example/a/b%2Fc#z"), ("scheme and host", "HTTPS://SIM.example/a/b%2Fc"),
            ("default port", "https://sim.example:443/a/b%2Fc"), ("empty port", "https://sim.example:/a/b%2Fc"),
            ("lower case hex", "https://sim.example/a/b%2fc"), ("needless encoding", "https://sim.example/%61/b%2Fc"),
            ("dot segment", "https://sim.example/./a/x/../b%2Fc"),
            ("above the root", "https://sim.example/../a/b%2Fc"),
        ];
        for (what, uri) in rows {
            assert!(same(uri, TARGET), "{what}: {:?}", normalise(uri));
        }
        assert!(same("https://[2001:DB8::1]:8444", "https://[2001:db8::1]:8444/"));
        assert_eq!(normalise("https://h/a/..").as_deref(), Some("https://h/"));
        assert_eq!(normalise("https://h/a/.").as_deref(), Some("https://h/a/"));
    }

    #[test]
    fn other_targets_differ() {
        const TARGET: &str = "https://sim.example/token";
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("scheme", "http://sim.example/token"), ("host", "https://sim.example.evil/token"),
            ("port", "https://sim.example:8444/token"), ("path", "https://sim.example/Token"),
            ("slash", "https://sim.example/token/"), ("encoded slash", "https://sim.example%2Ftoken"),
            ("user information", "https://sim.example@evil/token"), ("password", "https://a:b@sim.example/token"),
            ("no scheme", "//sim.example/token"), ("path only", "/token"), ("nothing", ""), ("blank", "https://sim.example/token "),
            ("backslash host", "https://sim.example\\/token"), ("broken encoding", "https://sim.example/token%2"),
            ("not ASCII", "https://sim.example/tokén"), ("port is no number", "https://sim.example:x/token"),
            ("another scheme", "ftp://sim.example/token"),
        ];
        for (what, uri) in rows {
            assert!(!same(uri, TARGET), "{what}");
        }
        assert_eq!(normalise(&format!("https://h/{}", "a".repeat(MAX_HTU))), None);
    }
}
