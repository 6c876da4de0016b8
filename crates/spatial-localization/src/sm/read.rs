//! Read a spatial map: GET `/ssm-smm/v1/spatial-maps/{spatialMapId}`, and GET `/ssm-smm/v1/spatial-maps` by query
//! (TS 29.437, TS 23.437 9.3.3; TR 33.721 6.1.2, figure 6.1.2-2).

use api_types::query::Query;
use api_types::sm::{AugmentLayerList, SpatialMapLayers, SpatialMapRetResp};
use authorization::Reason;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use service_http::call::{Authorized, Call};
use service_http::ledger;
use service_http::refusal::Refusal;
use store::StoreError;

use crate::shared::etag::{self, EntityTag};
use crate::shared::input::{self, PathId};
use crate::sm::access::{self, Seen};
use crate::sm::view::{self, Reader};
use crate::sm::{SmServer, embed, steps};

const JSON: &str = "application/json";

/// GET of one map.
pub(super) async fn read_spatial_map(
    State(sm): State<SmServer>,
    PathId(map_id): PathId,
    Authorized(call): Authorized,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let features = input::features(&input::query(query.as_deref())?)?;
    let seen = access::read(&sm, &call, &map_id, access::READ).await?;
    let reader = Reader { owner: seen.grant.owner, features };
    let mut shown = view::shown(&seen.visible(), reader);
    let mut tag = view::tag(&shown, reader, seen.row.version);
    if let Some(ids) = embed::into_map(&sm, &call, &seen, &mut shown).await {
        tag = tag.embedding(ids.join(",").as_bytes());
    }
    if etag::is_not_modified(&headers, &tag) {
        return not_modified(&sm, &call, &seen, &tag).await;
    }
    let body = represented(&shown)?;
    served(&sm, &call, &seen, body.len()).await?;
    Ok((StatusCode::OK, [(ETAG, tag.header()), (CONTENT_TYPE, JSON.to_owned())], body).into_response())
}

/// GET by query: `svc-id` and `map-id` name the map, `map-layer-list` the layers, `aug-with` what is added.
pub(super) async fn retrieve_spatial_map(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = input::query(query.as_deref())?;
    let features = input::features(&query)?;
    let bad = input::bad_parameter;
    let svc_id = Query::required("svc-id", query.text("svc-id").map_err(bad)?).map_err(bad)?;
    let map_id = Query::required("map-id", query.integer("map-id").map_err(bad)?).map_err(bad)?;
    let layers: Option<SpatialMapLayers> = query.valid("map-layer-list").map_err(input::bad_query)?;
    let wanted: Option<AugmentLayerList> = query.valid("aug-with").map_err(input::bad_query)?;

    let seen = access::read(&sm, &call, &map_id.to_string(), access::READ).await?;
    if seen.row.service_id != svc_id {
        return Err(Refusal::open(Reason::NotFound));
    }
    let mut shown = view::shown(&seen.visible(), Reader { owner: seen.grant.owner, features });
    if let Some(layers) = &layers
        && !view::keep_layers(&mut shown, layers)
    {
        return Err(Refusal::open(Reason::NotFound));
    }
    let wanted = wanted.map(|wanted| wanted.aug_lyrs).unwrap_or_default();
    let aug_lyr_inf = embed::asked(&sm, &call, &seen, &wanted).await?;
    let answer = SpatialMapRetResp { svc_id: shown.svc_id, map_inf: shown.sm_prof, aug_lyr_inf };
    let body = represented(&answer)?;
    served(&sm, &call, &seen, body.len()).await?;
    Ok((StatusCode::OK, [(CONTENT_TYPE, JSON)], body).into_response())
}

fn represented(answer: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(answer).map_err(|_| StoreError::Damaged("a map cannot be written"))
}

async fn served(sm: &SmServer, call: &Call, seen: &Seen, octets: usize) -> Result<(), Refusal> {
    let permit = seen.permit(access::READ, StatusCode::OK).bytes(octets as u64);
    ledger::permit_read(sm.store(), call, permit).await?;
    steps::granted(call, "Spatial map information");
    Ok(())
}

/// 304 delivers nothing: it is audited, and not charged.
async fn not_modified(sm: &SmServer, call: &Call, seen: &Seen, tag: &EntityTag) -> Result<Response, Refusal> {
    let permit = seen.permit(access::READ, StatusCode::NOT_MODIFIED).units(0);
    ledger::permit_read(sm.store(), call, permit).await?;
    Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag.header())]).into_response())
}
