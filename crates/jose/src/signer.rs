//! Signing keys: the trait, and P-256 keys in memory. A key in an HSM is another implementation of [`Signer`].

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SecureRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Alg, JoseError, Jwk, KeyError, VerifyingKey, pem};

/// Order of P-256 (FIPS 186-5, SP 800-186 3.2.1.3): a private key is 1 to this less 1.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// Draws before generation is given up. One draw fails with probability 2^-32.
const DRAWS: usize = 8;

/// Something that signs with one key and one algorithm.
pub trait Signer: Send + Sync {
    /// The algorithm of the key.
    fn alg(&self) -> Alg;
    /// The `kid` of the key.
    fn kid(&self) -> &str;
    /// Signs, in JWS form.
    ///
    /// # Errors
    /// [`JoseError::KeyUnavailable`] when the key cannot be used now.
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, JoseError>;
    /// The public key, under its `kid`.
    fn public_jwk(&self) -> Jwk;
}

/// A P-256 key pair. Its `kid` is the RFC 7638 thumbprint.
///
/// A clone is the same key. `Debug` shows the `kid` only.
#[derive(Clone)]
pub struct EcKey {
    pair: Arc<EcdsaKeyPair>,
    kid: Arc<str>,
    jwk: Jwk,
}

impl EcKey {
    /// A new key, from the randomness that is passed in.
    ///
    /// Only the edge of the program makes a `SystemRandom`, so only it can call this. The nonce of an ECDSA signature
    /// is the one thing that the library draws by itself.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the source fails.
    pub fn generate(rng: &dyn SecureRandom) -> Result<Self, KeyError> {
        Self::generate_with(|bytes| rng.fill(bytes).map_err(|_| KeyError::Generation))
    }

    /// A new key, from a function that fills 32 bytes with randomness. Private keys are drawn by rejection
    /// (FIPS 186-5 A.2.2), so that equal bytes give equal keys.
    ///
    /// # Errors
    /// That of `fill`, or [`KeyError::Generation`] when no draw is a private key.
    pub fn generate_with(mut fill: impl FnMut(&mut [u8]) -> Result<(), KeyError>) -> Result<Self, KeyError> {
        let mut scalar = Zeroizing::new([0; 32]);
        for _ in 0..DRAWS {
            fill(&mut scalar[..])?;
            if *scalar != [0; 32] && *scalar < ORDER {
                return Self::from_scalar(&scalar);
            }
        }
        Err(KeyError::Generation)
    }

    fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        // RFC 5915 ECPrivateKey: version 1, the scalar, the curve; the public point is computed.
        let mut der = Zeroizing::new([0; 51]);
        der[..7].copy_from_slice(&[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20]);
        der[7..39].copy_from_slice(scalar);
        der[39..].copy_from_slice(&[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der[..]);
        Self::from_pair(pair.map_err(|_| KeyError::Generation)?)
    }

    /// Reads an unencrypted PKCS #8 key (RFC 5208).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when it is no valid P-256 key.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
        Self::from_pair(pair.map_err(|_| KeyError::Malformed)?)
    }

    /// Reads a PEM file: `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (RFC 5915).
    ///
    /// # Errors
    /// As [`EcKey::from_pkcs8_der`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if let Ok(der) = pem::decode(text, "PRIVATE KEY") {
            return Self::from_pkcs8_der(&der);
        }
        let der = pem::decode(text, "EC PRIVATE KEY")?;
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der);
        Self::from_pair(pair.map_err(|_| KeyError::Malformed)?)
    }

    fn from_pair(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let jwk = Jwk::from_p256_point(pair.public_key().as_ref())?;
        let kid = jwk.thumbprint();
        Ok(Self { pair: Arc::new(pair), jwk: jwk.with_kid(&*kid), kid: kid.into() })
    }

    /// The private key as PKCS #8.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the library cannot write it.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| KeyError::Malformed)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The private key as PEM (`PRIVATE KEY`).
    ///
    /// # Errors
    /// As [`EcKey::to_pkcs8_der`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let mut der = self.to_pkcs8_der()?;
        let text = Zeroizing::new(pem::encode("PRIVATE KEY", &der));
        der.zeroize();
        Ok(text)
    }

    /// The key that verifies what this one signs.
    ///
    /// # Errors
    /// Never for a key that was made or read here.
    pub fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::from_jwk(&self.jwk)
    }
}

impl Signer for EcKey {
    fn alg(&self) -> Alg {
        Alg::Es256
    }

    fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, JoseError> {
        let signature =
            self.pair.sign_digest(&digest(&SHA256, input)).map_err(|_| JoseError::KeyUnavailable)?;
        Ok(signature.as_ref().to_vec())
    }

    fn public_jwk(&self) -> Jwk {
        self.jwk.clone()
    }
}

impl fmt::Debug for EcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
