//! Who is at the other end of a connection: its address and, with mutual TLS, its certificate.
//!
//! The identity of a certificate is its one SAN URI `urn:metaseal:<role>:<name>`; the subject's
//! common name is never read. The certificate was verified in the handshake ([`crate::tls`]).

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use api_types::Function;
use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::request::Parts;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::refusal::Refusal;
use authorization::Reason;

/// Prefix of every identity.
const URN: &str = "urn:metaseal:";

/// Longest name in an identity, in characters; that of all identifiers. Own value.
const NAME_MAX: usize = 128;

/// What a certificate entitles its holder to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CertRole {
    /// A function of this system (SBI root).
    Function,
    /// A VAL server or another machine client (SBI root).
    Client,
    /// Administrator (admin root).
    Admin,
    /// Operator (admin root).
    Operator,
    /// Auditor: reads records (admin root).
    Auditor,
    /// Reads what was disclosed about a user (admin root).
    Disclosure,
    /// Sends notifications; only callback receivers accept it (SBI root).
    Notifier,
    /// API invoker, as onboarded at the CAPIF core function (CAPIF root).
    Invoker,
    /// API exposing function (CAPIF root).
    Aef,
    /// API publishing function (CAPIF root).
    Apf,
    /// API management function (CAPIF root).
    Amf,
    /// A CAPIF core function, towards API exposing functions and other core functions (CAPIF root).
    Ccf,
}

impl CertRole {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::Function,
        Self::Client,
        Self::Admin,
        Self::Operator,
        Self::Auditor,
        Self::Disclosure,
        Self::Notifier,
        Self::Invoker,
        Self::Aef,
        Self::Apf,
        Self::Amf,
        Self::Ccf,
    ];

    /// The word in the URN.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Client => "client",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Disclosure => "disclosure",
            Self::Notifier => "notifier",
            Self::Invoker => "invoker",
            Self::Aef => "aef",
            Self::Apf => "apf",
            Self::Amf => "amf",
            Self::Ccf => "ccf",
        }
    }
}

impl fmt::Display for CertRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown certificate role")]
pub struct UnknownRole;

impl FromStr for CertRole {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let mut all = Self::ALL.iter().copied();
        all.find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// Why a certificate has no identity here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not an X.509 certificate.
    #[error("not an X.509 certificate")]
    Malformed,
    /// No SAN URI `urn:metaseal:…`.
    #[error("no identity in the subject alternative name")]
    Absent,
    /// More than one identity: which one speaks would be a guess.
    #[error("more than one identity in the subject alternative name")]
    Ambiguous,
    /// The role is unknown.
    #[error("unknown role in the identity")]
    Role,
    /// The name is empty, too long or has forbidden characters.
    #[error("malformed name in the identity")]
    Name,
}

/// The certificate that a peer proved to hold.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The certificate itself (DER).
    pub der: Bytes,
    /// SHA-256 of the DER in base64url: `cnf.x5t#S256` of RFC 8705.
    pub x5t_s256: String,
    /// Role of its identity.
    pub role: CertRole,
    /// Name of its identity: the function, the client id, the operator.
    pub name: String,
}

impl PeerCertificate {
    /// Reads the identity of an end entity certificate.
    ///
    /// # Errors
    ///
    /// When the certificate carries not exactly one well-formed identity.
    pub fn of(der: &[u8]) -> Result<Self, IdentityError> {
        let (role, name) = identity(der)?;
        Ok(Self { der: Bytes::copy_from_slice(der), x5t_s256: x5t_s256(der), role, name })
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerCertificate")
            .field("x5t_s256", &self.x5t_s256)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The other end of the connection; an extension of every request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its transport address.
    pub addr: SocketAddr,
    /// Its certificate, when it presented one.
    pub certificate: Option<Arc<PeerCertificate>>,
}

impl Peer {
    /// The certificate if its role is one of `roles`.
    pub fn certificate_as(&self, roles: &[CertRole]) -> Option<&PeerCertificate> {
        self.certificate.as_deref().filter(|certificate| roles.contains(&certificate.role))
    }

    /// Whether it is the console, which speaks for operators.
    pub fn is_console(&self) -> bool {
        let certificate = self.certificate_as(&[CertRole::Function]);
        certificate.is_some_and(|certificate| certificate.name == Function::Console.as_str())
    }

    /// `x5t#S256` of the certificate.
    pub fn x5t_s256(&self) -> Option<&str> {
        self.certificate.as_ref().map(|c| c.x5t_s256.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Absent only where a router was built without the edge: then nobody is admitted.
        let peer = parts.extensions.get::<Self>().cloned();
        peer.ok_or_else(|| Refusal::from(Reason::PeerRefused))
    }
}

/// SHA-256 of a certificate in base64url (RFC 8705, 3.1).
pub fn x5t_s256(der: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    URL_SAFE_NO_PAD.encode(digest.as_ref())
}

/// SHA-256 of the public key of a certificate (its SubjectPublicKeyInfo, DER), and its last second since 1970.
///
/// # Errors
///
/// [`IdentityError::Malformed`].
pub fn key_and_end(der: &[u8]) -> Result<(Vec<u8>, i64), IdentityError> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| IdentityError::Malformed)?;
    let key = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.public_key().raw);
    Ok((key.as_ref().to_vec(), certificate.validity().not_after.timestamp()))
}

/// Role and name of the identity in a certificate.
///
/// # Errors
///
/// See [`IdentityError`].
pub fn identity(der: &[u8]) -> Result<(CertRole, String), IdentityError> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| IdentityError::Malformed)?;
    if !rest.is_empty() {
        return Err(IdentityError::Malformed);
    }
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| IdentityError::Malformed)?
        .ok_or(IdentityError::Absent)?;
    let mut found = None;
    for name in &names.value.general_names {
        if let GeneralName::URI(uri) = name
            && let Some(rest) = uri.strip_prefix(URN)
            && found.replace(rest).is_some()
        {
            return Err(IdentityError::Ambiguous);
        }
    }
    parse(found.ok_or(IdentityError::Absent)?)
}

/// The URI that names `name` in `role`; what a certificate is issued with.
pub fn identity_uri(role: CertRole, name: &str) -> String {
    format!("{URN}{role}:{name}")
}

fn parse(identity: &str) -> Result<(CertRole, String), IdentityError> {
    let (role, name) = identity.split_once(':').ok_or(IdentityError::Role)?;
    let role = role.parse().map_err(|_| IdentityError::Role)?;
    let printable = name.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    if name.is_empty() || name.len() > NAME_MAX || !printable || name == "." || name == ".." {
        return Err(IdentityError::Name);
    }
    Ok((role, name.to_owned()))
}

/// Entry points for fuzzing.
pub mod fuzz {
    /// Reads an identity of arbitrary bytes; never panics.
    pub fn fuzz_certificate_identity(bytes: &[u8]) {
        let _ = super::identity(bytes);
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = super::parse(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_role_and_name_and_nothing_else() {
        type Read = Result<(CertRole, &'static str), IdentityError>;
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Read); 11] = [
            ("client:vs-1", Ok((CertRole::Client, "vs-1"))),
            ("function:san", Ok((CertRole::Function, "san"))),
            ("client:a:b", Ok((CertRole::Client, "a:b"))),
            ("client", Err(IdentityError::Role)),
            ("Client:vs-1", Err(IdentityError::Role)),
            ("root:vs-1", Err(IdentityError::Role)),
            ("client:", Err(IdentityError::Name)),
            ("client:a/b", Err(IdentityError::Name)),
            ("client:..", Err(IdentityError::Name)),
            ("client:a b", Err(IdentityError::Name)),
            ("client:a\u{0}b", Err(IdentityError::Name)),
        ];
        for (text, want) in rows {
            let want = want.map(|(role, name)| (role, name.to_owned()));
            assert_eq!(parse(text), want, "{text:?}");
        }
        assert_eq!(parse(&format!("client:{}", "x".repeat(129))), Err(IdentityError::Name));
        assert!(parse(&format!("client:{}", "x".repeat(128))).is_ok());
    }

    #[test]
    fn roles_survive_their_text() {
        for role in CertRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            fuzz::fuzz_certificate_identity(&bytes);
        }
    }
}
