//! Revocations and keys.

use serde::{Deserialize, Serialize};

use crate::date_time::DateTime;
use crate::problem::InvalidParam;
use crate::validate::{Faults, MAX_URI, Validate};

closed_enum! {
    /// What is revoked.
    RevocationKind {
        /// One token, by `jti`.
        Token = "token",
        /// Every token of a subject, by `sub`.
        Subject = "subject",
        /// Every token of a client, by `client_id`.
        Client = "client",
        /// A certificate, by `x5t#S256`.
        Certificate = "certificate",
        /// A key, by `kid`.
        Key = "key",
        /// A consent.
        Consent = "consent",
        /// A policy.
        Policy = "policy",
        /// An avatar.
        Avatar = "avatar",
    }
}

/// POST `/revocations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevocationRequest {
    /// What is revoked.
    pub kind: RevocationKind,
    /// Its value: `jti`, `sub`, `client_id`, `x5t#S256`, `kid` ….
    pub value: String,
    /// Url of the issuer; absent: the only one that runs here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl Validate for RevocationRequest {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.value, 512, at, "value");
        faults.opt_text(self.issuer.as_ref(), MAX_URI, at, "issuer");
        faults.done()
    }
}

/// Answer to a revocation: after it nothing is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    /// Epoch of the revocation at its issuer.
    pub epoch: u64,
    /// Verifiers that have confirmed.
    pub confirmed: Vec<String>,
    /// Verifiers whose lease has run out.
    pub lapsed: Vec<String>,
    /// Foreign verifiers, bounded by `exp` only.
    pub unconfirmed: Vec<String>,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

closed_enum! {
    /// State of a signing key.
    KeyStatus {
        /// Published, not yet signing.
        Next = "next",
        /// Signing.
        Active = "active",
        /// No longer signing, still verifying.
        Retiring = "retiring",
        /// Revoked.
        Revoked = "revoked",
    }
}

/// A signing key, GET `/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyInfo {
    /// Role that signs with it.
    pub role: String,
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// Algorithm.
    pub alg: String,
    /// State.
    pub status: KeyStatus,
    /// From when on it signs.
    pub active_from: DateTime,
    /// Until when it verifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_until: Option<DateTime>,
}

/// POST `/keys/{role}/rotate`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotate {
    /// The new key signs at once and the old one verifies no longer.
    #[serde(default)]
    pub emergency: bool,
}

impl Validate for Rotate {
    fn validate(&self, _: &str) -> Result<(), Vec<InvalidParam>> {
        Ok(())
    }
}

/// Answer to a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRotated {
    /// The new key.
    pub kid: String,
    /// From when on it signs.
    pub active_from: DateTime,
}
