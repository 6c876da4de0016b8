//! The listener for plain OpenCAPIF clients: its key, its certificate, its administrator.

use std::path::Path;

use anyhow::{Context, Result};
use api_types::secret::Secret;
use capif_core::ccf::CcfServer;
use jose::Rs256Key;
use rcgen::KeyPair;
use service_http::edge::{self, EdgeHandle, EdgeLimits, Shutdown};
use service_http::tls::{self, ClientRoot, RootKind};
use tokio::net::TcpListener;

use super::function::Common;
use crate::pki::{Purpose, write_private};

/// Name of the listener.
pub(super) const LISTENER: &str = "ccf_compat";

/// The listener at work, and the password of its administrator where it was drawn now.
pub(super) struct Opened {
    pub(super) edge: EdgeHandle,
    pub(super) drawn: Option<Secret>,
}

/// Opens the listener.
///
/// # Errors
/// When its key cannot be made or read, or its certificate not be issued.
pub(super) async fn open(
    common: &Common<'_>,
    ccf: &CcfServer,
    origin: &str,
    (listener, hosts): (TcpListener, &[String]),
    (limits, shutdown): (EdgeLimits, Shutdown),
) -> Result<Opened> {
    let key_pem = key(common.data.path())?;
    let face = ccf.for_opencapif(origin, Rs256Key::from_pem(&key_pem)?);
    let configured = common.config.compat.admin_password.as_deref().map(Secret::new);
    let drawn = face.set_opencapif_admin(configured.as_ref()).await?;
    // Below the CAPIF root, which is the one that clients are given.
    let root = common.pki.authority("capif")?;
    let pair = KeyPair::from_pem(&key_pem).context("the key of the listener for OpenCAPIF clients")?;
    let certificate = root.certify(&pair, ("function", "ccf"), Purpose::Server, hosts, common.ambient)?;
    let identity = tls::Identity::from_pem(&certificate, &key_pem)?;
    let clients = ClientRoot {
        certificates: tls::certificates_from_pem(root.cert_pem())?,
        kind: RootKind::Capif,
        only: None,
    };
    // Onboarding and registration come without a certificate.
    let config = tls::server_config(identity, [&clients], false)?;
    let edge = edge::serve(listener, config, face.opencapif_router()?, limits, shutdown)?;
    tracing::warn!(
        url = origin,
        "listening for plain OpenCAPIF clients: RS256 tokens without audience, and passwords instead of enrolments"
    );
    Ok(Opened { edge, drawn })
}

/// The key of certificate and tokens. It stays, because clients keep the certificate to verify tokens by.
fn key(data: &Path) -> Result<String> {
    let file = data.join("pki").join("opencapif").join("server.key");
    if !file.exists() {
        let pem = Rs256Key::generate_pem()?;
        write_private(&file, pem.as_bytes())?;
    }
    std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}
