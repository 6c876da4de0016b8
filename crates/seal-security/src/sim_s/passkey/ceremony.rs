//! The two ceremonies, decided without IO: a passkey is registered (WebAuthn 7.1), and used (7.2).

use api_types::strict_json;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{equal, sha256};
use serde::Deserialize;

use super::authenticator_data::{AuthenticatorData, DataError, NewKey};

/// Deepest nesting of client data. Own value.
const DEPTH: usize = 4;

/// What a browser sends of a new passkey. All values are base64url.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Created {
    /// What the browser says about where and why.
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    /// What the authenticator says, the key within.
    pub authenticator_data: String,
}

/// What a browser sends of a passkey that was used. All values are base64url.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asserted {
    /// The credential.
    pub id: String,
    /// What the browser says about where and why.
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    /// What the authenticator says.
    pub authenticator_data: String,
    /// Over both (WebAuthn 6.3.3).
    pub signature: String,
    /// Whose the passkey is, as it was told when it was made.
    pub user_handle: Option<String>,
}

impl Asserted {
    /// Identifier of the credential.
    ///
    /// # Errors
    /// [`PasskeyError::Malformed`].
    pub fn credential_id(&self) -> Result<Vec<u8>, PasskeyError> {
        bytes(&self.id)
    }
}

/// What must stand in the data of both ceremonies.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The challenge of the form, base64url.
    pub challenge: &'a str,
    /// Origin of the issuer.
    pub origin: &'a str,
    /// Host of the issuer.
    pub relying_party: &'a str,
}

/// A passkey as it was registered.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// Point of P-256, uncompressed.
    pub public_key: Vec<u8>,
    /// Whose.
    pub user_handle: Vec<u8>,
    /// The last that was seen.
    pub sign_count: u32,
}

/// Why a ceremony is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// Not what a browser sends.
    #[error("malformed")]
    Malformed,
    /// Data of the other ceremony.
    #[error("of another ceremony")]
    CeremonyWrong,
    /// Of another form.
    #[error("another challenge")]
    ChallengeWrong,
    /// Of a page of somebody else, or within one.
    #[error("another origin")]
    OriginWrong,
    /// Of another server's passkey.
    #[error("another relying party")]
    RelyingPartyWrong,
    /// The device did not recognise its user.
    #[error("user not verified")]
    UserNotVerified,
    /// A key of another kind.
    #[error("key is not ES256")]
    KeyUnsupported,
    /// Somebody else's.
    #[error("another user")]
    UserWrong,
    /// By another key.
    #[error("wrong signature")]
    SignatureWrong,
    /// The counter stood still: there may be a copy (WebAuthn 6.1.1).
    #[error("counter did not advance")]
    Cloned,
}

impl From<DataError> for PasskeyError {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Malformed => Self::Malformed,
            DataError::KeyUnsupported => Self::KeyUnsupported,
        }
    }
}

/// `CollectedClientData`, of which browsers may send more (WebAuthn 5.8.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    type_: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// A passkey is registered: its key, and the count that it begins with.
///
/// # Errors
/// [`PasskeyError`].
pub fn registered(expected: &Expected<'_>, created: &Created) -> Result<(NewKey, u32), PasskeyError> {
    let client_data = bytes(&created.client_data)?;
    check_client_data(expected, &client_data, "webauthn.create")?;
    let data = AuthenticatorData::read(&bytes(&created.authenticator_data)?)?;
    check_authenticator(expected, &data)?;
    let key = data.credential.ok_or(PasskeyError::Malformed)?;
    // A point that is not on the curve verifies nothing, so that its owner would learn too late.
    let point = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.public_key);
    point.parse().map_err(|_| PasskeyError::KeyUnsupported)?;
    Ok((key, data.sign_count))
}

/// A passkey was used; the count to remember.
///
/// # Errors
/// [`PasskeyError`].
pub fn asserted(expected: &Expected<'_>, sent: &Asserted, known: &Known) -> Result<u32, PasskeyError> {
    if let Some(handle) = &sent.user_handle
        && !equal(&bytes(handle)?, &known.user_handle)
    {
        return Err(PasskeyError::UserWrong);
    }
    let client_data = bytes(&sent.client_data)?;
    check_client_data(expected, &client_data, "webauthn.get")?;
    let authenticator_data = bytes(&sent.authenticator_data)?;
    let data = AuthenticatorData::read(&authenticator_data)?;
    check_authenticator(expected, &data)?;
    let message = [authenticator_data, sha256(&client_data).to_vec()].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &known.public_key)
        .verify(&message, &bytes(&sent.signature)?)
        .map_err(|_| PasskeyError::SignatureWrong)?;
    let counts = data.sign_count != 0 || known.sign_count != 0;
    if counts && data.sign_count <= known.sign_count {
        return Err(PasskeyError::Cloned);
    }
    Ok(data.sign_count)
}

fn check_client_data(expected: &Expected<'_>, json: &[u8], ceremony: &str) -> Result<(), PasskeyError> {
    let data: ClientData = strict_json::from_slice(json, DEPTH).map_err(|_| PasskeyError::Malformed)?;
    if data.type_ != ceremony {
        return Err(PasskeyError::CeremonyWrong);
    }
    if !equal(data.challenge.as_bytes(), expected.challenge.as_bytes()) {
        return Err(PasskeyError::ChallengeWrong);
    }
    if data.origin != expected.origin || data.cross_origin {
        return Err(PasskeyError::OriginWrong);
    }
    Ok(())
}

fn check_authenticator(expected: &Expected<'_>, data: &AuthenticatorData) -> Result<(), PasskeyError> {
    if data.relying_party_hash != sha256(expected.relying_party.as_bytes()) {
        return Err(PasskeyError::RelyingPartyWrong);
    }
    if data.user_verified { Ok(()) } else { Err(PasskeyError::UserNotVerified) }
}

fn bytes(text: &str) -> Result<Vec<u8>, PasskeyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| PasskeyError::Malformed)
}
