//! Reading `application/x-www-form-urlencoded`, strictly (RFC 6749 3.1, 3.2 and appendix B).
//!
//! A parameter that comes twice, a malformed escape, text that is not UTF-8 and control characters are refused, because
//! two readers that disagree on such a request is what attacks are made of. A parameter without a value counts as
//! absent (RFC 6749 3.1).

use std::fmt;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Largest form or query, in bytes. Own value.
pub const MAX_FORM: usize = 64 * 1024;

/// Most parameters of a form. Own value.
pub const MAX_PARAMETERS: usize = 64;

/// The one parameter that may come several times (RFC 8707 2).
const REPEATABLE: &str = "resource";

/// Why a form is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The media type is another one.
    #[error("not application/x-www-form-urlencoded")]
    ContentType,
    /// Too many bytes or parameters.
    #[error("form too large")]
    TooLarge,
    /// An escape, the character set or a name is wrong.
    #[error("form malformed")]
    Malformed,
    /// A parameter comes twice.
    #[error("parameter repeated")]
    Repeated,
}

/// The parameters of a request. `Debug` shows names only: values hold passwords and codes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// Reads the body of a POST.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, FormError> {
        if !is_form(headers) {
            return Err(FormError::ContentType);
        }
        Self::parse(body)
    }

    /// Reads a query, or a body of the right media type.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > MAX_FORM {
            return Err(FormError::TooLarge);
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        if bytes.is_empty() {
            return Ok(Self { pairs });
        }
        for (count, part) in bytes.split(|b| *b == b'&').enumerate() {
            if count >= MAX_PARAMETERS {
                return Err(FormError::TooLarge);
            }
            let (name, value) = match part.iter().position(|b| *b == b'=') {
                Some(at) => (&part[..at], &part[at + 1..]),
                None => (part, &part[..0]),
            };
            let (name, value) = (unescape(name)?, unescape(value)?);
            if name.is_empty() {
                return Err(FormError::Malformed);
            }
            if name != REPEATABLE && pairs.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Repeated);
            }
            pairs.push((name, value));
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self { pairs })
    }

    /// The value of a parameter; absent and empty are the same.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the parameter has a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.one(name).is_some()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && parts
            .all(|p| p.eq_ignore_ascii_case("charset=utf-8") || p.eq_ignore_ascii_case("charset=\"utf-8\""))
}

fn unescape(bytes: &[u8]) -> Result<String, FormError> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'+' => b' ',
            b'%' => {
                let digits = (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit));
                let (Some(high), Some(low)) = digits else { return Err(FormError::Malformed) };
                high << 4 | low
            }
            b if b.is_ascii_graphic() => b,
            _ => return Err(FormError::Malformed),
        };
        out.push(byte);
    }
    let text = String::from_utf8(out).map_err(|_| FormError::Malformed)?;
    if text.chars().any(char::is_control) { Err(FormError::Malformed) } else { Ok(text) }
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Undoes the escapes of one text, as in the halves of HTTP Basic credentials (RFC 6749 2.3.1).
///
/// # Errors
/// [`FormError::Malformed`].
pub fn unescape_text(text: &str) -> Result<String, FormError> {
    unescape(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn one_spoiled_thing_is_refused_for_its_own_reason() {
        let good =
            Form::parse(b"scope=openid+3gpp%3Aseal%3Asan&state=%C3%A4&empty=&resource=a&resource=b").unwrap();
        assert_eq!(good.one("scope"), Some("openid 3gpp:seal:san"));
        assert_eq!(good.one("state"), Some("ä"));
        assert_eq!(good.one("empty"), None);
        assert_eq!(good.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        let many = (0..=MAX_PARAMETERS).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        let long = "a".repeat(MAX_FORM + 1);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[u8], FormError); 13] = [
            ("repeated", b"a=1&a=2", FormError::Repeated),
            ("repeated, once without value", b"a=&a=2", FormError::Repeated),
            ("repeated under an escape", b"a=1&%61=2", FormError::Repeated),
            ("NUL", b"a=%00", FormError::Malformed),
            ("line break", b"a=%0d%0a", FormError::Malformed),
            ("half an escape", b"a=%4", FormError::Malformed),
            ("no escape", b"a=%zz", FormError::Malformed),
            ("not UTF-8", b"a=%ff", FormError::Malformed),
            ("raw byte", b"a=\xc3\xa4", FormError::Malformed),
            ("raw blank", b"a=b c", FormError::Malformed),
            ("no name", b"=1", FormError::Malformed),
            ("too many", many.as_bytes(), FormError::TooLarge),
            ("too long", long.as_bytes(), FormError::TooLarge),
        ];
        for (what, bytes, refusal) in rows {
            assert_eq!(Form::parse(bytes), Err(refusal), "{what}");
        }
    }

    #[test]
    fn the_media_type_is_exact() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (Some("application/x-www-form-urlencoded"), true),
            (Some("application/x-www-form-urlencoded; charset=UTF-8"), true),
            (Some("application/x-www-form-urlencoded; charset=utf-16"), false),
            (Some("application/json"), false), (Some("text/plain"), false), (Some("multipart/form-data"), false), (None, false),
        ];
        for (value, good) in rows {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            assert_eq!(Form::of_body(&headers, b"a=1").is_ok(), good, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Form::parse(&bytes);
        }
    }
}
