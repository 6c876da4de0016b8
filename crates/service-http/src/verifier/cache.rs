//! Tokens whose signature was verified, by the SHA-256 of the whole token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use authorization::AccessClaims;

/// Parts of the cache that are locked one by one. Own value.
const SHARDS: usize = 16;

/// Tokens of one generation of one shard; two generations are kept. Own value: 65,536 tokens in all.
const GENERATION: usize = 2_048;

/// What a token says, and the key that said so.
pub(super) struct Cached {
    pub(super) claims: AccessClaims,
    pub(super) kid: String,
    /// Thumbprint of the key: a key that is replaced under its `kid` vouches for nothing.
    pub(super) thumbprint: Arc<str>,
}

type Generation = HashMap<[u8; 32], Arc<Cached>>;

#[derive(Default)]
struct Shard {
    young: Generation,
    old: Generation,
}

/// Bounded: when the young generation is full it becomes the old one, and the one before is dropped.
#[derive(Default)]
pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
}

impl Cache {
    pub(super) fn find(&self, digest: &[u8; 32]) -> Option<Arc<Cached>> {
        let mut shard = self.shard(digest);
        if let Some(found) = shard.young.get(digest) {
            return Some(Arc::clone(found));
        }
        let found = shard.old.remove(digest)?;
        shard.insert(*digest, Arc::clone(&found));
        Some(found)
    }

    pub(super) fn insert(&self, digest: [u8; 32], cached: Arc<Cached>) {
        self.shard(&digest).insert(digest, cached);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let lock = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(lock).sum()
    }

    fn shard(&self, digest: &[u8; 32]) -> std::sync::MutexGuard<'_, Shard> {
        let at = usize::from(digest[0]) % SHARDS;
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn insert(&mut self, digest: [u8; 32], cached: Arc<Cached>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, cached);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached() -> Arc<Cached> {
        let claims = serde_json::json!({
            "iss": "https://sim.example", "sub": "s", "aud": "https://san.example", "exp": 1, "iat": 0, "jti": "j",
            "client_id": "c", "scope": "", "sub_type": "client", "rev": 0,
        });
        let claims = serde_json::from_value(claims).unwrap();
        Arc::new(Cached { claims, kid: "k".to_owned(), thumbprint: "t".into() })
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let cache = Cache::default();
        let used = [0; 32];
        cache.insert(used, cached());
        let one = cached();
        for number in 1..200_000_u32 {
            let mut digest = [0; 32];
            digest[0] = (number % 256) as u8;
            digest[1..5].copy_from_slice(&number.to_be_bytes());
            cache.insert(digest, Arc::clone(&one));
            if number % 1_000 == 0 {
                assert!(cache.find(&used).is_some());
            }
        }
        assert!(cache.len() <= SHARDS * GENERATION * 2);
        assert!(cache.find(&[9; 32]).is_none());
    }
}
