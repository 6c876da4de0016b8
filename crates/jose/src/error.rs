//! Why a token or a key is refused. No error carries anything of the input.

/// Why a token is refused. Each variant is one reason of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Not three parts of canonical base64url with strict JSON, too large, or a header member that is not allowed.
    #[error("token malformed")]
    Malformed,
    /// The algorithm is not one of the policy, or not the one of the key (RFC 8725 3.1).
    #[error("algorithm refused")]
    AlgRefused,
    /// `typ` is not what this place accepts (RFC 8725 3.11).
    #[error("token type refused")]
    TypRefused,
    /// No key is known for the token's `kid`.
    #[error("key unknown")]
    KeyUnknown,
    /// The signature does not verify.
    #[error("signature wrong")]
    SignatureWrong,
    /// Signing failed: the key cannot be used now.
    #[error("signing key unavailable")]
    KeyUnavailable,
}

/// Why a key or a key set is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a key in the form that is read here.
    #[error("key malformed")]
    Malformed,
    /// Private members where only a public key belongs.
    #[error("private key where a public key belongs")]
    PrivateMember,
    /// A symmetric key (`kty` `oct`).
    #[error("symmetric key refused")]
    Symmetric,
    /// A kind, curve, size, algorithm or use of key that is not supported.
    #[error("kind of key not supported")]
    Unsupported,
    /// Two keys of a set with one `kid`.
    #[error("duplicate kid")]
    DuplicateKid,
    /// More keys or bytes than are read.
    #[error("key set too large")]
    TooLarge,
    /// A key pair could not be made.
    #[error("key generation failed")]
    Generation,
}
