//! Client certificates for the SIM-S, issued by the SBI root.

use std::sync::Arc;

use api_types::ids::ClientId;
use seal_security::sim_s::{CertificateError, CertificateIssuer, IssuedCert};
use service_http::peer::x5t_s256;
use service_http::tls::certificates_from_pem;

use crate::pki::{CsrRefused, SbiIssuer};

/// The SBI root as the SIM-S sees it.
pub struct SbiCertificates(pub Arc<SbiIssuer>);

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
