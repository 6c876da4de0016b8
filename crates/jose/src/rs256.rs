//! RS256 (RFC 7518 3.3), for the one listener whose clients know nothing else (plain OpenCAPIF): a key type of its own,
//! which can sign and nothing more. It is no [`crate::Alg`], so that no reader here can be told to take such a token.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use serde::Serialize;
use serde_json::json;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{JoseError, KeyError, MAX_TOKEN, base64url, pem, sha256_b64url};

/// An RSA key that signs RS256. A clone is the same key. `Debug` shows the `kid` only.
#[derive(Clone)]
pub struct Rs256Key {
    pair: Arc<KeyPair>,
    kid: Arc<str>,
}

impl Rs256Key {
    /// A new key of 3072 bits, as PEM (`PRIVATE KEY`), drawn by the library.
    ///
    /// # Errors
    /// [`KeyError::Generation`].
    pub fn generate_pem() -> Result<Zeroizing<String>, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa3072).map_err(|_| KeyError::Generation)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generation)?;
        let mut der = Zeroizing::new(der.as_ref().to_vec());
        let text = Zeroizing::new(pem::encode("PRIVATE KEY", &der));
        der.zeroize();
        Ok(text)
    }

    /// Reads a PEM file: `PRIVATE KEY` (PKCS #8).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when it is no RSA key of 2048 bits or more.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = pem::decode(text, "PRIVATE KEY")?;
        let pair = KeyPair::from_pkcs8(&der).map_err(|_| KeyError::Malformed)?;
        if pair.public_modulus_len() < 256 {
            return Err(KeyError::Malformed);
        }
        let kid = sha256_b64url(pair.public_key().as_ref());
        Ok(Self { pair: Arc::new(pair), kid: kid.into() })
    }

    /// The name of the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs claims as a compact token with `typ` JWT.
    ///
    /// # Errors
    /// [`JoseError::Malformed`] when the claims are no JSON or too large, [`JoseError::KeyUnavailable`] when the key cannot
    /// be used.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, JoseError> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": &*self.kid });
        let header = serde_json::to_vec(&header).map_err(|_| JoseError::Malformed)?;
        let claims = serde_json::to_vec(claims).map_err(|_| JoseError::Malformed)?;
        let mut token = String::new();
        base64url::encode_onto(header, &mut token);
        token.push('.');
        base64url::encode_onto(claims, &mut token);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        #[expect(clippy::disallowed_methods, reason = "this padding draws nothing (RFC 8017 8.2.1)")]
        let unused = SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &unused, token.as_bytes(), &mut signature)
            .map_err(|_| JoseError::KeyUnavailable)?;
        token.push('.');
        base64url::encode_onto(signature, &mut token);
        if token.len() > MAX_TOKEN { Err(JoseError::Malformed) } else { Ok(token) }
    }
}

impl fmt::Debug for Rs256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rs256Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact::{HeaderPolicy, parse};
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    #[test]
    fn it_signs_for_others_and_no_reader_here_takes_it() {
        let key = Rs256Key::from_pem(&Rs256Key::generate_pem().unwrap()).unwrap();
        let token = key.sign(&json!({ "sub": "OCINV1" })).unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pair.public_key().as_ref());
        let signature = base64url::decode(signature).unwrap();
        assert!(public.verify(input.as_bytes(), &signature).is_ok());
        assert!(public.verify(b"other", &signature).is_err());
        for policy in
            [HeaderPolicy::access_token(), HeaderPolicy::id_token(), HeaderPolicy::client_assertion()]
        {
            assert_eq!(parse(&token, &policy).map(drop), Err(JoseError::AlgRefused));
        }
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }

    #[test]
    fn other_keys_are_refused() {
        let ec = crate::EcKey::generate_with(|bytes| {
            bytes.fill(7);
            Ok(())
        });
        assert!(Rs256Key::from_pem(&ec.unwrap().to_pem().unwrap()).is_err());
        assert!(Rs256Key::from_pem("").is_err());
    }
}
