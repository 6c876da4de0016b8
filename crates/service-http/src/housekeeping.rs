//! What a function forgets in time: used-up values, leases, limits and revocations of long ago.

use std::sync::Weak;
use std::time::Duration;

use store::{StoreError, leases, once, revocations};

use crate::kit::Parts;

/// How often it is looked. Own value.
const EVERY: Duration = Duration::from_secs(600);

/// How long after its expiry a row is kept, in seconds. Own value: longer than any clock is wrong.
const KEPT_S: i64 = 24 * 3_600;

/// Rows that are dropped in one transaction. Own value.
const AT_ONCE: u32 = 1_000;

/// Runs until the function is gone.
///
/// The time is that of the start, carried on by the monotonic clock: a step of the wall clock drops nothing early, so
/// that nothing can be used twice.
pub(crate) async fn run(parts: Weak<Parts>) {
    let Some((began_s, began)) = parts.upgrade().map(|kit| (kit.ambient.now_s(), kit.ambient.monotonic()))
    else {
        return;
    };
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(kit) = parts.upgrade() else { return };
        kit.limits.purge();
        let gone = kit.ambient.monotonic().saturating_sub(began).as_secs();
        let now_s = began_s.saturating_add(i64::try_from(gone).unwrap_or(0));
        if let Err(error) = drop_old(&kit, now_s.saturating_sub(KEPT_S)).await {
            tracing::warn!(error = %error, "old records could not be dropped");
        }
    }
}

async fn drop_old(kit: &Parts, before_s: i64) -> Result<(), StoreError> {
    for issuer in kit.verifier.iter().flat_map(|verifier| verifier.issuers()) {
        issuer.forget_expired(before_s);
    }
    let mut dropped = u64::from(AT_ONCE);
    while dropped >= u64::from(AT_ONCE) {
        dropped = kit
            .store
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    leases::purge(tx, before_s.saturating_mul(1_000), AT_ONCE).await?;
                    let revoked = revocations::purge(tx, before_s, AT_ONCE).await?;
                    Ok(once::purge(tx, before_s, AT_ONCE).await?.max(revoked))
                })
            })
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use api_types::function::Function;
    use store::{Migrations, Store, StoreConfig};

    use super::*;
    use crate::ambient::Ambient;
    use crate::testkit;

    #[tokio::test]
    async fn only_what_expired_long_ago_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig::Sqlite { dir: dir.path().to_owned() };
        let store = Store::open(&config, Function::San, Migrations::of(Function::San)).await.unwrap();
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let kit = testkit::kit(Function::San, store, &ambient, "https://san.example", &[]);
        let consume = async |value: String, expires_s: i64| {
            let consumed = kit.store.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { once::consume(tx, "jti", &value, expires_s).await })
            });
            consumed.await.unwrap()
        };
        for number in 0..1_500 {
            assert!(consume(format!("old {number}"), 99).await);
        }
        assert!(consume("new".to_owned(), 100).await);
        drop_old(&kit, 100).await.unwrap();
        assert!(consume("old 0".to_owned(), 99).await, "dropped");
        assert!(consume("old 1499".to_owned(), 99).await, "dropped in the second round");
        assert!(!consume("new".to_owned(), 100).await, "kept");
    }
}
