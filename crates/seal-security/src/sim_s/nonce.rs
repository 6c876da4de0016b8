//! Nonces for DPoP proofs (RFC 9449 8): made of the time and a secret, so that any node knows those of another.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A nonce is given out for this long and taken for twice as long, in seconds. Own value.
const SLOT_S: i64 = 60;

/// Makes and knows nonces.
pub(crate) struct Nonces(hmac::Key);

impl Nonces {
    /// Nonces under a secret.
    #[must_use]
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The nonce of now.
    #[must_use]
    pub(crate) fn current(&self, now_s: i64) -> String {
        self.of(now_s.div_euclid(SLOT_S))
    }

    /// Whether a nonce is the one of now or the one before.
    #[must_use]
    pub(crate) fn is_fresh(&self, nonce: &str, now_s: i64) -> bool {
        let slot = now_s.div_euclid(SLOT_S);
        jose::equal(nonce, self.of(slot)) || jose::equal(nonce, self.of(slot - 1))
    }

    fn of(&self, slot: i64) -> String {
        let tag = hmac::sign(&self.0, &slot.to_be_bytes());
        URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_lives_two_slots() {
        let nonces = Nonces::new(&[7; 32]);
        let nonce = nonces.current(600);
        assert!(nonces.is_fresh(&nonce, 600) && nonces.is_fresh(&nonce, 719));
        assert!(!nonces.is_fresh(&nonce, 720) && !nonces.is_fresh(&nonce, 599) && !nonces.is_fresh("", 600));
        assert!(!Nonces::new(&[8; 32]).is_fresh(&nonce, 600));
    }
}
