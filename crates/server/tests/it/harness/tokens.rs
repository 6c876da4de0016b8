//! Access tokens, taken apart and signed again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{Alg, EcKey, JoseError, Jwk, Signer};
use sdk::Credential;
use serde_json::Value;

/// The text of a credential's token.
pub(crate) fn text_of(credential: &Credential) -> String {
    match credential {
        Credential::Nothing => String::new(),
        Credential::Bearer(token) | Credential::Dpop { token, .. } => token.expose().to_owned(),
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a compact JWS");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("claims")
}

/// The token with one thing changed, signed by `key`.
pub(crate) fn resign(token: &str, key: &dyn Signer, spoil: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims_of(token);
    spoil(&mut claims);
    jose::jwt::sign(key, "at+jwt", &claims).expect("a token")
}

/// A key that calls itself by the `kid` of another one.
pub(crate) fn sign_as(key: EcKey, kid: &str) -> impl Signer + use<> {
    Impostor { key, kid: kid.to_owned() }
}

struct Impostor {
    key: EcKey,
    kid: String,
}

impl Signer for Impostor {
    fn alg(&self) -> Alg {
        self.key.alg()
    }

    fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, JoseError> {
        self.key.sign(input)
    }

    fn public_jwk(&self) -> Jwk {
        self.key.public_jwk()
    }
}

/// Every scope of a server, in short.
pub(crate) fn whole_of(role: &str) -> String {
    match role {
        // The facade takes what the servers behind it take.
        "lm" => "3gpp:seal:san 3gpp:seal:sm".to_owned(),
        role => format!("3gpp:seal:{role}"),
    }
}

/// Every scope of a server, one by one.
pub(crate) fn scopes_of(role: &str) -> Vec<String> {
    const SAN: [&str; 3] = ["san.read", "san.write", "san.discover"];
    const SM: [&str; 3] = ["sm.read", "sm.write", "sm.localize"];
    let known = match role {
        "san" => SAN.to_vec(),
        "sm" => SM.to_vec(),
        _ => [SAN, SM].concat(),
    };
    known.into_iter().map(|scope| format!("3gpp:seal:{scope}")).collect()
}
