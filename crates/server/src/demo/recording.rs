//! Every exchange of a run as JSON lines, for a check against the published documents.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use sdk::{Recorder, WireExchange};
use serde_json::{Value, json};

/// Writes exchanges with JSON bodies; forms and tokens of the SIM-S are left out.
pub struct Recording {
    out: Mutex<BufWriter<File>>,
}

impl Recording {
    /// A recording in a new file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path) -> Result<Arc<Self>> {
        let file = File::create(path).with_context(|| format!("recording into {}", path.display()))?;
        Ok(Arc::new(Self { out: Mutex::new(BufWriter::new(file)) }))
    }
}

impl Recorder for Recording {
    fn record(&self, exchange: &WireExchange) {
        let is_json = exchange.media_type.as_deref().is_none_or(|media| media.contains("json"));
        if !is_json || exchange.url.contains("/token") {
            return;
        }
        let body = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).unwrap_or_default() };
        let line = json!({
            "method": exchange.method, "url": exchange.url, "status": exchange.status,
            "mediaType": exchange.media_type, "request": body(&exchange.request), "response": body(&exchange.response),
        });
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A recording that cannot be written is no reason to stop the run; it is short then, and the check says so.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
