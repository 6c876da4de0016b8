//! Anchors lists, visibility classes and permission-aware discovery, on both engines.

use store::anchors::{
    AnchorRow, ClassDef, Filter, ListRow, classes, discovery, ids, lists, positions, records,
};
use store::publications::Sync;
use store::reach::{Reach, Reader};
use store::spatial_index::GeoBox;
use store::{Bounds, Sql, Store, StoreError};

use api_types::function::Function;
use store::Migrations;

use crate::bench::Bench;

on_both!(
    a_list_is_read_whole_and_versioned,
    a_rule_set_has_one_number,
    discovery_sees_what_is_held_and_nothing_else,
    the_last_report_of_a_position_counts,
    a_reach_is_that_of_the_furthest_anchor,
    every_way_finds_the_same,
    what_is_hidden_moves_no_page,
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
        sync: Sync::Free,
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
    found.found.iter().map(|found| found.anchor.anchor_id).collect()
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

/// Numbers that look random and are the same each time.
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % end
    }
}

/// Classes first; what lies in the area first; in the order of identifiers, at once and a little at a time.
const WAYS: [(&str, Bounds); 6] = [
    (
        "by default",
        Bounds { probes: 64, glance: 1_024, entries_per_probe: 4, in_boxes: 4_096, examined: 16_384 },
    ),
    (
        "by class",
        Bounds { probes: u32::MAX, glance: 0, entries_per_probe: 0, in_boxes: 4_096, examined: 16_384 },
    ),
    (
        "at a glance",
        Bounds { probes: 0, glance: 4_096, entries_per_probe: 0, in_boxes: 4_096, examined: 16_384 },
    ),
    (
        "by area",
        Bounds { probes: 0, glance: 0, entries_per_probe: u32::MAX, in_boxes: 4_096, examined: 16_384 },
    ),
    (
        "by identifier",
        Bounds { probes: u32::MAX, glance: 0, entries_per_probe: 0, in_boxes: 0, examined: 16_384 },
    ),
    (
        "a little at a time",
        Bounds { probes: u32::MAX, glance: 0, entries_per_probe: 0, in_boxes: 3, examined: 7 },
    ),
];

/// All pages of a question, one after the other.
async fn pages(store: &Store, filter: &Filter) -> Vec<Vec<u32>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let filter = Filter { after, ..filter.clone() };
        let batch = store.read(move |tx| Box::pin(async move { discovery::find(tx, &filter).await })).await;
        let batch = batch.unwrap();
        pages.push(batch.found.iter().map(|found| found.anchor.anchor_id).collect());
        assert!(pages.len() < 1_000, "pages without end");
        match batch.next {
            Some(next) => assert!(after.replace(next).is_none_or(|before| before < next), "goes on"),
            None => return pages,
        }
    }
}

/// Random rules, places, services and times against the plain reading of the filter.
async fn every_way_finds_the_same(bench: Bench) {
    let store = open(&bench).await;
    let holders = ["a", "b", "c", "d"];
    let mut draws = Draws(11);
    let mut rows: Vec<(AnchorRow, Vec<&str>)> = Vec::new();
    for n in 0..120_u32 {
        let held: Vec<&str> = holders.into_iter().filter(|_| draws.below(3) == 0).collect();
        let at = (draws.below(8) > 0)
            .then(|| (f64::from(draws.below(10)) * 0.1 + 0.05, f64::from(draws.below(10)) * 0.1 + 0.05));
        let mut row = anchor("l-1", draws.below(0x7FFF_FFFF), 0, at);
        row.label = n.to_string();
        row.service_id = ["guide", "game"][draws.below(2) as usize].to_owned();
        row.spec_hash = (draws.below(2) == 0).then(|| records::spec_hash(&[draws.below(2) as u8]));
        row.stop_s = (draws.below(4) == 0).then_some(1_800_000_000);
        row.owner_key = "o:vs-1".to_owned();
        rows.push((row, held));
    }
    // Neighbours at the ends of the range, whose classes differ by one.
    rows[0].0.anchor_id = 0;
    rows[1].0.anchor_id = 0x7FFF_FFFF;
    let kept = rows.clone();
    let added: Result<(), StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                let mut anchors = Vec::new();
                for (n, (row, held)) in kept.into_iter().enumerate() {
                    let draw = classes::MAX_CLASS - n as u32;
                    let class_id = classes::class_of(tx, &def(&held.concat(), &held), &[draw]).await?;
                    anchors.push(AnchorRow { class_id, ..row });
                }
                add(tx, &list("l-1"), &anchors).await
            })
        })
        .await;
    added.unwrap();
    let area = |n: u32| {
        let west = f64::from(n % 9) * 0.1;
        GeoBox { min_lon: west, min_lat: 0.2, max_lon: west + 0.2, max_lat: 0.7 }
    };
    for round in 0..24_u32 {
        let caller: Vec<&str> = holders.into_iter().filter(|_| draws.below(2) == 0).collect();
        let owner = draws.below(3) == 0;
        let filter = Filter {
            held: caller.iter().map(|key| (*key).to_owned()).collect(),
            owner_key: if owner { "o:vs-1" } else { "o:" }.to_owned(),
            boxes: (draws.below(4) > 0).then(|| vec![area(round), area(round + 1)]),
            service_id: (draws.below(4) == 0).then(|| "game".to_owned()),
            spec_hash: (draws.below(4) == 0).then(|| records::spec_hash(&[1])),
            limit: 5,
            ..asked(&[])
        };
        let inside = |at: Option<(f64, f64)>| {
            filter
                .boxes
                .as_ref()
                .is_none_or(|boxes| at.is_some_and(|at| boxes.iter().any(|one| one.holds(at))))
        };
        let mut expected: Vec<u32> = rows
            .iter()
            .filter(|(row, held)| {
                held.iter().any(|key| caller.contains(key))
                    && inside(row.at)
                    && (owner || row.stop_s.is_none())
                    && filter.service_id.as_ref().is_none_or(|id| row.service_id == *id)
                    && filter.spec_hash.as_ref().is_none_or(|hash| row.spec_hash.as_ref() == Some(hash))
            })
            .map(|(row, _)| row.anchor_id)
            .collect();
        expected.sort_unstable();
        for (way, bounds) in WAYS {
            let filter = Filter { bounds, ..filter.clone() };
            assert_eq!(pages(&store, &filter).await.concat(), expected, "{way}: {filter:?}");
        }
    }
}

/// Page by page the answers stay what they are, their lengths included, when hidden anchors come among them.
async fn what_is_hidden_moves_no_page(bench: Bench) {
    let store = open(&bench).await;
    let here = GeoBox { min_lon: 0.0, min_lat: 0.0, max_lon: 1.0, max_lat: 1.0 };
    let put = |from: u32, to: u32, theirs: bool| {
        let store = store.clone();
        async move {
            let done: Result<(), StoreError> = store
                .write(move |tx| {
                    Box::pin(async move {
                        let mut draws = Draws(u64::from(from));
                        let mut anchors = Vec::new();
                        for n in from..to {
                            let holder = if theirs { "theirs" } else { "mine" };
                            let class =
                                classes::class_of(tx, &def(&n.to_string(), &[holder]), &[n + 1]).await?;
                            let at = (f64::from(draws.below(100)) * 0.02, 0.5);
                            let mut row = anchor("l", draws.below(0x7FFF_FFFF), class, Some(at));
                            row.list_id = format!("l-{from}");
                            row.label = n.to_string();
                            anchors.push(row);
                        }
                        add(tx, &list(&format!("l-{from}")), &anchors).await
                    })
                })
                .await;
            done.unwrap();
        }
    };
    let ask = async || {
        let mut seen = Vec::new();
        for (way, bounds) in WAYS {
            for boxes in [Some(vec![here]), None] {
                let filter = Filter { boxes, limit: 4, bounds, ..asked(&["mine"]) };
                seen.push((way, pages(&store, &filter).await));
            }
        }
        seen
    };
    put(0, 40, false).await;
    let before = ask().await;
    put(1_000, 1_300, true).await;
    assert_eq!(ask().await, before);
}
