//! Passkeys (W3C Web Authentication level 2): a key that only the user's device uses, for this server only, after the device
//! has recognised its user. What is typed into a page of somebody else cannot be replayed here.
//!
//! ES256 alone, no attestation: which make of device it is decides nothing. A challenge is that of the form it stands in,
//! which is answered once.

pub(crate) mod account;
pub mod authenticator_data;
pub mod ceremony;
pub(crate) mod login;
pub(crate) mod page;

use api_types::strict_json;
use jose::sha256_b64url;
use serde::de::DeserializeOwned;
use url::Url;

pub use ceremony::{Asserted, Created, Expected, Known, PasskeyError};

/// The authentication context of a passkey: phishing-resistant (OpenID EAP ACR Values 1.0).
pub const ACR_PASSKEY: &str = "phr";

/// Deepest nesting of what a browser sends. Own value.
const DEPTH: usize = 4;

/// The relying party: the host of the issuer.
#[must_use]
pub fn relying_party(issuer: &str) -> Option<String> {
    Url::parse(issuer).ok()?.host_str().map(str::to_owned)
}

/// The challenge of a form.
#[must_use]
pub fn challenge(interaction: &str) -> String {
    sha256_b64url(format!("passkey {interaction}").as_bytes())
}

/// What a browser sends in the parameter `passkey`.
///
/// # Errors
/// [`PasskeyError::Malformed`].
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, PasskeyError> {
    strict_json::from_slice(text.as_bytes(), DEPTH).map_err(|_| PasskeyError::Malformed)
}

/// For a fuzz target: nothing that a browser sends panics.
pub(crate) fn read_any(bytes: &[u8]) {
    let expected = Expected { challenge: "c", origin: "https://sim.example", relying_party: "sim.example" };
    let _ = authenticator_data::AuthenticatorData::read(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(created) = read::<Created>(text) {
        let _ = ceremony::registered(&expected, &created);
    }
    if let Ok(asserted) = read::<Asserted>(text) {
        let known = Known { public_key: vec![4; 65], user_handle: vec![1; 32], sign_count: 0 };
        let _ = (asserted.credential_id(), ceremony::asserted(&expected, &asserted, &known));
    }
}
