//! Maps that are built in the background (TS 23.437 9.3.1.2): kept as ready in one transaction with the callback that
//! says so, once, whichever node does it and however often it was interrupted.

use std::sync::{Arc, Weak};
use std::time::Duration;

use api_types::ids::SpatialMapId;
use api_types::sm::{SpatialMap, SpatialMapsNotif};
use authorization::Principal;
use serde::{Deserialize, Serialize};
use service_http::callback_hosts::{self, HostSource};
use service_http::outbox_driver::Decision;
use store::maps::{self, Building};
use store::outbox::{self, Message};
use store::publications::Sync;
use store::{Sql, Store, StoreError};

use crate::shared::subscriptions::standing::hosts_of;
use crate::sm::record::{Draft, Owner};
use crate::sm::{Inner, SmServer, publish, subscriptions};

/// `kind` of the callback in the outbox, the event of TS 29.437.
pub(super) const READY: &str = "SPATIAL_MAP_READY";

/// Requests that are taken up at once. Own value.
const BATCH: u32 = 16;

/// Longest sleep between two looks; other nodes may have left something. Own value.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What is kept of a request until its map is built.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    map: SpatialMap,
}

impl Kept {
    pub(super) fn of(map: SpatialMap) -> Self {
        Self { map }
    }

    pub(super) fn to_text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|_| StoreError::Damaged("a map cannot be kept"))
    }

    fn from_text(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|_| StoreError::Damaged("a map under construction"))
    }
}

/// Builds what waits, for as long as the server lives.
pub(super) async fn run(server: Weak<Inner>, waker: Waker) {
    while let Some(inner) = server.upgrade() {
        if let Err(error) = round(&SmServer(inner)).await {
            tracing::error!(error = %error, "maps cannot be built");
        }
        tokio::select! {
            () = waker.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Builds what waits now; how many maps came of it. What cannot be built is stepped over and holds up nothing: it is tried
/// again in the next round, in case that a limit has been raised since.
pub(super) async fn round(sm: &SmServer) -> Result<usize, StoreError> {
    let (mut maps, mut after) = (0, None);
    loop {
        let from = after;
        let read =
            sm.store().read(|tx| Box::pin(async move { maps::building::waiting(tx, from, BATCH).await }));
        let waiting = read.await?;
        let full = waiting.len() == BATCH as usize;
        after = waiting.last().map(|last| (last.asked_s, last.asked.map_id));
        maps += build_all(sm, waiting).await;
        if !full {
            return Ok(maps);
        }
    }
}

/// Builds some; how many maps came of it.
async fn build_all(sm: &SmServer, waiting: Vec<Building>) -> usize {
    let mut maps = 0;
    for building in waiting {
        let server = sm.clone();
        let map_id = building.asked.map_id;
        let built: Result<bool, StoreError> =
            sm.store().write(move |tx| Box::pin(async move { build(tx, &server, &building).await })).await;
        match built {
            Ok(true) => {
                maps += 1;
                sm.wake_outbox();
                sm.wake_notifier();
                sm.wake_publisher();
            }
            Ok(false) => {}
            Err(error) => tracing::error!(error = %error, map_id, "a map cannot be built"),
        }
    }
    maps
}

/// Ready, findable and announced, or nothing of it. `false`: another node was first.
async fn build(tx: &mut dyn Sql, sm: &SmServer, building: &Building) -> Result<bool, StoreError> {
    let Some(Building { asked, .. }) = maps::building::finish(tx, building.asked.map_id).await? else {
        return Ok(false);
    };
    let map = Kept::from_text(&asked.request)?.map;
    let principal = Principal::new(asked.owner_issuer.as_str(), asked.owner_subject.as_str());
    let principal_issuer = asked.owner_issuer;
    let owner = Owner { principal, name: asked.owner_name };
    let ambient = &sm.kit().ambient;
    let sync = sm.sync_of(&owner.principal);
    let draft = Draft::of(&map, (&owner, sync), ambient, sm.limits().area_m2);
    // It was built once before the request was accepted; only lowered limits refuse it now.
    let row =
        draft.map_err(|_| StoreError::Damaged("a map that can no longer be built"))?.classed(tx).await?;
    maps::record::insert(tx, &row, ambient.now_s()).await?;
    publish::changed(sm, tx, asked.map_id).await?;
    // Others hear of what is only the owner's when it is no longer.
    if sync != Sync::Pending {
        subscriptions::note_ready(tx, ambient, asked.trace.clone(), SpatialMapId(asked.map_id)).await?;
    }
    let now_ms = ambient.now_ms();
    let body = serde_json::to_string(&SpatialMapsNotif::ready(SpatialMapId(asked.map_id)));
    let message = Message {
        id: format!("{READY}:{}", asked.map_id),
        kind: READY.to_owned(),
        client: hosts_of(sm.kit(), principal_issuer.as_str(), &asked.owner_client),
        target: asked.notif_uri,
        body: body.map_err(|_| StoreError::Damaged("a notification"))?,
        trace: asked.trace,
        queued_ms: now_ms,
        due_ms: now_ms,
    };
    outbox::queue(tx, &message).await?;
    Ok(true)
}

/// Whether the callback of a new map still goes: a map that was deleted meanwhile is not announced.
pub(super) async fn decide(
    store: &Store,
    hosts: &dyn HostSource,
    message: &Message,
) -> Result<Decision, StoreError> {
    let map_id = message.id.strip_prefix(READY).and_then(|rest| rest.strip_prefix(':'));
    let Some(map_id) = map_id.and_then(|id| id.parse().ok()) else { return Ok(Decision::Drop) };
    let read = store.read(move |tx| Box::pin(async move { maps::record::by_id(tx, map_id).await }));
    if read.await?.is_none() {
        return Ok(Decision::Drop);
    }
    Ok(match callback_hosts::hosts_for(hosts, &message.client, &message.target).await {
        Ok(Some(hosts)) => Decision::Send { hosts, body: message.body.clone() },
        Ok(None) => Decision::Drop,
        Err(_) => Decision::Later("the SIM-S does not answer"),
    })
}

/// Shared with whoever wakes the builder.
pub(super) type Waker = Arc<tokio::sync::Notify>;
