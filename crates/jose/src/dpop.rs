//! DPoP proofs (RFC 9449 4): made by clients, checked by the SIM-S and by every resource server.
//!
//! That a `jti` is used once is for the store; everything else is decided here.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::compact::{self, HeaderPolicy};
use crate::{JoseError, Signer, VerifyingKey, digest, htu, jwt};

/// How old a proof may be, in seconds. Own value; RFC 9449 11.1 asks for "seconds or minutes".
pub const MAX_AGE_S: i64 = 60;
/// How far ahead the client's clock may be, in seconds. Own value.
pub const MAX_AHEAD_S: i64 = 5;
/// Longest `jti`, in characters. Own value.
pub const MAX_JTI: usize = 128;
/// `typ` of a proof.
pub const TYP: &str = "dpop+jwt";

/// What a proof has to be for.
#[derive(Debug, Clone, Copy)]
pub struct DpopExpected<'a> {
    /// Method of the request.
    pub htm: &'a str,
    /// Target URI of the request, built from the configured origin, never from `Host`.
    pub htu: &'a str,
    /// Base64url of the SHA-256 of the access token, where one comes along.
    pub ath: Option<&'a str>,
    /// The nonce that the server asked for, if it did.
    pub nonce: Option<&'a str>,
    /// Now, in seconds since 1970-01-01T00:00:00Z.
    pub now_s: i64,
    /// Thumbprint of the key that it has to be, if there is one already.
    pub jkt: Option<&'a str>,
}

/// A proof that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopChecked {
    /// Thumbprint of its key (RFC 7638).
    pub jkt: String,
    /// Its identifier, to be consumed once.
    pub jti: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
}

impl DpopChecked {
    /// From when on a replay is refused by age, so that the `jti` need not be kept longer.
    #[must_use]
    pub fn forget_at_s(&self) -> i64 {
        self.iat.saturating_add(MAX_AGE_S + 1)
    }
}

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// Not a proof: form, header members, claims; also a private or symmetric key.
    #[error("proof malformed")]
    Malformed,
    /// An algorithm that is not accepted, or not that of the key.
    #[error("algorithm refused")]
    AlgRefused,
    /// `typ` is not `dpop+jwt`.
    #[error("type refused")]
    TypRefused,
    /// The signature does not verify with the key in the header.
    #[error("signature wrong")]
    SignatureWrong,
    /// `jti` absent, empty or too long.
    #[error("jti refused")]
    JtiRefused,
    /// Made for another method.
    #[error("htm is of another method")]
    MethodWrong,
    /// Made for another target.
    #[error("htu is of another target")]
    TargetWrong,
    /// Older than [`MAX_AGE_S`].
    #[error("proof too old")]
    Stale,
    /// More than [`MAX_AHEAD_S`] ahead.
    #[error("proof from the future")]
    Ahead,
    /// The server's nonce is asked for and absent.
    #[error("nonce missing")]
    NonceMissing,
    /// Another nonce than the server's.
    #[error("nonce wrong")]
    NonceWrong,
    /// Made for another access token.
    #[error("ath is of another token")]
    TokenWrong,
    /// Made with another key than the one that is bound.
    #[error("key is another")]
    KeyWrong,
}

impl DpopError {
    /// Whether the answer is `use_dpop_nonce` (RFC 9449 8), so that the client may try again.
    #[must_use]
    pub const fn wants_nonce(self) -> bool {
        matches!(self, Self::NonceMissing | Self::NonceWrong)
    }
}

impl From<JoseError> for DpopError {
    fn from(error: JoseError) -> Self {
        match error {
            JoseError::AlgRefused => Self::AlgRefused,
            JoseError::TypRefused => Self::TypRefused,
            JoseError::SignatureWrong => Self::SignatureWrong,
            JoseError::Malformed | JoseError::KeyUnknown | JoseError::KeyUnavailable => Self::Malformed,
        }
    }
}

/// The claims of a proof (RFC 9449 4.2). Others are passed over.
#[derive(Debug, Clone, Deserialize)]
pub struct Proof {
    /// Unique identifier.
    #[serde(default)]
    pub jti: String,
    /// HTTP method.
    pub htm: String,
    /// HTTP target URI without query and fragment.
    pub htu: String,
    /// When it was made.
    pub iat: i64,
    /// Hash of the access token.
    #[serde(default)]
    pub ath: Option<String>,
    /// Nonce of the server.
    #[serde(default)]
    pub nonce: Option<String>,
}

/// Checks a proof (RFC 9449 4.3), in this order: form, algorithm, type, signature, `jti`, method, target, time, nonce,
/// access token, key.
///
/// # Errors
/// The first check that fails.
pub fn check(proof: &str, want: &DpopExpected<'_>) -> Result<DpopChecked, DpopError> {
    let parsed = compact::parse(proof, &HeaderPolicy::dpop_proof())?;
    let jwk = parsed.header.jwk.clone().ok_or(DpopError::Malformed)?;
    let key = VerifyingKey::from_jwk(&jwk).map_err(|_| DpopError::Malformed)?;
    let proof: Proof = parsed.verify(&key)?.claims()?;
    let jti_is_good =
        (1..=MAX_JTI).contains(&proof.jti.chars().count()) && !proof.jti.chars().any(char::is_control);
    if !jti_is_good {
        return Err(DpopError::JtiRefused);
    }
    if proof.htm != want.htm {
        return Err(DpopError::MethodWrong);
    }
    if !htu::same(&proof.htu, want.htu) {
        return Err(DpopError::TargetWrong);
    }
    if proof.iat < want.now_s.saturating_sub(MAX_AGE_S) {
        return Err(DpopError::Stale);
    }
    if proof.iat > want.now_s.saturating_add(MAX_AHEAD_S) {
        return Err(DpopError::Ahead);
    }
    if let Some(wanted) = want.nonce {
        let nonce = proof.nonce.as_deref().ok_or(DpopError::NonceMissing)?;
        if !digest::equal(nonce, wanted) {
            return Err(DpopError::NonceWrong);
        }
    }
    if want.ath.is_some_and(|wanted| !proof.ath.as_deref().is_some_and(|ath| digest::equal(ath, wanted))) {
        return Err(DpopError::TokenWrong);
    }
    let jkt = jwk.thumbprint();
    if want.jkt.is_some_and(|wanted| !digest::equal(&jkt, wanted)) {
        return Err(DpopError::KeyWrong);
    }
    Ok(DpopChecked { jkt, jti: proof.jti, iat: proof.iat })
}

/// What a client puts into a proof.
#[derive(Debug, Clone, Copy)]
pub struct ProofFor<'a> {
    /// Random identifier, drawn by the caller.
    pub jti: &'a str,
    /// Method of the request.
    pub htm: &'a str,
    /// Target URI; query and fragment are cut off.
    pub htu: &'a str,
    /// Now, in seconds since 1970.
    pub iat: i64,
    /// The access token that goes along, if one does.
    pub access_token: Option<&'a str>,
    /// Nonce that the server gave.
    pub nonce: Option<&'a str>,
}

/// Makes a proof (RFC 9449 4.2).
///
/// # Errors
/// As [`jwt::sign`].
pub fn sign(signer: &dyn Signer, proof: &ProofFor<'_>) -> Result<String, JoseError> {
    let header = serde_json::json!({
        "alg": signer.alg().as_str(), "typ": TYP, "jwk": Value::Object(signer.public_jwk().bare()),
    });
    let mut claims = Map::new();
    claims.insert("jti".into(), proof.jti.into());
    claims.insert("htm".into(), proof.htm.into());
    claims.insert("htu".into(), proof.htu.split(['?', '#']).next().unwrap_or_default().into());
    claims.insert("iat".into(), proof.iat.into());
    if let Some(token) = proof.access_token {
        claims.insert("ath".into(), digest::sha256_b64url(token).into());
    }
    if let Some(nonce) = proof.nonce {
        claims.insert("nonce".into(), nonce.into());
    }
    jwt::sign_with_header(signer, &header, &claims)
}
