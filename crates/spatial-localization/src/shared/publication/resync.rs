//! Comparing everything, after an outage of either side: what the core function knows and is not here is withdrawn, what it
//! does not know or knows otherwise is told again. What it has met under a later version gets one above it: what is here
//! counts, for the objects are here. What owners keep there of policies counts as it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_types::capif::ResourceId;
use api_types::capif::resource_auth::{AuthPolicy, ResourceAuthInfo, ResourceOwner};
use store::publications;
use store::{Sql, StoreError};

use super::round::RoundError;
use super::{Publishing, ResourceAuthorizationSink, echo};

/// Marks of one read. Own value.
const PAGE: u32 = 256;

/// What a comparison has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Objects that are to be told again.
    pub told_again: usize,
    /// Resources that are to be withdrawn there.
    pub withdrawn: usize,
}

/// Compares, and marks what differs; [`super::round`] repairs it.
///
/// # Errors
/// The core function does not answer; the store failed.
pub async fn resync(
    server: &Arc<dyn Publishing>,
    sink: &dyn ResourceAuthorizationSink,
) -> Result<Repaired, RoundError> {
    let mut repaired = Repaired::default();
    let objects = server.objects();
    let marked: Result<u64, StoreError> = server
        .store()
        .write(move |tx| Box::pin(async move { publications::mark_unmarked(tx, objects).await }))
        .await;
    marked?;
    // How many resources of each object are there as they are here.
    let mut same: BTreeMap<String, usize> = BTreeMap::new();
    let mut cursor = None;
    loop {
        let page = sink.page(cursor).await?;
        let kept = kept_by_owners(server, sink, &page.items).await?;
        let mut by_object: BTreeMap<Option<String>, Vec<ResourceAuthInfo>> = BTreeMap::new();
        for info in page.items {
            by_object.entry(server.object_of(&info.resource_id)).or_default().push(info);
        }
        for (object, known) in by_object {
            let publisher = Arc::clone(server);
            let id = object.clone();
            let read = server
                .store()
                .read(|tx| Box::pin(async move { compare(tx, &*publisher, id.as_deref(), &known).await }));
            let compared = read.await?;
            repaired.withdrawn += compared.gone.len();
            repaired.told_again += usize::from(compared.met.is_some());
            let count = compared.same;
            // Most are as they are here, and nothing is written.
            if !compared.gone.is_empty() || compared.met.is_some() {
                let id = object.clone();
                let marked: Result<(), StoreError> = server
                    .store()
                    .write(move |tx| Box::pin(async move { mark(tx, id.as_deref(), &compared).await }))
                    .await;
                marked?;
            }
            if let Some(object) = object {
                *same.entry(object).or_default() += count;
            }
        }
        if !kept.is_empty() {
            keep(server, kept).await?;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut after = String::new();
    loop {
        let from = after.clone();
        let publisher = Arc::clone(server);
        let read = server.store().read(|tx| {
            Box::pin(async move {
                let mut short = Vec::new();
                let marks = publications::page(tx, &from, PAGE).await?;
                for mark in marks.iter().filter(|mark| mark.told >= mark.version) {
                    let here = publisher.resources(tx, &mark.object_id, mark.version).await?.len();
                    short.push((mark.clone(), here));
                }
                Ok::<_, StoreError>((short, marks.last().map(|last| last.object_id.clone())))
            })
        });
        // What is due anyway is told anyway.
        let (told, last) = read.await?;
        let Some(last) = last else { return Ok(repaired) };
        after = last;
        for (mark, here) in told {
            if same.get(&mark.object_id).copied().unwrap_or_default() >= here {
                continue;
            }
            repaired.told_again += 1;
            let again: Result<(), StoreError> = server
                .store()
                .write(move |tx| {
                    Box::pin(async move { publications::raise(tx, &mark.object_id, mark.version).await })
                })
                .await;
            again?;
        }
    }
}

/// What an owner keeps of a resource, and its version.
type Kept = (ResourceId, u64, Vec<AuthPolicy>);

/// Keeps what owners keep there, as it is there.
async fn keep(server: &Arc<dyn Publishing>, kept: Vec<Kept>) -> Result<(), StoreError> {
    let now_ms = server.ambient().now_ms();
    server
        .store()
        .write(move |tx| {
            Box::pin(async move {
                for (resource, version, policies) in kept {
                    echo::replace(tx, &resource, version, policies, now_ms).await?;
                }
                Ok(())
            })
        })
        .await
}

/// What owners keep at the core function of those of the resources that are here.
async fn kept_by_owners(
    server: &Arc<dyn Publishing>,
    sink: &dyn ResourceAuthorizationSink,
    resources: &[ResourceAuthInfo],
) -> Result<Vec<Kept>, RoundError> {
    let mut kept = Vec::new();
    for info in resources {
        let is_owned = matches!(info.owner, ResourceOwner::ApiInvokerId(_));
        if is_owned && server.object_of(&info.resource_id).is_some() {
            let (version, policies) = sink.kept_by_owner(info).await?;
            kept.push((info.resource_id.clone(), version, policies));
        }
    }
    Ok(kept)
}

#[derive(Default)]
struct Compared {
    /// How many resources are there as they are here.
    same: usize,
    /// Those that are not here.
    gone: Vec<String>,
    /// The latest version under which one is there otherwise than here.
    met: Option<u64>,
}

/// Compares what the core function knows of one object with what is here.
async fn compare(
    tx: &mut dyn Sql,
    server: &dyn Publishing,
    object: Option<&str>,
    known: &[ResourceAuthInfo],
) -> Result<Compared, StoreError> {
    let mut compared = Compared::default();
    let mark = match object {
        Some(object) => publications::find(tx, object).await?,
        None => None,
    };
    let here = match (&mark, object) {
        (Some(mark), Some(object)) => server.resources(tx, object, mark.version).await?,
        _ => Vec::new(),
    };
    for there in known {
        match here.iter().find(|info| info.resource_id == there.resource_id) {
            None => compared.gone.push(there.resource_id.as_str().to_owned()),
            Some(info) if info == there => compared.same += 1,
            // Perhaps only behind: then it is due, or is found short.
            Some(info) if there.policy_version < info.policy_version => {}
            Some(_) => compared.met = compared.met.max(Some(there.policy_version)),
        }
    }
    Ok(compared)
}

/// Marks what differs.
async fn mark(tx: &mut dyn Sql, object: Option<&str>, compared: &Compared) -> Result<(), StoreError> {
    publications::gone(tx, &compared.gone).await?;
    match (compared.met, object) {
        (Some(met), Some(object)) => publications::raise(tx, object, met).await,
        _ => Ok(()),
    }
}
