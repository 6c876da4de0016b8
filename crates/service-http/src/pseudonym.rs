//! Keyed pseudonyms: people in audit and charging records (design, section 2).
//!
//! Who holds the key finds a person's records; without it they name nobody, and the hash chain
//! stays whole when the key is destroyed.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of the HMAC that are kept: 128 bits, 22 characters. Own value.
const KEPT: usize = 16;

/// The pseudonym key of one function.
#[derive(Clone)]
pub struct Pseudonyms(hmac::Key);

impl Pseudonyms {
    /// Pseudonyms under `key`.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// `u_` and 22 characters: a user.
    pub fn user(&self, user: &str) -> String {
        self.keyed("u_", user)
    }

    /// `s_` and 22 characters: a source address.
    pub fn source(&self, address: &str) -> String {
        self.keyed("s_", address)
    }

    fn keyed(&self, prefix: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        // The prefix is part of the input: a user and an address of one spelling stay apart.
        context.update(prefix.as_bytes());
        context.update(value.as_bytes());
        let mut text = String::with_capacity(prefix.len() + 22);
        text.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(&context.sign().as_ref()[..KEPT], &mut text);
        text
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_stable_keyed_and_short() {
        let ours = Pseudonyms::new(&[1; 32]);
        assert_eq!(ours.user("alice"), ours.clone().user("alice"));
        assert_eq!(ours.user("alice").len(), 24);
        assert_ne!(ours.user("alice"), ours.user("bob"));
        assert_ne!(ours.user("alice"), Pseudonyms::new(&[2; 32]).user("alice"));
        assert_ne!(ours.user("alice")[2..], ours.source("alice")[2..]);
        assert!(!format!("{ours:?}").contains('1'));
    }
}
