//! Keys and tokens to spoil. Keys are drawn from fixed bytes, so that every run is the same.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{Alg, EcKey, JoseError, Jwk, Signer};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn ec_key(seed: u8) -> EcKey {
    EcKey::generate_with(|bytes| {
        bytes.fill(seed);
        Ok(())
    })
    .unwrap()
}

/// An Ed25519 key, which only clients sign with.
pub(crate) struct EdKey(Ed25519KeyPair);

pub(crate) fn ed_key(seed: u8) -> EdKey {
    EdKey(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
}

impl Signer for EdKey {
    fn alg(&self) -> Alg {
        Alg::Ed25519
    }

    fn kid(&self) -> &str {
        "ed"
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, JoseError> {
        Ok(self.0.sign(input).as_ref().to_vec())
    }

    fn public_jwk(&self) -> Jwk {
        let x = b64(self.0.public_key());
        Jwk::from_value(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "ed" })).unwrap()
    }
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of raw texts, signed whatever they are.
pub(crate) fn forge(signer: &dyn Signer, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let signature = signer.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", b64(signature))
}

pub(crate) fn header(signer: &dyn Signer) -> Value {
    json!({ "alg": signer.alg().as_str(), "typ": "at+jwt", "kid": signer.kid() })
}

pub(crate) fn claims() -> Value {
    json!({ "iss": "https://sim.example", "aud": "https://san.example", "scope": "a b", "exp": NOW + 300 })
}
