//! Spatial maps, maps under construction, payload references and permission-aware discovery, on both engines.

use api_types::function::Function;
use store::anchors::{ClassDef, classes as numbers};
use store::maps::{
    Changed, Content, Filter, MAX_BOXES, MapRow, NewBuilding, NewMap, SetContent, building, classes, content,
    discovery, record,
};
use store::publications::Sync;
use store::reach::{Reach, Reader};
use store::spatial_index::GeoBox;
use store::{Bounds, Migrations, Sql, Store, StoreError};

use crate::bench::Bench;

on_both!(
    a_map_is_kept_changed_and_dropped_under_its_version,
    a_number_is_given_once,
    discovery_sees_what_is_held_and_nothing_else,
    an_area_meets_the_maps_that_it_touches,
    a_map_opens_in_its_places,
    a_payload_counts_against_its_owner,
    a_map_is_built_once,
    a_class_goes_with_its_last_map,
    a_reach_is_told_without_the_document,
);

const NOW: i64 = 1_800_000_000;
const SIM: &str = "https://sim.example";

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::Sm, Migrations::of(Function::Sm)).await.unwrap()
}

fn map(map_id: u32, owner: &str, class_id: i64) -> NewMap {
    NewMap {
        map_id,
        owner_issuer: SIM.to_owned(),
        owner_subject: owner.to_owned(),
        owner_name: owner.to_owned(),
        class_id,
        service_id: "guide".to_owned(),
        body: "{}".to_owned(),
        start_s: None,
        stop_s: None,
        layers: vec!["floor-0".to_owned(), "floor-1".to_owned()],
        boxes: vec![square(2.0, 48.0)],
        sync: Sync::Free,
    }
}

fn square(lon: f64, lat: f64) -> GeoBox {
    GeoBox { min_lon: lon, min_lat: lat, max_lon: lon + 1.0, max_lat: lat + 1.0 }
}

fn point(lon: f64, lat: f64) -> GeoBox {
    GeoBox { min_lon: lon, min_lat: lat, max_lon: lon, max_lat: lat }
}

async fn class(tx: &mut dyn Sql, key: &str, holders: &[&str], draw: u32) -> Result<i64, StoreError> {
    let matches = holders.iter().map(|holder| (*holder).to_owned()).collect();
    numbers::class_of(tx, &ClassDef { key: key.to_owned(), matches }, &[draw]).await
}

async fn add(tx: &mut dyn Sql, map: &NewMap) -> Result<(), StoreError> {
    assert!(record::take_id(tx, map.map_id).await?);
    record::insert(tx, map, NOW).await
}

/// Runs a job that must be kept.
macro_rules! job {
    ($store:expr, |$tx:ident| $body:block) => {{
        let done: Result<_, StoreError> = $store.write(move |$tx| Box::pin(async move { $body })).await;
        done.unwrap()
    }};
}

async fn row(store: &Store, map_id: u32) -> Option<MapRow> {
    store.read(move |tx| Box::pin(async move { record::by_id(tx, map_id).await })).await.unwrap()
}

/// What is found, in whichever way it is looked for.
async fn found(store: &Store, filter: Filter) -> Vec<(u32, bool)> {
    let ways = [
        Bounds::default(),
        Bounds { probes: 0, glance: 4_096, ..Bounds::default() },
        Bounds { probes: 0, glance: 0, entries_per_probe: u32::MAX, ..Bounds::default() },
        Bounds { in_boxes: 0, ..Bounds::default() },
        Bounds { in_boxes: 0, examined: 1, ..Bounds::default() },
    ];
    let mut answers = Vec::new();
    for bounds in ways {
        let (mut found, mut filter) = (Vec::new(), Filter { bounds, ..filter.clone() });
        loop {
            let asked = filter.clone();
            let read = store.read(move |tx| Box::pin(async move { discovery::find(tx, &asked).await }));
            let batch = read.await.unwrap();
            found.extend(batch.found.into_iter().map(|found| (found.map.map_id, found.own)));
            if batch.next.is_none() || found.len() >= filter.limit as usize {
                break;
            }
            filter.after = batch.next;
        }
        answers.push(found);
    }
    let first = answers.remove(0);
    assert!(answers.iter().all(|answer| *answer == first), "{first:?} {answers:?}");
    first
}

fn asked(held: &[&str], subject: &str) -> Filter {
    Filter {
        held: held.iter().map(|key| (*key).to_owned()).collect(),
        issuer: SIM.to_owned(),
        subject: subject.to_owned(),
        now_s: NOW,
        limit: 100,
        ..Filter::default()
    }
}

async fn a_map_is_kept_changed_and_dropped_under_its_version(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let class = class(tx, "k", &["o"], 5).await?;
        add(tx, &map(17, "vs-1", class)).await
    });
    let kept = row(&store, 17).await.unwrap();
    assert_eq!((kept.version, kept.class_id, kept.created_s, kept.body.as_str()), (1, 5, NOW, "{}"));
    assert_eq!((kept.owner_subject.as_str(), kept.content), ("vs-1", None));
    assert!(row(&store, 18).await.is_none());

    let changes = job!(store, |tx| {
        let changed =
            NewMap { body: r#"{"n":2}"#.to_owned(), layers: vec![], boxes: vec![], ..map(17, "vs-1", 5) };
        let first = record::replace(tx, &changed, 1).await?;
        let second = record::replace(tx, &changed, 1).await?;
        Ok([first, second])
    });
    assert_eq!(changes, [Changed::To(2), Changed::Stale]);
    assert_eq!(row(&store, 17).await.unwrap().body, r#"{"n":2}"#);
    let gone = job!(store, |tx| {
        let now = record::locked(tx, 17).await?.unwrap();
        let stale = MapRow { version: 1, ..now.clone() };
        let first = record::delete(tx, &stale).await?;
        Ok([first, record::delete(tx, &now).await?])
    });
    assert_eq!(gone, [false, true]);
    assert!(row(&store, 17).await.is_none());
    assert_eq!(found(&store, asked(&["o"], "vs-1")).await, []);
}

async fn a_number_is_given_once(bench: Bench) {
    let store = open(&bench).await;
    let taken = job!(store, |tx| {
        let class = class(tx, "k", &["o"], 5).await?;
        add(tx, &map(17, "vs-1", class)).await?;
        let kept = record::locked(tx, 17).await?.unwrap();
        let while_kept = record::take_id(tx, 17).await?;
        assert!(record::delete(tx, &kept).await?);
        Ok([while_kept, record::take_id(tx, 17).await?, record::take_id(tx, 18).await?])
    });
    assert_eq!(taken, [false, false, true]);
    let crowded: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                let crowded = NewMap { boxes: vec![point(0.0, 0.0); MAX_BOXES + 1], ..map(18, "vs-1", 5) };
                record::insert(tx, &crowded, NOW).await
            })
        })
        .await;
    assert!(crowded.is_err());
}

async fn discovery_sees_what_is_held_and_nothing_else(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let all = class(tx, "all", &["*"], 1).await?;
        let one = class(tx, "one", &["o:vs-1", "s:vs-2"], 2).await?;
        let own = class(tx, "own", &["o:vs-1"], 3).await?;
        for (map_id, class) in [(10, all), (20, one), (30, own)] {
            add(tx, &map(map_id, "vs-1", class)).await?;
        }
        let later = NewMap { start_s: Some(NOW + 1), ..map(40, "vs-1", all) };
        let past = NewMap { stop_s: Some(NOW), ..map(50, "vs-1", all) };
        let now = NewMap { start_s: Some(NOW), stop_s: Some(NOW + 1), ..map(60, "vs-1", all) };
        let other =
            NewMap { service_id: "tour".to_owned(), layers: vec!["roof".to_owned()], ..map(70, "vs-3", all) };
        for map in [later, past, now, other] {
            add(tx, &map).await?;
        }
        Ok(())
    });
    let ids = |found: Vec<(u32, bool)>| found.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let owner = asked(&["*", "o:vs-1", "s:vs-1"], "vs-1");
    let listed = asked(&["*", "o:vs-2", "s:vs-2"], "vs-2");
    let layers = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Filter, Vec<u32>); 12] = [
        ("owner, inactive too",   owner.clone(), vec![10, 20, 30, 40, 50, 60, 70]),
        ("listed",                listed.clone(), vec![10, 20, 60, 70]),
        ("anybody",               asked(&["*"], "vs-9"), vec![10, 60, 70]),
        ("nothing held",          asked(&[], "vs-1"), vec![]),
        ("same name elsewhere",   Filter { issuer: "https://other.example".into(), ..asked(&["*"], "vs-1") }, vec![10, 60, 70]),
        ("service",               Filter { service_id: Some("tour".into()), ..listed.clone() }, vec![70]),
        ("layer",                 Filter { layers: layers(&["roof"]), ..listed.clone() }, vec![70]),
        ("any of two layers",     Filter { layers: layers(&["roof", "floor-1"]), ..listed.clone() }, vec![10, 20, 60, 70]),
        ("no layer",              Filter { layers: Some(vec![]), ..listed.clone() }, vec![]),
        ("first page",            Filter { limit: 2, ..listed.clone() }, vec![10, 20]),
        ("second page",           Filter { limit: 2, after: Some(20), ..listed.clone() }, vec![60, 70]),
        ("after the last",        Filter { after: Some(70), ..listed.clone() }, vec![]),
    ];
    for (what, filter, expected) in rows {
        assert_eq!(ids(found(&store, filter).await), expected, "{what}");
    }
    let own: Vec<u32> =
        found(&store, owner).await.into_iter().filter(|(_, own)| *own).map(|(id, _)| id).collect();
    assert_eq!(own, [10, 20, 30, 40, 50, 60]);
}

async fn an_area_meets_the_maps_that_it_touches(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let all = class(tx, "all", &["*"], 1).await?;
        let own = class(tx, "own", &["o:vs-1"], 2).await?;
        add(tx, &map(10, "vs-1", all)).await?;
        add(tx, &map(11, "vs-1", own)).await?;
        let dateline = vec![
            GeoBox { min_lon: 179.0, min_lat: 0.0, max_lon: 180.0, max_lat: 1.0 },
            GeoBox { min_lon: -180.0, min_lat: 0.0, max_lon: -179.0, max_lat: 1.0 },
        ];
        add(tx, &NewMap { boxes: dateline, ..map(12, "vs-1", all) }).await?;
        add(tx, &NewMap { boxes: vec![], ..map(13, "vs-1", all) }).await
    });
    let at = |boxes: Vec<GeoBox>| Filter { boxes: Some(boxes), ..asked(&["*"], "vs-2") };
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Vec<GeoBox>, Vec<u32>); 9] = [
        ("inside",             vec![point(2.5, 48.5)],                      vec![10]),
        ("corner",             vec![point(3.0, 49.0)],                      vec![10]),
        ("a millimetre away",  vec![point(3.000_001, 49.0)],                vec![]),
        ("around it",          vec![GeoBox { min_lon: 0.0, min_lat: 40.0, max_lon: 10.0, max_lat: 50.0 }], vec![10]),
        ("across one edge",    vec![square(2.9, 48.2)],                     vec![10]),
        ("west of the dateline", vec![point(179.5, 0.5)],                   vec![12]),
        ("east of the dateline", vec![point(-179.5, 0.5)],                  vec![12]),
        ("both at once",       vec![point(179.5, 0.5), point(-179.5, 0.5), point(2.5, 48.5)], vec![10, 12]),
        ("nowhere",            vec![],                                      vec![]),
    ];
    for (what, boxes, expected) in rows {
        let ids: Vec<u32> = found(&store, at(boxes)).await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, expected, "{what}");
    }
    // Moved: it is found where it is, and no more where it was.
    job!(store, |tx| {
        let moved = NewMap { boxes: vec![square(20.0, 10.0)], ..map(10, "vs-1", 1) };
        assert_eq!(record::replace(tx, &moved, 1).await?, Changed::To(2));
        Ok(())
    });
    assert_eq!(found(&store, at(vec![point(2.5, 48.5)])).await, []);
    assert_eq!(found(&store, at(vec![point(20.5, 10.5)])).await, [(10, false)]);
}

async fn a_map_opens_in_its_places(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        class(tx, "all", &["*"], 1).await?;
        let own = class(tx, "own", &["o:vs-1"], 2).await?;
        let two = vec![square(2.0, 48.0), square(20.0, 10.0)];
        add(tx, &NewMap { boxes: two, sync: Sync::Pending, ..map(10, "vs-1", own) }).await
    });
    let at = |place| Filter { boxes: Some(vec![place]), ..asked(&["*"], "vs-2") };
    let places = [point(2.5, 48.5), point(20.5, 10.5)];
    for place in places {
        assert_eq!(found(&store, at(place)).await, [], "the owner's alone");
    }
    job!(store, |tx| { record::open(tx, 10, 1).await });
    for place in places {
        assert_eq!(found(&store, at(place)).await, [(10, false)]);
    }
    assert_eq!(found(&store, at(point(10.0, 30.0))).await, [], "between its places");
    let row = store.read(|tx| Box::pin(async move { record::by_id(tx, 10).await })).await.unwrap().unwrap();
    assert_eq!((row.sync, row.version, row.class_id), (Sync::Synced, 1, 1), "its document is as it was");
}

async fn a_payload_counts_against_its_owner(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let class = class(tx, "k", &["o"], 5).await?;
        add(tx, &map(1, "vs-1", class)).await?;
        add(tx, &map(2, "vs-1", class)).await?;
        add(tx, &map(3, "vs-2", class)).await
    });
    let payload =
        |n: u8, length: u64| Content { sha256: [n; 32], media_type: "application/zip".into(), length };
    let set = |map_id: u32, new: Content| {
        let store = store.clone();
        async move {
            job!(store, |tx| {
                let kept = record::locked(tx, map_id).await?.unwrap();
                content::set(tx, &kept, &new, 100).await
            })
        }
    };
    let used = |owner: &'static str| {
        let store = store.clone();
        async move {
            store.read(move |tx| Box::pin(async move { content::usage(tx, SIM, owner).await })).await.unwrap()
        }
    };
    assert_eq!(used("vs-1").await, 0);
    assert_eq!(set(1, payload(1, 60)).await, SetContent::Done(None));
    assert_eq!(set(2, payload(2, 41)).await, SetContent::OverQuota);
    assert_eq!(used("vs-1").await, 60);
    assert_eq!(set(2, payload(2, 40)).await, SetContent::Done(None), "exactly the quota");
    assert_eq!(set(1, payload(3, 61)).await, SetContent::OverQuota);
    assert_eq!(set(1, payload(3, 10)).await, SetContent::Done(Some(payload(1, 60))));
    assert_eq!((used("vs-1").await, used("vs-2").await), (50, 0));
    assert_eq!(set(3, payload(3, 100)).await, SetContent::Done(None), "the quota is one owner's");

    let is_used = |n: u8| {
        let store = store.clone();
        async move {
            store.read(move |tx| Box::pin(async move { content::is_used(tx, &[n; 32]).await })).await.unwrap()
        }
    };
    assert_eq!([is_used(1).await, is_used(2).await, is_used(3).await], [false, true, true]);
    for map_id in [1, 2] {
        job!(store, |tx| {
            let kept = record::locked(tx, map_id).await?.unwrap();
            assert!(record::delete(tx, &kept).await?);
            Ok(())
        });
    }
    assert_eq!(used("vs-1").await, 0);
    assert_eq!([is_used(2).await, is_used(3).await], [false, true], "another map has the same payload");
    let all = store.read(|tx| Box::pin(async move { content::all_used(tx).await })).await.unwrap();
    assert_eq!(all, [[3; 32]]);
}

async fn a_map_is_built_once(bench: Bench) {
    let store = open(&bench).await;
    let asked = |map_id: u32| NewBuilding {
        map_id,
        owner_issuer: SIM.to_owned(),
        owner_subject: "vs-1".to_owned(),
        owner_name: "vs-1".to_owned(),
        owner_client: "vs-1".to_owned(),
        notif_uri: "https://val.example/cb".to_owned(),
        request: "{}".to_owned(),
        trace: Some("t".to_owned()),
    };
    let (first, second) = (asked(2), asked(1));
    job!(store, |tx| {
        for (asked, at) in [(&first, NOW), (&second, NOW + 1)] {
            assert!(record::take_id(tx, asked.map_id).await?);
            building::insert(tx, asked, at).await?;
        }
        Ok(())
    });
    assert!(row(&store, 2).await.is_none(), "it is no map yet");
    let behind = |after, limit| {
        let store = store.clone();
        async move {
            store
                .read(move |tx| Box::pin(async move { building::waiting(tx, after, limit).await }))
                .await
                .unwrap()
        }
    };
    let waiting = |limit| behind(None, limit);
    let ids = |waiting: Vec<building::Building>| waiting.iter().map(|b| b.asked.map_id).collect::<Vec<_>>();
    assert_eq!(ids(waiting(10).await), [2, 1], "the oldest first");
    assert_eq!(ids(waiting(1).await), [2]);
    for (after, left) in
        [((NOW, 1), &[2, 1][..]), ((NOW, 2), &[1]), ((NOW + 1, 0), &[1]), ((NOW + 1, 1), &[])]
    {
        assert_eq!(ids(behind(Some(after), 10).await), left, "{after:?}");
    }
    let count =
        store.read(|tx| Box::pin(async move { building::count(tx, SIM, "vs-1").await })).await.unwrap();
    assert_eq!(count, 2);
    let built = job!(store, |tx| {
        let once = building::finish(tx, 2).await?;
        let twice = building::finish(tx, 2).await?;
        Ok((once, twice))
    });
    assert_eq!(built.0.map(|built| (built.asked == asked(2), built.asked_s)), Some((true, NOW)));
    assert_eq!(built.1, None);
    assert_eq!(ids(waiting(10).await), [1]);
}

async fn a_class_goes_with_its_last_map(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let one = class(tx, "one", &["s:vs-2"], 1).await?;
        add(tx, &map(10, "vs-1", one)).await?;
        add(tx, &map(11, "vs-1", one)).await?;
        for map_id in [10, 11] {
            let kept = record::locked(tx, map_id).await?.unwrap();
            assert!(record::delete(tx, &kept).await?);
            classes::purge(tx, one).await?;
            let left = tx.query("SELECT match_key FROM class_match", &[]).await?.len();
            assert_eq!(left, usize::from(map_id == 10), "after {map_id}");
        }
        // The number is free again, and a new rule set may have it.
        assert_eq!(class(tx, "two", &["s:vs-3"], 1).await?, 1);
        Ok(())
    });
}

async fn a_reach_is_told_without_the_document(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let private = class(tx, "p", &["o:vs-1"], 1).await?;
        let listed = class(tx, "r", &["o:vs-1", "s:vs-2"], 2).await?;
        let all = class(tx, "u", &["*"], 3).await?;
        add(tx, &map(1, "vs-1", private)).await?;
        add(tx, &map(2, "vs-1", listed)).await?;
        add(tx, &NewMap { start_s: Some(NOW + 1), ..map(3, "vs-1", all) }).await?;
        add(tx, &NewMap { start_s: Some(NOW), stop_s: Some(NOW + 1), ..map(4, "vs-1", all) }).await
    });
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, u32, Option<Reach>); 8] = [
        ("vs-1", 1, Some(Reach::Open)), ("vs-2", 1, Some(Reach::Private)),
        ("vs-2", 2, Some(Reach::Open)), ("vs-3", 2, Some(Reach::Unlisted)),
        ("vs-1", 3, Some(Reach::Open)), ("vs-3", 3, Some(Reach::Inactive)),
        ("vs-3", 4, Some(Reach::Open)), ("vs-1", 5, None),
    ];
    for (who, map_id, expected) in rows {
        let reader = Reader {
            held: ["*".to_owned(), format!("o:{who}"), format!("s:{who}")].to_vec(),
            issuer: SIM.to_owned(),
            subject: who.to_owned(),
            now_s: NOW,
        };
        let reached =
            store.read(move |tx| Box::pin(async move { record::reach(tx, map_id, &reader).await })).await;
        assert_eq!(reached.unwrap(), expected, "{who} {map_id}");
    }
}
