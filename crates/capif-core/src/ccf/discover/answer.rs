//! Lists of descriptions as JSON, put together of what is JSON already.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

/// A longer body is sent piece by piece, and never stands in memory as a whole. Own value, in bytes.
const WHOLE_MAX: usize = 64 * 1024;

/// JSON in pieces.
#[derive(Debug)]
pub(crate) struct Json {
    pieces: Vec<Bytes>,
}

impl Json {
    /// The items between `before` and `after`, separated by commas.
    pub(crate) fn list(before: &'static str, items: impl IntoIterator<Item = Bytes>, after: String) -> Self {
        let mut pieces = vec![Bytes::from_static(before.as_bytes())];
        for item in items {
            if pieces.len() > 1 {
                pieces.push(Bytes::from_static(b","));
            }
            pieces.push(item);
        }
        pieces.push(after.into());
        Self { pieces }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let body = if self.len() <= WHOLE_MAX {
            Body::from(self.pieces.concat())
        } else {
            Body::from_stream(stream::iter(self.pieces.into_iter().map(Ok::<_, std::convert::Infallible>)))
        };
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn a_list_is_one_json_text_whole_or_in_pieces() {
        for (item, many) in [("{}", 0), ("{}", 1), ("{\"a\":1}", 3), ("{\"a\":1}", 20_000)] {
            let items = std::iter::repeat_n(Bytes::from_static(item.as_bytes()), many);
            let json = Json::list("{\"list\":[", items, "]}".to_owned());
            let announced = json.len();
            let bytes = to_bytes(json.into_response().into_body(), usize::MAX).await.unwrap();
            assert_eq!(bytes.len(), announced);
            let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(read["list"].as_array().unwrap().len(), many);
        }
    }
}
