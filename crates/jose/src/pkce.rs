//! Proof Key for Code Exchange, method `S256` only (RFC 7636).

use crate::{base64url, digest};

/// The challenge of a verifier: base64url of its SHA-256 (RFC 7636 4.2).
#[must_use]
pub fn s256(verifier: &str) -> String {
    digest::sha256_b64url(verifier)
}

/// Whether a text can be a verifier: 43 to 128 unreserved characters (RFC 7636 4.1).
#[must_use]
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

/// Whether a text can be an `S256` challenge: base64url of 32 bytes.
#[must_use]
pub fn is_challenge(text: &str) -> bool {
    base64url::decode_exact::<32>(text).is_some()
}

/// Whether the verifier opens the challenge.
#[must_use]
pub fn opens(verifier: &str, challenge: &str) -> bool {
    is_verifier(verifier) && digest::equal(s256(verifier), challenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc_7636_appendix_b() {
        assert_eq!(s256(VERIFIER), CHALLENGE);
        assert!(is_challenge(CHALLENGE) && opens(VERIFIER, CHALLENGE));
    }

    #[test]
    fn boundaries_of_the_verifier() {
        let at = |n: usize| "a".repeat(n);
        for (text, good) in [(at(42), false), (at(43), true), (at(128), true), (at(129), false)] {
            assert_eq!(is_verifier(&text), good, "{}", text.len());
            assert_eq!(opens(&text, &s256(&text)), good, "{}", text.len());
        }
        assert!(!is_verifier(&format!("{}+", at(43))));
        assert!(!opens(&at(43), CHALLENGE));
        assert!(!opens(VERIFIER, VERIFIER), "plain");
    }

    #[test]
    fn a_challenge_is_32_bytes() {
        for text in [
            "",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
            &format!("{CHALLENGE}="),
            &format!("{CHALLENGE}A"),
        ] {
            assert!(!is_challenge(text), "{text}");
        }
    }
}
