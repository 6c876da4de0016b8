//! The ready file: what a script needs to know of a running program (contract section 2).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use crate::pki::write_private;

/// Name of the copy that every data directory has of its running program.
pub const READY_NAME: &str = "ready.json";

/// Content of the ready file.
#[derive(Debug, Serialize)]
pub struct Ready {
    /// Version of the program.
    pub version: &'static str,
    /// Process id.
    pub pid: u32,
    /// Data directory.
    pub data: PathBuf,
    /// One bundle that verifies every url.
    pub ca: PathBuf,
    /// Root certificates by purpose.
    pub roots: BTreeMap<String, PathBuf>,
    /// Origin of each listener that runs.
    pub urls: BTreeMap<String, String>,
    /// A certificate of the operator.
    pub admin: KeyFiles,
    /// What the demo made; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<serde_json::Value>,
}

/// Paths of a certificate and its private key.
#[derive(Debug, Clone, Serialize)]
pub struct KeyFiles {
    /// Certificate, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

impl Ready {
    /// Writes the file atomically with mode 0600.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let absolute = std::path::absolute(path)?;
        write_private(&absolute, &text)
    }
}
