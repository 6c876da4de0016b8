//! Lists and anchors as the CAPIF core function is told of them (TR 33.721 6.3.2.1 step 4): marked in the transaction of the
//! change, read when they are told, open when it has acknowledged them.

use std::collections::BTreeSet;

use api_types::capif::ResourceId;
use api_types::capif::resource_auth::{ResourceAuthInfo, ResourceAuthNotification, ResourceType};
use async_trait::async_trait;
use authorization::Principal;
use authorization::capif::details::{Instance, Kind};
use axum::extract::State;
use http::StatusCode;
use service_http::ambient::Ambient;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;
use store::anchors::{AnchorRow, classes, lists, records};
use store::publications::{self, Objects, Sync as Known};
use store::{Sql, Store, StoreError};
use tokio::sync::Notify;

use super::SanServer;
use super::stored::{self, List};
use super::subscriptions::happening::{self, Happening};
use crate::shared::publication::{self, CoreFunction, Exposed, Publishing, echo, resource_auth};
use crate::shared::rules;

/// A list was made or changed; these of its anchors are gone.
///
/// # Errors
/// The store failed.
pub(super) async fn changed(
    san: &SanServer,
    tx: &mut dyn Sql,
    list_id: &str,
    gone: &[String],
) -> Result<(), StoreError> {
    if san.core().is_none() {
        return Ok(());
    }
    publications::mark(tx, &[list_id]).await?;
    publications::gone(tx, gone).await?;
    echo::forget(tx, gone).await
}

/// A list is gone with these anchors.
///
/// # Errors
/// The store failed.
pub(super) async fn deleted(
    san: &SanServer,
    tx: &mut dyn Sql,
    list_id: &str,
    anchors: &[String],
) -> Result<(), StoreError> {
    if san.core().is_none() {
        return Ok(());
    }
    publications::unmark(tx, list_id).await?;
    publications::gone(tx, anchors).await?;
    echo::forget(tx, anchors).await
}

/// Lists were imported, or imported into.
///
/// # Errors
/// The store failed.
pub(super) async fn imported(san: &SanServer, tx: &mut dyn Sql, list_ids: &[&str]) -> Result<(), StoreError> {
    if san.core().is_none() { Ok(()) } else { publications::mark_many(tx, list_ids).await }
}

impl SanServer {
    /// Whether the core function knows what this owner makes from now on.
    pub(super) fn sync_of(&self, owner: &Principal) -> Known {
        CoreFunction::sync_of(self.core(), owner)
    }

    pub(super) fn core(&self) -> Option<&CoreFunction> {
        self.config().core.as_ref()
    }

    pub(super) fn wake_publisher(&self) {
        self.0.publisher.notify_one();
    }
}

#[async_trait]
impl Publishing for SanServer {
    fn store(&self) -> &Store {
        &self.kit().store
    }

    fn ambient(&self) -> &Ambient {
        &self.kit().ambient
    }

    fn objects(&self) -> Objects {
        Objects::Lists
    }

    fn object_of(&self, resource: &ResourceId) -> Option<String> {
        match Instance::read(Kind::SpatialAnchor, resource.as_str())? {
            Instance::Anchor { list, .. } => Some(list),
            Instance::Map(_) => None,
        }
    }

    async fn resources(
        &self,
        tx: &mut dyn Sql,
        object_id: &str,
        version: u64,
    ) -> Result<Vec<ResourceAuthInfo>, StoreError> {
        let Some(core) = self.core() else { return Ok(Vec::new()) };
        let Some(list) = lists::with_anchors(tx, object_id).await? else { return Ok(Vec::new()) };
        let list = List::of(list)?;
        let told = list.anchors.values().filter_map(|anchor| {
            // A list that came under a name that nobody can ask for is told of by nothing.
            let id = ResourceId::try_from(stored::resource_of(&anchor.row)).ok()?;
            let exposed = Exposed {
                kind: ResourceType::SpatialAnchor,
                owner: &anchor.item.owner,
                visibility: anchor.body.visibility,
                rules: anchor.body.rules.as_ref(),
                serv_infos: anchor.body.serv_infos.as_deref(),
                period: anchor.body.time_period,
            };
            Some(resource_auth(core, id, &exposed, version))
        });
        Ok(told.collect())
    }

    async fn open(
        &self,
        tx: &mut dyn Sql,
        object_id: &str,
        resources: &[ResourceId],
    ) -> Result<bool, StoreError> {
        let Some(list) = lists::lock_with_anchors(tx, object_id).await? else { return Ok(false) };
        let list = List::of(list)?;
        let known: BTreeSet<&str> = resources.iter().map(ResourceId::as_str).collect();
        let mut opened: Vec<AnchorRow> = Vec::new();
        let mut before = Vec::new();
        for anchor in list.anchors.values().filter(|anchor| anchor.row.sync == Known::Pending) {
            if !known.contains(stored::resource_of(&anchor.row).as_str()) {
                continue;
            }
            let item = rules::item(list.owner(), anchor.body.visibility, anchor.body.rules.as_ref());
            let class = rules::class_of(&item);
            let class_id = classes::class_of(tx, &class, &rules::draws(&self.kit().ambient)).await?;
            before.push(anchor.row.class_id);
            opened.push(AnchorRow { class_id, sync: Known::Synced, ..anchor.row.clone() });
        }
        if opened.is_empty() {
            return Ok(false);
        }
        records::update(tx, &opened).await?;
        classes::purge(tx, &before).await?;
        let created = opened.iter().map(|row| row.anchor_id).collect();
        let happening = Happening::Changed { created, updated: Vec::new(), deleted: Vec::new() };
        happening::note(tx, &self.kit().ambient, None, &happening).await?;
        Ok(true)
    }

    fn opened(&self) {
        self.wake_notifier();
    }

    fn changed(&self) -> &Notify {
        &self.0.publisher
    }
}

/// `POST /capif-resource-auth/v1/notifications`
pub(super) async fn notified(
    State(san): State<SanServer>,
    ctx: Ctx,
    JsonBody(told): JsonBody<ResourceAuthNotification>,
) -> Result<StatusCode, Refusal> {
    publication::notified(&san, san.core(), ctx, told).await
}
