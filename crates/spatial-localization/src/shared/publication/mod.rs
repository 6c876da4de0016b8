//! What a server tells the CAPIF core function of its anchors and maps, and what that tells back (TR 33.721 6.3.2.1 steps 4
//! and 5; decision 0075).
//!
//! A change marks its list or map in its own transaction (`store::publications`). [`round`] reads what is marked, tells it
//! through a [`ResourceAuthorizationSink`] and keeps what was acknowledged; [`resync`] compares everything after an outage of
//! either side. An object that was made with a token of the core function is its owner's alone until then.

pub(crate) mod echo;
mod mapping;
mod receive;
mod resync;
mod round;

use api_types::capif::resource_auth::{
    AuthPolicy, ResourceAuthBatchItem, ResourceAuthInfo, ResourceAuthPage,
};
use api_types::capif::{AefId, ResourceId, ServiceApiId};
use api_types::san::{SyncState, Visibility};
use async_trait::async_trait;
use authorization::Principal;
use service_http::ambient::Ambient;
use store::publications::{self, Objects, Sync as Known};
use store::{Sql, Store, StoreError};

pub(crate) use mapping::{Exposed, resource_auth};
pub use receive::NOTIFICATIONS;
pub(crate) use receive::{ROUTE, notified};
pub use resync::{Repaired, resync};
pub use round::{Done, round};

/// The core function at which a server is registered, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreFunction {
    /// The issuer of its tokens.
    pub issuer: String,
    /// Its name in its certificate, by which it tells of what owners keep there.
    pub name: String,
    /// The server there.
    pub aef_id: AefId,
    /// The service API there that serves the objects.
    pub api_id: ServiceApiId,
}

impl CoreFunction {
    /// Whether it knows what this owner makes from now on.
    #[must_use]
    pub fn sync_of(core: Option<&Self>, owner: &Principal) -> Known {
        match core {
            Some(core) if core.issuer == owner.issuer => Known::Pending,
            _ => Known::Free,
        }
    }
}

/// Whether the core function knows everything that was changed of a list or map: only then a token of its own that names the
/// object agrees with the rules that the object has by now, for it has revoked what no longer does.
///
/// # Errors
/// The store failed.
pub(crate) async fn is_told(tx: &mut dyn Sql, object_id: &str) -> Result<bool, StoreError> {
    let mark = publications::find(tx, object_id).await?;
    Ok(mark.is_some_and(|mark| mark.told >= mark.version))
}

/// The visibility that counts: an object of which the core function does not know yet is its owner's alone.
pub(crate) fn visibility(sync: Known, said: Option<Visibility>) -> Option<Visibility> {
    if sync == Known::Pending { Some(Visibility::Private) } else { said }
}

/// As the owner is shown it.
pub(crate) fn shown(sync: Known) -> Option<SyncState> {
    match sync {
        Known::Free => None,
        Known::Pending => Some(SyncState::Pending),
        Known::Synced => Some(SyncState::Synced),
    }
}

/// Why something could not be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The core function does not answer, or answers that it cannot now.
    #[error("the core function does not answer")]
    Unreachable,
    /// It refuses, and would again.
    #[error("the core function refuses: {0}")]
    Refused(String),
}

/// The core function, as a server needs it; the one who starts the server stands behind it with the certificate of the API
/// exposing function.
#[async_trait]
pub trait ResourceAuthorizationSink: Send + Sync {
    /// Tells of resources, at most `MAX_BATCH`; what became of each, in their order. `cause` is the trace of the one request
    /// that made or changed all of them, where there is one.
    async fn put(
        &self,
        resources: Vec<ResourceAuthInfo>,
        cause: Option<&str>,
    ) -> Result<Vec<ResourceAuthBatchItem>, SinkError>;

    /// Withdraws a resource; that there is none is no error.
    async fn delete(&self, resource: &ResourceId) -> Result<(), SinkError>;

    /// A page of what it knows, by resource.
    async fn page(&self, cursor: Option<String>) -> Result<ResourceAuthPage, SinkError>;

    /// The policies that the owner of a resource keeps there, and their version.
    async fn kept_by_owner(&self, resource: &ResourceAuthInfo) -> Result<(u64, Vec<AuthPolicy>), SinkError>;

    /// The version that it knows of a resource; `None`: it knows none.
    async fn version(&self, resource: &ResourceId) -> Result<Option<u64>, SinkError>;
}

/// A server that tells of its objects.
#[async_trait]
pub trait Publishing: Send + Sync {
    /// Its records.
    fn store(&self) -> &Store;

    /// Clock.
    fn ambient(&self) -> &Ambient;

    /// What its objects are.
    fn objects(&self) -> Objects;

    /// The object that a resource is part of; `None`: no object here has such a resource.
    fn object_of(&self, resource: &ResourceId) -> Option<String>;

    /// The resources of an object, as they are to be told under `version`; none: it is gone.
    async fn resources(
        &self,
        tx: &mut dyn Sql,
        object_id: &str,
        version: u64,
    ) -> Result<Vec<ResourceAuthInfo>, StoreError>;

    /// The core function has acknowledged these resources of an object: those that waited for it are open now. `true`: some
    /// were, and subscribers may want to hear.
    async fn open(
        &self,
        tx: &mut dyn Sql,
        object_id: &str,
        resources: &[ResourceId],
    ) -> Result<bool, StoreError>;

    /// Something was opened, and committed.
    fn opened(&self);

    /// One who waits for a change is woken by this.
    fn changed(&self) -> &tokio::sync::Notify;
}
