//! Structured logs on standard error, one JSON object per line, without secrets or personal data
//! (IMP-26, IMP-42).
//!
//! Types of ours show nothing of a secret in their `Debug`; beneath that, every line passes
//! [`redact()`], whoever wrote it: libraries, errors, a panic.

mod redact;

use std::io::{self, Write};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

pub use redact::{REDACTED, fuzz, redact};

/// Why no log can be written.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is malformed.
    #[error("log filter refused: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Another subscriber is installed in this process.
    #[error("another subscriber of logs is installed in this process")]
    Taken,
}

/// Logs to standard error what `filter` lets through, as `info,service_http=debug`, and turns
/// panics into such lines.
///
/// # Errors
///
/// See [`LoggingError`].
pub fn install(filter: &str) -> Result<(), LoggingError> {
    let subscriber = subscriber(filter, io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LoggingError::Taken)?;
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("panic");
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, panic = text, "panicked");
    }));
    Ok(())
}

/// What [`install`] installs, with another writer.
///
/// # Errors
///
/// [`LoggingError::Filter`].
pub fn subscriber<W>(filter: &str, writer: W) -> Result<impl Subscriber + Send + Sync, LoggingError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    Ok(tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(Redacting(writer))
        .finish())
}

/// A writer of lines that have passed [`redact()`].
#[derive(Clone, Debug)]
pub struct Redacting<W>(pub W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Redacting<W> {
    type Writer = RedactingLine<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingLine { writer: self.0.make_writer(), line: Vec::new() }
    }
}

/// One line; it is written when it is dropped, because half a secret is none to the eye.
#[derive(Debug)]
pub struct RedactingLine<W: Write> {
    writer: W,
    line: Vec<u8>,
}

impl<W: Write> Write for RedactingLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for RedactingLine<W> {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            let line = redact(&String::from_utf8_lossy(&self.line));
            // There is nowhere left to report that standard error is gone.
            let _ = self.writer.write_all(line.as_bytes());
            let _ = self.writer.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn planted_secrets_do_not_reach_the_output() {
        let memory = Memory::default();
        let sink = memory.clone();
        let subscriber = subscriber("trace", move || sink.clone()).expect("subscriber");
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXBsYW50ZWQ";
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(token, password = "planted-pw", "login of msisdn-4915112345678");
            tracing::warn!("header authorization: Bearer planted-bearer");
            tracing::error!(body = "grant_type=password&password=planted%2Cform&x=1", "form");
            tracing::debug!(json = r#"{"client_secret":"planted\"quoted","ok":1}"#, "nested");
            tracing::info!(status = 404, operation = "GetAnchorsList", "kept as it is");
        });
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).expect("text");
        for planted in ["planted", "eyJ", "4915112345678", "quoted"] {
            assert!(!text.contains(planted), "{planted} in {text}");
        }
        assert!(text.contains("GetAnchorsList") && text.contains("404"), "{text}");
        assert!(text.contains(REDACTED));
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("still JSON");
            assert!(line.get("level").is_some());
        }
    }
}
