//! Maps as the CAPIF core function is told of them (TR 33.721 6.3.2.1 step 4): marked in the transaction of the change, read
//! when they are told, open when it has acknowledged them.

use api_types::capif::ResourceId;
use api_types::capif::resource_auth::{ResourceAuthInfo, ResourceAuthNotification, ResourceType};
use api_types::ids::SpatialMapId;
use async_trait::async_trait;
use authorization::Principal;
use authorization::capif::details::{Instance, Kind};
use axum::extract::State;
use http::StatusCode;
use service_http::ambient::Ambient;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;
use store::anchors::classes;
use store::maps::{self, MapRow};
use store::publications::{self, Objects, Sync as Known};
use store::{Sql, Store, StoreError};
use tokio::sync::Notify;

use crate::shared::publication::{self, CoreFunction, Exposed, Publishing, echo, resource_auth};
use crate::shared::rules;
use crate::sm::{SmServer, access, subscriptions};

/// A map was made or changed.
///
/// # Errors
/// The store failed.
pub(super) async fn changed(sm: &SmServer, tx: &mut dyn Sql, map_id: u32) -> Result<(), StoreError> {
    match sm.core() {
        Some(_) => publications::mark(tx, &[&map_id.to_string()]).await,
        None => Ok(()),
    }
}

/// A map is gone.
///
/// # Errors
/// The store failed.
pub(super) async fn deleted(sm: &SmServer, tx: &mut dyn Sql, map_id: u32) -> Result<(), StoreError> {
    if sm.core().is_none() {
        return Ok(());
    }
    let resource = [map_id.to_string()];
    publications::unmark(tx, &resource[0]).await?;
    publications::gone(tx, &resource).await?;
    echo::forget(tx, &resource).await
}

impl SmServer {
    /// Whether the core function knows what this owner makes from now on.
    pub(super) fn sync_of(&self, owner: &Principal) -> Known {
        CoreFunction::sync_of(self.core(), owner)
    }

    pub(super) fn core(&self) -> Option<&CoreFunction> {
        self.0.config.core.as_ref()
    }

    pub(super) fn wake_publisher(&self) {
        self.0.publisher.notify_one();
    }
}

fn number(object_id: &str) -> Option<u32> {
    object_id.parse().ok()
}

#[async_trait]
impl Publishing for SmServer {
    fn store(&self) -> &Store {
        &self.kit().store
    }

    fn ambient(&self) -> &Ambient {
        &self.kit().ambient
    }

    fn objects(&self) -> Objects {
        Objects::Maps
    }

    fn object_of(&self, resource: &ResourceId) -> Option<String> {
        Instance::read(Kind::SpatialMap, resource.as_str()).map(|map| map.to_string())
    }

    async fn resources(
        &self,
        tx: &mut dyn Sql,
        object_id: &str,
        version: u64,
    ) -> Result<Vec<ResourceAuthInfo>, StoreError> {
        let (Some(core), Some(id)) = (self.core(), number(object_id)) else { return Ok(Vec::new()) };
        let Some(row) = maps::record::by_id(tx, id).await? else { return Ok(Vec::new()) };
        let Ok(resource) = ResourceId::try_from(object_id) else { return Ok(Vec::new()) };
        let profile = access::document(&row)?.sm_prof;
        let owner = Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str());
        let exposed = Exposed {
            kind: ResourceType::SpatialMap,
            owner: &owner,
            visibility: profile.visibility,
            rules: profile.allw_ent.as_ref(),
            serv_infos: profile.serv_infos.as_deref(),
            period: profile.time_period,
        };
        Ok(vec![resource_auth(core, resource, &exposed, version)])
    }

    async fn open(
        &self,
        tx: &mut dyn Sql,
        object_id: &str,
        resources: &[ResourceId],
    ) -> Result<bool, StoreError> {
        let Some(id) = number(object_id).filter(|_| !resources.is_empty()) else { return Ok(false) };
        let Some(row) = maps::record::locked(tx, id).await? else { return Ok(false) };
        if row.sync != Known::Pending {
            return Ok(false);
        }
        let synced = MapRow { sync: Known::Synced, ..row.clone() };
        let class = rules::class_of(&access::item(&synced, &access::document(&row)?));
        let class_id = classes::class_of(tx, &class, &rules::draws(&self.kit().ambient)).await?;
        maps::record::open(tx, id, class_id).await?;
        maps::classes::purge(tx, row.class_id).await?;
        subscriptions::note_ready(tx, &self.kit().ambient, None, SpatialMapId(id)).await?;
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
    State(sm): State<SmServer>,
    ctx: Ctx,
    JsonBody(told): JsonBody<ResourceAuthNotification>,
) -> Result<StatusCode, Refusal> {
    publication::notified(&sm, sm.core(), ctx, told).await
}
