//! `PUT /{aefId}/resources/{resourceId}`: an API exposing function tells of a resource (TR 33.721 6.3.2.1 step 4), and
//! the core function keeps it in the profile of its owner (step 5). What is told again is known already.

use api_types::capif::resource_auth::ResourceAuthInfo;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;

use super::keep::{Keeper, Kept, fault};
use super::version::{Condition, tag};
use super::{PATH, PROCEDURE, of_segment, to_segment};
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `PUT /capif-resource-auth/v1/{aefId}/resources/{resourceId}`
pub(crate) async fn put(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((aef, segment)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(told): JsonBody<ResourceAuthInfo>,
) -> Result<Response, Refusal> {
    let resource = of_segment(&segment);
    if told.resource_id.as_str() != resource {
        return Err(fault("/resourceId", "is not the one of the path"));
    }
    let (server, seen, body) = (ccf.clone(), ctx.clone(), told.clone());
    let condition = Condition::of(&headers);
    let (kept, epoch): (Kept, Option<u64>) = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &seen, &[CertRole::Aef]).await?;
                own(&seen, &party, &aef, "aefId")?;
                let mut kept = Keeper::new(&server, &seen, &party.id).keep(tx, &condition, told).await?;
                let object = format!("resources/{aef}/{resource}");
                let status = if kept.created { 201 } else { 204 };
                let permit = Permit::new("ccf.resource_auth.put").object(object).status(status).units(0);
                ledger::record(tx, &seen, &Actor::peer(seen.peer()), &permit).await?;
                let lost = server.end_tokens(std::mem::take(&mut kept.lost));
                Ok::<_, Refusal>((kept, server.note(tx, lost).await?))
            })
        })
        .await?;
    ccf.events().wake();
    // What was narrowed is narrow everywhere when it is answered.
    ccf.acknowledge(epoch).await?;
    ctx.step(PROCEDURE, "5", "CCF", "CCF", "Keep the resource in the profile of its owner");
    let version = tag(body.policy_version);
    if !kept.created {
        return Ok((StatusCode::NO_CONTENT, [version]).into_response());
    }
    let segment = to_segment(body.resource_id.as_str());
    let location = ccf.at(&format!("{PATH}/{}/resources/{segment}", body.aef_id));
    let mut response = (StatusCode::CREATED, [version], Json(body)).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}
