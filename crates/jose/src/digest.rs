//! SHA-256 as tokens, proofs and certificates use it, HMAC over it, and comparison in constant time.

use aws_lc_rs::{constant_time, digest, hmac};

use crate::base64url;

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// SHA-256 in base64url: `ath` (RFC 9449 4.1), stored form of a secret.
#[must_use]
pub fn sha256_b64url(bytes: impl AsRef<[u8]>) -> String {
    base64url::encode(sha256(bytes.as_ref()))
}

/// `x5t#S256` of a DER certificate (RFC 8705 3.1).
#[must_use]
pub fn x5t_s256(certificate_der: &[u8]) -> String {
    sha256_b64url(certificate_der)
}

/// HMAC-SHA-256 (RFC 2104), for derivations. No token is ever signed or verified with it.
#[must_use]
pub fn hmac_sha256(key: &[u8], input: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input).as_ref());
    out
}

/// Whether two texts are equal, in a time that depends on their lengths only.
#[must_use]
pub fn equal(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    constant_time::verify_slices_are_equal(a.as_ref(), b.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_base64url_without_padding() {
        // SHA-256 of the empty string.
        assert_eq!(sha256_b64url(""), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
        assert_eq!(x5t_s256(b""), sha256_b64url(""));
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let hex = |bytes: [u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(hmac_sha256(&[0x0b; 20], b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn equality_needs_every_byte() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd"));
        assert!(!equal("abc", "ab"));
    }
}
