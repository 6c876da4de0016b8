//! Signing keys: where they are kept, which one signs, which are published, and how they are replaced
//! (contract, sections 4 and 5).
//!
//! A scheduled successor is published before it signs, for as long as verifiers keep a key set; its predecessor stays
//! published as long as something signed with it may live. In an emergency the successor signs at once and the others
//! are revoked.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use jose::{EcKey, Signer, VerifyingKey};
use serde_json::{Value, json};
use store::keys::KeyRow;
use store::{Store, StoreError};
use zeroize::Zeroizing;

use crate::ambient::Ambient;

/// Why a key is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyStoreError {
    /// What was stored does not open with the key encryption key, or is no key.
    #[error("a stored key cannot be opened")]
    Unreadable,
    /// A key could not be made or written.
    #[error("a key could not be made")]
    Unwritable,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A signing key and its times, in seconds since 1970.
#[derive(Clone)]
pub struct SigningKey {
    /// The key.
    pub key: EcKey,
    /// When it was made.
    pub created_s: i64,
    /// From when on it may sign.
    pub active_from_s: i64,
    /// From when on it is no longer published.
    pub retires_s: Option<i64>,
    /// When it was revoked.
    pub revoked_s: Option<i64>,
}

impl SigningKey {
    /// Whether verifiers are given it.
    #[must_use]
    pub fn is_published(&self, now_s: i64) -> bool {
        self.revoked_s.is_none() && self.retires_s.is_none_or(|end| now_s < end)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.key.kid()).finish_non_exhaustive()
    }
}

/// Where signing keys and other secrets of an issuer are kept.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Every key.
    async fn load(&self) -> Result<Vec<SigningKey>, KeyStoreError>;

    /// Keeps a new key, or the changed times of a known one.
    async fn save(&self, key: &SigningKey) -> Result<(), KeyStoreError>;

    /// Forgets a key.
    async fn forget(&self, kid: &str) -> Result<(), KeyStoreError>;

    /// The secret of that name; `fresh` becomes it when there is none.
    async fn secret(
        &self,
        name: &str,
        fresh: Zeroizing<[u8; 32]>,
    ) -> Result<Zeroizing<[u8; 32]>, KeyStoreError>;
}

/// Keys in the store of the function, sealed with AES-256-GCM under a key encryption key.
pub struct SealedKeys {
    store: Store,
    kek: LessSafeKey,
    ambient: Ambient,
}

impl SealedKeys {
    /// Keys in `store`, under `kek`.
    ///
    /// # Errors
    /// Never for 32 bytes.
    pub fn new(store: Store, kek: &[u8; 32], ambient: Ambient) -> Result<Self, KeyStoreError> {
        let kek = UnboundKey::new(&AES_256_GCM, kek).map_err(|_| KeyStoreError::Unwritable)?;
        Ok(Self { store, kek: LessSafeKey::new(kek), ambient })
    }

    /// Nonce, ciphertext and tag. The name goes into the seal: one secret cannot stand in for another.
    fn seal(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        let nonce = self.ambient.random_bytes::<NONCE_LEN>();
        let mut text = secret.to_vec();
        let aad = Aad::from(name.as_bytes());
        self.kek
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
            .map_err(|_| KeyStoreError::Unwritable)?;
        Ok([nonce.as_slice(), &text].concat())
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(KeyStoreError::Unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyStoreError::Unreadable)?;
        let mut text = Zeroizing::new(text.to_vec());
        let aad = Aad::from(name.as_bytes());
        let length =
            self.kek.open_in_place(nonce, aad, &mut text).map_err(|_| KeyStoreError::Unreadable)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[async_trait]
impl KeyStore for SealedKeys {
    async fn load(&self) -> Result<Vec<SigningKey>, KeyStoreError> {
        let rows = self.store.read(|tx| Box::pin(store::keys::all(tx))).await?;
        let key = |row: KeyRow| {
            let der = self.open(&row.kid, &row.sealed)?;
            Ok(SigningKey {
                key: EcKey::from_pkcs8_der(&der).map_err(|_| KeyStoreError::Unreadable)?,
                created_s: row.created_s,
                active_from_s: row.active_from_s,
                retires_s: row.retires_s,
                revoked_s: row.revoked_s,
            })
        };
        rows.into_iter().map(key).collect()
    }

    async fn save(&self, key: &SigningKey) -> Result<(), KeyStoreError> {
        let der = key.key.to_pkcs8_der().map_err(|_| KeyStoreError::Unwritable)?;
        let row = KeyRow {
            kid: key.key.kid().to_owned(),
            alg: key.key.alg().as_str().to_owned(),
            sealed: self.seal(key.key.kid(), &der)?,
            created_s: key.created_s,
            active_from_s: key.active_from_s,
            retires_s: key.retires_s,
            revoked_s: key.revoked_s,
        };
        self.store.write(move |tx| Box::pin(async move { store::keys::put(tx, &row).await })).await?;
        Ok(())
    }

    async fn forget(&self, kid: &str) -> Result<(), KeyStoreError> {
        let kid = kid.to_owned();
        self.store.write(move |tx| Box::pin(async move { store::keys::delete(tx, &kid).await })).await?;
        Ok(())
    }

    async fn secret(
        &self,
        name: &str,
        fresh: Zeroizing<[u8; 32]>,
    ) -> Result<Zeroizing<[u8; 32]>, KeyStoreError> {
        let (key, sealed) = (name.to_owned(), self.seal(name, fresh.as_slice())?);
        let kept: Vec<u8> = self
            .store
            .write(move |tx| Box::pin(async move { store::keys::secret_or(tx, &key, &sealed).await }))
            .await
            .map_err(|error: StoreError| KeyStoreError::Store(error))?;
        let open = self.open(name, &kept)?;
        Ok(Zeroizing::new(open.as_slice().try_into().map_err(|_| KeyStoreError::Unreadable)?))
    }
}

impl fmt::Debug for SealedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedKeys")
    }
}

/// How long keys are published before and after they sign, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// As long as a verifier keeps a key set.
    pub before_s: i64,
    /// As long as anything signed may live.
    pub after_s: i64,
}

/// The keys in memory.
#[derive(Default)]
pub struct KeyRing {
    keys: RwLock<Arc<[SigningKey]>>,
}

/// What a rotation changes.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The keys as they are to be, the new one last.
    pub keys: Vec<SigningKey>,
    /// Keys that are revoked by it.
    pub revoked: Vec<String>,
}

impl KeyRing {
    /// The keys as they are.
    #[must_use]
    pub fn keys(&self) -> Arc<[SigningKey]> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the keys.
    pub fn set(&self, keys: Vec<SigningKey>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }

    /// The key that signs.
    #[must_use]
    pub fn signer(&self, now_s: i64) -> Option<EcKey> {
        signer(&self.keys(), now_s).map(|key| key.key.clone())
    }

    /// The published key of that name.
    #[must_use]
    pub fn verifying_key(&self, kid: &str, now_s: i64) -> Option<VerifyingKey> {
        let keys = self.keys();
        let key = keys.iter().find(|key| key.key.kid() == kid && key.is_published(now_s))?;
        key.key.verifying_key().ok()
    }

    /// The key set (RFC 7517 5).
    #[must_use]
    pub fn jwks(&self, now_s: i64) -> Value {
        let keys = self.keys();
        let published = keys.iter().filter(|key| key.is_published(now_s));
        json!({ "keys": published.map(|key| key.key.public_jwk().to_value()).collect::<Vec<_>>() })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().iter()).finish()
    }
}

/// The newest key whose time has come. When the clock was set back before all of them, the oldest signs.
#[must_use]
pub fn signer(keys: &[SigningKey], now_s: i64) -> Option<&SigningKey> {
    let live = || keys.iter().filter(|key| key.is_published(now_s));
    let due = live().filter(|key| key.active_from_s <= now_s);
    due.max_by_key(|key| (key.active_from_s, key.created_s))
        .or_else(|| live().min_by_key(|key| (key.active_from_s, key.created_s)))
}

/// A scheduled rotation: `new` signs once every verifier can know it, the others retire after that.
#[must_use]
pub fn scheduled(keys: &[SigningKey], new: EcKey, overlap: Overlap, now_s: i64) -> Rotation {
    let first = signer(keys, now_s).is_none();
    let active_from_s = if first { now_s } else { now_s.saturating_add(overlap.before_s) };
    let retires_s = active_from_s.saturating_add(overlap.after_s);
    let mut keys: Vec<SigningKey> = keys.to_vec();
    for key in keys.iter_mut().filter(|key| key.revoked_s.is_none() && key.retires_s.is_none()) {
        key.retires_s = Some(retires_s);
    }
    keys.push(SigningKey { key: new, created_s: now_s, active_from_s, retires_s: None, revoked_s: None });
    Rotation { keys, revoked: Vec::new() }
}

/// An emergency: every key of before is revoked, `new` signs at once.
#[must_use]
pub fn emergency(keys: &[SigningKey], new: EcKey, now_s: i64) -> Rotation {
    let mut keys: Vec<SigningKey> = keys.to_vec();
    let mut revoked = Vec::new();
    for key in keys.iter_mut().filter(|key| key.revoked_s.is_none()) {
        key.revoked_s = Some(now_s);
        revoked.push(key.key.kid().to_owned());
    }
    keys.push(SigningKey {
        key: new,
        created_s: now_s,
        active_from_s: now_s,
        retires_s: None,
        revoked_s: None,
    });
    Rotation { keys, revoked }
}

/// Revokes one key. When it was the one that signs, the next one signs at once; `spare` is used when there is none.
#[must_use]
pub fn revoke(keys: &[SigningKey], kid: &str, spare: EcKey, now_s: i64) -> Option<Rotation> {
    let signs = signer(keys, now_s).is_some_and(|key| key.key.kid() == kid);
    let mut keys: Vec<SigningKey> = keys.to_vec();
    let key = keys.iter_mut().find(|key| key.key.kid() == kid)?;
    key.revoked_s.get_or_insert(now_s);
    if signs {
        // Not a key that is on its way out: what it signs would outlive it.
        let next = keys.iter_mut().filter(|key| key.revoked_s.is_none() && key.retires_s.is_none());
        match next.max_by_key(|key| key.active_from_s) {
            Some(next) => next.active_from_s = next.active_from_s.min(now_s),
            None => {
                let (created_s, active_from_s) = (now_s, now_s);
                keys.push(SigningKey {
                    key: spare,
                    created_s,
                    active_from_s,
                    retires_s: None,
                    revoked_s: None,
                });
            }
        }
    }
    Some(Rotation { keys, revoked: vec![kid.to_owned()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const OVERLAP: Overlap = Overlap { before_s: 60, after_s: 1200 };

    fn key(seed: u8) -> EcKey {
        EcKey::generate_with(|bytes| {
            bytes.fill(seed);
            Ok(())
        })
        .unwrap()
    }

    fn kid_at(keys: &[SigningKey], now_s: i64) -> String {
        signer(keys, now_s).unwrap().key.kid().to_owned()
    }

    #[test]
    fn a_scheduled_successor_is_published_before_it_signs() {
        let (one, two) = (key(1), key(2));
        let first = scheduled(&[], one.clone(), OVERLAP, NOW).keys;
        assert_eq!(first[0].active_from_s, NOW);
        let keys = scheduled(&first, two.clone(), OVERLAP, NOW + 10).keys;
        assert_eq!(kid_at(&keys, NOW + 69), one.kid());
        assert_eq!(kid_at(&keys, NOW + 70), two.kid());
        assert!(keys[1].is_published(NOW + 10));
        assert!(keys[0].is_published(NOW + 70 + 1199) && !keys[0].is_published(NOW + 70 + 1200));
        // The clock is set back before both: there is still one that signs.
        assert_eq!(kid_at(&keys, NOW - 1000), one.kid());
    }

    #[test]
    fn an_emergency_revokes_what_was_before() {
        let (one, two) = (key(1), key(2));
        let keys = scheduled(&[], one.clone(), OVERLAP, NOW).keys;
        let rotation = emergency(&keys, two.clone(), NOW + 5);
        assert_eq!(rotation.revoked, [one.kid()]);
        assert_eq!(kid_at(&rotation.keys, NOW + 5), two.kid());
        assert!(!rotation.keys[0].is_published(NOW + 5));
    }

    #[test]
    fn revoking_the_signing_key_makes_the_next_one_sign_at_once() {
        let (one, two, spare) = (key(1), key(2), key(3));
        let keys = scheduled(&[], one.clone(), OVERLAP, NOW).keys;
        assert!(revoke(&keys, "other", spare.clone(), NOW).is_none());
        let alone = revoke(&keys, one.kid(), spare.clone(), NOW).unwrap();
        assert_eq!(kid_at(&alone.keys, NOW), spare.kid());
        let keys = scheduled(&keys, two.clone(), OVERLAP, NOW).keys;
        let with_next = revoke(&keys, one.kid(), spare.clone(), NOW).unwrap();
        assert_eq!(kid_at(&with_next.keys, NOW), two.kid());
        assert_eq!(with_next.keys.len(), 2);
        let of_next = revoke(&keys, two.kid(), spare, NOW).unwrap();
        assert_eq!(kid_at(&of_next.keys, NOW), one.kid());
    }
}
