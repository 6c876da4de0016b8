//! Certificates for the SIM-S, issued by the SBI root, and for the CAPIF core function, issued by the CAPIF root.

use std::sync::Arc;

use api_types::ids::ClientId;
use capif_core::ccf::certificates as capif;
use seal_security::sim_s::{CertificateError, CertificateIssuer, IssuedCert};
use service_http::peer::{key_and_end, x5t_s256};
use service_http::tls::certificates_from_pem;

use crate::pki::{CsrIssuer, CsrRefused};

/// The SBI root as the SIM-S sees it.
pub struct SbiCertificates(pub Arc<CsrIssuer>);

impl CertificateIssuer for SbiCertificates {
    fn issue_client(&self, csr_pem: &str, client: &ClientId) -> Result<IssuedCert, CertificateError> {
        let (cert_pem, chain_pem) = self.0.certify(csr_pem, client).map_err(|error| match error {
            CsrRefused::Malformed => CertificateError::RequestRefused,
            CsrRefused::Issue(_) => CertificateError::Unavailable,
        })?;
        let leaf = certificates_from_pem(&cert_pem).map_err(|_| CertificateError::Unavailable)?;
        let x5t_s256 = leaf.first().map(|der| x5t_s256(der)).ok_or(CertificateError::Unavailable)?;
        Ok(IssuedCert { cert_pem, chain_pem, x5t_s256 })
    }
}

/// The CAPIF root as the core function sees it.
pub struct CapifCertificates(pub Arc<CsrIssuer>);

/// Name of the root.
const CAPIF: &str = "capif";

impl capif::CertificateIssuer for CapifCertificates {
    fn issue(
        &self,
        csr_pem: &str,
        named: capif::Named<'_>,
    ) -> Result<capif::IssuedCertificate, capif::CertificateError> {
        use capif::CertificateError::{RequestRefused, Unavailable};
        let identity = (named.role.as_str(), named.id);
        let (cert_pem, chain_pem) =
            self.0.certify_as(CAPIF, csr_pem, identity, named.until_s).map_err(|error| match error {
                CsrRefused::Malformed => RequestRefused,
                CsrRefused::Issue(_) => Unavailable,
            })?;
        let leaf = certificates_from_pem(&cert_pem).map_err(|_| Unavailable)?;
        let leaf = leaf.first().ok_or(Unavailable)?;
        let (key_sha256, not_after_s) = key_and_end(leaf).map_err(|_| Unavailable)?;
        Ok(capif::IssuedCertificate {
            x5t_s256: x5t_s256(leaf),
            cert_pem,
            chain_pem,
            key_sha256,
            not_after_s,
        })
    }

    fn root_pem(&self) -> String {
        self.0.root(CAPIF).map(|root| root.cert_pem().to_owned()).unwrap_or_default()
    }
}
