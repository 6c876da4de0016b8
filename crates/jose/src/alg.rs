//! The signature algorithms that are accepted (RFC 7518 3.1, RFC 9864). Never `none`, `HS*` or `RS256`.

use std::fmt;

/// A signature algorithm. A key has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alg {
    /// ECDSA on P-256 with SHA-256. The default, and what issuers here sign with.
    Es256,
    /// EdDSA on Curve25519 (RFC 9864 name).
    Ed25519,
    /// RSASSA-PSS with SHA-256. Verified, never produced.
    Ps256,
}

impl Alg {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[Self::Es256, Self::Ed25519, Self::Ps256];

    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Ed25519 => "Ed25519",
            Self::Ps256 => "PS256",
        }
    }

    /// Reads an `alg` value, exactly as registered: `nOnE` and `es256` are nothing.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "Ed25519" => Some(Self::Ed25519),
            "PS256" => Some(Self::Ps256),
            _ => None,
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
