//! Where the next page of an audit begins: sealed, because a place in the chain tells how many others there are, and bound to
//! caller and query.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use service_http::ambient::Ambient;
use store::{Sql, StoreError, meta};

/// Longest cursor that is looked at, in bytes. Own value: it has 36 bytes.
const MAX_CURSOR: usize = 64;

/// Name of the key in the store; the nodes of the function share it.
const NAME: &str = "audit_cursor_key";

/// What seals cursors.
pub(crate) struct CursorKey(LessSafeKey);

impl CursorKey {
    /// The key of this function, drawn when it is first asked for.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn open(tx: &mut dyn Sql, ambient: &Ambient) -> Result<Self, StoreError> {
        let drawn = URL_SAFE_NO_PAD.encode(ambient.random_bytes::<32>());
        let kept = meta::put_first(tx, NAME, &drawn).await?;
        let secret = URL_SAFE_NO_PAD.decode(kept).unwrap_or_default();
        Self::of(&secret).ok_or(StoreError::Damaged("the key of cursors"))
    }

    pub(crate) fn of(secret: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, secret).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// The place `after`, for `bound` alone. `nonce` is random.
    pub(crate) fn seal(&self, nonce: [u8; NONCE_LEN], bound: &str, after: u64) -> Option<String> {
        let mut sealed = after.to_be_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique, Aad::from(bound.as_bytes()), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// The place that a cursor names; `None`: it was not made for `bound`.
    pub(crate) fn opened(&self, bound: &str, cursor: &str) -> Option<u64> {
        if cursor.len() > MAX_CURSOR {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let place = self.0.open_in_place(nonce, Aad::from(bound.as_bytes()), &mut sealed).ok()?;
        Some(u64::from_be_bytes(<[u8; 8]>::try_from(&*place).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_caller_and_query_alone() {
        let key = CursorKey::of(&[7; 32]).unwrap();
        let cursor = key.seal([1; NONCE_LEN], "AMF1?api-id=API1", 4_711).unwrap();
        assert_eq!(key.opened("AMF1?api-id=API1", &cursor), Some(4_711));
        let other_key = CursorKey::of(&[8; 32]).unwrap();
        let mut changed = cursor.clone().into_bytes();
        changed[20] = if changed[20] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let long = "A".repeat(MAX_CURSOR + 1);
        let rows = [
            ("another caller", key.opened("AMF2?api-id=API1", &cursor)),
            ("another query", key.opened("AMF1?api-id=API2", &cursor)),
            ("another key", other_key.opened("AMF1?api-id=API1", &cursor)),
            ("changed", key.opened("AMF1?api-id=API1", &changed)),
            ("cut", key.opened("AMF1?api-id=API1", &cursor[..20])),
            ("a number", key.opened("AMF1?api-id=API1", "4711")),
            ("nothing", key.opened("AMF1?api-id=API1", "")),
            ("too long", key.opened("AMF1?api-id=API1", &long)),
        ];
        for (what, opened) in rows {
            assert_eq!(opened, None, "{what}");
        }
        assert!(!cursor.contains("4711"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let key = CursorKey::of(&[7; 32]).unwrap();
            proptest::prop_assert_eq!(key.opened("bound", &text), None);
        }
    }
}
