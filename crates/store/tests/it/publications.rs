//! What the CAPIF core function must be told, and has acknowledged.

use api_types::function::Function;
use store::publications::{self, Mark, Objects, Sync};
use store::{Migrations, Store, StoreError};

use crate::bench::{Bench, write};

on_both!(
    a_mark_goes_with_its_change,
    only_the_last_version_is_due,
    an_older_acknowledgement_tells_nothing,
    what_was_refused_waits_until_it_changes,
    what_is_gone_is_told_until_it_is_acknowledged,
    what_was_never_marked_is_marked,
    what_somebody_waits_for_goes_first,
);

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::San, Migrations::of(Function::San)).await.unwrap()
}

async fn mark(store: &Store, id: &'static str) {
    write(store, move |tx| Box::pin(async move { publications::mark(tx, &[id]).await })).await.unwrap();
}

async fn due(store: &Store, now_ms: i64) -> Vec<(String, u64, u64)> {
    let due =
        store.read(|tx| Box::pin(async move { publications::due(tx, now_ms, 10).await })).await.unwrap();
    due.into_iter().map(|Mark { object_id, version, told, .. }| (object_id, version, told)).collect()
}

async fn told(store: &Store, id: &'static str, version: u64) -> bool {
    write(store, move |tx| Box::pin(async move { publications::told(tx, id, version).await })).await.unwrap()
}

async fn a_mark_goes_with_its_change(bench: Bench) {
    let store = open(&bench).await;
    let undone = write::<(), _>(&store, |tx| {
        Box::pin(async move {
            publications::mark(tx, &["l-1"]).await?;
            publications::gone(tx, &["l-2/7".to_owned()]).await?;
            Err(StoreError::Damaged("by the suite"))
        })
    });
    assert!(undone.await.is_err());
    assert_eq!(due(&store, 1).await, []);
    mark(&store, "l-1").await;
    drop(store);
    assert_eq!(due(&open(&bench).await, 1).await, [("l-1".to_owned(), 1, 0)]);
}

async fn only_the_last_version_is_due(bench: Bench) {
    let store = open(&bench).await;
    for _ in 0..3 {
        mark(&store, "l-1").await;
    }
    assert_eq!(due(&store, 1).await, [("l-1".to_owned(), 3, 0)]);
    assert!(told(&store, "l-1", 3).await);
    assert_eq!(due(&store, 1).await, []);
    mark(&store, "l-1").await;
    assert_eq!(due(&store, 1).await, [("l-1".to_owned(), 4, 3)]);
    // A core function that has met a later one.
    write(&store, |tx| Box::pin(publications::raise(tx, "l-1", 9))).await.unwrap();
    assert_eq!(due(&store, 1).await, [("l-1".to_owned(), 10, 3)]);
    write(&store, |tx| Box::pin(publications::raise(tx, "l-1", 9))).await.unwrap();
    assert_eq!(due(&store, 1).await, [("l-1".to_owned(), 11, 3)]);
}

async fn an_older_acknowledgement_tells_nothing(bench: Bench) {
    let store = open(&bench).await;
    for _ in 0..4 {
        mark(&store, "l-1").await;
    }
    assert!(told(&store, "l-1", 2).await);
    assert!(!told(&store, "l-1", 2).await && !told(&store, "l-1", 1).await, "told before");
    assert!(!told(&store, "l-1", 5).await, "a version that it never had");
    assert_eq!(due(&store, 1).await, [("l-1".to_owned(), 4, 2)]);
    write(&store, |tx| Box::pin(publications::unmark(tx, "l-1"))).await.unwrap();
    assert!(!told(&store, "l-1", 4).await, "gone meanwhile");
    let found = store.read(|tx| Box::pin(async move { publications::find(tx, "l-1").await }));
    assert_eq!(found.await, Ok(None));
}

async fn what_was_refused_waits_until_it_changes(bench: Bench) {
    let store = open(&bench).await;
    mark(&store, "l-1").await;
    mark(&store, "l-2").await;
    write(&store, |tx| Box::pin(publications::later(tx, "l-1", 50))).await.unwrap();
    assert_eq!(due(&store, 49).await, [("l-2".to_owned(), 1, 0)]);
    assert_eq!(due(&store, 50).await, [("l-2".to_owned(), 1, 0), ("l-1".to_owned(), 1, 0)]);
    mark(&store, "l-1").await;
    assert_eq!(due(&store, 1).await, [("l-1".to_owned(), 2, 0), ("l-2".to_owned(), 1, 0)]);
    let marks =
        store.read(|tx| Box::pin(async move { publications::page(tx, "l-1", 10).await })).await.unwrap();
    assert_eq!(marks, [Mark { object_id: "l-2".to_owned(), version: 1, told: 0, attempts: 0, urgent: true }]);
}

async fn what_is_gone_is_told_until_it_is_acknowledged(bench: Bench) {
    let store = open(&bench).await;
    let gone = ["l-1/7".to_owned(), "l-1/8".to_owned()];
    let again = gone.clone();
    write(&store, |tx| Box::pin(async move { publications::gone(tx, &gone).await })).await.unwrap();
    write(&store, |tx| Box::pin(async move { publications::gone(tx, &again).await })).await.unwrap();
    let waits = || store.read(|tx| Box::pin(async move { publications::due_gone(tx, 0, 10).await }));
    assert_eq!(waits().await.unwrap(), ["l-1/7", "l-1/8"]);
    write(&store, |tx| Box::pin(publications::told_gone(tx, "l-1/7"))).await.unwrap();
    assert_eq!(waits().await.unwrap(), ["l-1/8"]);
}

async fn what_was_never_marked_is_marked(bench: Bench) {
    let store = open(&bench).await;
    mark(&store, "l-1").await;
    assert!(told(&store, "l-1", 1).await);
    let lists = ["l-1", "l-2"].map(|list_id| store::anchors::ListRow {
        list_id: list_id.to_owned(),
        owner_issuer: "https://ccf".to_owned(),
        owner_subject: "INV".to_owned(),
        owner_name: "INV".to_owned(),
        service_id: "guide".to_owned(),
        serv_info: "{}".to_owned(),
        incarnation: 1,
        version: 1,
        created_s: 1,
    });
    let made = write(&store, |tx| {
        Box::pin(async move {
            for list in &lists {
                store::anchors::lists::insert(tx, list).await?;
            }
            let made = publications::mark_unmarked(tx, Objects::Lists).await?;
            Ok((made, publications::mark_unmarked(tx, Objects::Lists).await?))
        })
    });
    assert_eq!(made.await, Ok((1, 0)));
    assert_eq!(due(&store, 1).await, [("l-2".to_owned(), 1, 0)]);
    assert_eq!(Sync::default(), Sync::Free);
}

async fn what_somebody_waits_for_goes_first(bench: Bench) {
    let store = open(&bench).await;
    write(&store, |tx| Box::pin(async move { publications::mark_many(tx, &["l-1", "l-2"]).await }))
        .await
        .unwrap();
    mark(&store, "l-3").await;
    let due = store.read(|tx| Box::pin(async move { publications::due(tx, 1, 10).await })).await.unwrap();
    let due: Vec<_> = due.iter().map(|mark| (mark.object_id.as_str(), mark.urgent)).collect();
    assert_eq!(due, [("l-3", true), ("l-1", false), ("l-2", false)]);
    mark(&store, "l-2").await;
    let due = store.read(|tx| Box::pin(async move { publications::due(tx, 1, 10).await })).await.unwrap();
    assert_eq!(due.iter().filter(|mark| mark.urgent).count(), 2, "it was changed since");
}
