//! The server: what its operations share.

use std::sync::{Arc, OnceLock, Weak};

use authorization::Reason;
use service_http::call::Ctx;
use service_http::kit::FunctionKit;
use service_http::outbox_driver::OutboxDriver;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::udm::sdm_subscriptions;
use store::udm::subscribers::{self, SubscriberRow};
use store::{Sql, StoreError};

use super::deliver::Recipient;

/// The UDM. Cheap to clone.
#[derive(Clone)]
pub struct UdmServer(Arc<Inner>);

struct Inner {
    kit: FunctionKit,
    outbox: OnceLock<OutboxDriver>,
}

impl UdmServer {
    /// A server. It tells nobody of anything before [`UdmServer::start`].
    #[must_use]
    pub fn new(kit: FunctionKit) -> Self {
        Self(Arc::new(Inner { kit, outbox: OnceLock::new() }))
    }

    /// Begins to tell of changes; takes up what was interrupted. A second call changes nothing.
    pub fn start(&self) {
        let kit = self.kit();
        self.0.outbox.get_or_init(|| {
            let recipients = Arc::new(Recipient(self.downgrade()));
            OutboxDriver::start(kit.store.clone(), kit.ambient.clone(), kit.egress.clone(), recipients)
        });
    }

    /// Forgets subscriptions that are over. Called now and then.
    ///
    /// # Errors
    /// The store fails; the next call tries again.
    pub async fn maintain(&self) -> Result<(), StoreError> {
        let now_s = self.now_s();
        let swept = self.kit().store.write::<u64, StoreError, _>(move |tx| {
            Box::pin(async move { sdm_subscriptions::sweep(tx, now_s).await })
        });
        swept.await.map(drop)
    }

    /// The surroundings.
    #[must_use]
    pub fn kit(&self) -> &FunctionKit {
        &self.0.kit
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.0.kit.ambient.now_s()
    }

    /// Messages were queued.
    pub(crate) fn wake(&self) {
        if let Some(outbox) = self.0.outbox.get() {
            outbox.wake();
        }
    }

    /// How a subscriber is named in records: neither SUPI nor GPSI stands there.
    pub(crate) fn object(&self, row: &SubscriberRow, what: &str) -> String {
        format!("subscribers/{}/{what}", self.kit().pseudonym(row.supi.as_str()))
    }

    fn downgrade(&self) -> WeakUdm {
        WeakUdm(Arc::downgrade(&self.0))
    }
}

impl std::fmt::Debug for UdmServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdmServer").finish_non_exhaustive()
    }
}

/// The UDM, if it is still there.
pub(crate) struct WeakUdm(Weak<Inner>);

impl WeakUdm {
    pub(crate) fn upgrade(&self) -> Option<UdmServer> {
        self.0.upgrade().map(UdmServer)
    }
}

/// The subscriber of an identifier of either kind (TS 29.571 `VarUeId`).
pub(super) async fn subscriber(tx: &mut dyn Sql, ue_id: &str) -> Result<Option<SubscriberRow>, StoreError> {
    match subscribers::by_supi(tx, ue_id).await? {
        Some(row) => Ok(Some(row)),
        None => subscribers::by_gpsi(tx, ue_id).await,
    }
}

/// The name of the function behind the connection, which outlives its certificate.
pub(super) fn caller(ctx: &Ctx) -> Result<String, Refusal> {
    let certificate = ctx.peer().and_then(|peer| peer.certificate_as(&[CertRole::Function]));
    certificate.map(|certificate| certificate.name.clone()).ok_or_else(|| Refusal::open(Reason::PeerRefused))
}

/// Nobody, or nothing said: the same to the caller.
pub(super) fn absent(ctx: &Ctx) -> Refusal {
    ctx.fail("resource", "data of a subscriber", "none");
    Refusal::hidden(Reason::NotFound)
}
