//! The task that tells subscribers, and the outbox behind it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use service_http::outbox_driver::OutboxDriver;
use tokio::sync::Notify;

use super::deliver::Recipient;
use super::round;
use super::websocket::Sockets;
use crate::ccf::CcfServer;
use crate::ccf::server::WeakCcf;

/// Longest sleep between two rounds; other nodes may have left something, and periods run out. Own value.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked for subscriptions that are over, in seconds. Own value.
const SWEEP_S: i64 = 60;

/// What wakes whoever tells subscribers.
#[derive(Default)]
pub(crate) struct Hub {
    waker: Arc<Notify>,
    sockets: Arc<Sockets>,
    outbox: OnceLock<OutboxDriver>,
}

impl Hub {
    /// Begins to tell; takes up what was interrupted. A second call changes nothing.
    pub(crate) fn start(&self, ccf: &CcfServer) {
        let kit = ccf.kit();
        self.outbox.get_or_init(|| {
            tokio::spawn(tell(ccf.downgrade(), Arc::clone(&self.waker)));
            let recipients = Arc::new(Recipient(ccf.downgrade()));
            OutboxDriver::start(kit.store.clone(), kit.ambient.clone(), kit.egress.clone(), recipients)
        });
    }

    /// Something happened, or was queued.
    pub(crate) fn wake(&self) {
        self.waker.notify_one();
        self.wake_outbox();
    }

    /// The WebSockets that subscribers have opened here.
    pub(crate) fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }

    /// Messages were queued.
    pub(crate) fn wake_outbox(&self) {
        if let Some(outbox) = self.outbox.get() {
            outbox.wake();
        }
    }
}

/// Tells as long as there is a core function.
async fn tell(ccf: WeakCcf, waker: Arc<Notify>) {
    let mut swept = None;
    loop {
        let Some(ccf) = ccf.upgrade() else { return };
        let now = Some(ccf.now_s() / SWEEP_S);
        if swept != now {
            match round::sweep(&ccf).await {
                Ok(()) => swept = now,
                Err(error) => tracing::error!(%error, "subscriptions that are over cannot be ended"),
            }
        }
        match round::round(&ccf).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "subscribers cannot be told"),
        }
        drop(ccf);
        tokio::select! {
            () = waker.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
