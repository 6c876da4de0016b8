//! Change a spatial map: PUT and PATCH `/ssm-smm/v1/spatial-maps/{spatialMapId}` (TS 29.437).
//!
//! The owner changes anything but service information of others; a VAL server that the rules list changes its own service
//! information by PATCH, and nothing else (contract, section 7).

use api_types::sm::SpatialMap;
use authorization::{Reason, access_rules};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use service_http::call::{Authorized, Call};
use service_http::ledger;
use service_http::refusal::Refusal;
use store::Sql;
use store::maps::{self, Changed};

use crate::shared::etag;
use crate::shared::input::{self, PathId, refused};
use crate::shared::supp_feat::SuppFeat;
use crate::sm::access::{self, Seen};
use crate::sm::change::Change;
use crate::sm::input::strip;
use crate::sm::record::Draft;
use crate::sm::view::{self, Reader};
use crate::sm::{MAP_KEPT, SmServer, publish, steps, subscriptions};

/// PUT.
pub(super) async fn replace_spatial_map(
    State(sm): State<SmServer>,
    PathId(map_id): PathId,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let input = input::read(request, input::JSON, strip).await?;
    let map: SpatialMap = input::typed(input.body)?;
    changed(sm, call, map_id, input.headers, input.features, Change::Whole(Box::new(map))).await
}

/// PATCH.
pub(super) async fn modify_spatial_map(
    State(sm): State<SmServer>,
    PathId(map_id): PathId,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let input = input::read(request, input::PATCH, strip).await?;
    changed(sm, call, map_id, input.headers, input.features, Change::Patch(input.body)).await
}

/// The map after the change, and how it is read.
struct Written {
    map: SpatialMap,
    version: u64,
    owner: bool,
}

/// Makes a change and answers with the map.
///
/// # Errors
/// The stage that refuses.
pub(super) async fn changed(
    sm: SmServer,
    call: Call,
    map_id: String,
    headers: HeaderMap,
    features: SuppFeat,
    change: Change,
) -> Result<Response, Refusal> {
    // Who may not change it at all is told so before the writer is troubled.
    check_role(&access::read(&sm, &call, &map_id, access::UPDATE).await?, &call, &change)?;

    let (job, by) = (sm.clone(), call.clone());
    let written: Written = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let seen = access::locked(tx, &job, &by, &map_id, access::UPDATE).await?;
                check_role(&seen, &by, &change)?;
                check_if_match(&headers, &seen)?;
                write(tx, &job, &by, &seen, features, &change).await
            })
        })
        .await?;
    sm.wake_notifier();
    sm.wake_publisher();
    steps::granted(&call, "Spatial map information");
    let reader = Reader { owner: written.owner, features };
    let shown = view::shown(&written.map, reader);
    let tag = view::tag(&shown, reader, written.version).header();
    Ok((StatusCode::OK, [(ETAG, tag)], Json(shown)).into_response())
}

/// The owner, or a listed VAL server with a patch.
fn check_role(seen: &Seen, call: &Call, change: &Change) -> Result<(), Refusal> {
    let listed = || access_rules::lists_server(&call.caller, &access::item(&seen.row, &seen.map));
    if seen.grant.owner || (change.is_patch() && listed()) {
        Ok(())
    } else {
        Err(Refusal::open(Reason::NotOwner))
    }
}

async fn write(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    seen: &Seen,
    features: SuppFeat,
    change: &Change,
) -> Result<Written, Refusal> {
    let map = change.of(seen, call, features)?;
    // A map that moves to another VAL service is held to the rules about that one.
    let service = map.svc_id.as_ref().map(|id| id.as_str());
    access::around(tx, sm, call).await?.check_action(call, access::UPDATE.action(), service)?;
    let draft = Draft::of(&map, (&seen.owner(), seen.row.sync), call.ctx.ambient(), sm.limits().area_m2);
    let row = draft.map_err(refused)?.classed(tx).await?;
    // A patch is small, and what it makes of a map need not be.
    if row.body.len() > MAP_KEPT.max(seen.row.body.len()) {
        return Err(Refusal::open(Reason::TooLarge));
    }
    let Changed::To(version) = maps::record::replace(tx, &row, seen.row.version).await? else {
        return Err(Refusal::open(Reason::StaleVersion));
    };
    if row.class_id != seen.row.class_id {
        maps::classes::purge(tx, seen.row.class_id).await?;
    }
    publish::changed(sm, tx, seen.row.map_id).await?;
    let trace = call.ctx.trace().trace.to_string();
    subscriptions::note_change(tx, call.ctx.ambient(), trace, &seen.map, &map).await?;
    ledger::permit(tx, call, &seen.permit(access::UPDATE, StatusCode::OK)).await?;
    let shown = Seen { map, ..seen.clone() }.visible();
    Ok(Written { map: shown, version, owner: seen.grant.owner })
}

/// `If-Match` of a change: the map must be as this caller read it, whichever features it was read with.
pub(super) fn check_if_match(headers: &HeaderMap, seen: &Seen) -> Result<(), Refusal> {
    let tags = [None, Some("1")].map(|bits| {
        let features = SuppFeat::parse(bits).unwrap_or_default();
        let reader = Reader { owner: seen.grant.owner, features };
        view::tag(&view::shown(&seen.visible(), reader), reader, seen.row.version)
    });
    etag::check_if_match(headers, &tags)
}
