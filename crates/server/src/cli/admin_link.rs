//! The way from the command line to a running program: its ready file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use sdk::{AdminClient, HttpsClient, Identity};
use serde_json::Value;

use super::arguments::Common;
use crate::ready::READY_NAME;

/// A running program, as its ready file describes it.
pub struct AdminLink {
    /// Client of its admin API, as the operator.
    pub client: AdminClient,
    /// The ready file.
    pub ready: Value,
}

impl AdminLink {
    /// Finds the program by `--ready`, or by the ready file in its data directory.
    ///
    /// # Errors
    /// When there is no such file or it is not one.
    pub fn open(common: &Common) -> Result<Self> {
        let path = ready_path(common);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "no running program found: {} cannot be read; name its ready file with --ready",
                path.display()
            )
        })?;
        let ready: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is not a ready file", path.display()))?;
        let file = |pointer: &str| -> Result<String> {
            let path = ready.pointer(pointer).and_then(Value::as_str);
            let path = path.ok_or_else(|| anyhow!("the ready file has no {pointer}"))?;
            std::fs::read_to_string(path).with_context(|| format!("reading {path}"))
        };
        let identity = Identity { cert_pem: file("/admin/cert")?, key_pem: file("/admin/key")? };
        let http = HttpsClient::new(&file("/ca")?, Some(&identity))?;
        let origin = ready.pointer("/urls/admin").and_then(Value::as_str);
        let origin = origin.ok_or_else(|| anyhow!("the program has no admin url"))?;
        Ok(Self { client: AdminClient::new(http, origin)?, ready })
    }
}

fn ready_path(common: &Common) -> PathBuf {
    common.ready.clone().unwrap_or_else(|| data_path(common).join(READY_NAME))
}

/// The data directory that a command is about.
pub(super) fn data_path(common: &Common) -> PathBuf {
    common.data.clone().unwrap_or_else(|| Path::new("metaseal-data").to_path_buf())
}
