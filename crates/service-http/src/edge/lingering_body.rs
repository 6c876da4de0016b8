//! What is left of a request body when it was answered before it was read.
//!
//! Closing an HTTP/1.1 connection on bytes that nobody read makes the kernel reset it, and the peer
//! may lose the answer (RFC 9112 9.6). So the rest is thrown away first, within bounds. HTTP/2 has
//! RST_STREAM for that.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::EdgeLimits;
use crate::body::BodyFault;

/// A body that is read to its end when it is dropped.
pub(super) struct LingeringBody<B>
where
    B: Body<Data = Bytes, Error = BodyFault> + Send + Unpin + 'static,
{
    body: Option<B>,
    bytes: usize,
    time: Duration,
}

impl<B> LingeringBody<B>
where
    B: Body<Data = Bytes, Error = BodyFault> + Send + Unpin + 'static,
{
    pub(super) fn new(body: B, limits: &EdgeLimits) -> Self {
        Self { body: Some(body), bytes: limits.linger_bytes, time: limits.linger }
    }
}

impl<B> Body for LingeringBody<B>
where
    B: Body<Data = Bytes, Error = BodyFault> + Send + Unpin + 'static,
{
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None; // over, or cut: nothing to wait for
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> Drop for LingeringBody<B>
where
    B: Body<Data = Bytes, Error = BodyFault> + Send + Unpin + 'static,
{
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        // Outside of a runtime there is no connection either.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(self.time, discard(body, self.bytes)));
        }
    }
}

async fn discard<B>(mut body: B, bytes: usize)
where
    B: Body<Data = Bytes, Error = BodyFault> + Unpin,
{
    let mut left = bytes;
    while let Some(Ok(frame)) = body.frame().await {
        let came = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(came) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
