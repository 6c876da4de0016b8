//! Checks that the types of CAPIF share.

use crate::secret::Secret;
use crate::validate::{Faults, child, item};

use super::{MAX_LIST, MAX_PEM, MAX_SECRET, MAX_WORD};

/// Whether a text is an IPv4 address in dotted decimals (TS 29.571 `Ipv4Addr`).
pub(super) fn is_ipv4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Whether a text is an IPv6 address; the mixed notation of RFC 5952 5 is none (TS 29.571 `Ipv6Addr`).
pub(super) fn is_ipv6(text: &str) -> bool {
    !text.contains('.') && text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Whether a text is a domain name of at least two labels (TS 29.571 `Fqdn`).
pub(super) fn is_fqdn(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = name.rsplit('.').next().unwrap_or_default();
    (4..=253).contains(&text.len())
        && name.contains('.')
        && name.split('.').all(label)
        && top.len() >= 2
        && top.bytes().all(|b| b.is_ascii_alphabetic())
}

impl Faults {
    /// Validates a value of an open enumeration at member `key`.
    pub(super) fn word(&mut self, word: &str, at: &str, key: &str) {
        self.text(word, MAX_WORD, at, key);
    }

    /// Validates a value of an open enumeration that may be absent.
    pub(super) fn opt_word(&mut self, word: Option<&str>, at: &str, key: &str) {
        if let Some(word) = word {
            self.word(word, at, key);
        }
    }

    /// Validates values of an open enumeration at member `key`: one to `max`.
    pub(super) fn words<'a>(
        &mut self,
        words: impl ExactSizeIterator<Item = &'a str>,
        max: usize,
        at: &str,
        key: &str,
    ) {
        let here = child(at, key);
        self.size(words.len(), max, &here);
        for (index, word) in words.take(max).enumerate() {
            self.text(word, MAX_WORD, &here, &index.to_string());
        }
    }

    /// Validates a list whose elements are valid by their type and that may be absent, but not empty.
    pub(super) fn typed<T>(&mut self, list: Option<&Vec<T>>, at: &str, key: &str) {
        if let Some(list) = list {
            self.size(list.len(), MAX_LIST, &child(at, key));
        }
    }

    /// Validates a text of one to `max` characters that may have several lines and may be absent.
    pub(super) fn opt_prose(&mut self, text: Option<&String>, max: usize, at: &str, key: &str) {
        let Some(text) = text else { return };
        self.require(text.chars().count() <= max, at, key, "is too long");
        let plain = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        self.require(plain, at, key, "must not hold control characters");
    }

    /// Validates a key, CSR or certificate at member `key`: one to [`MAX_PEM`] bytes of ASCII lines.
    pub(super) fn pem(&mut self, text: &str, at: &str, key: &str) {
        let lines = text.bytes().all(|b| matches!(b, b'\n' | b'\r' | b'\t' | b' '..=b'~'));
        self.require(!text.is_empty(), at, key, "must not be empty");
        self.require(text.len() <= MAX_PEM, at, key, "is too long");
        self.require(lines, at, key, "must be ASCII text");
    }

    /// Validates a secret at member `key`: one to [`MAX_SECRET`] bytes.
    pub(super) fn secret(&mut self, secret: &Secret, at: &str, key: &str) {
        let length = secret.expose().len();
        self.require((1..=MAX_SECRET).contains(&length), at, key, "must have 1 to 4096 bytes");
    }

    /// Notes an optional address at member `key` that is not `good`.
    pub(super) fn address(&mut self, text: Option<&String>, good: fn(&str) -> bool, at: &str, key: &str) {
        if let Some(text) = text {
            self.require(good(text), at, key, "is not an address of this kind");
        }
    }

    /// Notes an element at `here` that stands there twice.
    pub(super) fn distinct<T: Ord>(&mut self, list: &[T], here: &str) {
        let mut seen = std::collections::BTreeSet::new();
        for (index, element) in list.iter().enumerate().take(MAX_LIST) {
            if !seen.insert(element) {
                self.add(item(here, index), "stands there twice");
            }
        }
    }
}
