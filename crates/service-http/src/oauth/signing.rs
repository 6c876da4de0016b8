//! The signing keys of an issuer as they live: loaded, rotated, revoked, and every verifier told (contract, sections 4 and
//! 5).

use std::fmt;
use std::sync::Arc;

use api_types::DateTime;
use api_types::admin::{KeyInfo, KeyRotated, KeyStatus};
use authorization::Reason;
use authorization::revocation::Kind;
use jose::{EcKey, KeyError, Signer};
use store::StoreError;
use tokio::sync::Mutex;

use super::keys::{self, KeyRing, KeyStore, KeyStoreError, Overlap, Rotation, SigningKey};
use crate::ambient::Ambient;
use crate::feed::{NewEntry, RevocationLog};
use crate::refusal::Refusal;

/// The signing keys of one issuer.
pub struct SigningKeys {
    ambient: Ambient,
    kept: Arc<dyn KeyStore>,
    log: RevocationLog,
    overlap: Overlap,
    ring: KeyRing,
    /// Held while keys change, so that two rotations follow each other.
    turn: Mutex<()>,
}

impl SigningKeys {
    /// Keys that are kept in `kept`; verifiers are told by `log`. There are none before [`SigningKeys::load`].
    pub fn new(ambient: Ambient, kept: Arc<dyn KeyStore>, log: RevocationLog, overlap: Overlap) -> Self {
        Self { ambient, kept, log, overlap, ring: KeyRing::default(), turn: Mutex::new(()) }
    }

    /// The keys in memory.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The key that signs now.
    pub fn signer(&self) -> Option<EcKey> {
        self.ring.signer(self.ambient.now_s())
    }

    /// Reads the keys; makes one when none can sign.
    ///
    /// # Errors
    /// A key cannot be opened, made or kept.
    pub async fn load(&self) -> Result<(), KeyStoreError> {
        let _turn = self.turn.lock().await;
        let kept = self.kept.load().await?;
        let now_s = self.ambient.now_s();
        if keys::signer(&kept, now_s).is_some() {
            let (kept, gone): (Vec<_>, Vec<_>) =
                kept.into_iter().partition(|key| key.revoked_s.is_some() || key.is_published(now_s));
            self.ring.set(kept);
            for key in gone {
                self.kept.forget(key.key.kid()).await?;
            }
            return Ok(());
        }
        self.apply(keys::scheduled(&kept, self.fresh()?, self.overlap, now_s)).await
    }

    /// Reads the keys, and rotates when the one that signs is `rotation_s` seconds old.
    ///
    /// # Errors
    /// As [`SigningKeys::load`].
    pub async fn maintain(&self, rotation_s: i64) -> Result<(), KeyStoreError> {
        self.load().await?;
        let now_s = self.ambient.now_s();
        let keys = self.ring.keys();
        let since = keys::signer(&keys, now_s).map(|key| key.active_from_s);
        let waiting = keys.iter().any(|key| key.revoked_s.is_none() && key.active_from_s > now_s);
        if !waiting && since.is_some_and(|from| now_s.saturating_sub(from) >= rotation_s) {
            self.rotate_now(false).await?;
        }
        Ok(())
    }

    /// POST `/keys/{role}/rotate`: has taken effect when it is answered.
    ///
    /// # Errors
    /// A key cannot be made or kept.
    pub async fn rotate(&self, emergency: bool) -> Result<KeyRotated, Refusal> {
        self.rotate_now(emergency).await.map_err(refusal)
    }

    /// Revokes a signing key; the next one signs at once. `false` when it is no key of this issuer.
    ///
    /// # Errors
    /// A key cannot be made or kept.
    pub async fn revoke(&self, kid: &str) -> Result<bool, Refusal> {
        let _turn = self.turn.lock().await;
        let spare = self.fresh().map_err(refusal)?;
        match keys::revoke(&self.ring.keys(), kid, spare, self.ambient.now_s()) {
            Some(rotation) => {
                self.apply(rotation).await.map_err(refusal)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// GET `/keys`, the part of `role`.
    pub fn list(&self, role: &str) -> Vec<KeyInfo> {
        let now_s = self.ambient.now_s();
        let keys = self.ring.keys();
        let signs = keys::signer(&keys, now_s).map(|key| key.key.kid().to_owned());
        let info = |key: &SigningKey| KeyInfo {
            role: role.to_owned(),
            kid: key.key.kid().to_owned(),
            alg: key.key.alg().as_str().to_owned(),
            status: match key {
                key if key.revoked_s.is_some() => KeyStatus::Revoked,
                key if signs.as_deref() == Some(key.key.kid()) => KeyStatus::Active,
                key if key.active_from_s > now_s => KeyStatus::Next,
                _ => KeyStatus::Retiring,
            },
            active_from: DateTime::from_unix(key.active_from_s),
            verify_until: key.retires_s.map(DateTime::from_unix),
        };
        keys.iter().map(info).collect()
    }

    async fn rotate_now(&self, emergency: bool) -> Result<KeyRotated, KeyStoreError> {
        let rotation = {
            let _turn = self.turn.lock().await;
            let (kept, new, now_s) = (self.ring.keys(), self.fresh()?, self.ambient.now_s());
            let rotation = if emergency {
                keys::emergency(&kept, new, now_s)
            } else {
                keys::scheduled(&kept, new, self.overlap, now_s)
            };
            self.apply(rotation.clone()).await?;
            rotation
        };
        self.tell_verifiers(rotation.revoked).await?;
        let new = rotation.keys.last().ok_or(KeyStoreError::Unwritable)?;
        Ok(KeyRotated { kid: new.key.kid().to_owned(), active_from: DateTime::from_unix(new.active_from_s) })
    }

    /// Answers when every verifier has the new key set and accepts the revoked keys no more.
    async fn tell_verifiers(&self, revoked: Vec<String>) -> Result<(), StoreError> {
        self.log.keys_changed().await?;
        if revoked.is_empty() {
            return Ok(());
        }
        let entry = |value| NewEntry { kind: Kind::Key, value, expires_s: None };
        let entries = revoked.into_iter().map(entry).collect();
        self.log.revoke(entries).await.map(drop)
    }

    fn fresh(&self) -> Result<EcKey, KeyStoreError> {
        EcKey::generate_with(|bytes| {
            self.ambient.entropy.fill(bytes);
            Ok::<_, KeyError>(())
        })
        .map_err(|_| KeyStoreError::Unwritable)
    }

    /// Keeps what has changed, then lets it take effect here.
    async fn apply(&self, rotation: Rotation) -> Result<(), KeyStoreError> {
        let before = self.ring.keys();
        let times = |key: &SigningKey| (key.active_from_s, key.retires_s, key.revoked_s);
        // The new key first: between the two writes there is always one that signs.
        for key in rotation.keys.iter().rev() {
            let known = before.iter().find(|known| known.key.kid() == key.key.kid());
            if known.map(times) != Some(times(key)) {
                self.kept.save(key).await?;
            }
        }
        self.ring.set(rotation.keys);
        Ok(())
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("ring", &self.ring).finish_non_exhaustive()
    }
}

/// What a caller is told when keys fail.
pub fn refusal(error: KeyStoreError) -> Refusal {
    match error {
        KeyStoreError::Store(error) => error.into(),
        error => {
            tracing::error!(%error, "signing keys");
            Refusal::open(Reason::KeyUnavailable)
        }
    }
}
