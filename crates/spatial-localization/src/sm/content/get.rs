//! Read the payload of a map: GET and HEAD `/ssm-smm/v1/spatial-maps/{spatialMapId}/content`.

use std::sync::Arc;

use api_types::problem::Cause;
use authorization::Reason;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger;
use service_http::refusal::Refusal;
use store::blobs::BlobDigest;
use store::maps::Content;

use super::collect::blocking;
use super::digest;
use super::headers::REPR_DIGEST;
use super::range::{self, Selected};
use super::stream::{self, Sending, Settle};
use crate::shared::etag::{self, EntityTag};
use crate::shared::input::PathId;
use crate::sm::SmServer;
use crate::sm::access::{self, Seen};
use crate::sm::steps;

/// GET.
pub(in crate::sm) async fn get_content(
    State(sm): State<SmServer>,
    PathId(map_id): PathId,
    Authorized(call): Authorized,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (seen, content, tag) = payload(&sm, &call, &map_id).await?;
    etag::check_if_match(&headers, std::slice::from_ref(&tag))?;
    if etag::is_not_modified(&headers, &tag) {
        return not_modified(&sm, &call, &seen, &tag).await;
    }
    let selected = select(&headers, &tag, content.length);
    let status = match selected {
        Selected::Whole => StatusCode::OK,
        Selected::Part { .. } => StatusCode::PARTIAL_CONTENT,
        Selected::Unsatisfiable => return Ok(unsatisfiable(content.length)),
    };
    let (offset, length) = selected.span(content.length);
    // The payload is opened before anything is permitted: a missing file is a fault of ours, not a served unit.
    let (blobs, digest) = (sm.blobs().clone(), BlobDigest(content.sha256));
    let reader = blocking(move || Ok(blobs.reader(&digest)?)).await?;

    // Reserved before the first octet, settled when the last one has gone (design, section 2).
    let charged = call.ctx.ambient().random_id();
    let permit = seen.permit(access::READ_CONTENT, status).bytes(length).reserved(charged.clone());
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "Spatial map payload");

    let looked = call.ctx.ambient().monotonic();
    let settle = Settle { store: sm.store().clone(), id: charged, sent: 0, whole: length == 0 };
    let sending = Sending {
        sm,
        call,
        map_id,
        sha256: content.sha256,
        reader: Arc::new(reader),
        offset,
        left: length,
        looked,
        settle,
    };
    let mut response = described(&content, &tag, selected, stream::body(sending));
    *response.status_mut() = status;
    Ok(response)
}

/// HEAD: what GET would answer without `Range`, and no octet of it.
pub(in crate::sm) async fn head_content(
    State(sm): State<SmServer>,
    PathId(map_id): PathId,
    Authorized(call): Authorized,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (seen, content, tag) = payload(&sm, &call, &map_id).await?;
    etag::check_if_match(&headers, std::slice::from_ref(&tag))?;
    if etag::is_not_modified(&headers, &tag) {
        return not_modified(&sm, &call, &seen, &tag).await;
    }
    let permit = seen.permit(access::READ_CONTENT, StatusCode::OK);
    ledger::permit_read(sm.store(), &call, permit).await?;
    Ok(described(&content, &tag, Selected::Whole, Body::empty()))
}

async fn payload(sm: &SmServer, call: &Call, map_id: &str) -> Result<(Seen, Content, EntityTag), Refusal> {
    let seen = access::read(sm, call, map_id, access::READ_CONTENT).await?;
    let content = seen.row.content.clone().ok_or_else(|| Refusal::open(Reason::NotFound))?;
    let tag = EntityTag::of_content(&content.sha256);
    Ok((seen, content, tag))
}

/// 304 delivers nothing: it is audited, and not charged.
async fn not_modified(sm: &SmServer, call: &Call, seen: &Seen, tag: &EntityTag) -> Result<Response, Refusal> {
    let permit = seen.permit(access::READ_CONTENT, StatusCode::NOT_MODIFIED).units(0);
    ledger::permit_read(sm.store(), call, permit).await?;
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    insert(&mut response, ETAG, tag.header());
    Ok(response)
}

/// `If-Range` that names another payload makes the whole of this one the answer (RFC 9110 13.1.5).
fn select(headers: &HeaderMap, tag: &EntityTag, length: u64) -> Selected {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(RANGE), text(IF_RANGE)) {
        (None, _) => Selected::Whole,
        (Some(_), Some(condition)) if !tag.is_range_of(condition) => Selected::Whole,
        (Some(range), _) => range::select(range, length),
    }
}

/// 416 with the length, so that the reader can ask again.
fn unsatisfiable(length: u64) -> Response {
    let refusal = Refusal::open(Reason::InputRefused).answered(416, Cause::InvalidMsgFormat);
    let mut response = refusal.into_response();
    insert(&mut response, CONTENT_RANGE, format!("bytes */{length}"));
    response
}

fn described(content: &Content, tag: &EntityTag, selected: Selected, body: Body) -> Response {
    let mut response = Response::new(body);
    let (_, length) = selected.span(content.length);
    insert(&mut response, CONTENT_TYPE, content.media_type.clone());
    insert(&mut response, CONTENT_LENGTH, length.to_string());
    insert(&mut response, ETAG, tag.header());
    insert(&mut response, REPR_DIGEST, digest::field(&content.sha256));
    insert(&mut response, ACCEPT_RANGES, "bytes".to_owned());
    // Opaque octets of a stranger are saved, never shown by a browser.
    insert(&mut response, CONTENT_DISPOSITION, "attachment".to_owned());
    if let Selected::Part { first, last } = selected {
        insert(&mut response, CONTENT_RANGE, format!("bytes {first}-{last}/{}", content.length));
    }
    response
}

fn insert(response: &mut Response, name: HeaderName, value: String) {
    // Digits, base64 and the media types of our own list are always a header value.
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}
