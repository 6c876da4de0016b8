//! Octets on their way to a reader, in flat memory; the right to them is looked at again while they flow.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use service_http::call::Call;
use service_http::ledger::Outcome;
use store::blobs::BlobReader;
use store::{Store, StoreError, charging};

use super::collect::blocking;
use crate::sm::SmServer;
use crate::sm::access;

/// How often lease, revocations and the row are looked at again (design, section 2).
const AGAIN: Duration = Duration::from_secs(1);

/// Why an answer ended before its last octet.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the right to the payload has ended")]
    Ended,
    #[error("the payload could not be read")]
    Store(#[from] StoreError),
}

/// What is sent, and to whom.
pub(super) struct Sending {
    pub(super) sm: SmServer,
    pub(super) call: Call,
    pub(super) map_id: String,
    pub(super) sha256: [u8; 32],
    pub(super) reader: Arc<BlobReader>,
    /// The next octet.
    pub(super) offset: u64,
    /// Octets that are still to be sent.
    pub(super) left: u64,
    /// When the right was last looked at, by the monotonic clock.
    pub(super) looked: Duration,
    pub(super) settle: Settle,
}

/// The body that sends it. What was sent is charged when the body ends, however it ends.
pub(super) fn body(sending: Sending) -> Body {
    Body::from_stream(stream::try_unfold(sending, Sending::next))
}

impl Sending {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Cut> {
        if self.left == 0 {
            return Ok(None);
        }
        let now = self.call.ctx.ambient().monotonic();
        if now.saturating_sub(self.looked) >= AGAIN {
            self.look_again().await?;
            self.looked = now;
        }
        let (reader, offset) = (Arc::clone(&self.reader), self.offset);
        let mut octets = blocking(move || Ok(reader.read_at(offset)?)).await?;
        octets.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        if octets.is_empty() {
            return Err(StoreError::Damaged("a payload that is too short").into());
        }
        self.offset += octets.len() as u64;
        self.left -= octets.len() as u64;
        self.settle.sent += octets.len() as u64;
        // Not when the end is asked for: behind a `Content-Length` nobody asks.
        self.settle.whole = self.left == 0;
        Ok(Some((Bytes::from(octets), self)))
    }

    /// Lease, revocations, and the map: still there, still open to this reader, still of this payload.
    async fn look_again(&self) -> Result<(), Cut> {
        let still = match self.call.recheck() {
            Ok(()) => access::read(&self.sm, &self.call, &self.map_id, access::READ_CONTENT).await,
            Err(reason) => Err(reason.into()),
        };
        let same =
            still.is_ok_and(|seen| seen.row.content.is_some_and(|content| content.sha256 == self.sha256));
        if same { Ok(()) } else { Err(Cut::Ended) }
    }
}

/// Gives the charging record its amount when the answer has ended.
pub(super) struct Settle {
    pub(super) store: Store,
    pub(super) id: String,
    pub(super) sent: u64,
    pub(super) whole: bool,
}

impl Drop for Settle {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (store, id, sent) = (self.store.clone(), std::mem::take(&mut self.id), self.sent);
        let outcome = if self.whole { Outcome::Served } else { Outcome::Partial };
        let units = u64::from(self.whole || sent > 0);
        runtime.spawn(async move {
            let settled: Result<bool, StoreError> = store
                .write(move |tx| {
                    Box::pin(async move { charging::settle(tx, &id, units, sent, outcome.as_str()).await })
                })
                .await;
            if let Err(error) = settled {
                tracing::error!(error = %error, "a charging record stays reserved");
            }
        });
    }
}
