//! Delete a spatial map: DELETE `/ssm-smm/v1/spatial-maps/{spatialMapId}` (TS 29.437). The owner alone.

use authorization::Reason;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use service_http::call::Authorized;
use service_http::ledger;
use service_http::refusal::Refusal;
use store::maps::{self, MapRow};

use crate::shared::input::PathId;
use crate::sm::{SmServer, access, publish, steps, update};

/// DELETE. The payload goes with the map, unless another map has the same; the number is never given again.
pub(super) async fn delete_spatial_map(
    State(sm): State<SmServer>,
    PathId(map_id): PathId,
    Authorized(call): Authorized,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    access::read(&sm, &call, &map_id, access::DELETE).await?.owner_only()?;

    let (job, by) = (sm.clone(), call.clone());
    let gone: MapRow = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let seen = access::locked(tx, &job, &by, &map_id, access::DELETE).await?;
                seen.owner_only()?;
                update::check_if_match(&headers, &seen)?;
                if !maps::record::delete(tx, &seen.row).await? {
                    return Err(Refusal::open(Reason::StaleVersion));
                }
                maps::classes::purge(tx, seen.row.class_id).await?;
                publish::deleted(&job, tx, seen.row.map_id).await?;
                ledger::permit(tx, &by, &seen.permit(access::DELETE, StatusCode::NO_CONTENT)).await?;
                Ok(seen.row)
            })
        })
        .await?;
    sm.wake_publisher();
    steps::granted(&call, "Spatial map deleted");
    // The row first: what remains after a crash is an orphan, which the next start removes.
    if let Some(content) = gone.content {
        sm.collector().collect_quietly(content.sha256).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
