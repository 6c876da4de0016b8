//! Anchors lists, visibility classes and permission-aware discovery, on both engines.

use store::anchors::{
    AnchorRow, ClassDef, Filter, ListRow, classes, discovery, ids, lists, positions, records,
};
use store::reach::{Reach, Reader};
use store::spatial_index::GeoBox;
use store::{Sql, Store, StoreError};

use api_types::function::Function;
use store::Migrations;

use crate::bench::Bench;

on_both!(
    a_list_is_read_whole_and_versioned,
    a_rule_set_has_one_number,
    discovery_sees_what_is_held_and_nothing_else,
    the_last_report_of_a_position_counts,
    a_reach_is_that_of_the_furthest_anchor,
);

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::San, Migrations::of(Function::San)).await.unwrap()
}

fn list(id: &str) -> ListRow {
    ListRow {
        list_id: id.to_owned(),
        owner_issuer: "https://sim.example".to_owned(),
        owner_subject: "vs-1".to_owned(),
        owner_name: "vs-1".to_owned(),
        service_id: "guide".to_owned(),
        serv_info: "{}".to_owned(),
        incarnation: 7,
        version: 1,
        created_s: 1_800_000_000,
    }
}

fn anchor(list_id: &str, anchor_id: u32, class_id: i64, at: Option<(f64, f64)>) -> AnchorRow {
    AnchorRow {
        anchor_id,
        list_id: list_id.to_owned(),
        label: format!("a{anchor_id:04}"),
        owner_key: "o:vs-1".to_owned(),
        class_id,
        service_id: "guide".to_owned(),
        incarnation: 7,
        body: "{}".to_owned(),
        spec_hash: Some(records::spec_hash(&anchor_id.to_be_bytes())),
        at,
        start_s: None,
        stop_s: None,
    }
}

fn def(key: &str, holders: &[&str]) -> ClassDef {
    ClassDef { key: key.to_owned(), matches: holders.iter().map(|holder| (*holder).to_owned()).collect() }
}

fn asked(held: &[&str]) -> Filter {
    Filter {
        held: held.iter().map(|key| (*key).to_owned()).collect(),
        owner_key: held.iter().find(|key| key.starts_with("o:")).unwrap_or(&"o:").to_string(),
        now_s: 1_800_000_000,
        limit: 1_000,
        ..Filter::default()
    }
}

async fn add(tx: &mut dyn Sql, list: &ListRow, anchors: &[AnchorRow]) -> Result<(), StoreError> {
    lists::insert(tx, list).await?;
    for anchor in anchors {
        assert!(ids::reserve(tx, anchor.anchor_id).await?);
    }
    records::insert(tx, anchors).await
}

async fn found(store: &Store, filter: Filter) -> Vec<u32> {
    let found =
        store.read(move |tx| Box::pin(async move { discovery::find(tx, &filter).await })).await.unwrap();
    found.iter().map(|found| found.anchor.anchor_id).collect()
}

async fn a_list_is_read_whole_and_versioned(bench: Bench) {
    let store = open(&bench).await;
    store
        .write(|tx| {
            Box::pin(async move {
                let class = classes::class_of(tx, &def("k", &["o:vs-1"]), &[5, 6]).await?;
                assert_eq!(class, 5);
                add(
                    tx,
                    &list("l-1"),
                    &[anchor("l-1", 2, class, None), anchor("l-1", 1, class, Some((2.35, 48.85)))],
                )
                .await
            })
        })
        .await
        .unwrap();
    let read = |id: &'static str| {
        let store = store.clone();
        async move {
            store.read(move |tx| Box::pin(async move { lists::with_anchors(tx, id).await })).await.unwrap()
        }
    };
    let (row, anchors) = read("l-1").await.unwrap();
    assert!(row == list("l-1"));
    assert_eq!(anchors, [anchor("l-1", 1, 5, Some((2.35, 48.85))), anchor("l-1", 2, 5, None)], "by label");
    assert!(read("l-2").await.is_none());

    let changed: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                let (mut row, mut anchors) = lists::lock_with_anchors(tx, "l-1").await?.unwrap();
                row.serv_info = r#"{"new":1}"#.to_owned();
                assert!(lists::update(tx, &row).await?);
                assert!(!lists::update(tx, &row).await?, "the version has moved on");
                anchors[0].label = "renamed".to_owned();
                anchors[0].at = None;
                records::update(tx, &anchors[..1]).await?;
                records::remove(tx, &[2]).await
            })
        })
        .await;
    changed.unwrap();
    let (row, anchors) = read("l-1").await.unwrap();
    assert_eq!(
        (row.version, anchors.len(), anchors[0].label.as_str(), anchors[0].at),
        (2, 1, "renamed", None)
    );

    let gone: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                records::remove(tx, &[1]).await?;
                classes::purge(tx, &[5, 5]).await?;
                assert!(lists::remove(tx, "l-1").await?);
                assert!(!lists::remove(tx, "l-1").await?);
                for taken in [1, 2] {
                    assert!(!ids::reserve(tx, taken).await?, "an identifier never comes twice");
                }
                // The rule set went with its last anchor and gets a number of its own again.
                assert_eq!(classes::class_of(tx, &def("k", &["o:vs-1"]), &[9]).await?, 9);
                Ok(())
            })
        })
        .await;
    gone.unwrap();
    assert!(read("l-1").await.is_none());
}

async fn a_rule_set_has_one_number(bench: Bench) {
    let store = open(&bench).await;
    let all: Result<Vec<i64>, StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                let first = classes::class_of(tx, &def("a", &["u"]), &[1]).await?;
                let again = classes::class_of(tx, &def("a", &["u"]), &[2]).await?;
                let drawn_twice = classes::class_of(tx, &def("b", &["u"]), &[1, 3]).await?;
                let widest = classes::class_of(tx, &def("c", &[]), &[u32::MAX]).await?;
                Ok(vec![first, again, drawn_twice, widest])
            })
        })
        .await;
    assert_eq!(all.unwrap(), [1, 1, 3, i64::from(classes::MAX_CLASS)]);
    let none: Result<i64, StoreError> =
        store.write(|tx| Box::pin(async move { classes::class_of(tx, &def("d", &[]), &[1, 3]).await })).await;
    assert!(none.is_err(), "every draw is taken");
}

async fn discovery_sees_what_is_held_and_nothing_else(bench: Bench) {
    let store = open(&bench).await;
    let here = (2.35, 48.85);
    store
        .write(move |tx| {
            Box::pin(async move {
                let all = classes::class_of(tx, &def("all", &["any", "o:vs-1"]), &[0x7FFF_FFFE]).await?;
                let own = classes::class_of(tx, &def("own", &["o:vs-1"]), &[0x7FFF_FFFF]).await?;
                let mut inactive = anchor("l-1", 3, all, Some(here));
                inactive.stop_s = Some(1_800_000_000);
                let mut active = anchor("l-1", 4, all, Some(here));
                (active.start_s, active.stop_s) = (Some(1_800_000_000), Some(1_800_000_001));
                let mut other = anchor("l-1", 6, all, None);
                other.service_id = "other".to_owned();
                let far = anchor("l-1", 5, all, Some((180.0, -89.5)));
                let rows = [
                    anchor("l-1", 1, all, Some(here)),
                    anchor("l-1", 2, own, Some(here)),
                    inactive,
                    active,
                    far,
                    other,
                ];
                add(tx, &list("l-1"), &rows).await
            })
        })
        .await
        .unwrap();
    let around = GeoBox { min_lon: 2.0, min_lat: 48.0, max_lon: 3.0, max_lat: 49.0 };
    let pole = GeoBox { min_lon: 180.0, min_lat: -90.0, max_lon: 180.0, max_lat: -89.0 };
    let boxes = |boxes: &[GeoBox]| Filter { boxes: Some(boxes.to_vec()), ..asked(&["any"]) };
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Filter, &[u32]); 16] = [
        ("somebody", asked(&["any"]), &[1, 4, 5, 6]),
        ("the owner", asked(&["any", "o:vs-1"]), &[1, 2, 3, 4, 5, 6]),
        ("nobody", asked(&[]), &[]),
        ("a stranger", asked(&["o:vs-2"]), &[]),
        ("area", boxes(&[around]), &[1, 4]),
        ("area, the owner", Filter { boxes: Some(vec![around]), ..asked(&["o:vs-1"]) }, &[1, 2, 3, 4]),
        ("overlapping areas", boxes(&[around, around, pole]), &[1, 4, 5]),
        ("no area at all", boxes(&[]), &[]),
        ("one point", boxes(&[GeoBox { min_lon: 2.35, min_lat: 48.85, max_lon: 2.35, max_lat: 48.85 }]), &[1, 4]),
        ("identifiers", Filter { anchor_ids: Some(vec![1, 2, 3, 99]), ..asked(&["any"]) }, &[1]),
        ("no identifier", Filter { anchor_ids: Some(vec![]), ..asked(&["any"]) }, &[]),
        ("service", Filter { service_id: Some("other".into()), ..asked(&["any"]) }, &[6]),
        ("service and area", Filter { service_id: Some("other".into()), ..boxes(&[around]) }, &[]),
        ("information", Filter { spec_hash: Some(records::spec_hash(&4_u32.to_be_bytes())), ..asked(&["any"]) }, &[4]),
        ("first page", Filter { limit: 2, ..asked(&["any"]) }, &[1, 4]),
        ("next page", Filter { limit: 2, after: Some(4), ..asked(&["any"]) }, &[5, 6]),
    ];
    for (what, filter, want) in rows {
        assert_eq!(found(&store, filter).await, want, "{what}");
    }
    let own = store
        .read(|tx| Box::pin(async move { discovery::count_own(tx, "o:vs-1", &[1, 2, 99]).await }))
        .await
        .unwrap();
    assert_eq!(own, 2);

    // A change of rules and of place moves an anchor within the index.
    let moved: Result<(), StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                let own = classes::class_of(tx, &def("own", &[]), &[1]).await?;
                records::update(tx, &[anchor("l-1", 1, own, Some((10.0, 10.0)))]).await
            })
        })
        .await;
    moved.unwrap();
    assert_eq!(found(&store, boxes(&[around])).await, [4]);
    let there = GeoBox { min_lon: 9.0, min_lat: 9.0, max_lon: 11.0, max_lat: 11.0 };
    assert_eq!(found(&store, boxes(&[there])).await, [0_u32; 0]);
    assert_eq!(found(&store, Filter { boxes: Some(vec![there]), ..asked(&["o:vs-1"]) }).await, [1]);
}

async fn the_last_report_of_a_position_counts(bench: Bench) {
    let store = open(&bench).await;
    let at = |lon, at_s| positions::UePosition { lon, lat: 48.0, alt: None, at_s };
    let kept: Result<_, StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                positions::put(tx, "ue-1", &at(2.0, 10)).await?;
                positions::put(tx, "ue-1", &at(3.0, 20)).await?;
                positions::put(tx, "ue-1", &at(4.0, 15)).await?;
                let latest = positions::of_ue(tx, "ue-1").await?;
                let forgotten = (positions::forget(tx, "ue-1").await?, positions::forget(tx, "ue-1").await?);
                Ok((latest, positions::of_ue(tx, "ue-1").await?, forgotten))
            })
        })
        .await;
    assert_eq!(kept.unwrap(), (Some(at(4.0, 15)), None, (true, false)));
}

async fn a_reach_is_that_of_the_furthest_anchor(bench: Bench) {
    let store = open(&bench).await;
    let kept: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                let private = classes::class_of(tx, &def("p", &["o:vs-1"]), &[1]).await?;
                let listed = classes::class_of(tx, &def("r", &["o:vs-1", "s:vs-2"]), &[2]).await?;
                let all = classes::class_of(tx, &def("u", &["*"]), &[3]).await?;
                let ended =
                    |id, class| AnchorRow { stop_s: Some(1_800_000_000), ..anchor("l-3", id, class, None) };
                add(tx, &list("l-1"), &[anchor("l-1", 1, private, None)]).await?;
                add(tx, &list("l-2"), &[anchor("l-2", 2, private, None), anchor("l-2", 3, listed, None)])
                    .await?;
                add(tx, &list("l-3"), &[ended(4, all), ended(5, private)]).await?;
                add(tx, &list("l-4"), &[anchor("l-4", 6, private, None), anchor("l-4", 7, all, None)]).await
            })
        })
        .await;
    kept.unwrap();
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, Option<Reach>); 12] = [
        ("vs-1", "l-1", Some(Reach::Open)),    ("vs-2", "l-1", Some(Reach::Private)),  ("vs-3", "l-1", Some(Reach::Private)),
        ("vs-1", "l-2", Some(Reach::Open)),    ("vs-2", "l-2", Some(Reach::Open)),     ("vs-3", "l-2", Some(Reach::Unlisted)),
        ("vs-1", "l-3", Some(Reach::Open)),    ("vs-2", "l-3", Some(Reach::Inactive)), ("vs-3", "l-3", Some(Reach::Inactive)),
        ("vs-1", "l-4", Some(Reach::Open)),    ("vs-3", "l-4", Some(Reach::Open)),     ("vs-1", "l-5", None),
    ];
    for (who, list_id, expected) in rows {
        let reader = Reader {
            held: ["*".to_owned(), format!("o:{who}"), format!("s:{who}")].to_vec(),
            issuer: "https://sim.example".to_owned(),
            subject: who.to_owned(),
            now_s: 1_800_000_000,
        };
        let reached =
            store.read(move |tx| Box::pin(async move { lists::reach(tx, list_id, &reader).await })).await;
        assert_eq!(reached.unwrap(), expected, "{who} {list_id}");
    }
}
