//! Name and password of a request (RFC 7617).

use api_types::secret::Secret;
use authorization::Reason;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use service_http::refusal::Refusal;

/// Longest credentials, encoded, in bytes. Own value.
const MOST: usize = 1024;

/// The one pair of name and password.
///
/// # Errors
/// `TOKEN_MISSING` for none, two, or one of another scheme or form.
pub(super) fn credentials(headers: &HeaderMap) -> Result<(String, Secret), Refusal> {
    let missing = || Refusal::open(Reason::TokenMissing);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(missing()) };
    read(value.as_bytes()).ok_or_else(missing)
}

fn read(value: &[u8]) -> Option<(String, Secret)> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= MOST)?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), Secret::new(password)))
}

/// Reads arbitrary bytes as credentials; never panics.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Some((name, _)) = read(bytes) {
        assert!(!name.contains(':'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spoiled_thing_is_no_credential() {
        let good = format!("Basic {}", STANDARD.encode("alice:se:cret"));
        let (name, password) = read(good.as_bytes()).unwrap();
        assert_eq!((name.as_str(), password.expose()), ("alice", "se:cret"));
        let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("another scheme", good.replace("Basic", "Bearer")),
            ("no scheme", good.replace("Basic ", "")),
            ("no base64", "Basic ?".to_owned()),
            ("no colon", encoded("alice")),
            ("no text", format!("Basic {}", STANDARD.encode([0xff, b':']))),
            ("too long", encoded(&format!("alice:{}", "x".repeat(MOST)))),
        ];
        for (what, value) in rows {
            assert!(read(value.as_bytes()).is_none(), "{what}");
            fuzz(value.as_bytes());
        }
    }
}
