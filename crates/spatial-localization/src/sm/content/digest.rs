//! `Repr-Digest` of a map payload (RFC 9530 clause 3), SHA-256 only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest header that is read, in octets. Own value; a SHA-256 member has 56.
const MAX_HEADER: usize = 1024;

/// Why a `Repr-Digest` cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestError {
    /// Not a dictionary of byte sequences (RFC 8941 3.2 and 3.3.5).
    Malformed,
    /// No `sha-256` member: what the sender wants checked cannot be checked.
    AlgorithmMissing,
}

/// The field value for a payload with this digest.
#[must_use]
pub(crate) fn field(sha256: &[u8; 32]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha256))
}

/// Reads the SHA-256 that a sender announces.
///
/// Members of other algorithms are passed over when they are well formed: the one that is known
/// decides (RFC 9530 clause 2). A repeated member is refused, since two values cannot both hold.
///
/// # Errors
///
/// See [`DigestError`].
pub(crate) fn announced(header: &str) -> Result<[u8; 32], DigestError> {
    if header.len() > MAX_HEADER {
        return Err(DigestError::Malformed);
    }
    let mut sha256 = None;
    for member in header.split(',') {
        let (key, value) = member.trim().split_once('=').ok_or(DigestError::Malformed)?;
        let bytes = value
            .strip_prefix(':')
            .and_then(|v| v.strip_suffix(':'))
            .and_then(|v| STANDARD.decode(v).ok())
            .ok_or(DigestError::Malformed)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.*".contains(&b);
        if key.is_empty() || !key.bytes().all(plain) {
            return Err(DigestError::Malformed);
        }
        if key == "sha-256" {
            let digest = <[u8; 32]>::try_from(bytes).map_err(|_| DigestError::Malformed)?;
            if sha256.replace(digest).is_some() {
                return Err(DigestError::Malformed);
            }
        }
    }
    sha256.ok_or(DigestError::AlgorithmMissing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZERO: &str = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(field(&[0; 32]), ZERO);
        assert_eq!(announced(ZERO), Ok([0; 32]));
    }

    #[test]
    fn one_spoiled_header_is_refused_for_its_own_reason() {
        let other = "sha-512=:AAAA:";
        assert_eq!(announced(&format!("{other}, {ZERO}")), Ok([0; 32]));
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, String, DigestError); 9] = [
            ("empty",              String::new(),                         DigestError::Malformed),
            ("no colon",           ZERO.replace(':', ""),                 DigestError::Malformed),
            ("not base64",         "sha-256=:????:".into(),               DigestError::Malformed),
            ("31 octets",          format!("sha-256=:{}:", STANDARD.encode([0; 31])), DigestError::Malformed),
            ("33 octets",          format!("sha-256=:{}:", STANDARD.encode([0; 33])), DigestError::Malformed),
            ("twice",              format!("{ZERO}, {ZERO}"),             DigestError::Malformed),
            ("key in capitals",    ZERO.replace("sha", "SHA"),            DigestError::Malformed),
            ("only another",       other.into(),                          DigestError::AlgorithmMissing),
            ("too long",           format!("{ZERO}, a=:{}:", "A".repeat(MAX_HEADER)), DigestError::Malformed),
        ];
        for (what, header, refusal) in rows {
            assert_eq!(announced(&header), Err(refusal), "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".{0,200}") {
            let _ = announced(&header);
        }

        #[test]
        fn each_digest_comes_back(digest in proptest::array::uniform32(any::<u8>())) {
            prop_assert_eq!(announced(&field(&digest)), Ok(digest));
        }
    }
}
