//! base64url without padding (RFC 7515 2), canonical form only: no padding, white space, `+` or `/`, and trailing bits
//! are zero, so that one value has one spelling.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn encode_onto(bytes: impl AsRef<[u8]>, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes into exactly `N` bytes.
pub(crate) fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    // A longer text fails in the decoder, a shorter one by the count.
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(n) if n == N => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_read() {
        assert_eq!(decode("_-8"), Some(vec![0xff, 0xef]));
        for (what, text) in [
            ("padding", "_-8="),
            ("standard alphabet", "/+8"),
            ("blank", "_- 8"),
            ("line break", "_-8\n"),
            ("trailing bits", "_-9"),
            ("one character", "_"),
            ("not ASCII", "é"),
        ] {
            assert_eq!(decode(text), None, "{what}");
        }
        assert_eq!(decode_exact::<2>("_-8"), Some([0xff, 0xef]));
        assert_eq!(decode_exact::<3>("_-8"), None);
        assert_eq!(decode_exact::<1>("_-8"), None);
    }
}
