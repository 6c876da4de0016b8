//! `GET /{aefId}/resources`: what an API exposing function has told of, in pages: by this it finds, after an outage, what the
//! core function does not know and what it should have forgotten.

use api_types::capif::resource_auth::{ResourceAuthPage, ResourceOwner, ResourceType};
use api_types::problem::InvalidParam;
use api_types::query::Query;
use api_types::validate::cause_of;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::StoreError;
use store::capif::resources::{self, ResourceFilter};

use super::PAGE;
use super::record::{info, owner, written};
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// Longest cursor that is looked at, in bytes. Own value: a function and a resource, as JSON in base64.
const MAX_CURSOR: usize = 512;

/// `GET /capif-resource-auth/v1/{aefId}/resources?owner&type&limit&cursor`
pub(crate) async fn list(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(aef): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ResourceAuthPage>, Refusal> {
    let bad = |fault| bad(vec![fault]);
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(bad)?;
    let of = query.json::<ResourceOwner>("owner").map_err(bad)?;
    let kind = query.parsed::<ResourceType>("type").map_err(bad)?;
    let filter = ResourceFilter {
        owner: of.as_ref().map(owner).transpose()?,
        resource_type: kind.map(|kind| kind.as_str().to_owned()),
    };
    let (after, limit) = place::<String>(&query)?;
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = party(tx, &ctx, &[CertRole::Aef]).await?;
                own(&ctx, &party, &aef, "aefId")?;
                let after = after.unwrap_or_default();
                let rows = resources::page(tx, &party.id, &filter, &after, limit).await?;
                let next = match rows.last() {
                    Some(last) if rows.len() == limit as usize => Some(cursor(&last.resource_id)?),
                    _ => None,
                };
                let items = rows.iter().map(info).collect::<Result<_, StoreError>>()?;
                let permit =
                    Permit::new("ccf.resource_auth.list").object(format!("resources/{aef}")).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(Json(ResourceAuthPage { items, next }))
            })
        })
        .await
}

fn bad(faults: Vec<InvalidParam>) -> Refusal {
    Refusal::input(cause_of(&faults), faults)
}

/// Where a page begins, and how long it is.
pub(super) fn place<T: DeserializeOwned>(query: &Query) -> Result<(Option<T>, u32), Refusal> {
    let limit = query.integer("limit").map_err(|fault| bad(vec![fault]))?.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(bad(vec![InvalidParam::new("limit", "is out of range")]));
    }
    let after = query.text("cursor").map_err(|fault| bad(vec![fault]))?.map(|cursor| {
        let bytes = (cursor.len() <= MAX_CURSOR).then(|| URL_SAFE_NO_PAD.decode(cursor).ok()).flatten();
        let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        place.ok_or_else(|| bad(vec![InvalidParam::new("cursor", "is no cursor")]))
    });
    Ok((after.transpose()?, limit))
}

/// The place behind which the next page begins. It tells nothing that the page has not told.
pub(super) fn cursor(place: &impl Serialize) -> Result<String, StoreError> {
    Ok(URL_SAFE_NO_PAD.encode(written(place)?))
}
