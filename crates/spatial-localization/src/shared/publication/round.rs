//! Telling what is due, and keeping what was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_types::capif::ResourceId;
use api_types::capif::resource_auth::{MAX_BATCH, ResourceAuthBatchItem, ResourceAuthInfo};
use store::publications::{self, Mark, Objects};
use store::{StoreError, audit};

use super::{Publishing, ResourceAuthorizationSink, SinkError};

/// Objects that one round reads. Own value.
const OBJECTS: u32 = 32;
/// Resources that are withdrawn in one round. Own value.
const GONE: u32 = 256;
/// Delay before what was refused is told again, in milliseconds, doubled with each attempt. Own values.
const DELAY_MS: i64 = 1_000;
const DELAY_MAX_MS: i64 = 600_000;

/// What a round has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Objects whose last version was acknowledged.
    pub told: usize,
    /// Resources that are gone there too.
    pub gone: usize,
    /// Objects that were refused.
    pub refused: usize,
    /// Whether more is to be told now.
    pub more: bool,
    /// Whether somebody may have waited for some of it.
    pub urgent: bool,
    /// One of the resources that were acknowledged.
    pub last: Option<ResourceId>,
}

/// Why a round ended.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The core function.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells what is due: first what is gone, then what is new or another.
///
/// # Errors
/// The core function does not answer; the store failed. What was acknowledged until then is kept.
pub async fn round(
    server: &Arc<dyn Publishing>,
    sink: &dyn ResourceAuthorizationSink,
) -> Result<Done, RoundError> {
    let now_ms = server.ambient().now_ms();
    let mut done = Done { gone: tell_gone(server, sink, now_ms).await?, ..Done::default() };
    let due = read(server, now_ms).await?;
    done.more = due.len() == OBJECTS as usize || done.gone == GONE as usize;
    done.urgent = due.iter().any(|due| due.mark.urgent);
    let mut told: BTreeMap<ResourceId, ResourceAuthBatchItem> = BTreeMap::new();
    let all: Vec<ResourceAuthInfo> = due.iter().flat_map(|due| due.resources.iter().cloned()).collect();
    let cause = one_cause(&due);
    for batch in all.chunks(MAX_BATCH) {
        for item in sink.put(batch.to_vec(), cause.as_deref()).await? {
            told.insert(item.resource_id.clone(), item);
        }
    }
    for object in due {
        let fates = object.resources.iter().map(|info| told.get(&info.resource_id));
        let fates: Vec<u16> = fates.map(|item| item.map_or(500, |item| item.status)).collect();
        if fates.iter().all(|status| matches!(status, 200..=299)) {
            done.last = object.resources.first().map(|info| info.resource_id.clone()).or(done.last);
            acknowledge(server, object).await?;
            done.told += 1;
        } else {
            done.refused += 1;
            refuse(server, sink, object, &fates).await?;
        }
    }
    Ok(done)
}

/// An object that is due.
struct Due {
    mark: Mark,
    resources: Vec<ResourceAuthInfo>,
    /// The trace of the request that changed it last.
    cause: Option<String>,
}

/// The trace that all of them are due to, if it is one: so that a run of the procedure is found whole.
fn one_cause(due: &[Due]) -> Option<String> {
    let (first, rest) = due.split_first()?;
    rest.iter().all(|other| other.cause == first.cause).then(|| first.cause.clone()).flatten()
}

/// What is due with what is to be told of it, in one snapshot: version and content belong together.
async fn read(server: &Arc<dyn Publishing>, now_ms: i64) -> Result<Vec<Due>, StoreError> {
    let publisher = Arc::clone(server);
    let read = server.store().read(|tx| {
        Box::pin(async move {
            let mut due = Vec::new();
            for mark in publications::due(tx, now_ms, OBJECTS).await? {
                let resources = publisher.resources(tx, &mark.object_id, mark.version).await?;
                let object = match publisher.objects() {
                    Objects::Lists => format!("anchors-lists/{}", mark.object_id),
                    Objects::Maps => format!("spatial-maps/{}", mark.object_id),
                };
                let cause = audit::last_change(tx, &object).await?;
                due.push(Due { mark, resources, cause });
            }
            Ok(due)
        })
    });
    read.await
}

async fn acknowledge(server: &Arc<dyn Publishing>, object: Due) -> Result<(), StoreError> {
    let resources: Vec<ResourceId> = object.resources.into_iter().map(|info| info.resource_id).collect();
    let Mark { object_id, version, .. } = object.mark;
    let publisher = Arc::clone(server);
    let opened: Result<bool, StoreError> = server
        .store()
        .write(move |tx| {
            Box::pin(async move {
                publications::told(tx, &object_id, version).await?;
                // What went while it was told may have been withdrawn before it arrived.
                let there = publisher.resources(tx, &object_id, version).await?;
                let gone = |id: &&ResourceId| there.iter().all(|info| info.resource_id != **id);
                let gone: Vec<String> =
                    resources.iter().filter(gone).map(|id| id.as_str().to_owned()).collect();
                publications::gone(tx, &gone).await?;
                publisher.open(tx, &object_id, &resources).await
            })
        })
        .await;
    if opened? {
        server.opened();
    }
    Ok(())
}

/// Refused: told again with a version above the one that the core function has met, or later.
async fn refuse(
    server: &Arc<dyn Publishing>,
    sink: &dyn ResourceAuthorizationSink,
    object: Due,
    fates: &[u16],
) -> Result<(), RoundError> {
    let stale = object.resources.iter().zip(fates).filter(|(_, status)| **status == 409);
    let mut met = 0;
    for (info, _) in stale {
        met = met.max(sink.version(&info.resource_id).await?.unwrap_or_default());
    }
    let Mark { object_id, version, attempts, .. } = object.mark;
    let delay = DELAY_MS.saturating_mul(1 << attempts.min(20)).min(DELAY_MAX_MS);
    let due_ms = server.ambient().now_ms().saturating_add(delay);
    if met < version {
        tracing::warn!(object = %object_id, ?fates, "the core function refuses a list or map; it is told again later");
    }
    let kept: Result<(), StoreError> = server
        .store()
        .write(move |tx| {
            Box::pin(async move {
                if met >= version {
                    return publications::raise(tx, &object_id, met).await;
                }
                publications::later(tx, &object_id, due_ms).await
            })
        })
        .await;
    Ok(kept?)
}

async fn tell_gone(
    server: &Arc<dyn Publishing>,
    sink: &dyn ResourceAuthorizationSink,
    now_ms: i64,
) -> Result<usize, RoundError> {
    let read =
        server.store().read(|tx| Box::pin(async move { publications::due_gone(tx, now_ms, GONE).await }));
    let gone = read.await?;
    let count = gone.len();
    for resource in gone {
        // A name that the core function cannot have is not there.
        if let Ok(id) = ResourceId::try_from(resource.as_str()) {
            sink.delete(&id).await?;
        }
        let kept: Result<(), StoreError> = server
            .store()
            .write(move |tx| Box::pin(async move { publications::told_gone(tx, &resource).await }))
            .await;
        kept?;
    }
    Ok(count)
}
