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
            let compared: Result<Compared, StoreError> = server
                .store()
                .write(move |tx| {
                    Box::pin(async move { compare(tx, &*publisher, id.as_deref(), &known).await })
                })
                .await;
            let compared = compared?;
            repaired.withdrawn += compared.gone;
            repaired.told_again += usize::from(compared.raised);
            if let Some(object) = object {
                *same.entry(object).or_default() += compared.same;
            }
        }
        let now_ms = server.ambient().now_ms();
        let echoed: Result<(), StoreError> = server
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    for (resource, version, policies) in kept {
                        echo::replace(tx, &resource, version, policies, now_ms).await?;
                    }
                    Ok(())
                })
            })
            .await;
        echoed?;
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
                for mark in &marks {
                    let here = publisher.resources(tx, &mark.object_id, mark.version).await?.len();
                    short.push((mark.clone(), here));
                }
                Ok::<_, StoreError>(short)
            })
        });
        let marks = read.await?;
        let Some((last, _)) = marks.last() else { return Ok(repaired) };
        after.clone_from(&last.object_id);
        for (mark, here) in marks {
            // What is due anyway is told anyway.
            if mark.told < mark.version || same.get(&mark.object_id).copied().unwrap_or_default() >= here {
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

/// What owners keep at the core function of those of the resources that are here.
async fn kept_by_owners(
    server: &Arc<dyn Publishing>,
    sink: &dyn ResourceAuthorizationSink,
    resources: &[ResourceAuthInfo],
) -> Result<Vec<(ResourceId, u64, Vec<AuthPolicy>)>, RoundError> {
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
    same: usize,
    gone: usize,
    raised: bool,
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
    let mut gone = Vec::new();
    let mut met = None;
    for there in known {
        match here.iter().find(|info| info.resource_id == there.resource_id) {
            None => gone.push(there.resource_id.as_str().to_owned()),
            Some(info) if info == there => compared.same += 1,
            // Perhaps only behind: then it is due, or is found short below.
            Some(info) if there.policy_version < info.policy_version => {}
            Some(_) => met = met.max(Some(there.policy_version)),
        }
    }
    compared.gone = gone.len();
    publications::gone(tx, &gone).await?;
    if let (Some(met), Some(object)) = (met, object) {
        publications::raise(tx, object, met).await?;
        compared.raised = true;
    }
    Ok(compared)
}
