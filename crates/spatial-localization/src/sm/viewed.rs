//! Maps in the eyes of somebody else, for the operator (decision 0011): by the query and the decision of a discovery.

use std::sync::Arc;

use api_types::admin::MapView;
use api_types::ids::SpatialMapId;
use authorization::Reason;
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use service_http::refusal::Refusal;
use store::blobs::{BlobDigest, BlobReader};
use store::maps::{self, MapRow, survey};
use store::{Sql, StoreError};

use super::SmServer;
use super::access::{self, DISCOVER, READ_CONTENT};
use crate::shared::data_class::conceal_map;
use crate::shared::rules;
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::surroundings::Surroundings;
use crate::shared::view::{self, View, Viewer};

/// A payload in the eyes of the viewer.
#[derive(Debug)]
pub struct ViewedContent {
    /// Media type.
    pub media_type: String,
    /// Length in bytes.
    pub bytes: u64,
    /// The payload itself.
    pub body: Body,
}

impl SmServer {
    /// A page of the maps that the viewer sees, by identifier.
    ///
    /// # Errors
    /// The store failed.
    pub async fn view(
        &self,
        viewer: &Viewer<'_>,
        after: Option<u32>,
        limit: u32,
    ) -> Result<View<MapView>, Refusal> {
        let now_s = self.kit().ambient.now_s();
        let (found, next, around) = match viewer {
            Viewer::Operator(_) => {
                let page =
                    self.store().read(|tx| Box::pin(async move { survey::page(tx, after, limit).await }));
                let page = page.await?;
                let full = page.len() == limit as usize;
                let next = page.last().map(|last| last.map_id).filter(|_| full);
                (page, next, None)
            }
            Viewer::Somebody(caller) => {
                let (server, asking) = (self.clone(), (*caller).clone());
                let principal = caller.principal();
                let filter = maps::Filter {
                    held: rules::held(caller),
                    issuer: principal.issuer,
                    subject: principal.subject,
                    now_s,
                    after,
                    limit,
                    bounds: self.limits().search,
                    ..maps::Filter::default()
                };
                let read = self.store().read(move |tx| {
                    Box::pin(async move {
                        let around = surroundings(tx, &server, &asking).await?;
                        Ok::<_, StoreError>((maps::discovery::find(tx, &filter).await?, around))
                    })
                });
                let (batch, around) = read.await?;
                if let Err(denial) = around.check(caller, DISCOVER.action(), None, &[]) {
                    return Ok(View::denied(denial.reason));
                }
                (batch.found.into_iter().map(|found| found.map).collect(), batch.next, Some(around))
            }
        };
        let mut items = Vec::with_capacity(found.len());
        for row in found {
            items.extend(seen(viewer, around.as_ref(), row, now_s)?);
        }
        Ok(View { items, next, denied: None })
    }

    /// The payload of a map that the viewer may read.
    ///
    /// # Errors
    /// 404 for everything that the viewer may not read; the store failed.
    pub async fn view_content(&self, viewer: &Viewer<'_>, map_id: u32) -> Result<ViewedContent, Refusal> {
        let absent = || Refusal::open(Reason::NotFound);
        let server = self.clone();
        let asking = match viewer {
            Viewer::Operator(_) => None,
            Viewer::Somebody(caller) => Some((*caller).clone()),
        };
        let read = self.store().read(move |tx| {
            Box::pin(async move {
                let row = maps::record::by_id(tx, map_id).await?;
                let around = match &asking {
                    Some(caller) => Some(surroundings(tx, &server, caller).await?),
                    None => None,
                };
                Ok::<_, StoreError>((row, around))
            })
        });
        let (row, around) = read.await?;
        let row = row.ok_or_else(absent)?;
        if let (Viewer::Somebody(caller), Some(around)) = (viewer, &around) {
            let map = access::document(&row)?;
            let who = Subscriber::imagined(caller);
            access::check(&who, &row, &map, around, READ_CONTENT).map_err(|_| absent())?;
        }
        let content = row.content.ok_or_else(absent)?;
        let (blobs, digest) = (self.blobs().clone(), BlobDigest(content.sha256));
        let opened = tokio::task::spawn_blocking(move || blobs.reader(&digest)).await;
        let reader = opened.map_err(|_| UNREADABLE)?.map_err(StoreError::from)?;
        let pieces = stream::try_unfold((Arc::new(reader), 0, content.length), piece);
        Ok(ViewedContent {
            media_type: content.media_type,
            bytes: content.length,
            body: Body::from_stream(pieces),
        })
    }
}

const UNREADABLE: StoreError = StoreError::Damaged("a payload that cannot be read");

type Rest = (Arc<BlobReader>, u64, u64);

async fn piece((reader, offset, left): Rest) -> Result<Option<(Bytes, Rest)>, StoreError> {
    if left == 0 {
        return Ok(None);
    }
    let from = Arc::clone(&reader);
    let read = tokio::task::spawn_blocking(move || from.read_at(offset)).await;
    let mut octets = read.map_err(|_| UNREADABLE)??;
    octets.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    if octets.is_empty() {
        return Err(StoreError::Damaged("a payload that is too short"));
    }
    let count = octets.len() as u64;
    Ok(Some((Bytes::from(octets), (reader, offset + count, left - count))))
}

async fn surroundings(
    tx: &mut dyn Sql,
    sm: &SmServer,
    caller: &authorization::Caller,
) -> Result<Surroundings, StoreError> {
    Surroundings::of(tx, sm.kit(), sm.rules(), caller).await
}

/// The map as the viewer sees it, if the viewer does.
fn seen(
    viewer: &Viewer<'_>,
    around: Option<&Surroundings>,
    row: MapRow,
    now_s: i64,
) -> Result<Option<MapView>, StoreError> {
    let mut map = access::document(&row)?;
    let item = access::item(&row, &map);
    let active = map.sm_prof.time_period.is_none_or(|period| period.holds(now_s));
    if let (Viewer::Somebody(caller), Some(around)) = (viewer, around) {
        let who = Subscriber::imagined(caller);
        let Ok(grant) = access::check(&who, &row, &map, around, DISCOVER) else { return Ok(None) };
        if !grant.owner {
            conceal_map(&mut map, &access::hidden(&who, &row, around, DISCOVER, grant));
        }
    }
    let layers = map.sm_prof.map_lyr_list.lyr_list.iter().map(|layer| layer.map_lyr_id.clone());
    Ok(Some(MapView {
        map_id: SpatialMapId(row.map_id),
        name: map.sm_prof.name.clone(),
        layers: layers.collect(),
        media_type: row.content.as_ref().map(|content| content.media_type.clone()),
        bytes: row.content.as_ref().map(|content| content.length),
        rules: view::rules(viewer, &item),
        owner: matches!(viewer, Viewer::Operator(_)).then_some(row.owner_name),
        own: view::own(viewer, &item),
        active,
        service_id: row.service_id,
        coverage: map.sm_prof.map_cov,
    }))
}
