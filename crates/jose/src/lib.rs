//! JSON Web Signatures, Keys and Tokens as the functions use them (RFC 7515, 7517, 7518, 7519, 8725), with DPoP
//! proofs (RFC 9449) and PKCE (RFC 7636), over `aws-lc-rs`.
//!
//! One strict reader: compact form only, canonical base64url, a closed list of header members, one algorithm per key,
//! no duplicate JSON member, bounded size and depth. Nothing here fetches or stores a key, reads a clock or decides what
//! a claim means.

pub mod alg;
mod base64url;
pub mod compact;
pub mod digest;
pub mod dpop;
mod error;
pub mod fuzz;
pub mod htu;
pub mod jwk;
pub mod jwt;
pub mod pem;
pub mod pkce;
pub mod rs256;
pub mod signer;
pub mod verifying_key;

pub use alg::Alg;
pub use compact::{Header, HeaderPolicy, Parsed, Verified};
pub use digest::{equal, hmac_sha256, sha256, sha256_b64url, x5t_s256};
pub use error::{JoseError, KeyError};
pub use jwk::{Jwk, Jwks};
pub use rs256::Rs256Key;
pub use signer::{EcKey, Signer};
pub use verifying_key::VerifyingKey;

/// Largest token that is read, in bytes. Own value.
pub const MAX_TOKEN: usize = 16 * 1024;
/// Largest encoded header that is read, in bytes. Own value.
pub const MAX_HEADER: usize = 4 * 1024;
/// Deepest JSON that is read in a header, a payload or a key set. Own value.
pub const MAX_DEPTH: usize = 16;
/// Longest `kid`, in characters. Own value.
pub const MAX_KID: usize = 128;
/// Largest key set that is read, in bytes. Own value.
pub const MAX_JWKS: usize = 64 * 1024;
/// Most keys in a key set. Own value.
pub const MAX_KEYS: usize = 100;
