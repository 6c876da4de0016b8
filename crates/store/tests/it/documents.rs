//! Policies, services, single values and traces.

use store::traces::{self, TraceBatch};
use store::{Put, meta, policies, services};

use crate::bench::{Bench, write};

on_both!(versions_grow_and_are_never_used_twice, pages_are_in_order, meta_keeps_the_first, traces_are_found);

async fn versions_grow_and_are_never_used_twice(bench: Bench) {
    let store = bench.open().await;
    let put = async |id: &'static str, body: &'static str| {
        write(&store, move |tx| Box::pin(policies::put(tx, id, body, 5))).await.unwrap()
    };
    assert_eq!(put("p", "{}").await, Put { version: 1, created: true });
    assert_eq!(put("p", "{\"a\":1}").await, Put { version: 2, created: false });
    assert!(write(&store, |tx| Box::pin(policies::delete(tx, "p"))).await.unwrap());
    assert!(!write(&store, |tx| Box::pin(policies::delete(tx, "p"))).await.unwrap());
    assert_eq!(store.read(|sql| Box::pin(policies::version(sql))).await, Ok(3));
    assert_eq!(put("p", "{}").await, Put { version: 4, created: true });
    let found = store.read(|sql| Box::pin(policies::find(sql, "p"))).await.unwrap().unwrap();
    assert_eq!((found.version, found.at_ms, found.body.as_str()), (4, 5, "{}"));
    // Services count for themselves.
    assert_eq!(store.read(|sql| Box::pin(services::version(sql))).await, Ok(0));
    assert_eq!(store.read(|sql| Box::pin(services::find(sql, "p"))).await, Ok(None));
}

async fn pages_are_in_order(bench: Bench) {
    let store = bench.open().await;
    let ids = ["B", "Z", "a", "a-b", "b", "ä"];
    write(&store, move |tx| {
        Box::pin(async move {
            for id in ids {
                services::put(tx, id, "{}", 1).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().cloned().unwrap_or_default();
        let page = store
            .read(move |sql| Box::pin(async move { services::page(sql, &after, 2).await }))
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|document| document.id));
    }
    assert_eq!(found, ids);
}

async fn meta_keeps_the_first(bench: Bench) {
    let store = bench.open().await;
    let first = async |value: &'static str| {
        write(&store, move |tx| Box::pin(meta::put_first(tx, "node", value))).await.unwrap()
    };
    assert_eq!(store.read(|sql| Box::pin(meta::find(sql, "node"))).await, Ok(None));
    assert_eq!(first("one").await, "one");
    assert_eq!(first("two").await, "one");
    write(&store, |tx| Box::pin(meta::put(tx, "node", "three"))).await.unwrap();
    assert_eq!(store.read(|sql| Box::pin(meta::find(sql, "node"))).await, Ok(Some("three".to_owned())));
    assert!(write(&store, |tx| Box::pin(meta::delete(tx, "node"))).await.unwrap());
}

async fn traces_are_found(bench: Bench) {
    let store = bench.open().await;
    let batch = |trace: &str, link: Option<&str>, at_ms| TraceBatch {
        trace: trace.to_owned(),
        link: link.map(str::to_owned),
        at_ms,
        steps: "[]".to_owned(),
    };
    let batches = vec![
        batch("t1", None, 10),
        batch("t2", Some("outside"), 20),
        batch("t1", None, 30),
        batch("t3", Some("outside"), 40),
    ];
    write(&store, move |tx| Box::pin(async move { traces::insert_batch(tx, &batches).await })).await.unwrap();
    let times = async |key: &'static str, limit| {
        let found = store.read(move |sql| Box::pin(traces::by_trace(sql, key, limit))).await.unwrap();
        found.iter().map(|record| record.batch.at_ms).collect::<Vec<_>>()
    };
    assert_eq!(times("t1", 10).await, [10, 30]);
    assert_eq!(times("t1", 1).await, [10]);
    assert_eq!(times("outside", 10).await, [20, 40]);
    assert_eq!(times("absent", 10).await, [0_i64; 0]);
    let newest = store.read(|sql| Box::pin(traces::recent(sql, None, 2))).await.unwrap();
    assert_eq!(newest.iter().map(|record| record.batch.at_ms).collect::<Vec<_>>(), [40, 30]);
    let before = newest.last().map(|record| record.seq);
    let older = store.read(move |sql| Box::pin(traces::recent(sql, before, 9))).await.unwrap();
    assert_eq!(older.iter().map(|record| record.batch.at_ms).collect::<Vec<_>>(), [20, 10]);
    // Age drops the first, number the second; each step is bounded.
    let prune = async |age, keep, limit| {
        write(&store, move |tx| Box::pin(traces::prune(tx, age, keep, limit))).await.unwrap()
    };
    assert_eq!(prune(20, 100, 10).await, 1);
    assert_eq!(prune(0, 1, 1).await, 1);
    assert_eq!(prune(0, 1, 10).await, 1);
    assert_eq!(prune(0, 1, 10).await, 0);
    assert_eq!(times("t3", 10).await, [40]);
}
