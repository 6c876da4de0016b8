//! What is taken out of a line before it is written.
//!
//! Coarse on purpose: a word too many that is missing from a log is a nuisance, one secret in it
//! is an incident.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Stands where something was taken out.
pub const REDACTED: &str = "[redacted]";

/// Names whose values are secret; also as the end of a longer name (`user_password`).
const SECRET_NAMES: [&str; 15] = [
    "password",
    "passwd",
    "secret",
    "access_token",
    "refresh_token",
    "id_token",
    "subject_token",
    "actor_token",
    "assertion",
    "code_verifier",
    "private_key",
    "privatekey",
    "csrf",
    "supi",
    "impu",
];

/// Names whose values are secret when they are long: `code=404` says nothing.
const SECRET_WHEN_LONG: [&str; 7] = ["code", "token", "ticket", "proof", "cookie", "session", "nonce"];

/// From how many characters on.
const LONG: usize = 16;

/// Header names whose whole value is secret.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Schemes that a credential follows.
const SCHEMES: [&str; 3] = ["bearer", "dpop", "basic"];

/// How identifiers of people begin (TS 29.571 5.3.2, TS 23.003).
const PERSONAL: [&str; 7] = ["msisdn-", "extid-", "imsi-", "nai-", "gci-", "gli-", "extgroupid-"];

/// URI schemes of addresses of people.
const ADDRESS_SCHEMES: [&str; 4] = ["sip", "sips", "tel", "mailto"];

/// Random strings of ours (256 bits) have 43 characters. Own value.
const SECRET_CHARS: usize = 40;

/// `text` without what looks like a token, a credential, a secret, a key, or an identifier of a
/// person.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = private_key(rest) {
            out.push_str(REDACTED);
            rest = after;
            continue;
        }
        let word = word_of(rest);
        if word.is_empty() {
            let first = rest.chars().next().map_or(rest.len(), char::len_utf8);
            if rest.starts_with('+') && digits_of(&rest[1..]) >= 8 {
                out.push_str(REDACTED);
                rest = &rest[1 + digits_of(&rest[1..])..];
                continue;
            }
            out.push_str(&rest[..first]);
            rest = &rest[first..];
            continue;
        }
        let after = &rest[word.len()..];
        rest = one_word(word, after, &mut out);
    }
    out
}

/// Writes `word`, or what may be left of it, and returns what comes next.
fn one_word<'t>(word: &str, after: &'t str, out: &mut String) -> &'t str {
    let lower = word.to_ascii_lowercase();
    if PERSONAL.iter().any(|prefix| lower.starts_with(prefix) && lower.len() > prefix.len()) {
        out.push_str(REDACTED);
        return &after[identifier_of(after)..];
    }
    if after.starts_with('@') && after[1..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
        out.push_str(REDACTED);
        return &after[identifier_of(after)..];
    }
    if ADDRESS_SCHEMES.contains(&lower.as_str())
        && let Some(address) = after.strip_prefix(':')
        && identifier_of(address) > 0
    {
        out.push_str(REDACTED);
        return &address[identifier_of(address)..];
    }
    if is_jose(word) || is_random(word) {
        out.push_str(REDACTED);
        return after;
    }
    if SCHEMES.contains(&lower.as_str()) {
        let blank = after.len() - after.trim_start_matches([' ', '\t']).len();
        let credential = after[blank..].find([' ', '\t', '"', '\\', '\n', ',']);
        let credential = credential.unwrap_or(after.len() - blank);
        if blank > 0 && credential > 0 {
            out.push_str(word);
            out.push(' ');
            out.push_str(REDACTED);
            return &after[blank + credential..];
        }
    }
    let kind = if SECRET_HEADERS.contains(&lower.as_str()) {
        Kind::Header
    } else if SECRET_NAMES.iter().any(|name| lower.ends_with(name)) {
        Kind::Secret
    } else if SECRET_WHEN_LONG.contains(&lower.as_str()) {
        Kind::WhenLong
    } else {
        out.push_str(word);
        return after;
    };
    out.push_str(word);
    named_value(kind, after, out)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Header,
    Secret,
    WhenLong,
}

/// What follows a name: a separator and a value, if it is one.
fn named_value<'t>(kind: Kind, after: &'t str, out: &mut String) -> &'t str {
    let Some((separator, is_form)) = separator_of(after) else {
        return after;
    };
    let (head, value) = after.split_at(separator);
    let quote = quote_of(value);
    let start = quote.map_or(0, |backslashes| backslashes + 1);
    let body = &value[start..];
    let end = match quote {
        Some(backslashes) => closing_quote(body, backslashes),
        None if body.starts_with(['[', '{']) => body.find('\n').unwrap_or(body.len()),
        None if kind == Kind::Header => body.find(['"', '\\', '\n']).unwrap_or(body.len()),
        None if is_form => {
            body.find(|c: char| c == '&' || c == '"' || c == '\\' || c.is_whitespace()).unwrap_or(body.len())
        }
        None => body.find(|c: char| ",\"\\}".contains(c) || c.is_whitespace()).unwrap_or(body.len()),
    };
    if end == 0 || (kind == Kind::WhenLong && end < LONG) {
        return after;
    }
    out.push_str(head);
    out.push_str(&value[..start]);
    out.push_str(REDACTED);
    &body[end..]
}

/// Length of a closing quote of the name, blanks and `=` or `:`; and whether it is `=`.
fn separator_of(after: &str) -> Option<(usize, bool)> {
    let mut rest = after;
    let backslashes = rest.len() - rest.trim_start_matches('\\').len();
    if rest[backslashes..].starts_with(['"', '\'']) {
        rest = &rest[backslashes + 1..];
    }
    rest = rest.trim_start_matches(' ');
    let separator = rest.chars().next().filter(|c| matches!(c, '=' | ':'))?;
    rest = rest[1..].trim_start_matches(' ');
    // Debug shows an optional member as `Some("…")`.
    rest = rest.strip_prefix("Some(").unwrap_or(rest);
    Some((after.len() - rest.len(), separator == '='))
}

/// How many backslashes stand before the quote that a value begins with.
fn quote_of(value: &str) -> Option<usize> {
    let backslashes = value.len() - value.trim_start_matches('\\').len();
    value[backslashes..].starts_with('"').then_some(backslashes)
}

/// Where the value ends that a quote with so many backslashes began.
fn closing_quote(body: &str, backslashes: usize) -> usize {
    let mut run = 0;
    for (index, byte) in body.bytes().enumerate() {
        match byte {
            b'\\' => run += 1,
            b'"' if run <= backslashes => return index - run,
            _ => run = 0,
        }
    }
    body.len()
}

/// A compact JWS or JWE, also a piece of one.
fn is_jose(word: &str) -> bool {
    let mut parts = word.split('.');
    let first = parts.next().unwrap_or_default();
    // `{"` in base64url; a header with a blank in front begins otherwise and has its dots.
    if first.starts_with("eyJ") && word.len() >= LONG {
        return true;
    }
    let dots = parts.count();
    if dots < 2 || first.len() < 8 {
        return false;
    }
    let aligned = &first[..first.len() - first.len() % 4];
    let decoded = URL_SAFE_NO_PAD.decode(aligned);
    decoded.is_ok_and(|bytes| bytes.trim_ascii_start().starts_with(b"{"))
}

/// A long string without words in it.
fn is_random(word: &str) -> bool {
    word.split('.').any(|part| {
        part.len() >= SECRET_CHARS
            && part.bytes().any(|b| b.is_ascii_uppercase())
            && part.bytes().any(|b| b.is_ascii_lowercase())
            && part.bytes().any(|b| b.is_ascii_digit())
    })
}

/// What follows a private key in PEM that `text` begins with.
fn private_key(text: &str) -> Option<&str> {
    let after = text.strip_prefix("-----BEGIN ")?;
    let label = after.find("-----")?;
    if !after[..label].ends_with("PRIVATE KEY") {
        return None;
    }
    let Some(end) = after.find("-----END ") else {
        return Some("");
    };
    let end = &after[end + "-----END ".len()..];
    Some(end.find("-----").map_or("", |at| &end[at + 5..]))
}

/// The word that `text` begins with.
fn word_of(text: &str) -> &str {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    &text[..end]
}

/// Length of the identifier that `text` begins with.
fn identifier_of(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'\\&,;)}]<>/?#".contains(c);
    text.find(ends).unwrap_or(text.len())
}

fn digits_of(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

/// Entry points for fuzzing.
pub mod fuzz {
    /// Redacts arbitrary bytes; never panics.
    pub fn fuzz_redact(bytes: &[u8]) {
        let _ = super::redact(&String::from_utf8_lossy(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_people_are_taken_out() {
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA";
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("a compact JWS",          format!("got {token}!"), "got [redacted]!".to_owned()),
            ("a piece of one",         "got eyJhbGciOiJFUzI1NiJ9".into(), "got [redacted]".into()),
            ("a header with a blank",  format!("x {}.e30.AA", URL_SAFE_NO_PAD.encode(r#" {"alg":"none"} "#)), "x [redacted]".into()),
            ("no signature",           "eyJhbGciOiJub25lIn0.e30.".into(), "[redacted]".into()),
            ("bearer",                 "Authorized by bearer abc.def-1 now".into(), "Authorized by bearer [redacted] now".into()),
            ("DPoP",                   "DPoP opaque".into(), "DPoP [redacted]".into()),
            ("basic",                  "Basic dTpw\"".into(), "Basic [redacted]\"".into()),
            ("a header",               "Authorization: Custom a b c".into(), "Authorization: [redacted]".into()),
            ("a header in JSON",       r#"{"authorization":"Custom a b","x":1}"#.into(), r#"{"authorization":"[redacted]","x":1}"#.into()),
            ("a form",                 "username=al&password=p%26w,1&x=2".into(), "username=al&password=[redacted]&x=2".into()),
            ("JSON",                   r#"{"client_secret":"a\"b","n":1}"#.into(), r#"{"client_secret":"[redacted]","n":1}"#.into()),
            ("JSON in JSON",           r#"{"m":"{\"password\":\"a b\",\"n\":1}"}"#.into(), r#"{"m":"{\"password\":\"[redacted]\",\"n\":1}"}"#.into()),
            ("Debug",                  r#"User { password: "a b", n: 1 }"#.into(), r#"User { password: "[redacted]", n: 1 }"#.into()),
            ("Debug of an option",     r#"password: Some("a b") }"#.into(), r#"password: Some("[redacted]") }"#.into()),
            ("a longer name",          "user_password=x y".into(), "user_password=[redacted] y".into()),
            ("a number",               "\"password\":1234,\"n\":1".into(), "\"password\":[redacted],\"n\":1".into()),
            ("a long code",            "code=abcdefghijklmnop&state=1".into(), "code=[redacted]&state=1".into()),
            ("GPSI",                   "of msisdn-4915112345678.".into(), "of [redacted]".into()),
            ("GPSI in a path",         "/users/extid-al@op.example/x".into(), "/users/[redacted]/x".into()),
            ("external identifier",    "of alice@op.example, found".into(), "of [redacted], found".into()),
            ("IMPU",                   "to sip:alice@op-a.example;x".into(), "to [redacted];x".into()),
            ("tel",                    "tel:+4915112345678".into(), "[redacted]".into()),
            ("a number to call",       "call +4915112345678 now".into(), "call [redacted] now".into()),
            ("256 random bits",        "id Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIzNDU2Nzg".into(), "id [redacted]".into()),
            ("a private key",          "k -----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY----- z".into(), "k [redacted] z".into()),
            ("half a private key",     "-----BEGIN EC PRIVATE KEY-----\\nMIG".into(), "[redacted]".into()),
        ];
        for (what, text, want) in rows {
            assert_eq!(redact(&text), want, "{what}");
        }
    }

    #[test]
    fn what_an_operator_needs_is_kept() {
        for text in [
            r#"{"status":404,"code":"404","operation":"GetAnchorsList","trace":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
            "listening on https://localhost:8446/ssan-sanm/v1 and [::1]:8446",
            "client vs-1 of 127.0.0.1:5000 refused: SCOPE_NARROW (3gpp:seal:san.read)",
            "2026-11-21T12:00:00.123Z service_http::edge::connection a_very_long_function_name_without_any_secret_in_it",
            "tokens were refused: 3 tokens",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "ünïcödé +49 ok",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_password_survives(text: String, pw in "[a-zA-Z0-9]{6,20}") {
            fuzz::fuzz_redact(text.as_bytes());
            let planted = format!("planted{pw}");
            let line = serde_json::json!({ "a": text, "password": planted, "b": text }).to_string();
            proptest::prop_assert!(!redact(&line).contains(&planted));
        }
    }
}
