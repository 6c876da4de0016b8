//! Online backup of the embedded engine.

use api_types::function::Function;
use store::{Migrations, Store, StoreConfig, StoreError};

use crate::bench::{Bench, SUITE, bounded, note, notes, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_is_whole_while_the_store_is_written() {
    bounded(async {
        let bench = Bench::sqlite();
        let store = bench.open().await;
        for id in 0..50 {
            write(&store, move |tx| Box::pin(note(tx, id))).await.unwrap();
        }
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                for id in 50..250 {
                    write(&store, move |tx| Box::pin(note(tx, id))).await.unwrap();
                }
            }
        });
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("san.sqlite");
        store.backup_to(&copy).await.unwrap();
        writer.await.unwrap();
        // Never over another file.
        assert!(matches!(store.backup_to(&copy).await, Err(StoreError::File(_))));
        let cfg = StoreConfig::Sqlite { dir: elsewhere.path().to_owned() };
        let restored = Store::open(&cfg, Function::San, Migrations::common().with(SUITE)).await.unwrap();
        let kept = notes(&restored).await;
        assert!(kept.len() >= 50, "what was acknowledged before the backup is in it");
        assert_eq!(kept, (0..kept.len() as i64).collect::<Vec<_>>(), "and nothing is in it halfway");
        assert_eq!(restored.check().await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn damage_is_found() {
    let bench = Bench::sqlite();
    let StoreConfig::Sqlite { dir } = bench.cfg.clone() else { unreachable!() };
    let store = bench.open().await;
    for id in 0..400 {
        write(&store, move |tx| Box::pin(note(tx, id))).await.unwrap();
    }
    assert_eq!(store.check().await, Ok(vec![]));
    drop(store);
    // Inside a page of records, behind the schema.
    let path = dir.join("san.sqlite");
    let mut bytes = std::fs::read(&path).unwrap();
    let from = bytes.len() - 4096 * 3;
    bytes[from..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let found = bench.open().await.check().await;
    assert!(!matches!(&found, Ok(findings) if findings.is_empty()), "{found:?}");
}
