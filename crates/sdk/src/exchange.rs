//! What goes over the wire, for whoever wants to hold it against a specification. Headers are left out: they carry
//! tokens.

use bytes::Bytes;

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// HTTP method.
    pub method: String,
    /// Where it was sent.
    pub url: String,
    /// Body that was sent; empty if none.
    pub request: Bytes,
    /// HTTP status.
    pub status: u16,
    /// `Content-Type` of the answer.
    pub media_type: Option<String>,
    /// Body of the answer.
    pub response: Bytes,
}

/// Sees every exchange of a client.
pub trait Recorder: Send + Sync {
    /// Called when the answer was read whole.
    fn record(&self, exchange: &Exchange);
}
