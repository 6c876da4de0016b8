//! Cursors of paged answers: opaque, sealed, and bound to the caller and the query (contract, section 7).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Longest cursor that is looked at, in bytes. Own value.
const MAX_CURSOR: usize = 512;

/// A cursor was not made by this function for this caller and query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this caller and query")]
pub struct CursorError;

/// The key that seals cursors; one per function, shared by its nodes. `Debug` shows nothing of it.
pub struct CursorKey(LessSafeKey);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

impl CursorKey {
    /// # Errors
    /// The cryptographic library refused the key.
    pub fn new(secret: &[u8; 32]) -> Result<Self, CursorError> {
        UnboundKey::new(&AES_256_GCM, secret).map(|key| Self(LessSafeKey::new(key))).map_err(|_| CursorError)
    }

    /// Seals the place where the next page begins. `nonce` is random.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn seal(&self, nonce: [u8; NONCE_LEN], bound: &Bound, place: &str) -> Result<String, CursorError> {
        let mut sealed = place.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&bound.0), &mut sealed)
            .map_err(|_| CursorError)?;
        let mut cursor = nonce.to_vec();
        cursor.append(&mut sealed);
        Ok(URL_SAFE_NO_PAD.encode(cursor))
    }

    /// The place that a cursor names.
    ///
    /// # Errors
    /// Not sealed with this key, or for another caller or query.
    pub fn open(&self, bound: &Bound, cursor: &str) -> Result<String, CursorError> {
        if cursor.len() > MAX_CURSOR {
            return Err(CursorError);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(CursorError)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let place = self.0.open_in_place(nonce, Aad::from(&bound.0), &mut sealed).map_err(|_| CursorError)?;
        String::from_utf8(place.to_vec()).map_err(|_| CursorError)
    }
}

/// What a cursor is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound(Vec<u8>);

impl Bound {
    /// Joins the parts so that no two lists of parts are alike.
    pub fn new<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self(bytes)
    }
}

/// Opening a cursor never panics.
pub(crate) fn fuzz_cursor(bytes: &[u8]) {
    if let (Ok(key), Ok(text)) = (CursorKey::new(&[7; 32]), std::str::from_utf8(bytes)) {
        let _ = key.open(&Bound::new(["caller", "query"]), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_caller_and_query_only() {
        let key = CursorKey::new(&[1; 32]).unwrap();
        let bound = Bound::new(["alice", "svc-id=a"]);
        let good = key.seal([9; 12], &bound, "4711").unwrap();
        assert_eq!(key.open(&bound, &good).as_deref(), Ok("4711"));
        assert!(!good.contains("4711"));

        let mut bent = good.clone().into_bytes();
        bent[20] = if bent[20] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).unwrap();
        let other_key = CursorKey::new(&[2; 32]).unwrap();
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &CursorKey, Bound, &str); 8] = [
            ("another caller", &key, Bound::new(["bob", "svc-id=a"]), &good),
            ("another query", &key, Bound::new(["alice", "svc-id=b"]), &good),
            ("parts moved", &key, Bound::new(["alices", "vc-id=a"]), &good),
            ("another key", &other_key, bound.clone(), &good),
            ("a bit changed", &key, bound.clone(), &bent),
            ("cut short", &key, bound.clone(), &good[..10]),
            ("empty", &key, bound.clone(), ""),
            ("not base64url", &key, bound.clone(), "%%%"),
        ];
        for (what, key, bound, cursor) in rows {
            assert_eq!(key.open(&bound, cursor), Err(CursorError), "{what}");
        }
        assert_eq!(key.open(&bound, &"A".repeat(MAX_CURSOR + 1)), Err(CursorError), "too long");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(bytes: Vec<u8>) {
            fuzz_cursor(&bytes);
        }
    }
}
