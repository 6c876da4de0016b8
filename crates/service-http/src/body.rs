//! Request bodies: how large they may be and what goes wrong while they come.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use api_types::problem::Cause;
use authorization::Reason;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

use crate::refusal::Refusal;

/// What goes wrong while a body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// It is larger than the route takes.
    #[error("the body is too large")]
    TooLarge,
    /// It comes too slowly, or not at all.
    #[error("the body comes too slowly")]
    TooSlow,
    /// The connection or the stream broke.
    #[error("the body broke off")]
    Broken,
}

impl BodyFault {
    /// The fault behind an error of a body, through whatever wraps it.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return *fault;
            }
            next = error.source();
        }
        Self::Broken
    }
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::open(Reason::TooLarge),
            // RFC 9110 15.5.9.
            BodyFault::TooSlow => Self::open(Reason::BodyMalformed).answered(408, Cause::InvalidMsgFormat),
            BodyFault::Broken => Self::open(Reason::BodyMalformed),
        }
    }
}

/// Refuses a body that announces more than `limit` bytes, before one of them is read.
///
/// # Errors
///
/// [`BodyFault::TooLarge`].
pub fn check_announced(headers: &HeaderMap, limit: usize) -> Result<(), BodyFault> {
    // hyper has refused lengths that are no numbers or contradict each other.
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<u64>().ok());
    match announced {
        Some(bytes) if bytes > limit as u64 => Err(BodyFault::TooLarge),
        _ => Ok(()),
    }
}

/// `body`, which fails once it has brought more than `limit` bytes.
pub fn limited(body: Body, limit: usize) -> Body {
    Body::new(LimitedBody { body, left: limit })
}

/// All of a body, at most `limit` bytes.
///
/// # Errors
///
/// The fault of the body.
pub async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyFault> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyFault::of(&error))?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers say nothing here
        };
        if all.len() + data.len() > limit {
            return Err(BodyFault::TooLarge);
        }
        all.extend_from_slice(&data);
    }
    Ok(all.freeze())
}

struct LimitedBody {
    body: Body,
    left: usize,
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = self.left.checked_sub(bytes) else {
            self.left = 0;
            return Poll::Ready(Some(Err(BodyFault::TooLarge.into())));
        };
        self.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit() {
        for (size, fits) in [(0, true), (7, true), (8, true), (9, false)] {
            let body = limited(Body::from(vec![0_u8; size]), 8);
            let got = collect(body, 100).await.map(|b| b.len());
            assert_eq!(got, if fits { Ok(size) } else { Err(BodyFault::TooLarge) }, "{size}");
            let got = collect(Body::from(vec![0_u8; size]), 8).await.map(|b| b.len());
            assert_eq!(got, if fits { Ok(size) } else { Err(BodyFault::TooLarge) }, "{size}");
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, size.into());
            assert_eq!(check_announced(&headers, 8).is_ok(), fits, "{size}");
        }
        assert_eq!(check_announced(&HeaderMap::new(), 0), Ok(()));
    }
}
