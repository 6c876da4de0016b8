//! Proofs of possession (RFC 9449), made by the client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jose::dpop::ProofFor;
use jose::{EcKey, Signer};
use url::Url;

use crate::ambient::Ambient;
use crate::error::SdkError;

/// Most servers whose nonces are remembered. Own value.
const MAX_SERVERS: usize = 64;

/// A key with which tokens are bound, and the nonces that servers gave. Clones are the same session.
#[derive(Clone)]
pub struct DpopSession {
    key: Arc<dyn Signer>,
    jkt: Arc<str>,
    ambient: Ambient,
    nonces: Arc<Mutex<BTreeMap<String, String>>>,
}

impl std::fmt::Debug for DpopSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DpopSession")
    }
}

impl DpopSession {
    /// A session with a new key.
    ///
    /// # Errors
    /// No key could be drawn.
    pub fn new(ambient: Ambient) -> Result<Self, SdkError> {
        let key = EcKey::generate_with(|bytes| {
            ambient.fill(bytes);
            Ok(())
        })
        .map_err(|_| SdkError::Key)?;
        Ok(Self::with_key(Arc::new(key), ambient))
    }

    /// A session with a key of the caller.
    #[must_use]
    pub fn with_key(key: Arc<dyn Signer>, ambient: Ambient) -> Self {
        let jkt = key.public_jwk().thumbprint().as_str().into();
        Self { key, jkt, ambient, nonces: Arc::default() }
    }

    /// Thumbprint of the key (RFC 7638), as it stands in `cnf.jkt`.
    #[must_use]
    pub fn jkt(&self) -> &str {
        &self.jkt
    }

    /// A proof for one request, with the access token that goes along.
    ///
    /// # Errors
    /// The key cannot be used.
    pub fn proof(&self, method: &str, url: &Url, token: Option<&str>) -> Result<String, SdkError> {
        let jti = self.ambient.unguessable();
        let nonce = self.nonces.lock().ok().and_then(|nonces| nonces.get(&origin(url)).cloned());
        let proof = ProofFor {
            jti: &jti,
            htm: method,
            htu: url.as_str(),
            iat: self.ambient.now_s(),
            access_token: token,
            nonce: nonce.as_deref(),
        };
        Ok(jose::dpop::sign(&*self.key, &proof)?)
    }

    /// Remembers the nonce that a server gave (RFC 9449 8.2); tells whether it is a new one.
    pub(crate) fn remember(&self, url: &Url, nonce: Option<&str>) -> bool {
        let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty() && nonce.len() <= 512) else { return false };
        let Ok(mut nonces) = self.nonces.lock() else { return false };
        let server = origin(url);
        if nonces.len() >= MAX_SERVERS && !nonces.contains_key(&server) {
            nonces.clear();
        }
        nonces.insert(server, nonce.to_owned()).as_deref() != Some(nonce)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use jose::dpop::{DpopExpected, check};

    use super::*;
    use crate::ambient::testing::ambient;

    #[test]
    fn a_proof_holds_for_its_request_and_nonce() {
        let session = DpopSession::new(ambient()).unwrap();
        let url = Url::parse("https://localhost:8445/ssan-disc/v1/spatial-anchors?limit=1").unwrap();
        let ath = jose::sha256_b64url("token");
        let mut want = DpopExpected {
            htm: "GET",
            htu: "https://localhost:8445/ssan-disc/v1/spatial-anchors",
            ath: Some(&ath),
            nonce: None,
            now_s: 1_800_000_000,
            jkt: Some(session.jkt()),
        };
        let proof = session.proof("GET", &url, Some("token")).unwrap();
        assert!(check(&proof, &want).is_ok());
        assert_ne!(proof, session.proof("GET", &url, Some("token")).unwrap());

        assert!(session.remember(&url, Some("n1")));
        assert!(!session.remember(&url, Some("n1")));
        assert!(!session.remember(&url, None));
        want.nonce = Some("n1");
        assert!(check(&session.proof("GET", &url, Some("token")).unwrap(), &want).is_ok());
        let elsewhere = Url::parse("https://localhost:8446/x").unwrap();
        want.htu = "https://localhost:8446/x";
        assert!(check(&session.proof("GET", &elsewhere, Some("token")).unwrap(), &want).is_err());
    }
}
