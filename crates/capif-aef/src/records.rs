//! Where invocations are counted and logs wait: what has to survive the process.

use std::path::Path;

use api_types::function::Function;
use async_trait::async_trait;
use store::aef::{self, Block, WaitingLog, WithdrawnRow};
use store::{Migrations, Store, StoreConfig, StoreError};

/// Most logs that wait for the core function. Own value: each holds up to [`crate::logs::PER_LOG`] invocations.
const WAITING_MAX: u64 = 10_000;

/// Invocations that were made and are not counted yet: API invoker, service API, how many. Fewer than none gives back.
pub(crate) type Loose = (String, String, i64);

/// What an API exposing function keeps. Several nodes may share it.
#[async_trait]
pub trait Records: Send + Sync + 'static {
    /// Counts `more` invocations of a service API, and reserves a part of what is left below `limit`
    /// ([`Block`]): whatever is reserved counts, also when this process dies before it is made.
    async fn reserve(&self, invoker: &str, api: &str, more: i64, limit: u64) -> Result<Block, StoreError>;

    /// How often an API invoker has invoked a service API, on every node.
    async fn made(&self, invoker: &str, api: &str) -> Result<u64, StoreError>;

    /// Counts invocations and queues logs, all or nothing; logs by identifier and body. How many logs found no room.
    async fn keep(
        &self,
        counts: Vec<(String, String, i64)>,
        logs: Vec<(String, String)>,
        now_ms: i64,
    ) -> Result<usize, StoreError>;

    /// Logs that are due, up to `limit`; nobody else gets them before `until_ms`.
    async fn due(&self, now_ms: i64, until_ms: i64, limit: u32) -> Result<Vec<WaitingLog>, StoreError>;

    /// A log is settled; or it is due again at a time.
    async fn settle(&self, id: &str, again_ms: Option<i64>) -> Result<(), StoreError>;

    /// Keeps what was withdrawn.
    async fn withdraw(&self, rows: Vec<WithdrawnRow>) -> Result<(), StoreError>;

    /// What was withdrawn and may still have a token.
    async fn withdrawn(&self, now_s: i64) -> Result<Vec<WithdrawnRow>, StoreError>;
}

/// Records in the store of a function, or in a file of their own.
#[derive(Clone)]
pub struct StoreRecords(Store);

impl StoreRecords {
    /// In the store of a function whose schema has them.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self(store)
    }

    /// In a file in this directory, which holds nothing else.
    ///
    /// # Errors
    /// It cannot be opened or made.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let place = StoreConfig::Sqlite { dir: dir.to_owned() };
        // The name of the file; a function of ours has the same tables.
        Store::open(&place, Function::San, Migrations::of_aef()).await.map(Self)
    }
}

/// How many invocations are reserved at once, of those that are left. Own values: the more are left, the fewer writes; the
/// nearer the end, the fewer are lost with a process that dies.
fn part_of(left: u64) -> u64 {
    (left / 16).clamp(1, 256).min(left)
}

#[async_trait]
impl Records for StoreRecords {
    async fn reserve(&self, invoker: &str, api: &str, more: i64, limit: u64) -> Result<Block, StoreError> {
        let (invoker, api) = (invoker.to_owned(), api.to_owned());
        self.0
            .write(move |tx| {
                Box::pin(async move {
                    let take = |made: u64| part_of(limit.saturating_sub(made));
                    aef::reserve(tx, &invoker, &api, more, take).await
                })
            })
            .await
    }

    async fn made(&self, invoker: &str, api: &str) -> Result<u64, StoreError> {
        let (invoker, api) = (invoker.to_owned(), api.to_owned());
        self.0.write(move |tx| Box::pin(async move { aef::add(tx, &invoker, &api, 0).await })).await
    }

    async fn keep(
        &self,
        counts: Vec<(String, String, i64)>,
        logs: Vec<(String, String)>,
        now_ms: i64,
    ) -> Result<usize, StoreError> {
        self.0
            .write(move |tx| {
                Box::pin(async move {
                    let mut lost = 0;
                    for (invoker, api, more) in &counts {
                        aef::add(tx, invoker, api, *more).await?;
                    }
                    for (id, body) in &logs {
                        lost += usize::from(!aef::queue_log(tx, id, body, now_ms, WAITING_MAX).await?);
                    }
                    Ok::<_, StoreError>(lost)
                })
            })
            .await
    }

    async fn due(&self, now_ms: i64, until_ms: i64, limit: u32) -> Result<Vec<WaitingLog>, StoreError> {
        self.0
            .write(move |tx| Box::pin(async move { aef::claim_logs(tx, now_ms, until_ms, limit).await }))
            .await
    }

    async fn settle(&self, id: &str, again_ms: Option<i64>) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.0
            .write(move |tx| {
                Box::pin(async move {
                    match again_ms {
                        Some(due_ms) => aef::retry_log(tx, &id, due_ms).await,
                        None => aef::drop_log(tx, &id).await,
                    }
                })
            })
            .await
    }

    async fn withdraw(&self, rows: Vec<WithdrawnRow>) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                Box::pin(async move {
                    for row in &rows {
                        aef::withdraw(tx, row).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn withdrawn(&self, now_s: i64) -> Result<Vec<WithdrawnRow>, StoreError> {
        self.0.read(move |tx| Box::pin(async move { aef::withdrawn(tx, now_s).await })).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_the_end_the_fewer_are_reserved() {
        for (left, part) in [(0, 0), (1, 1), (15, 1), (16, 1), (32, 2), (4_096, 256), (u64::MAX, 256)] {
            assert_eq!(part_of(left), part, "{left}");
        }
    }
}
