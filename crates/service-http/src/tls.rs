//! TLS of every listener and of every connection that a function opens.
//!
//! TLS 1.3, and TLS 1.2 only with ECDHE and an AEAD cipher (RFC 9325, 4.2.1); no 0-RTT. The
//! provider is passed explicitly, so that no process-wide default can replace it. Where client
//! certificates are asked for, a session is never resumed: a certificate is verified each time.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
    SignatureScheme,
};

use api_types::Function;

use crate::peer::{self, CertRole};

/// Application protocols that are offered, the preferred one first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why no TLS configuration could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate, the key or their pairing is refused.
    #[error("TLS configuration refused: {0}")]
    Rustls(#[from] rustls::Error),
    /// The roots of client certificates are refused.
    #[error("roots of client certificates refused: {0}")]
    Roots(#[from] rustls::server::VerifierBuilderError),
    /// No certificate or key of the expected kind in a PEM text.
    #[error("PEM refused: {0}")]
    Pem(&'static str),
}

/// Which roles a root may vouch for (design, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKind {
    /// Functions, clients and notifiers.
    Sbi,
    /// Administrators, operators, auditors.
    Admin,
    /// Who was onboarded or registered at the CAPIF core function, and that core function itself.
    Capif,
    /// A CAPIF core function of another domain: what else its root vouches for is nobody here.
    Partner,
    /// API invokers of a CAPIF core function of another domain, whose tokens are taken.
    ForeignInvokers,
    /// The console and nobody else: the SBI root at `admin`.
    Console,
}

impl RootKind {
    /// The roles of certificates below this root; another role there is a forgery.
    pub const fn roles(self) -> &'static [CertRole] {
        match self {
            Self::Sbi => &[CertRole::Function, CertRole::Client, CertRole::Notifier],
            Self::Admin => &[CertRole::Admin, CertRole::Operator, CertRole::Auditor, CertRole::Disclosure],
            Self::Capif => &[CertRole::Invoker, CertRole::Aef, CertRole::Apf, CertRole::Amf, CertRole::Ccf],
            Self::Partner => &[CertRole::Ccf],
            Self::ForeignInvokers => &[CertRole::Invoker],
            Self::Console => &[CertRole::Function],
        }
    }

    /// Whether a certificate below this root may have this identity.
    fn vouches_for(self, role: CertRole, name: &str) -> bool {
        let name_fits = self != Self::Console || name == Function::Console.as_str();
        self.roles().contains(&role) && name_fits
    }
}

/// A root that a listener accepts client certificates of.
#[derive(Clone, Debug)]
pub struct ClientRoot {
    /// The trust anchors: one, or two while a root is being replaced.
    pub certificates: Vec<CertificateDer<'static>>,
    /// What they may vouch for.
    pub kind: RootKind,
    /// The only name that they may vouch for, where a root is trusted for one party alone.
    pub only: Option<String>,
}

impl ClientRoot {
    /// A root that may vouch for every name in its roles.
    #[must_use]
    pub fn new(certificates: Vec<CertificateDer<'static>>, kind: RootKind) -> Self {
        Self { certificates, kind, only: None }
    }

    fn vouches_for(&self, role: CertRole, name: &str) -> bool {
        self.kind.vouches_for(role, name) && self.only.as_ref().is_none_or(|only| only == name)
    }
}

/// A certificate chain and its key.
pub struct Identity {
    /// The end entity certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads an identity of PEM texts.
    ///
    /// # Errors
    ///
    /// [`TlsError::Pem`].
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, TlsError> {
        Ok(Self { chain: certificates_from_pem(chain)?, key: key_from_pem(key)? })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// The certificates of a PEM text; at least one.
///
/// # Errors
///
/// [`TlsError::Pem`].
pub fn certificates_from_pem(pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = certificates.map_err(|_| TlsError::Pem("malformed certificate"))?;
    if certificates.is_empty() {
        return Err(TlsError::Pem("no certificate"));
    }
    Ok(certificates)
}

/// The private key of a PEM text.
///
/// # Errors
///
/// [`TlsError::Pem`].
pub fn key_from_pem(pem: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| TlsError::Pem("no private key"))
}

/// Configuration of a listener.
///
/// With `clients`, client certificates of these roots are asked for; with `required`, nobody
/// without one gets through the handshake. Without `clients` none is asked for.
///
/// # Errors
///
/// When certificate and key do not fit, or a root cannot be read.
pub fn server_config<'c>(
    identity: Identity,
    clients: impl IntoIterator<Item = &'c ClientRoot>,
    required: bool,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[&TLS13, &TLS12])?;
    let clients: Vec<&ClientRoot> = clients.into_iter().collect();
    let builder = if clients.is_empty() {
        builder.with_no_client_auth()
    } else {
        builder.with_client_cert_verifier(Arc::new(Identified::new(&clients, required, provider)?))
    };
    let mut config = builder.with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    config.max_early_data_size = 0; // no 0-RTT: it can be replayed (RFC 8446, 8)
    config.require_ems = true; // RFC 7627: TLS 1.2 without it can be spliced
    if !clients.is_empty() {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

/// Configuration of a client that trusts `roots` and nothing else.
///
/// # Errors
///
/// When a root cannot be read, or certificate and key of `identity` do not fit.
pub fn client_config(
    roots: &[CertificateDer<'static>],
    identity: Option<Identity>,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_root_certificates(store_of(roots)?);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_auth_cert(identity.chain, identity.key)?,
    };
    config.enable_early_data = false;
    config.require_ems = true;
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

/// aws-lc-rs with the cipher suites that are accepted here.
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ],
        ..default_provider()
    }
}

fn store_of(roots: &[CertificateDer<'static>]) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone())?;
    }
    Ok(store)
}

/// A WebPKI verifier that also wants an identity, in a role that the root may vouch for.
#[derive(Debug)]
struct Identified {
    /// A verifier for each root: which of them a chain ends at decides what it may vouch for.
    chains: Vec<(Arc<dyn ClientCertVerifier>, ClientRoot)>,
    hints: Vec<DistinguishedName>,
    required: bool,
    provider: Arc<CryptoProvider>,
}

impl Identified {
    fn new(roots: &[&ClientRoot], required: bool, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let mut chains: Vec<(Arc<dyn ClientCertVerifier>, ClientRoot)> = Vec::new();
        for root in roots {
            let store = Arc::new(store_of(&root.certificates)?);
            let chain = WebPkiClientVerifier::builder_with_provider(store, provider.clone()).build()?;
            chains.push((chain, (*root).clone()));
        }
        let hints = chains.iter().flat_map(|(chain, _)| chain.root_hint_subjects().to_vec()).collect();
        Ok(Self { chains, hints, required, provider })
    }
}

impl ClientCertVerifier for Identified {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let mut refused: rustls::Error = CertificateError::ApplicationVerificationFailure.into();
        for (chain, root) in &self.chains {
            match chain.verify_client_cert(end_entity, intermediates, now) {
                Ok(verified) => {
                    return match peer::identity(end_entity) {
                        Ok((role, name)) if root.vouches_for(role, &name) => Ok(verified),
                        _ => Err(CertificateError::ApplicationVerificationFailure.into()),
                    };
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
