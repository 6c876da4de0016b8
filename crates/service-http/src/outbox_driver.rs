//! Callbacks on their way out: what the outbox holds is delivered at least once, by one node at a time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::outbox::{self, Due, Retry};
use store::{Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::ambient::Ambient;
use crate::egress::{Egress, EgressError, Target};

/// Messages that one claim takes. Own value.
const CLAIM: u32 = 16;

/// How long a claim lasts: the time of a request and its record. Own value.
const CLAIM_MS: i64 = 15_000;

/// Longest sleep between two looks at the outbox; other nodes may have queued. Own value.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// First and longest delay before another attempt, in milliseconds. Own values.
const DELAY_MS: i64 = 1_000;
const DELAY_MAX_MS: i64 = 600_000;

/// Attempts before a message is given up: about an hour and a half. Own value.
const ATTEMPTS: u32 = 16;

/// What is to become of a message at the moment when it could go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes, as far as its target is of one of these hosts of the client.
    Send {
        /// The callback hosts that the client has registered now.
        hosts: Vec<String>,
        /// What the recipient may be told now.
        body: String,
    },
    /// It does not go any more.
    Drop,
    /// It cannot be decided now.
    Later(&'static str),
}

/// What the driver asks before each delivery: permission and consent are decided again when a notification is sent
/// (design, section 2).
#[async_trait]
pub trait Recipients: Send + Sync + 'static {
    /// Decides about a message that is due.
    async fn decide(&self, message: &outbox::Message) -> Result<Decision, StoreError>;

    /// The way out of a message that does not go as the others, by another certificate; `None`: as the others.
    fn way(&self, _message: &outbox::Message) -> Option<Egress> {
        None
    }

    /// Takes what was decided to the recipient over a way that the recipient has opened itself; whether it has arrived. If
    /// not, it goes to the target.
    async fn carry(&self, _message: &outbox::Message, _body: &str) -> bool {
        false
    }
}

/// The running driver; ends when it is stopped.
pub struct OutboxDriver {
    wake: Arc<Notify>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl OutboxDriver {
    /// Begins to deliver.
    pub fn start(store: Store, ambient: Ambient, egress: Egress, recipients: Arc<dyn Recipients>) -> Self {
        let wake = Arc::new(Notify::new());
        let (stop, stopped) = watch::channel(false);
        let node = ambient.random_id();
        let driver = Driver { store, ambient, egress, recipients, node };
        let task = tokio::spawn(driver.run(Arc::clone(&wake), stopped));
        Self { wake, stop, task }
    }

    /// Looks at the outbox at once: to be called after a commit that queued something.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// A handle that wakes the driver.
    pub fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Ends after the deliveries in hand.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

struct Driver {
    store: Store,
    ambient: Ambient,
    egress: Egress,
    recipients: Arc<dyn Recipients>,
    node: String,
}

impl Driver {
    async fn run(self, wake: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let delivered = match self.round().await {
                Ok(delivered) => delivered,
                Err(error) => {
                    tracing::error!(error = %error, "the outbox cannot be read");
                    0
                }
            };
            if delivered == usize::try_from(CLAIM).unwrap_or(usize::MAX) {
                continue;
            }
            tokio::select! {
                () = wake.notified() => {}
                // Whoever could stop it is gone: nobody waits for these deliveries any more.
                changed = stopped.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Claims what is due and delivers it; how many were claimed.
    async fn round(&self) -> Result<usize, StoreError> {
        let now_ms = self.ambient.now_ms();
        let node = self.node.clone();
        let due: Vec<Due> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    outbox::due(tx, &node, now_ms, now_ms.saturating_add(CLAIM_MS), CLAIM).await
                })
            })
            .await?;
        let claimed = due.len();
        let deliveries = due.into_iter().map(|due| self.deliver(due));
        for outcome in futures::future::join_all(deliveries).await {
            outcome?;
        }
        Ok(claimed)
    }

    async fn deliver(&self, due: Due) -> Result<(), StoreError> {
        let message = &due.message;
        let (hosts, body) = match self.recipients.decide(message).await? {
            Decision::Send { hosts, body } => (hosts, body),
            Decision::Drop => return self.settle(due, Ok(())).await,
            Decision::Later(why) => return self.settle(due, Err(Failure::Undecided(why))).await,
        };
        if self.recipients.carry(message, &body).await {
            return self.settle(due, Ok(())).await;
        }
        let sent = match Target::parse(&message.target, &hosts) {
            Err(refused) => Err(Failure::Refused(refused)),
            Ok(target) => {
                let traceparent =
                    message.trace.as_ref().map(|trace| format!("00-{trace}-{}-01", self.ambient.span_id()));
                let way = self.recipients.way(message);
                let egress = way.as_ref().unwrap_or(&self.egress);
                match egress.post_json(&target, body, traceparent.as_deref()).await {
                    Ok(answer) if answer.status.is_success() => Ok(()),
                    Ok(answer) => Err(Failure::Status(answer.status.as_u16())),
                    Err(refused) => Err(Failure::Refused(refused)),
                }
            }
        };
        self.settle(due, sent).await
    }

    async fn settle(&self, due: Due, sent: Result<(), Failure>) -> Result<(), StoreError> {
        let node = self.node.clone();
        let id = due.message.id.clone();
        let Err(failure) = sent else {
            metrics::counter!("metaseal_callbacks_total", "outcome" => "delivered").increment(1);
            self.store.write(move |tx| Box::pin(async move { outbox::done(tx, &id, &node).await })).await?;
            return Ok(());
        };
        let again_ms = self.ambient.now_ms().saturating_add(self.delay_ms(due.attempts));
        let attempts = if failure.is_final() { due.attempts + 1 } else { ATTEMPTS };
        let error = failure.to_string();
        let retry = self
            .store
            .write(move |tx| {
                Box::pin(async move { outbox::retry(tx, &id, &node, again_ms, attempts, &error).await })
            })
            .await?;
        let outcome = match retry {
            Retry::Again => "again",
            Retry::Dead => "dead",
            Retry::NotOurs => "not_ours",
        };
        metrics::counter!("metaseal_callbacks_total", "outcome" => outcome).increment(1);
        Ok(())
    }

    /// Twice as long after each failure, spread over the second half.
    fn delay_ms(&self, failed: u32) -> i64 {
        let longest = DELAY_MS.saturating_mul(1 << failed.min(20)).min(DELAY_MAX_MS);
        let spread = i64::from(u16::from_be_bytes(self.ambient.random_bytes()));
        longest / 2 + longest / 2 * spread / i64::from(u16::MAX)
    }
}

/// Why a message was not delivered.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Refused(EgressError),
    #[error("status {0}")]
    Status(u16),
    #[error("{0}")]
    Undecided(&'static str),
}

impl Failure {
    fn is_final(&self) -> bool {
        match self {
            Self::Refused(refused) => refused.is_final(),
            Self::Undecided(_) => false,
            // RFC 9110 15.5.11: gone for good.
            Self::Status(status) => *status == 410,
        }
    }
}
