//! The spatial map server: `ssm-smm` and `ssm-disc` (TS 23.437 clause 9, TS 29.437; TR 33.721 6.1.2), and the payload of
//! a map (contract, section 7).
//!
//! The owner of a map is the principal that created it. Everybody else sees a map when its rules say so, and in it only
//! the anchors that the anchor server names for that reader.

mod access;
mod admin;
mod anchor_source;
mod build;
mod building;
mod change;
mod content;
mod create;
mod delete;
mod discover;
mod embed;
mod exchange;
mod faces;
mod input;
mod localize;
pub mod location_source;
mod publish;
mod read;
mod record;
mod registrations;
mod sources;
mod steps;
mod subscriptions;
mod update;
mod view;
mod viewed;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};

use api_types::ids::SpatialMapId;
use api_types::oauth::ProtectedResourceMetadata;
use async_trait::async_trait;
use axum::extract::State;
use axum::{Json, Router};
use capif_aef::security_api;
use http::Method;
use service_http::callback_hosts::HostSource;
use service_http::guard;
use service_http::kit::FunctionKit;
use service_http::outbox_driver::{Decision, OutboxDriver, Recipients};
use service_http::resource_metadata;
use service_http::routes::{MountError, RouteSpec};
use store::blobs::Blobs;
use store::outbox::Message;
use store::{Bounds, Store, StoreError};

use crate::shared::cursor_secret::CursorSecret;
use crate::shared::operator_rules::RulesCache;
use crate::shared::publication::{self, CoreFunction};
use crate::shared::registrations as kept;
use crate::shared::subscriptions::notifier::{self, Sweeps, Waker};
use crate::shared::subscriptions::{Kind as _, operations};

pub use anchor_source::AnchorSource;
pub use exchange::ExchangedAnchors;
pub use location_source::LocationSource;

use access::{SCOPE_LOCALIZE, SCOPE_READ, SCOPE_WRITE};
use content::{Collector, UploadSlots};
use registrations::{Servers, Sources};

/// Functions over bytes from outside that never panic.
pub mod fuzz {
    pub use super::faces::{fuzz_service_record, fuzz_trackable};
    pub use super::input::{fuzz_map, fuzz_map_registrations};

    /// Headers of the payload routes.
    pub fn fuzz_content_headers(bytes: &[u8]) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = super::content::digest::announced(text);
            let _ = super::content::range::select(text, 1 << 20);
            let _ = super::content::media_type::allowed(text);
            let tag = crate::shared::etag::EntityTag::of_content(&[0; 32]);
            let _ = (tag.allows_change(text), tag.is_known_to(text), tag.is_range_of(text));
        }
    }
}

/// Collection of `ssm-smm`.
const MAPS: &str = "/ssm-smm/v1/spatial-maps";
/// One map.
const MAP: &str = "/ssm-smm/v1/spatial-maps/{spatialMapId}";
/// Its payload.
const CONTENT: &str = "/ssm-smm/v1/spatial-maps/{spatialMapId}/content";
/// `ssm-disc`.
const DISCOVERY: &str = "/ssm-disc/v1/spatial-maps";

/// Subscriptions to maps.
const SUBSCRIPTIONS: &str = "/ssm-smm/v1/subscriptions";
/// One of them.
const SUBSCRIPTION: &str = "/ssm-smm/v1/subscriptions/{subscriptionId}";

/// Registered data sources (TS 24.550).
const SOURCES: &str = "/sm_smds/v1/datasources-reg-lists";
/// One of them.
const SOURCE: &str = "/sm_smds/v1/datasources-reg-lists/{dataSourceRegId}";
/// Profiles of data sources.
const PROFILES: &str = "/ssm-dsdisc/v1/datasource-profiles";
/// Registered servers of maps.
const SERVERS: &str = "/ssm-smasr/v1/registrations";
/// One of them.
const SERVER: &str = "/ssm-smasr/v1/registrations/{regId}";
/// Localization.
const LOCALIZATION: &str = "/ssm-loc/v1/localization";

/// Kinds of subscriptions.
const FAMILIES: &[&str] = &[subscriptions::Maps::FAMILY];

/// Largest document of a map on the wire, in bytes. Own value: 1,000 objects of 4 KiB.
const MAP_BYTES: usize = 4 * 1024 * 1024;

/// Largest document of a map that a change may leave, in bytes as it is kept. Own value: that of the wire, and what the
/// server adds.
const MAP_KEPT: usize = 5 * 1024 * 1024;

/// Largest payload that any setting can allow, in bytes. Own value.
const CONTENT_BYTES: usize = 1 << 30;

/// The routes of the spatial map server.
pub const ROUTES: &[RouteSpec] = &[
    resource_metadata::ROUTE,
    RouteSpec::token(Method::POST, MAPS, "CreateSpatialMap", &[SCOPE_WRITE])
        .step(steps::PROCEDURE, steps::REQUEST, "Create spatial map request with access token")
        .body_limit(MAP_BYTES)
        .cost(4),
    RouteSpec::token(Method::GET, MAPS, "GetSpatialMap", &[SCOPE_READ]).step(
        steps::PROCEDURE,
        steps::REQUEST,
        "Get spatial map request with access token",
    ),
    RouteSpec::token(Method::GET, MAP, "GetIndSpatialMap", &[SCOPE_READ]).step(
        steps::PROCEDURE,
        steps::REQUEST,
        "Get spatial map request with access token",
    ),
    RouteSpec::token(Method::PUT, MAP, "UpdateIndSpatialMap", &[SCOPE_WRITE])
        .step(steps::PROCEDURE, steps::REQUEST, "Update spatial map request with access token")
        .body_limit(MAP_BYTES)
        .cost(4),
    RouteSpec::token(Method::PATCH, MAP, "ModifyIndSpatialMap", &[SCOPE_WRITE])
        .step(steps::PROCEDURE, steps::REQUEST, "Modify spatial map request with access token")
        .body_limit(MAP_BYTES)
        .cost(4),
    RouteSpec::token(Method::DELETE, MAP, "DeleteIndSpatialMap", &[SCOPE_WRITE]).step(
        steps::PROCEDURE,
        steps::REQUEST,
        "Delete spatial map request with access token",
    ),
    RouteSpec::token(Method::GET, CONTENT, "GetSpatialMapContent", &[SCOPE_READ])
        .step(steps::PROCEDURE, steps::REQUEST, "Get spatial map payload request with access token")
        .cost(4),
    RouteSpec::token(Method::HEAD, CONTENT, "HeadSpatialMapContent", &[SCOPE_READ]),
    RouteSpec::token(Method::PUT, CONTENT, "PutSpatialMapContent", &[SCOPE_WRITE])
        .body_limit(CONTENT_BYTES)
        .cost(8),
    RouteSpec::token(Method::GET, DISCOVERY, "DiscSpatialMapsSmas", &[SCOPE_READ])
        .step(steps::PROCEDURE, steps::REQUEST, "Discover spatial maps request with access token")
        .cost(2),
    RouteSpec::token(Method::POST, SUBSCRIPTIONS, "CreateSpatialMapsSub", &[SCOPE_WRITE])
        .step(steps::PROCEDURE, steps::REQUEST, "Subscribe spatial maps request with access token")
        .cost(2),
    RouteSpec::token(Method::GET, SUBSCRIPTION, "GetIndSpatialMapsSub", &[SCOPE_READ]),
    RouteSpec::token(Method::PUT, SUBSCRIPTION, "UpdateIndSpatialMapsSub", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::PATCH, SUBSCRIPTION, "ModifyIndSpatialMapsSub", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::DELETE, SUBSCRIPTION, "DeleteIndSpatialMapsSub", &[SCOPE_WRITE]),
    RouteSpec::token(Method::GET, LOCALIZATION, "LocalizeInSpatialMap", &[SCOPE_LOCALIZE])
        .step(steps::PROCEDURE, steps::REQUEST, "Spatial map localization request with access token")
        .cost(2),
    RouteSpec::token(Method::POST, SOURCES, "CreateDataSourceReg", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::PUT, SOURCE, "UpdateIndDataSourceReg", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::PATCH, SOURCE, "ModifyIndDataSourceReg", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::DELETE, SOURCE, "DeleteIndDataSourceReg", &[SCOPE_WRITE]),
    RouteSpec::token(Method::GET, PROFILES, "DiscDataSourceProfiles", &[SCOPE_READ]).cost(2),
    RouteSpec::token(Method::POST, SERVERS, "CreateSmasReg", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::GET, SERVER, "GetIndSmasReg", &[SCOPE_READ]),
    RouteSpec::token(Method::PUT, SERVER, "UpdateIndSmasReg", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::PATCH, SERVER, "ModifyIndSmasReg", &[SCOPE_WRITE]).cost(2),
    RouteSpec::token(Method::DELETE, SERVER, "DeleteIndSmasReg", &[SCOPE_WRITE]),
    security_api::CHECK_AUTHENTICATION,
    security_api::REVOKE_AUTHORIZATION,
    publication::ROUTE,
    faces::LIST_ROUTE,
    faces::OWN_ROUTE,
    faces::READ_ROUTE,
    faces::CREATE_ROUTE,
    faces::REPLACE_ROUTE,
    faces::REMOVE_ROUTE,
    faces::LIST_TRACKABLES,
    faces::READ_TRACKABLE,
    faces::CREATE_TRACKABLE,
    faces::REPLACE_TRACKABLE,
    faces::REMOVE_TRACKABLE,
    faces::LIST_LINKS,
    faces::READ_LINK,
    faces::CREATE_LINK,
    faces::REPLACE_LINK,
    faces::REMOVE_LINK,
];

/// Limits of the spatial map server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmLimits {
    /// Largest area that a consumer may search or embed the anchors of, in square metres (contract, section 7).
    pub area_m2: f64,
    /// Largest payload, in octets.
    pub content_octets: u64,
    /// All payloads of one owner together, in octets.
    pub owner_octets: u64,
    /// Maps of one owner that may be under construction at once.
    pub builds_per_owner: u64,
    /// How much one search may read.
    pub search: Bounds,
}

impl Default for SmLimits {
    /// Own values.
    fn default() -> Self {
        Self {
            area_m2: 1.0e10,
            content_octets: 256 * 1024 * 1024,
            owner_octets: 4 * 1024 * 1024 * 1024,
            builds_per_owner: 100,
            search: Bounds::default(),
        }
    }
}

/// Settings of the spatial map server.
#[derive(Clone)]
pub struct SmConfig {
    /// The anchor server, for maps that embed anchors; without it such maps are served without them.
    pub san: Option<Arc<dyn AnchorSource>>,
    /// A location management server; without it only what the admin interface was told is known of UEs.
    pub lm: Option<Arc<dyn LocationSource>>,
    /// Who knows where clients may be called back.
    pub hosts: Arc<dyn HostSource>,
    /// Where payloads are.
    pub blobs: Blobs,
    /// Limits.
    pub limits: SmLimits,
    /// The core function that is told of maps, where there is one.
    pub core: Option<CoreFunction>,
}

impl std::fmt::Debug for SmConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmConfig")
            .field("san", &self.san.is_some())
            .field("lm", &self.lm.is_some())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The spatial map server. Cheap to clone.
#[derive(Clone)]
pub struct SmServer(Arc<Inner>);

struct Inner {
    kit: FunctionKit,
    config: SmConfig,
    collector: Collector,
    uploads: UploadSlots,
    rules: RulesCache,
    cursors: CursorSecret,
    builder: building::Waker,
    notifier: Waker,
    publisher: tokio::sync::Notify,
    outbox: OutboxDriver,
}

impl std::fmt::Debug for SmServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmServer").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// What a client needs to know of this server before it has a token (RFC 9728).
async fn metadata(State(sm): State<SmServer>) -> Json<ProtectedResourceMetadata> {
    Json(resource_metadata::document(sm.kit(), ROUTES))
}

impl SmServer {
    /// A server on the surroundings of the function `sm`. Takes up what was interrupted: maps under construction,
    /// callbacks, orphans among the payloads. Needs a runtime.
    pub fn new(kit: FunctionKit, config: SmConfig) -> Self {
        // Before the first upload: what is unfinished now was left by a crash.
        if let Err(error) = config.blobs.sweep() {
            tracing::warn!(error = %error, "unfinished payloads stay");
        }
        let server = Self(Arc::new_cyclic(|inner: &Weak<Inner>| {
            let recipients = Arc::new(Callbacks(inner.clone()));
            let (store, ambient, egress) = (kit.store.clone(), kit.ambient.clone(), kit.egress.clone());
            Inner {
                collector: Collector::new(kit.store.clone(), config.blobs.clone()),
                uploads: UploadSlots::default(),
                kit,
                rules: RulesCache::at(config.core.as_ref()),
                config,
                cursors: CursorSecret::default(),
                builder: building::Waker::default(),
                notifier: Waker::default(),
                publisher: tokio::sync::Notify::default(),
                outbox: OutboxDriver::start(store, ambient, egress, recipients),
            }
        }));
        tokio::spawn(report(Arc::downgrade(&server.0), Arc::clone(&server.0.notifier)));
        tokio::spawn(building::run(Arc::downgrade(&server.0), Arc::clone(&server.0.builder)));
        tokio::spawn(sweep(server.0.collector.clone()));
        server
    }

    /// The whole of its listener.
    ///
    /// # Errors
    /// Routes and handlers do not fit: a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        let routes = guard::mount(&self.0.kit, ROUTES)
            .on("ProtectedResourceMetadata", metadata)
            .on("CreateSpatialMap", create::create_spatial_map)
            .on("GetSpatialMap", read::retrieve_spatial_map)
            .on("GetIndSpatialMap", read::read_spatial_map)
            .on("UpdateIndSpatialMap", update::replace_spatial_map)
            .on("ModifyIndSpatialMap", update::modify_spatial_map)
            .on("DeleteIndSpatialMap", delete::delete_spatial_map)
            .on("GetSpatialMapContent", content::get_content)
            .on("HeadSpatialMapContent", content::head_content)
            .on("PutSpatialMapContent", content::put_content)
            .on("DiscSpatialMapsSmas", discover::discover_spatial_maps)
            .on("CreateSpatialMapsSub", operations::create::<subscriptions::Maps>)
            .on("GetIndSpatialMapsSub", operations::read::<subscriptions::Maps>)
            .on("UpdateIndSpatialMapsSub", operations::replace::<subscriptions::Maps>)
            .on("ModifyIndSpatialMapsSub", operations::modify::<subscriptions::Maps>)
            .on("DeleteIndSpatialMapsSub", operations::delete::<subscriptions::Maps>)
            .on("LocalizeInSpatialMap", localize::localize)
            .on("CreateDataSourceReg", kept::create::<Sources>)
            .on("UpdateIndDataSourceReg", kept::replace::<Sources>)
            .on("ModifyIndDataSourceReg", kept::modify::<Sources>)
            .on("DeleteIndDataSourceReg", kept::delete::<Sources>)
            .on("DiscDataSourceProfiles", sources::discover)
            .on("CreateSmasReg", kept::create::<Servers>)
            .on("GetIndSmasReg", kept::read::<Servers>)
            .on("UpdateIndSmasReg", kept::replace::<Servers>)
            .on("ModifyIndSmasReg", kept::modify::<Servers>)
            .on("DeleteIndSmasReg", kept::delete::<Servers>)
            .on("CheckAuthentication", security_api::check_authentication)
            .on("RevokeAuthorization", security_api::revoke_authorization)
            .on("NotifyResourceAuth", publish::notified)
            .on("ListServiceRecords", faces::list)
            .on("ListOwnServiceRecords", faces::list_own)
            .on("GetServiceRecord", faces::read)
            .on("CreateServiceRecord", faces::create)
            .on("ReplaceServiceRecord", faces::replace)
            .on("RemoveServiceRecord", faces::remove)
            .on("ListTrackables", faces::trackables::list)
            .on("GetTrackable", faces::trackables::read)
            .on("CreateTrackable", faces::trackables::create)
            .on("ReplaceTrackable", faces::trackables::replace)
            .on("RemoveTrackable", faces::trackables::remove)
            .on("ListWorldLinks", faces::links::list)
            .on("GetWorldLink", faces::links::read)
            .on("CreateWorldLink", faces::links::create)
            .on("ReplaceWorldLink", faces::links::replace)
            .on("RemoveWorldLink", faces::links::remove)
            .finish()?;
        Ok(guard::serve(&self.0.kit, routes.with_state(self.clone())))
    }

    fn kit(&self) -> &FunctionKit {
        &self.0.kit
    }

    fn lm(&self) -> Option<&dyn LocationSource> {
        self.0.config.lm.as_deref()
    }

    fn hosts(&self) -> &dyn HostSource {
        &*self.0.config.hosts
    }

    fn store(&self) -> &Store {
        &self.0.kit.store
    }

    fn blobs(&self) -> &Blobs {
        &self.0.config.blobs
    }

    fn uploads(&self) -> &UploadSlots {
        &self.0.uploads
    }

    fn collector(&self) -> &Collector {
        &self.0.collector
    }

    fn limits(&self) -> &SmLimits {
        &self.0.config.limits
    }

    fn anchors(&self) -> Option<&Arc<dyn AnchorSource>> {
        self.0.config.san.as_ref()
    }

    fn rules(&self) -> &RulesCache {
        &self.0.rules
    }

    fn cursors(&self) -> &CursorSecret {
        &self.0.cursors
    }

    fn wake_builder(&self) {
        self.0.builder.notify_one();
    }

    fn wake_notifier(&self) {
        self.0.notifier.notify_one();
    }

    fn wake_outbox(&self) {
        self.0.outbox.wake();
    }

    /// The url of a map: the configured origin, never `Host`.
    fn location(&self, map_id: SpatialMapId) -> String {
        format!("{}{MAPS}/{}", self.kit().origin, map_id.0)
    }
}

/// What becomes of a callback at the moment when it could go.
struct Callbacks(Weak<Inner>);

#[async_trait]
impl Recipients for Callbacks {
    async fn decide(&self, message: &Message) -> Result<Decision, StoreError> {
        let Some(sm) = self.0.upgrade().map(SmServer) else {
            return Ok(Decision::Later("the server is ending"));
        };
        if sources::is_ours(message) {
            return sources::decide(&sm, message).await;
        }
        if !notifier::is_ours(message) {
            return building::decide(sm.store(), sm.hosts(), message).await;
        }
        match notifier::admitted(sm.kit(), message).await? {
            Err(decision) => Ok(decision),
            Ok(admitted) => subscriptions::decide(&sm, admitted, message).await,
        }
    }
}

/// Tells subscribers what happened, for as long as the server lives.
async fn report(inner: Weak<Inner>, waker: Waker) {
    let mut sweeps = Sweeps::default();
    while let Some(inner) = inner.upgrade() {
        let sm = SmServer(inner);
        let more = match sweeps.turn(sm.kit(), FAMILIES).await {
            Ok(()) => subscriptions::round(&sm).await,
            Err(error) => Err(error),
        };
        // The server must not be held while nothing happens.
        drop(sm);
        notifier::pause(&waker, more).await;
    }
}

async fn sweep(collector: Collector) {
    match content::sweep(&collector).await {
        Ok(0) => {}
        Ok(swept) => tracing::info!(swept, "removed payloads that no map names"),
        Err(error) => tracing::warn!(error = %error, "payloads that no map names stay"),
    }
}
