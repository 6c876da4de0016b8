//! Removal of payloads that no map names.

use std::collections::BTreeSet;
use std::sync::Arc;

use store::blobs::{BlobDigest, Blobs};
use store::{Store, StoreError, maps};
use tokio::sync::{RwLock, RwLockReadGuard};

/// Keeps apart who names a payload that was there already and who finds that nobody names it.
///
/// Between the last octet of an upload and the commit of its row, a payload is named by nobody and must stay; uploads hold
/// the lock for reading that long, and who removes holds it alone.
#[derive(Clone)]
pub(in crate::sm) struct Collector {
    store: Store,
    blobs: Blobs,
    naming: Arc<RwLock<()>>,
}

impl Collector {
    pub(in crate::sm) fn new(store: Store, blobs: Blobs) -> Self {
        Self { store, blobs, naming: Arc::default() }
    }

    /// While this is held, no payload is removed.
    pub(super) async fn naming(&self) -> RwLockReadGuard<'_, ()> {
        self.naming.read().await
    }

    /// Removes a payload unless a map names it.
    ///
    /// # Errors
    /// The store or the disk failed; the payload is an orphan until the next start.
    pub(in crate::sm) async fn collect(&self, sha256: [u8; 32]) -> Result<(), StoreError> {
        let _alone = self.naming.write().await;
        let used = self
            .store
            .read(move |tx| Box::pin(async move { maps::content::is_used(tx, &sha256).await }))
            .await?;
        if !used {
            let blobs = self.blobs.clone();
            blocking(move || Ok(blobs.delete(&BlobDigest(sha256))?)).await?;
        }
        Ok(())
    }

    /// As [`Collector::collect`], where a failure changes nothing for the caller.
    pub(in crate::sm) async fn collect_quietly(&self, sha256: [u8; 32]) {
        if let Err(error) = self.collect(sha256).await {
            tracing::warn!(error = %error, "a payload that no map names stays until the next start");
        }
    }
}

/// Drops what a crash left between payload and row, or between row and payload: payloads that no map names. Returns how
/// many.
///
/// # Errors
/// The store or the disk failed.
pub(in crate::sm) async fn sweep(collector: &Collector) -> Result<usize, StoreError> {
    let _alone = collector.naming.write().await;
    let blobs = collector.blobs.clone();
    let kept: Vec<BlobDigest> = blocking(move || Ok(blobs.all()?)).await?;
    let named: BTreeSet<[u8; 32]> = collector
        .store
        .read(|tx| Box::pin(async move { maps::content::all_used(tx).await }))
        .await?
        .into_iter()
        .collect();
    let orphans: Vec<BlobDigest> = kept.into_iter().filter(|digest| !named.contains(&digest.0)).collect();
    let blobs = collector.blobs.clone();
    blocking(move || {
        let mut swept = 0;
        for orphan in &orphans {
            swept += usize::from(blobs.delete(orphan)?);
        }
        Ok(swept)
    })
    .await
}

/// Runs file operations where they may block.
pub(super) async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(f).await.unwrap_or(Err(StoreError::JobPanicked))
}
