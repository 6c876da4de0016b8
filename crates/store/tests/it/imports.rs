//! Imports in bulk and their reading in order, on both engines.

use std::collections::BTreeSet;

use api_types::function::Function;
use store::anchors::imports::{self, ImportList};
use store::anchors::{AnchorRow, ClassDef, Filter, ListRow, bulk, classes, discovery, ids, lists};
use store::publications::Sync;
use store::spatial_index::GeoBox;
use store::{Migrations, Store, StoreError};

use crate::bench::{Bench, write};

on_both!(an_import_is_begun_once_and_moves_on, many_anchors_are_kept_found_and_read_in_order);

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::San, Migrations::of(Function::San)).await.unwrap()
}

async fn an_import_is_begun_once_and_moves_on(bench: Bench) {
    let store = open(&bench).await;
    let begin = async |id: &'static str| {
        write(&store, move |tx| Box::pin(async move { imports::begin(tx, id, "{}", 1).await })).await.unwrap()
    };
    assert!(begin("one").await);
    assert!(!begin("one").await, "it goes on");
    write(&store, |tx| Box::pin(async move { ids::reserve(tx, 5).await })).await.unwrap();
    assert!(begin("two").await);
    let found = async |id: &'static str| {
        store.read(move |tx| Box::pin(async move { imports::find(tx, id).await })).await.unwrap()
    };
    let (one, two) = (found("one").await.unwrap(), found("two").await.unwrap());
    assert_eq!((one.next_line, one.keeps_ids, one.done), (1, true, false));
    assert!(!two.keeps_ids, "an identifier was given before");
    assert_eq!(found("three").await, None);

    let list = |anchors| ImportList {
        list_key: "k".into(),
        list_id: "l".into(),
        anchors,
        octets: 2,
        rule_entries: 3,
    };
    let (first, second) = (list(1), list(4));
    write(&store, move |tx| {
        Box::pin(async move {
            imports::put_lists(tx, "one", &[first]).await?;
            imports::put_lists(tx, "one", &[second]).await?;
            let mut row = imports::locked(tx, "one").await?.unwrap();
            (row.next_line, row.imported, row.renumbered, row.skipped) = (11, 8, 2, 1);
            imports::advance(tx, &row, 2).await
        })
    })
    .await
    .unwrap();
    let lists = async || {
        store.read(|tx| Box::pin(async move { imports::lists(tx, "one", &["k", "x"]).await })).await.unwrap()
    };
    assert_eq!(lists().await, [list(4)]);
    let mut row = found("one").await.unwrap();
    assert_eq!((row.next_line, row.imported, row.renumbered, row.skipped), (11, 8, 2, 1));
    row.done = true;
    write(&store, move |tx| Box::pin(async move { imports::advance(tx, &row, 3).await })).await.unwrap();
    assert!(found("one").await.unwrap().done);
    assert!(lists().await.is_empty(), "what is done leaves nothing behind but itself");
}

async fn many_anchors_are_kept_found_and_read_in_order(bench: Bench) {
    const ANCHORS: u32 = 150;
    let store = open(&bench).await;
    let kept: BTreeSet<u32> = write(&store, |tx| {
        Box::pin(async move {
            let def = ClassDef { key: "c".into(), matches: vec!["o:vs-1".into()] };
            let class_id = classes::class_of(tx, &def, &[9]).await?;
            for list_id in ["l1", "l2"] {
                let list = ListRow {
                    list_id: list_id.into(),
                    owner_issuer: "i".into(),
                    owner_subject: "vs-1".into(),
                    owner_name: "vs-1".into(),
                    service_id: "guide".into(),
                    serv_info: "{}".into(),
                    incarnation: 7,
                    version: 1,
                    created_s: 1,
                };
                lists::insert(tx, &list).await?;
            }
            ids::reserve(tx, 3).await?;
            let wanted: Vec<u32> = (0..ANCHORS).chain([7]).collect();
            let free = bulk::reserve(tx, &wanted).await?;
            let rows: Vec<AnchorRow> = free.iter().map(|id| anchor(*id, class_id)).collect();
            bulk::insert(tx, &rows).await?;
            bulk::insert(tx, &[]).await?;
            Ok::<_, StoreError>(free)
        })
    })
    .await
    .unwrap();
    assert_eq!(kept.len() as u32, ANCHORS - 1, "3 was given before, and 7 is given once");

    let everywhere = GeoBox { min_lon: -10.0, min_lat: -10.0, max_lon: 10.0, max_lat: 10.0 };
    let filter = Filter {
        held: vec!["o:vs-1".into()],
        owner_key: "o:vs-1".into(),
        boxes: Some(vec![everywhere]),
        limit: 1_000,
        ..Filter::default()
    };
    let found = store.read(|tx| Box::pin(async move { discovery::find(tx, &filter).await })).await.unwrap();
    let placed: BTreeSet<u32> = found.found.iter().map(|found| found.anchor.anchor_id).collect();
    assert_eq!(placed, kept.iter().copied().filter(|id| id % 10 != 0).collect(), "with their places");

    let mut read = Vec::new();
    let mut after: Option<(String, String)> = None;
    loop {
        let place = after.clone();
        let page = store.read(move |tx| {
            Box::pin(async move {
                bulk::page(tx, place.as_ref().map(|(list, label)| (list.as_str(), label.as_str())), 20).await
            })
        });
        let page = page.await.unwrap();
        after = page.last().map(|(list, row)| (list.list_id.clone(), row.label.clone()));
        if page.is_empty() {
            break;
        }
        read.extend(page.into_iter().map(|(list, row)| {
            assert_eq!(list.list_id, row.list_id);
            (row.list_id, row.label, row.anchor_id)
        }));
    }
    let mut sorted = read.clone();
    sorted.sort();
    assert_eq!(read, sorted);
    assert_eq!(read.iter().map(|(_, _, id)| *id).collect::<BTreeSet<u32>>(), kept);
    let count = store.read(|tx| Box::pin(async move { bulk::count(tx).await })).await.unwrap();
    assert_eq!(count, kept.len() as u64);
    let labels = store
        .read(|tx| Box::pin(async move { bulk::labels(tx, "l1", &["a0002", "a0001", "x"]).await }))
        .await
        .unwrap();
    assert_eq!(labels, BTreeSet::from(["a0002".to_owned()]), "the other one is in the other list");
}

/// Every tenth has no place; odd ones are in another list.
fn anchor(anchor_id: u32, class_id: i64) -> AnchorRow {
    AnchorRow {
        anchor_id,
        list_id: if anchor_id.is_multiple_of(2) { "l1" } else { "l2" }.into(),
        label: format!("a{anchor_id:04}"),
        owner_key: "o:vs-1".into(),
        class_id,
        service_id: "guide".into(),
        incarnation: 7,
        body: "{}".into(),
        spec_hash: None,
        at: (!anchor_id.is_multiple_of(10)).then(|| (f64::from(anchor_id) / 100.0, 1.0)),
        start_s: None,
        stop_s: None,
        sync: Sync::Free,
    }
}
