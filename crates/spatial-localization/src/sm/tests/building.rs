//! 202: a map that is built in the background, and the callback that says so.

use std::time::Duration;

use authorization::Reason;
use serde_json::{Value, json};
use store::outbox;

use super::bench::*;
use crate::sm::SmLimits;

const CALLBACK: &str = "https://val.example/cb/maps";

fn notified(map_inf: Value, uri: &str) -> Value {
    let mut body = request(map_inf);
    body["notifUri"] = json!(uri);
    body
}

/// What waits in the outbox, or was claimed by the driver: kind, client, target, body.
async fn outbox(bench: &Bench) -> Vec<(String, String, String, Value)> {
    let read = bench.kit.store.read(|tx| {
        Box::pin(
            async move { tx.query("SELECT kind, client, target, body FROM outbox ORDER BY id", &[]).await },
        )
    });
    let rows = read.await.unwrap();
    rows.iter()
        .map(|row| {
            let body: String = row.get(3).unwrap();
            (
                row.get(0).unwrap(),
                row.get(1).unwrap(),
                row.get(2).unwrap(),
                serde_json::from_str(&body).unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn whoever_names_an_address_is_told_when_the_map_is_ready() {
    let bench = Bench::new().await;
    let inf = json!({ "visibility": "UNIVERSAL", "lyrInf": [{ "mapAsc": "floor-0" }] });
    let answer = bench.send(ask(VS1, "POST", MAPS).json(&notified(inf, CALLBACK))).await;
    assert_eq!(answer.status, 202, "{}", answer.json());
    let id = answer.json()["mapId"].as_u64().unwrap();
    assert_eq!(answer.json(), json!({ "mapId": id, "suppFeat": "1" }));
    bench
        .until("the map is ready", || async { bench.send(ask(VS1, "GET", bench.at(id))).await.status == 200 })
        .await;

    let told =
        json!({ "subId": id.to_string(), "reports": [{ "mapIds": [id], "event": "SPATIAL_MAP_READY" }] });
    let queued = outbox(&bench).await;
    assert_eq!(queued, [("SPATIAL_MAP_READY".to_owned(), "vs-1".to_owned(), CALLBACK.to_owned(), told)]);
    let map = bench.send(ask(VS2, "GET", bench.at(id))).await.json();
    assert_eq!(map["smProf"]["mapLyrList"]["lyrList"][0]["mapLyrInf"]["mapAsc"], "floor-0");
    assert_eq!(bench.send(ask(VS2, "GET", DISC)).await.json()["mapsDisc"], json!([{ "mapId": id }]));
    assert_eq!(bench.charged().await[0].operation, "sm.map.create");
}

#[tokio::test]
async fn a_map_under_construction_is_no_map_and_survives_a_restart() {
    let bench = Bench::new().await;
    // What cannot be read is not built, so that the map stays under construction however fast the builder is.
    building_row(&bench, 77, "{").await;
    for who in [VS1, VS2] {
        for method in ["GET", "DELETE"] {
            let building = bench.send(ask(who, method, bench.at(77))).await;
            let absent = bench.send(ask(who, method, bench.at(78))).await;
            assert_eq!((building.status, building.seen()), (404, absent.seen()), "{who:?} {method}");
        }
    }
    let kept = crate::sm::building::Kept::of(crate::sm::build::build(
        api_types::ids::SpatialMapId(77),
        &serde_json::from_value(request(Value::Null)).unwrap(),
        crate::shared::supp_feat::SuppFeat::default(),
    ));
    let kept = kept.to_text().unwrap();
    let repair = bench.kit.store.write(move |tx| {
        Box::pin(async move { tx.execute("UPDATE map_build SET request = $1", &store::params![kept]).await })
    });
    let repaired: Result<u64, store::StoreError> = repair.await;
    assert_eq!(repaired.unwrap(), 1);
    // The builder looks again by itself, as it does after a restart; the callback is queued with the map.
    let Bench { dir, sm, .. } = bench;
    drop(sm);
    let bench = Bench::reopened(dir, None, SmLimits::default()).await;
    bench
        .until("the map is ready", || async { bench.send(ask(VS1, "GET", bench.at(77))).await.status == 200 })
        .await;
    assert_eq!(outbox(&bench).await.len(), 1);
    assert_eq!(bench.sm_round().await, 0, "once");
}

/// A request as a crash leaves it: kept, and nobody building.
async fn building_row(bench: &Bench, map_id: u32, kept: &str) {
    let asked = store::maps::NewBuilding {
        map_id,
        owner_issuer: service_http::testkit::SIM.to_owned(),
        owner_subject: "vs-1".to_owned(),
        owner_name: "vs-1".to_owned(),
        owner_client: "vs-1".to_owned(),
        notif_uri: CALLBACK.to_owned(),
        request: kept.to_owned(),
        trace: None,
    };
    let job = bench.kit.store.write(move |tx| {
        Box::pin(async move {
            store::maps::record::take_id(tx, asked.map_id).await?;
            store::maps::building::insert(tx, &asked, NOW).await
        })
    });
    let done: Result<(), store::StoreError> = job.await;
    done.unwrap();
}

impl Bench {
    async fn sm_round(&self) -> usize {
        crate::sm::building::round(&self.sm).await.unwrap()
    }
}

#[tokio::test]
async fn maps_that_can_no_longer_be_built_hold_up_no_later_one() {
    let kept = |map_id: u32, map_inf: Value| {
        let built = crate::sm::build::build(
            api_types::ids::SpatialMapId(map_id),
            &serde_json::from_value(request(map_inf)).unwrap(),
            crate::shared::supp_feat::SuppFeat::default(),
        );
        crate::sm::building::Kept::of(built).to_text().unwrap()
    };
    // More than are taken up at once, each with anchors of an area that the lowered limit refuses; then a damaged one.
    let bench = Bench::with(None, SmLimits { area_m2: 1.0, ..SmLimits::default() }).await;
    let stuck = 40_u32;
    for map_id in 1..=stuck {
        let anchors = json!({ "augLyrInf": [{ "augWith": "SPATIAL_ANCHORS" }] });
        building_row(&bench, map_id, &kept(map_id, anchors)).await;
    }
    building_row(&bench, stuck + 1, "{").await;
    assert_eq!(bench.sm_round().await, 0);
    building_row(&bench, stuck + 2, &kept(stuck + 2, Value::Null)).await;
    bench.sm_round().await;
    assert_eq!(bench.send(ask(VS1, "GET", bench.at(u64::from(stuck) + 2))).await.status, 200);
    // They are kept, and built when the limit allows it again.
    let Bench { dir, sm, .. } = bench;
    drop(sm);
    let bench = Bench::reopened(dir, None, SmLimits::default()).await;
    for map_id in 1..=u64::from(stuck) {
        bench
            .until("a map of before", || async {
                bench.send(ask(VS1, "GET", bench.at(map_id))).await.status == 200
            })
            .await;
    }
}

#[tokio::test]
async fn an_address_is_of_a_host_that_the_client_registered() {
    let bench = Bench::new().await;
    let post = |uri: &str| ask(VS1, "POST", MAPS).json(&notified(Value::Null, uri));
    assert_eq!(bench.send(post(CALLBACK)).await.status, 202);
    for (what, uri) in [
        ("another host", "https://evil.example/cb"),
        ("cleartext", "http://val.example/cb"),
        ("user part", "https://val.example@evil.example/cb"),
        ("own host of another client", "https://other.example/cb"),
    ] {
        let answer = bench.send(post(uri)).await;
        assert_eq!(
            (answer.status, answer.reason),
            (400, Some(Reason::AddressRefused)),
            "{what}: {}",
            answer.json()
        );
        assert_eq!(answer.json()["invalidParams"][0]["param"], "/notifUri", "{what}");
    }
    bench.hosts.set("vs-2", &["other.example"]);
    assert_eq!(bench.send(post("https://other.example/cb")).await.status, 400, "of another client");
    bench.hosts.set_down(true);
    let answer = bench.send(post(CALLBACK)).await;
    assert_eq!((answer.status, answer.reason), (503, Some(Reason::DependencyDown)));
    bench.hosts.set_down(false);
    bench.hosts.set("vs-1", &[]);
    assert_eq!(bench.send(post(CALLBACK)).await.status, 400, "no such client");
}

#[tokio::test]
async fn a_map_that_is_gone_is_not_announced() {
    let bench = Bench::new().await;
    let answer = bench.send(ask(VS1, "POST", MAPS).json(&notified(Value::Null, CALLBACK))).await;
    let id = answer.json()["mapId"].as_u64().unwrap();
    bench.until("ready", || async { bench.send(ask(VS1, "GET", bench.at(id))).await.status == 200 }).await;
    assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(id))).await.status, 204);
    // Its turn comes again, and it is dropped.
    bench.clock.advance(Duration::from_secs(3_600));
    bench.until("dropped", || async { outbox(&bench).await.is_empty() }).await;
    let dead =
        bench.kit.store.read(|tx| Box::pin(async move { outbox::dead(tx, "", 10).await })).await.unwrap();
    assert!(dead.is_empty());
}

#[tokio::test]
async fn maps_under_construction_are_bounded() {
    let limits = SmLimits { builds_per_owner: 0, ..SmLimits::default() };
    let bench = Bench::with(None, limits).await;
    let answer = bench.send(ask(VS1, "POST", MAPS).json(&notified(Value::Null, CALLBACK))).await;
    assert_eq!((answer.status, answer.reason), (429, Some(Reason::RateLimited)));
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn a_position_is_kept_when_it_is_one() {
    let bench = Bench::new().await;
    let ue: api_types::ids::ValUeId = "alice-ue".parse().unwrap();
    let position = |lon: f64, at_s: i64| api_types::admin::Position {
        val_ue_id: None,
        lon,
        lat: 48.85,
        alt: None,
        at: Some(api_types::DateTime::from_unix(at_s)),
    };
    for lon in [3.0, 2.35] {
        bench.sm.put_position(&ue, &position(lon, NOW)).await.unwrap();
    }
    let kept = bench.sm.position(&ue).await.unwrap().unwrap();
    assert_eq!((kept.lon, kept.at_s), (2.35, NOW));
    let now = api_types::admin::Position { at: None, ..position(2.36, 0) };
    bench.sm.put_position(&ue, &now).await.unwrap();
    assert_eq!(bench.sm.position(&ue).await.unwrap().map(|kept| kept.at_s), Some(NOW), "no time is now");
    for lon in [181.0, f64::NAN] {
        assert_eq!(bench.sm.put_position(&ue, &position(lon, NOW)).await.unwrap_err().on_the_wire().0, 400);
    }
    assert_eq!(bench.sm.position(&"bob-ue".parse().unwrap()).await.unwrap(), None);
}
