//! A request body that must come at a certain pace.
//!
//! Only time spent waiting for the peer counts: a handler that is slow to read costs it nothing.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::EdgeLimits;
use crate::body::BodyFault;

/// Wraps a body of bytes from the peer.
pub struct PacedBody<B> {
    body: B,
    silence: Duration,
    window: Duration,
    bytes_per_window: u64,
    /// When the present wait began.
    waiting: Option<Instant>,
    /// Time waited in this window.
    waited: Duration,
    /// Bytes that came in this window.
    came: u64,
    timer: Option<Pin<Box<Sleep>>>,
    cut: bool,
}

impl<B> PacedBody<B> {
    /// `body` at the pace that `limits` ask for.
    pub fn new(body: B, limits: &EdgeLimits) -> Self {
        Self {
            body,
            silence: limits.body_silence,
            window: limits.body_window,
            bytes_per_window: limits.body_bytes_per_window,
            waiting: None,
            waited: Duration::ZERO,
            came: 0,
            timer: None,
            cut: false,
        }
    }

    /// Ends the present wait; whether the pace was kept.
    fn arrived(&mut self, now: Instant, bytes: u64) -> bool {
        if let Some(since) = self.waiting.take() {
            self.waited += now.saturating_duration_since(since);
        }
        self.came = self.came.saturating_add(bytes);
        if self.waited < self.window {
            return true;
        }
        let kept = self.came >= self.bytes_per_window;
        self.waited = Duration::ZERO;
        self.came = 0;
        kept
    }

    /// Waits on; whether there is still time.
    fn still_time(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        let since = *self.waiting.get_or_insert(now);
        let left_of_window = self.window.saturating_sub(self.waited);
        let until = if self.came >= self.bytes_per_window {
            since + self.silence
        } else {
            since + self.silence.min(left_of_window)
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx).is_pending()
    }
}

impl<B> Body for PacedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = &mut *self;
        if this.cut {
            return Poll::Ready(None);
        }
        let fault = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(_))) => BodyFault::Broken,
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                if this.arrived(Instant::now(), bytes as u64) {
                    return Poll::Ready(Some(Ok(frame)));
                }
                BodyFault::TooSlow
            }
            Poll::Pending if this.still_time(cx) => return Poll::Pending,
            Poll::Pending => BodyFault::TooSlow,
        };
        this.cut = true;
        Poll::Ready(Some(Err(fault)))
    }

    fn is_end_stream(&self) -> bool {
        self.cut || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::collections::VecDeque;

    /// Gives each chunk after its pause.
    struct Drip(VecDeque<(u64, usize)>, Option<Pin<Box<Sleep>>>);

    impl Body for Drip {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            let Some((pause, size)) = self.0.front().copied() else {
                return Poll::Ready(None);
            };
            let until = Instant::now() + Duration::from_millis(pause);
            let timer = self.1.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.1 = None;
            self.0.pop_front();
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; size])))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_keeps_its_pace_or_is_cut() {
        let limits = EdgeLimits {
            body_silence: Duration::from_millis(300),
            body_window: Duration::from_millis(1_000),
            body_bytes_per_window: 100,
            ..EdgeLimits::default()
        };
        type Chunks = Vec<(u64, usize)>;
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Chunks, bool); 6] = [
            ("all at once",              vec![(0, 50)], true),
            ("short, in one window",     vec![(250, 1), (250, 1), (250, 1)], true),
            ("silent for too long",      vec![(301, 100)], false),
            ("silent just long enough",  vec![(299, 100)], true),
            ("a byte now and then",      vec![(200, 1); 20], false),
            ("slow, but fast enough",    vec![(200, 25); 20], true),
        ];
        for (what, chunks, kept) in rows {
            let body = PacedBody::new(Drip(chunks.into(), None), &limits);
            let got = body.collect().await.map(|_| ());
            let want = if kept { Ok(()) } else { Err(BodyFault::TooSlow) };
            assert_eq!(got, want, "{what}");
        }
    }
}
