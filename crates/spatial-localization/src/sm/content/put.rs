//! Upload the payload of a map: PUT `/ssm-smm/v1/spatial-maps/{spatialMapId}/content`.

use authorization::{Principal, Reason};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger;
use service_http::refusal::Refusal;
use store::maps::{self, Content, SetContent};

use super::digest;
use super::headers::{Announced, REPR_DIGEST, announced};
use super::upload::{self, Uploaded};
use crate::shared::etag::{self, EntityTag};
use crate::shared::input::PathId;
use crate::sm::SmServer;
use crate::sm::access::{self, Seen};

/// PUT. The owner alone; 201 for the first payload, 204 for another one.
pub(in crate::sm) async fn put_content(
    State(sm): State<SmServer>,
    PathId(map_id): PathId,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body): (_, Body) = request.into_parts();
    // Everything that can be refused is refused before the first octet is kept.
    let seen = access::read(&sm, &call, &map_id, access::WRITE_CONTENT).await?;
    seen.owner_only()?;
    let announced = announced(&parts.headers)?;
    check_conditions(&parts.headers, &seen)?;
    let most = room(&sm, &seen).await?;
    if announced.length.is_some_and(|length| length > most) {
        return Err(Refusal::open(Reason::TooLarge));
    }
    let owner = Principal { issuer: seen.row.owner_issuer.clone(), subject: seen.row.owner_subject.clone() };
    let slot = sm.uploads().begin(&owner)?;
    let uploaded = upload::receive(sm.blobs(), call.ctx.ambient(), body, most, announced.sha256).await?;
    drop(slot);

    // What follows ends as a whole, also when the sender goes away meanwhile.
    let ends = tokio::spawn(name_it(sm, call, map_id, parts.headers, announced, uploaded));
    ends.await.unwrap_or_else(|_| Err(Refusal::open(Reason::StoreFailed)))
}

/// Octets that the owner may still have in this map: what it has now is given back.
async fn room(sm: &SmServer, seen: &Seen) -> Result<u64, Refusal> {
    let (issuer, subject) = (seen.row.owner_issuer.clone(), seen.row.owner_subject.clone());
    let used = sm
        .store()
        .read(move |tx| Box::pin(async move { maps::content::usage(tx, &issuer, &subject).await }))
        .await?;
    let others = used.saturating_sub(seen.row.content.as_ref().map_or(0, |content| content.length));
    let limits = sm.limits();
    Ok(limits.owner_octets.saturating_sub(others).min(limits.content_octets))
}

async fn name_it(
    sm: SmServer,
    call: Call,
    map_id: String,
    headers: HeaderMap,
    announced: Announced,
    uploaded: Uploaded,
) -> Result<Response, Refusal> {
    let collector = sm.collector();
    let naming = collector.naming().await;
    // The octets first, the row second.
    let stored = uploaded.keep().await?;
    let content =
        Content { sha256: stored.digest.0, media_type: announced.media_type.to_owned(), length: stored.len };
    let (job, new) = (sm.clone(), content.clone());
    let set: Result<Option<Content>, Refusal> = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let seen = access::locked(tx, &job, &call, &map_id, access::WRITE_CONTENT).await?;
                seen.owner_only()?;
                check_conditions(&headers, &seen)?;
                let quota = job.limits().owner_octets;
                let before = match maps::content::set(tx, &seen.row, &new, quota).await? {
                    SetContent::Done(before) => before,
                    SetContent::OverQuota => return Err(Refusal::open(Reason::TooLarge)),
                };
                let status = if before.is_some() { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
                let permit = seen.permit(access::WRITE_CONTENT, status).bytes(new.length);
                ledger::permit(tx, &call, &permit).await?;
                Ok(before)
            })
        })
        .await;
    drop(naming);
    match set {
        Ok(before) => {
            let first = before.is_none();
            if let Some(before) = before.filter(|before| before.sha256 != content.sha256) {
                collector.collect_quietly(before.sha256).await;
            }
            Ok(answer(&content, first))
        }
        Err(refusal) => {
            collector.collect_quietly(content.sha256).await;
            Err(refusal)
        }
    }
}

fn answer(content: &Content, first: bool) -> Response {
    let tag = EntityTag::of_content(&content.sha256).header();
    let described = [(ETAG, tag), (REPR_DIGEST, digest::field(&content.sha256))];
    match first {
        true => (StatusCode::CREATED, described).into_response(),
        false => (StatusCode::NO_CONTENT, described).into_response(),
    }
}

/// `If-Match` and `If-None-Match` of a change (RFC 9110 13.1): of the payload, not of the map.
fn check_conditions(headers: &HeaderMap, seen: &Seen) -> Result<(), Refusal> {
    let current = seen.row.content.as_ref().map(|content| EntityTag::of_content(&content.sha256));
    etag::check_if_match(headers, current.as_slice())?;
    match current {
        Some(tag) if etag::is_not_modified(headers, &tag) => Err(Refusal::open(Reason::StaleVersion)),
        _ => Ok(()),
    }
}
