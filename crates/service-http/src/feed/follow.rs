//! The verifier's side: a task that follows one issuer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use authorization::revocation::RENEW_EVERY;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::answer::{FeedAnswer, FeedEntry};
use crate::ambient::Ambient;
use crate::verifier::IssuerState;

/// Shortest and longest wait after a failure. Own values: the longest is below the lease.
const BACK_OFF_MIN: Duration = Duration::from_millis(25);
const BACK_OFF_MAX: Duration = Duration::from_millis(400);

/// How often it is looked whether the key set is older than its `max-age`. Own value.
const KEYS_LOOK: Duration = Duration::from_secs(5);

/// Why a poll brought nothing. Says nothing of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The issuer does not answer in time.
    #[error("issuer not reachable")]
    Unreachable,
    /// Its answer is not what this feed answers.
    #[error("answer of the feed refused")]
    Refused,
}

/// Where revocations come from.
#[async_trait]
pub trait RevocationFeed: Send + Sync + 'static {
    /// What happened after `after`; waits for it at most `wait`.
    ///
    /// # Errors
    /// See [`FeedError`].
    async fn poll(&self, after: u64, wait: Duration) -> Result<FeedAnswer, FeedError>;
}

/// What [`follow`] is given.
pub struct Follow {
    /// What is kept up to date.
    pub issuer: Arc<IssuerState>,
    /// Where from.
    pub feed: Arc<dyn RevocationFeed>,
    /// Clock and randomness.
    pub ambient: Ambient,
}

/// The running task; ends when this is dropped, and the lease with it.
#[derive(Debug)]
pub struct Follower {
    task: JoinHandle<()>,
    ready: watch::Receiver<bool>,
}

impl Follower {
    /// Waits until keys and snapshot are loaded.
    pub async fn ready(&mut self) {
        // The sender lives as long as the task.
        let _ = self.ready.wait_for(|ready| *ready).await;
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to follow an issuer.
pub fn follow(follow: Follow) -> Follower {
    let (told, ready) = watch::channel(false);
    let task = tokio::spawn(async move {
        tokio::join!(follow_feed(&follow, &told), follow_keys(&follow));
    });
    Follower { task, ready }
}

async fn follow_keys(follow: &Follow) {
    loop {
        tokio::time::sleep(KEYS_LOOK).await;
        if let Err(error) = follow.issuer.refetch_stale(&follow.ambient).await {
            tracing::warn!(issuer = %follow.issuer.row().issuer, error = %error, "keys of an issuer could not be renewed");
        }
    }
}

async fn follow_feed(follow: &Follow, told: &watch::Sender<bool>) {
    let issuer = &follow.issuer;
    let mut state = State { jwks_version: None, whole: false };
    let mut failures = 0_u32;
    loop {
        match state.once(follow).await {
            Ok(()) => {
                if failures > 0 {
                    tracing::info!(issuer = %issuer.row().issuer, "issuer answers again");
                }
                failures = 0;
                if state.whole {
                    told.send_if_modified(|ready| !std::mem::replace(ready, true));
                }
            }
            Err(error) => {
                // The lease is not extended, whatever failed.
                failures = failures.saturating_add(1);
                if failures == 1 {
                    tracing::warn!(issuer = %issuer.row().issuer, error = %error, "issuer cannot be followed");
                }
                metrics::counter!("metaseal_feed_failures_total").increment(1);
                tokio::time::sleep(back_off(failures, &follow.ambient)).await;
            }
        }
    }
}

struct State {
    /// The key set that was fetched, by the epoch of its change.
    jwks_version: Option<u64>,
    /// Whether everything up to the issuer's present epoch is known.
    whole: bool,
}

impl State {
    /// One poll: entries and keys are applied before the lease is renewed, and before the next poll confirms them.
    async fn once(&mut self, follow: &Follow) -> Result<(), FeedError> {
        let issuer = &follow.issuer;
        let sent_at = follow.ambient.monotonic();
        let after = issuer.epoch();
        let wait = if self.whole { RENEW_EVERY } else { Duration::ZERO };
        let answer = follow.feed.poll(after, wait).await?;
        if answer.head < after {
            // Another history than the one that was followed: everything is loaded anew, without a lease.
            tracing::warn!(issuer = %issuer.row().issuer, "the issuer's log began anew");
            issuer.forget();
            *self = Self { jwks_version: None, whole: false };
            return Ok(());
        }
        check_order(after, &answer)?;
        if self.jwks_version != Some(answer.jwks_version) {
            issuer.refetch(&follow.ambient).await.map_err(|_| FeedError::Unreachable)?;
            self.jwks_version = Some(answer.jwks_version);
        }
        self.whole = answer.epoch >= answer.head;
        issuer.apply(answer.entries.into_iter().filter_map(FeedEntry::revocation).collect(), answer.epoch);
        if self.whole {
            issuer.renew(sent_at);
        }
        Ok(())
    }
}

/// Entries follow `after` without a gap, so that nothing revoked is missed; only up to the floor some may be gone.
fn check_order(after: u64, answer: &FeedAnswer) -> Result<(), FeedError> {
    let follows = |known: u64, next: u64| {
        next > known && (next == known.saturating_add(1) || next <= answer.floor.saturating_add(1))
    };
    let mut known = after;
    for entry in &answer.entries {
        if !follows(known, entry.epoch) {
            return Err(FeedError::Refused);
        }
        known = entry.epoch;
    }
    let all_gone = answer.entries.is_empty() && answer.epoch > after && answer.epoch <= answer.floor;
    let reaches = answer.epoch == known || all_gone;
    if reaches && answer.epoch <= answer.head && answer.floor <= answer.head {
        Ok(())
    } else {
        Err(FeedError::Refused)
    }
}

/// Twice as long after each failure, spread by half so that verifiers do not come all at once.
fn back_off(failures: u32, ambient: &Ambient) -> Duration {
    let longest = BACK_OFF_MIN.saturating_mul(1 << failures.min(8)).min(BACK_OFF_MAX);
    let [byte] = ambient.random_bytes::<1>();
    longest / 2 + longest / 2 * u32::from(byte) / 255
}
