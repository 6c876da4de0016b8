//! Certificates for VAL servers from their own signing requests.

use std::sync::Arc;

use api_types::ids::ClientId;
use rcgen::CertificateSigningRequestParams;
use service_http::ambient::Ambient;

use super::{Pki, Purpose};

/// Longest signing request that is read, in bytes. Own value; a P-256 request has some 400.
const MAX_CSR: usize = 8 * 1024;

/// Why a signing request was not served.
#[derive(Debug, thiserror::Error)]
pub enum CsrRefused {
    /// Not a PKCS#10 request in PEM, or its own signature (proof of possession) is wrong.
    #[error("the signing request cannot be read or is not signed by its own key")]
    Malformed,
    /// The authority could not sign.
    #[error("the certificate could not be issued")]
    Issue(#[source] anyhow::Error),
}

/// Issues client certificates for signing requests. Only the key is taken from a request: name and role are the
/// registration's (design section 3).
pub struct CsrIssuer {
    pki: Arc<Pki>,
    ambient: Ambient,
}

impl CsrIssuer {
    /// An issuer over the deployment's roots.
    #[must_use]
    pub fn new(pki: Arc<Pki>, ambient: Ambient) -> Self {
        Self { pki, ambient }
    }

    /// Certifies the key of `csr_pem` for `client`. Returns the leaf and the root as PEM.
    ///
    /// # Errors
    /// See [`CsrRefused`].
    pub fn certify(&self, csr_pem: &str, client: &ClientId) -> Result<(String, String), CsrRefused> {
        self.certify_as("sbi", csr_pem, ("client", client.as_str()), None)
    }

    /// Certifies the key of `csr_pem` by another root, as `(role, name)`, no longer than until a second since 1970.
    ///
    /// # Errors
    /// See [`CsrRefused`].
    pub fn certify_as(
        &self,
        root: &str,
        csr_pem: &str,
        identity: (&str, &str),
        until_s: Option<i64>,
    ) -> Result<(String, String), CsrRefused> {
        if csr_pem.len() > MAX_CSR {
            return Err(CsrRefused::Malformed);
        }
        let request =
            CertificateSigningRequestParams::from_pem(csr_pem).map_err(|_| CsrRefused::Malformed)?;
        let root = self.root(root)?;
        let leaf = root
            .certify_until(&request.public_key, identity, Purpose::Client, &[], until_s, &self.ambient)
            .map_err(CsrRefused::Issue)?;
        Ok((leaf, root.cert_pem().to_owned()))
    }

    /// One of the roots.
    ///
    /// # Errors
    /// When there is no such root.
    pub fn root(&self, name: &str) -> Result<&super::Authority, CsrRefused> {
        self.pki.authority(name).map_err(CsrRefused::Issue)
    }
}
