//! The spatial anchor server: `ssan-sanm`, `ssan-disc` and `ssan-usg` (TS 23.437 clause 8, TS 29.437; TR 33.721 6.1.2).
//!
//! The unit of management is a list of anchors of one VAL service. Its owner is the principal that created it. Every
//! other caller sees the anchors that it may discover and nothing of the rest.

mod access;
pub mod bulk;
mod change;
mod create_list;
mod delete_list;
mod discover;
mod faces;
pub mod fuzz;
mod groups;
mod input;
mod kept;
mod modify_list;
mod publish;
mod read_list;
mod replace_list;
mod shown;
mod stored;
mod subscriptions;
mod usage;
mod view;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};

use api_types::ids::ValUeId;
use api_types::oauth::ProtectedResourceMetadata;
use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use capif_aef::security_api;
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use service_http::call::Call;
use service_http::callback_hosts::HostSource;
use service_http::guard;
use service_http::kit::FunctionKit;
use service_http::outbox_driver::{Decision, OutboxDriver, Recipients};
use service_http::refusal::Refusal;
use service_http::resource_metadata;
use service_http::routes::{MountError, RouteSpec};
use store::anchors::positions::{self, UePosition};
use store::outbox::Message;
use store::{Bounds, StoreError};

use self::kept::Kept;
use crate::shared::cursor_secret::CursorSecret;
use crate::shared::etag::EntityTag;
use crate::shared::grants;
use crate::shared::operator_rules::RulesCache;
use crate::shared::publication::{self, CoreFunction};
use crate::shared::registrations;
use crate::shared::subscriptions::notifier::{self, Sweeps, Waker};
use crate::shared::subscriptions::{Kind as _, operations};
use groups::Groups;
use subscriptions::happening::{self, Happening};

/// Scope of GET of anchors lists (contract, section 4).
pub const READ: &str = "3gpp:seal:san.read";
/// Scope of the other methods of `ssan-sanm`.
pub const WRITE: &str = "3gpp:seal:san.write";
/// Scope of `ssan-disc`.
pub const DISCOVER: &str = "3gpp:seal:san.discover";

const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
const LIST: &str = "/ssan-sanm/v1/anchors-lists/{anchorsListId}";
const ANCHORS: &str = "/ssan-disc/v1/spatial-anchors";
const SUBSCRIPTIONS: &str = "/ssan-sanm/v1/subscriptions";
const USAGE: &str = "/ssan-usg/v1/subscriptions";
const USAGE_SUBSCRIPTION: &str = "/ssan-usg/v1/subscriptions/{subscriptionId}";
const USAGE_REPORT: &str = "/ssan-usg/v1/report";
const SUBSCRIPTION: &str = "/ssan-sanm/v1/subscriptions/{subscriptionId}";
const GROUPS: &str = "/ssan-grpm/v1/groups";
const GROUP: &str = "/ssan-grpm/v1/groups/{groupId}";
const GROUP_ANCHORS: &str = "/ssan-grpm/v1/groups/{groupId}/spatial-anchors";

/// Kinds of subscriptions.
const FAMILIES: &[&str] = &[subscriptions::Anchors::FAMILY, usage::Usage::FAMILY];

/// Largest list on the wire, in bytes. Own value: 1,000 anchors of 4 KiB.
const LIST_BYTES: usize = 4 * 1024 * 1024;

/// Largest list that a change may leave, in bytes as it is kept. Own value: that of the wire, and what the server adds.
const LIST_KEPT: usize = 5 * 1024 * 1024;

/// Largest anchor, in bytes as it is kept: what a page reads at once is in memory. Own value.
const ANCHOR_KEPT: usize = 256 * 1024;

/// The procedure that every route here is part of (TR 33.721 figure 6.1.2-2).
const PROCEDURE: &str = "TR33.721-S1";

/// The routes of the spatial anchor server.
pub const ROUTES: &[RouteSpec] = &[
    resource_metadata::ROUTE,
    RouteSpec::token(Method::POST, LISTS, "CreateSpatialAnchorsList", &[WRITE])
        .step(PROCEDURE, "1", "Create spatial anchors request with access token")
        .body_limit(LIST_BYTES)
        .cost(4),
    RouteSpec::token(Method::GET, LIST, "GetIndSpatialAnchorsList", &[READ]).step(
        PROCEDURE,
        "1",
        "Get spatial anchors request with access token",
    ),
    RouteSpec::token(Method::PUT, LIST, "UpdateIndSpatialAnchorsList", &[WRITE])
        .step(PROCEDURE, "1", "Update spatial anchors request with access token")
        .body_limit(LIST_BYTES)
        .cost(4),
    RouteSpec::token(Method::PATCH, LIST, "ModifyIndSpatialAnchorsList", &[WRITE])
        .step(PROCEDURE, "1", "Modify spatial anchors request with access token")
        .body_limit(LIST_BYTES)
        .cost(4),
    RouteSpec::token(Method::DELETE, LIST, "DeleteIndSpatialAnchorsList", &[WRITE]).step(
        PROCEDURE,
        "1",
        "Delete spatial anchors request with access token",
    ),
    RouteSpec::token(Method::GET, ANCHORS, "DiscSpatialAnchorsProfiles", &[DISCOVER])
        .step(PROCEDURE, "1", "Discover spatial anchors request with access token")
        .cost(2),
    RouteSpec::token(Method::POST, SUBSCRIPTIONS, "CreateSpatialAnchorsSub", &[DISCOVER])
        .step(PROCEDURE, "1", "Subscribe spatial anchors request with access token")
        .cost(2),
    RouteSpec::token(Method::GET, SUBSCRIPTION, "GetIndSpatialAnchorsSub", &[READ]).step(
        PROCEDURE,
        "1",
        "Get spatial anchors subscription request with access token",
    ),
    RouteSpec::token(Method::PUT, SUBSCRIPTION, "UpdateIndSpatialAnchorsSub", &[WRITE])
        .step(PROCEDURE, "1", "Update spatial anchors subscription request with access token")
        .cost(2),
    RouteSpec::token(Method::PATCH, SUBSCRIPTION, "ModifyIndSpatialAnchorsSub", &[WRITE])
        .step(PROCEDURE, "1", "Modify spatial anchors subscription request with access token")
        .cost(2),
    RouteSpec::token(Method::DELETE, SUBSCRIPTION, "DeleteIndSpatialAnchorsSub", &[WRITE]).step(
        PROCEDURE,
        "1",
        "Unsubscribe spatial anchors request with access token",
    ),
    RouteSpec::token(Method::POST, USAGE, "CreateSpatialAnchorsUsageSub", &[DISCOVER])
        .step(PROCEDURE, "1", "Spatial anchors usage information request with access token")
        .cost(2),
    RouteSpec::token(Method::GET, USAGE_SUBSCRIPTION, "GetIndSpatialAnchorsUsageSub", &[DISCOVER]),
    RouteSpec::token(Method::PUT, USAGE_SUBSCRIPTION, "UpdateIndSpatialAnchorsUsageSub", &[DISCOVER]).cost(2),
    RouteSpec::token(Method::PATCH, USAGE_SUBSCRIPTION, "ModifyIndSpatialAnchorsUsageSub", &[DISCOVER])
        .cost(2),
    RouteSpec::token(Method::DELETE, USAGE_SUBSCRIPTION, "DeleteIndSpatialAnchorsUsageSub", &[DISCOVER]),
    RouteSpec::token(Method::POST, USAGE_REPORT, "ReportSpatialAnchorsUsage", &[DISCOVER])
        .step(PROCEDURE, "1", "Spatial anchors usage report with access token")
        .cost(2),
    RouteSpec::token(Method::POST, GROUPS, "CreateSpatialAnchorGroup", &[WRITE])
        .step(PROCEDURE, "1", "Create spatial anchor group request with access token")
        .cost(2),
    RouteSpec::token(Method::GET, GROUPS, "GetSpatialAnchorGroups", &[READ]),
    RouteSpec::token(Method::GET, GROUP, "GetIndSpatialAnchorGroup", &[READ]),
    RouteSpec::token(Method::PUT, GROUP, "UpdateIndSpatialAnchorGroup", &[WRITE]).cost(2),
    RouteSpec::token(Method::PATCH, GROUP, "ModifyIndSpatialAnchorGroup", &[WRITE]).cost(2),
    RouteSpec::token(Method::DELETE, GROUP, "DeleteIndSpatialAnchorGroup", &[WRITE]),
    RouteSpec::token(Method::GET, GROUP_ANCHORS, "GetSpatialAnchorsOfGroup", &[DISCOVER])
        .step(PROCEDURE, "1", "Discover spatial anchors of a group request with access token")
        .cost(2),
    security_api::CHECK_AUTHENTICATION,
    security_api::REVOKE_AUTHORIZATION,
    publication::ROUTE,
    faces::PING_ROUTE,
    faces::LIST_ROUTE,
    faces::READ_ROUTE,
    faces::CREATE_ROUTE,
    faces::REPLACE_ROUTE,
    faces::REMOVE_ROUTE,
];

/// Settings of the spatial anchor server.
#[derive(Clone)]
pub struct SanConfig {
    /// Who knows where clients may be called back; without it nobody can subscribe.
    pub hosts: Option<Arc<dyn HostSource>>,
    /// Largest area that an ordinary consumer may search, in square metres (contract, section 7).
    pub area_max_m2: f64,
    /// Whether a UE whose position is not known counts as outside of every service area.
    pub unknown_position_is_outside: bool,
    /// How much one search may read.
    pub search: Bounds,
    /// The core function that is told of anchors, where there is one.
    pub core: Option<CoreFunction>,
}

impl Default for SanConfig {
    fn default() -> Self {
        Self {
            hosts: None,
            area_max_m2: 1.0e10,
            unknown_position_is_outside: true,
            search: Bounds::default(),
            core: None,
        }
    }
}

impl std::fmt::Debug for SanConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SanConfig")
            .field("hosts", &self.hosts.is_some())
            .field("area_max_m2", &self.area_max_m2)
            .field("unknown_position_is_outside", &self.unknown_position_is_outside)
            .field("search", &self.search)
            .field("core", &self.core)
            .finish()
    }
}

/// The spatial anchor server. Cheap to clone.
#[derive(Clone)]
pub struct SanServer(Arc<Inner>);

struct Inner {
    kit: FunctionKit,
    config: SanConfig,
    rules: RulesCache,
    cursors: CursorSecret,
    notifier: Waker,
    publisher: tokio::sync::Notify,
    outbox: OutboxDriver,
    tally: usage::Tally,
    kept: Kept,
    import_turns: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for SanServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SanServer").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// What a client needs to know of this server before it has a token (RFC 9728).
async fn metadata(State(san): State<SanServer>) -> Json<ProtectedResourceMetadata> {
    Json(resource_metadata::document(san.kit(), ROUTES))
}

impl SanServer {
    /// A server on the surroundings of the function `san`. Takes up what was interrupted: subscribers that were not
    /// told, notifications on their way. Needs a runtime.
    pub fn new(kit: FunctionKit, config: SanConfig) -> Self {
        let server = Self(Arc::new_cyclic(|inner: &Weak<Inner>| {
            let recipients = Arc::new(Recipient(inner.clone()));
            let (store, ambient, egress) = (kit.store.clone(), kit.ambient.clone(), kit.egress.clone());
            Inner {
                kit,
                rules: RulesCache::at(config.core.as_ref()),
                config,
                cursors: CursorSecret::default(),
                notifier: Waker::default(),
                publisher: tokio::sync::Notify::default(),
                tally: usage::Tally::default(),
                kept: Kept::default(),
                import_turns: Arc::default(),
                outbox: OutboxDriver::start(store, ambient, egress, recipients),
            }
        }));
        tokio::spawn(report(Arc::downgrade(&server.0), Arc::clone(&server.0.notifier)));
        server
    }

    /// The whole of its listener.
    ///
    /// # Errors
    /// Routes and handlers do not fit: a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        let routes = guard::mount(&self.0.kit, ROUTES)
            .on("ProtectedResourceMetadata", metadata)
            .on("CreateSpatialAnchorsList", create_list::create_list)
            .on("GetIndSpatialAnchorsList", read_list::read_list)
            .on("UpdateIndSpatialAnchorsList", replace_list::replace_list)
            .on("ModifyIndSpatialAnchorsList", modify_list::modify_list)
            .on("DeleteIndSpatialAnchorsList", delete_list::delete_list)
            .on("DiscSpatialAnchorsProfiles", discover::discover)
            .on("CreateSpatialAnchorsSub", operations::create::<subscriptions::Anchors>)
            .on("GetIndSpatialAnchorsSub", operations::read::<subscriptions::Anchors>)
            .on("UpdateIndSpatialAnchorsSub", operations::replace::<subscriptions::Anchors>)
            .on("ModifyIndSpatialAnchorsSub", operations::modify::<subscriptions::Anchors>)
            .on("DeleteIndSpatialAnchorsSub", operations::delete::<subscriptions::Anchors>)
            .on("CreateSpatialAnchorsUsageSub", usage::ask)
            .on("GetIndSpatialAnchorsUsageSub", operations::read::<usage::Usage>)
            .on("UpdateIndSpatialAnchorsUsageSub", operations::replace::<usage::Usage>)
            .on("ModifyIndSpatialAnchorsUsageSub", operations::modify::<usage::Usage>)
            .on("DeleteIndSpatialAnchorsUsageSub", operations::delete::<usage::Usage>)
            .on("ReportSpatialAnchorsUsage", usage::report)
            .on("CreateSpatialAnchorGroup", registrations::create::<Groups>)
            .on("GetSpatialAnchorGroups", groups::list)
            .on("GetIndSpatialAnchorGroup", registrations::read::<Groups>)
            .on("UpdateIndSpatialAnchorGroup", registrations::replace::<Groups>)
            .on("ModifyIndSpatialAnchorGroup", registrations::modify::<Groups>)
            .on("DeleteIndSpatialAnchorGroup", registrations::delete::<Groups>)
            .on("GetSpatialAnchorsOfGroup", groups::anchors)
            .on("CheckAuthentication", security_api::check_authentication)
            .on("RevokeAuthorization", security_api::revoke_authorization)
            .on("NotifyResourceAuth", publish::notified)
            .on("PingWorldStorage", faces::ping)
            .on("ListWorldAnchors", faces::list)
            .on("GetWorldAnchor", faces::read)
            .on("CreateWorldAnchor", faces::create)
            .on("ReplaceWorldAnchor", faces::replace)
            .on("RemoveWorldAnchor", faces::remove)
            .finish()?;
        Ok(guard::serve(&self.0.kit, routes.with_state(self.clone())))
    }

    /// Sets where the operator saw a VAL UE (contract, section 5, `/positions`).
    ///
    /// # Errors
    /// The store failed.
    pub async fn put_position(&self, ue: &ValUeId, position: UePosition) -> Result<(), StoreError> {
        let ue = ue.as_str().to_owned();
        let ambient = self.kit().ambient.clone();
        let put = self.kit().store.write(move |tx| {
            Box::pin(async move {
                positions::put(tx, &ue, &position).await?;
                happening::note(tx, &ambient, None, &Happening::Moved { ue }).await
            })
        });
        let kept: Result<(), StoreError> = put.await;
        kept?;
        self.wake_notifier();
        Ok(())
    }

    fn hosts(&self) -> Option<&dyn HostSource> {
        self.0.config.hosts.as_deref()
    }

    fn wake_notifier(&self) {
        self.0.notifier.notify_one();
    }

    fn tally(&self) -> &usage::Tally {
        &self.0.tally
    }

    fn wake_outbox(&self) {
        self.0.outbox.wake();
    }

    fn kit(&self) -> &FunctionKit {
        &self.0.kit
    }

    fn config(&self) -> &SanConfig {
        &self.0.config
    }

    fn rules(&self) -> &RulesCache {
        &self.0.rules
    }
}

/// Tells subscribers what happened, for as long as the server lives.
async fn report(inner: Weak<Inner>, waker: Waker) {
    let mut sweeps = Sweeps::default();
    while let Some(inner) = inner.upgrade() {
        let san = SanServer(inner);
        let more = match sweeps.turn(san.kit(), FAMILIES).await {
            Ok(()) => subscriptions::round(&san).await,
            Err(error) => Err(error),
        };
        // The server must not be held while nothing happens.
        drop(san);
        notifier::pause(&waker, more).await;
    }
}

/// What becomes of a notification at the moment when it could go.
struct Recipient(Weak<Inner>);

#[async_trait]
impl Recipients for Recipient {
    async fn decide(&self, message: &Message) -> Result<Decision, StoreError> {
        let Some(san) = self.0.upgrade().map(SanServer) else {
            return Ok(Decision::Later("the server is ending"));
        };
        if !notifier::is_ours(message) {
            return Ok(Decision::Drop);
        }
        match notifier::admitted(san.kit(), message).await? {
            Err(decision) => Ok(decision),
            Ok(admitted) if admitted.row.family == usage::Usage::FAMILY => {
                usage::decide(&san, admitted, message).await
            }
            Ok(admitted) => subscriptions::decide(&san, admitted, message).await,
        }
    }
}

/// Notes the steps that follow when a request was granted.
fn granted(call: &Call) {
    const ANSWER: &str = "Spatial anchor information";
    if grants::granted(call, "SAn-S", ANSWER) {
        return;
    }
    let client = match call.ctx.actor().label {
        "VAL UE" => "SAn-C",
        other => other,
    };
    call.ctx.step(PROCEDURE, "2", "SAn-S", "SAn-S", "Validate access token");
    call.ctx.step(PROCEDURE, "3", "SAn-S", client, ANSWER);
}

/// A representation on its way, under its entity tag.
fn represented(
    status: StatusCode,
    body: Vec<u8>,
    tag: &EntityTag,
    location: Option<&str>,
) -> Result<Response, Refusal> {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let value = |text: &str| {
        HeaderValue::try_from(text)
            .map_err(|_| Refusal::from(StoreError::Damaged("an identifier is no header value")))
    };
    headers.insert(ETAG, value(&tag.header())?);
    if let Some(location) = location {
        headers.insert(LOCATION, value(location)?);
    }
    Ok(response)
}
