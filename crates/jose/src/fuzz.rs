//! Entry points for fuzzing: arbitrary bytes in, never a panic, never an unbounded effort.

use crate::{HeaderPolicy, Jwks, compact, dpop, htu, pem};

/// The compact reader under every policy.
pub fn fuzz_compact(bytes: &[u8]) {
    let Ok(token) = std::str::from_utf8(bytes) else { return };
    for policy in [
        HeaderPolicy::access_token(),
        HeaderPolicy::dpop_proof(),
        HeaderPolicy::client_assertion(),
        HeaderPolicy::id_token(),
    ] {
        if let Ok(parsed) = compact::parse(token, &policy) {
            let _ = parsed.unverified_issuer();
        }
    }
}

/// The reader of key sets.
pub fn fuzz_jwks(bytes: &[u8]) {
    if let Ok(set) = Jwks::parse(bytes) {
        // What was read can be written and read again.
        let again = Jwks::from_value(&set.to_value());
        debug_assert!(again.is_ok_and(|again| again.len() == set.len()));
    }
}

/// DPoP proofs, and the URI in them.
pub fn fuzz_dpop(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let want = dpop::DpopExpected {
        htm: "POST",
        htu: "https://sim.example/token",
        ath: None,
        nonce: None,
        now_s: 1_800_000_000,
        jkt: None,
    };
    let _ = dpop::check(text, &want);
    if let Some(normal) = htu::normalise(text) {
        debug_assert_eq!(htu::normalise(&normal).as_deref(), Some(normal.as_str()));
    }
}

/// PEM blocks and the keys in them.
pub fn fuzz_pem(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = pem::decode_all(text, "CERTIFICATE");
    let _ = crate::EcKey::from_pem(text);
    let _ = crate::VerifyingKey::from_spki_der(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            super::fuzz_compact(&bytes);
            super::fuzz_jwks(&bytes);
            super::fuzz_dpop(&bytes);
            super::fuzz_pem(&bytes);
        }

        #[test]
        fn uris_have_one_normal_form(path in "(/[.]{0,3}|/[a-z%2eE/.]{0,6}){0,6}") {
            super::fuzz_dpop(format!("https://Sim.Example:443{path}").as_bytes());
        }

        #[test]
        fn nearly_tokens_never_panic(head in "\\{[\"a-z:,0-9\\[\\]\\{\\}]{0,60}\\}", rest in "[A-Za-z0-9_.=-]{0,80}") {
            let head = crate::base64url::encode(head);
            super::fuzz_compact(format!("{head}.{rest}").as_bytes());
            super::fuzz_dpop(format!("{head}.{rest}").as_bytes());
        }
    }
}
