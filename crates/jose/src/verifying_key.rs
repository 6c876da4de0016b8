//! Public keys, ready to verify. A key knows its one algorithm; a token never chooses (RFC 8725 3.1).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

use crate::jwk::Public;
use crate::{Alg, JoseError, Jwk, KeyError};

/// `id-ecPublicKey`, `prime256v1`, `id-Ed25519` (RFC 5480 2.1.1, RFC 8410 3).
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const PRIME256V1: &str = "1.2.840.10045.3.1.7";
const ID_ED25519: &str = "1.3.101.112";
const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";

/// A public key with its algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    alg: Alg,
    kid: Arc<str>,
    key: Arc<ParsedPublicKey>,
}

impl VerifyingKey {
    /// Prepares a JSON Web Key. Its `kid` is that of the key, else the thumbprint.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when it is no point of its curve or no RSA key.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let key = match &jwk.public {
            Public::P256 { x, y } => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(x);
                point[33..].copy_from_slice(y);
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            }
            Public::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x),
            Public::Rsa { n, e } => return Self::rsa(jwk, n, e),
        }
        .map_err(|_| KeyError::Malformed)?;
        Ok(Self::new(jwk, key))
    }

    fn rsa(jwk: &Jwk, n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let key = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PSS_2048_8192_SHA256)
            .map_err(|_| KeyError::Malformed)?;
        Ok(Self::new(jwk, key))
    }

    fn new(jwk: &Jwk, key: ParsedPublicKey) -> Self {
        let kid = jwk.kid.clone().unwrap_or_else(|| jwk.thumbprint());
        Self { alg: jwk.alg(), kid: kid.into(), key: Arc::new(key) }
    }

    /// Prepares a DER `SubjectPublicKeyInfo` (RFC 5280 4.1.2.7); `kid` is the thumbprint.
    ///
    /// # Errors
    /// Not DER, trailing bytes, or a kind of key that is not supported.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_jwk(&jwk_from_spki_der(der)?)
    }

    /// The one algorithm of this key.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The `kid`.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Verifies a signature in JWS form: ECDSA is r‖s in 64 bytes (RFC 7518 3.4), never DER.
    ///
    /// # Errors
    /// [`JoseError::SignatureWrong`], whatever is wrong with it.
    pub fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.key.verify_sig(input, signature).map_err(|_| JoseError::SignatureWrong)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The JSON Web Key of a DER `SubjectPublicKeyInfo`.
///
/// # Errors
/// As [`VerifyingKey::from_spki_der`].
pub fn jwk_from_spki_der(der: &[u8]) -> Result<Jwk, KeyError> {
    let Ok(([], spki)) = SubjectPublicKeyInfo::from_der(der) else { return Err(KeyError::Malformed) };
    // RSA has NULL here, Ed25519 nothing.
    let parameters = spki.algorithm.parameters.as_ref().filter(|any| any.tag() == Tag::Oid);
    let curve = parameters.and_then(|any| any.as_oid().ok());
    let bits = spki.subject_public_key.data.as_ref();
    match (spki.algorithm.algorithm.to_id_string().as_str(), curve.map(|oid| oid.to_id_string()).as_deref()) {
        (EC_PUBLIC_KEY, Some(PRIME256V1)) => Jwk::from_p256_point(bits),
        (ID_ED25519, None) => {
            let x = bits.try_into().map_err(|_| KeyError::Malformed)?;
            Ok(Jwk { kid: None, public: Public::Ed25519 { x } })
        }
        (RSA_ENCRYPTION, None) => match spki.parsed() {
            Ok(PublicKey::RSA(rsa)) => Jwk::from_value(&serde_json::json!({
                "kty": "RSA", "n": without_leading_zero(rsa.modulus), "e": without_leading_zero(rsa.exponent),
            })),
            _ => Err(KeyError::Malformed),
        },
        _ => Err(KeyError::Unsupported),
    }
}

/// DER integers are signed; base64urlUInt is not.
fn without_leading_zero(integer: &[u8]) -> String {
    let start = integer.iter().position(|b| *b != 0).unwrap_or(integer.len());
    crate::base64url::encode(&integer[start..])
}
