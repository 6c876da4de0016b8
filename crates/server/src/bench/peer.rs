//! panva's `oidc-provider`, the peer that the token endpoint is measured against.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use service_http::ambient::Ambient;

use super::load::{Target, client_tls};
use super::process::Process;
use crate::pki::{Pki, Purpose, write_private};

/// The form of a token request.
pub(super) const FORM: &str =
    "grant_type=client_credentials&client_id=bench&client_secret=bench-secret-of-a-loopback-run&scope=read";

/// Starts the peer. `None`: it is not installed (`npm ci` in its folder).
///
/// # Errors
/// It is installed and does not start.
pub(super) fn start(folder: &Path, scratch: &Path, ambient: &Ambient) -> Result<Option<(Process, Target)>> {
    if !folder.join("node_modules/oidc-provider").is_dir() {
        return Ok(None);
    }
    let pki = Pki::open(&scratch.join("peer"), ambient)?;
    let hosts = ["localhost".to_owned()];
    let identity = pki.authority("web")?.issue(("function", "sim"), Purpose::Server, &hosts, ambient)?;
    let (cert, key) = (scratch.join("peer.pem"), scratch.join("peer.key"));
    write_private(&cert, identity.cert_pem.as_bytes())?;
    write_private(&key, identity.key_pem.as_bytes())?;
    let mut command = Command::new("node");
    command.arg("server.mjs").args([cert, key]).current_dir(folder).env("NODE_ENV", "production");
    let mut process = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::null()))?;
    let said = BufReader::new(process.stdout().context("its output")?);
    let port = said.lines().map_while(Result::ok).find_map(|line| line.trim().parse().ok());
    let port = port.context("the peer does not say its port")?;
    Ok(Some((process, Target { port, tls: client_tls(&pki.bundle(), None)? })))
}
