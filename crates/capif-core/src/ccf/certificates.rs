//! Certificates that the core function has issued. Only the key is taken from a signing request: role and name are those
//! of the record (TS 33.122 6.1; design, section 3).

use service_http::peer::CertRole;

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate, PEM.
    pub cert_pem: String,
    /// The root above it, PEM.
    pub chain_pem: String,
    /// Its digest (RFC 8705 3.1).
    pub x5t_s256: String,
    /// SHA-256 of its public key (SubjectPublicKeyInfo).
    pub key_sha256: Vec<u8>,
    /// Last second in which it is good, since 1970.
    pub not_after_s: i64,
}

/// Why no certificate was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not a PKCS#10 request in PEM, its proof of possession is wrong, or its key is not accepted.
    #[error("certificate signing request refused")]
    RequestRefused,
    /// The issuing key cannot be used.
    #[error("certificate issuer unavailable")]
    Unavailable,
}

/// What a certificate is to say.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// API invoker, AEF, APF or AMF.
    pub role: CertRole,
    /// Its identifier.
    pub id: &'a str,
    /// It ends no later than this second since 1970.
    pub until_s: Option<i64>,
}

/// Issues certificates of the CAPIF root.
pub trait CertificateIssuer: Send + Sync + 'static {
    /// A certificate for the key of `csr_pem`.
    ///
    /// # Errors
    /// See [`CertificateError`].
    fn issue(&self, csr_pem: &str, named: Named<'_>) -> Result<IssuedCertificate, CertificateError>;

    /// The root, PEM: what AEFs verify invokers by.
    fn root_pem(&self) -> String;
}
