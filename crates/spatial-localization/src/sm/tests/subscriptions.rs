//! Subscriptions to maps: what is told of which event, and what is decided again when it is told.

use authorization::revocation::{Entry, Kind};
use serde_json::{Value, json};
use service_http::outbox_driver::Decision;
use service_http::testkit;
use std::time::Duration;
use store::outbox::{self, Message};

use super::bench::*;
use crate::shared::subscriptions::notifier;

const SUBS: &str = "/ssm-smm/v1/subscriptions";

fn about(event: &str, target: Value, filter: Value) -> Value {
    let mut one = json!({ "event": event, "mapId": target });
    if !filter.is_null() {
        one["evntFltr"] = filter;
    }
    json!({ "eventSubs": [one], "svcId": "val-service-1", "notifUri": "https://val.example/cb" })
}

impl Bench {
    async fn told(&self) -> Vec<Value> {
        self.issuer.renew();
        while crate::sm::subscriptions::round(&self.sm).await.unwrap() {}
        let sql = "SELECT id, kind, client, target, body FROM outbox WHERE kind = 'SUBSCRIPTION' ORDER BY queued_ms, id";
        let read = self.kit.store.read(|tx| Box::pin(async move { tx.query(sql, &[]).await }));
        let mut told = Vec::new();
        for row in read.await.unwrap() {
            let message = Message {
                id: row.get(0).unwrap(),
                kind: row.get(1).unwrap(),
                client: row.get(2).unwrap(),
                target: row.get(3).unwrap(),
                body: row.get(4).unwrap(),
                trace: None,
                queued_ms: 0,
                due_ms: 0,
            };
            let decision = match notifier::admitted(&self.kit, &message).await.unwrap() {
                Err(decision) => decision,
                Ok(admitted) => crate::sm::subscriptions::decide(&self.sm, admitted, &message).await.unwrap(),
            };
            if let Decision::Send { body, .. } = decision {
                told.push(serde_json::from_str::<Value>(&body).unwrap()["reports"].clone());
            }
            let gone: Result<bool, store::StoreError> = self
                .kit
                .store
                .write(move |tx| Box::pin(async move { outbox::cancel(tx, &message.id).await }))
                .await;
            gone.unwrap();
        }
        told
    }

    async fn subscribe(&self, who: Who, body: &Value) -> String {
        let answer = self.send(ask(who, "POST", SUBS).json(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.header("location").unwrap().strip_prefix(ORIGIN).unwrap().to_owned()
    }

    async fn map_of_vs1(&self, inf: Value) -> u64 {
        let answer = self.send(ask(VS1, "POST", MAPS).json(&request(inf))).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.json()["smProf"]["mapId"].as_u64().unwrap()
    }
}

fn open() -> Value {
    json!({ "visibility": "UNIVERSAL", "lyrInf": [{ "mapAsc": "floor-0" }] })
}

#[tokio::test]
async fn who_may_read_a_map_hears_of_it() {
    let bench = Bench::new().await;
    bench.hosts.set("vs-2", &["val.example"]);
    bench.subscribe(VS2, &about("SPATIAL_MAP_READY", json!({ "mapIds": [4711] }), Value::Null)).await;
    let covered = request(Value::Null)["areaInt"].clone();
    bench.subscribe(VS2, &about("SPATIAL_MAP_READY", json!({ "area": covered }), Value::Null)).await;
    let id = bench.map_of_vs1(open()).await;
    bench.map_of_vs1(json!({ "visibility": "PRIVATE" })).await;
    assert_eq!(bench.told().await, [json!([{ "mapIds": [id], "event": "SPATIAL_MAP_READY" }])]);

    let target = json!({ "mapIds": [id] });
    bench
        .subscribe(VS2, &about("CHANGE_OF_OBJECTS", target.clone(), json!({ "objList": ["door", "desk"] })))
        .await;
    bench.subscribe(VS2, &about("LAYERS_MODIFICATION", target, Value::Null)).await;
    let objects = json!([{ "objId": "door", "objType": "t" }, { "objId": "lamp", "objType": "t" }]);
    let patch = json!({ "smProf": { "objList": objects } });
    assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&patch)).await.status, 200);
    let added = json!({ "objInf": { "objId": "door", "objType": "t" }, "objChgEvnt": "ADDED" });
    let report = json!({ "mapIds": [id], "event": "CHANGE_OF_OBJECTS", "objDet": [added] });
    assert_eq!(bench.told().await, [json!([report])]);
    let layers = json!([{ "mapLyrId": "layer-1", "mapLyrInf": { "mapAsc": "floor-1" } }]);
    let patch = json!({ "smProf": { "mapLyrList": { "lyrList": layers } } });
    assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&patch)).await.status, 200);
    let report = json!({ "mapIds": [id], "event": "LAYERS_MODIFICATION", "lyrDet": { "lyrList": layers } });
    assert_eq!(bench.told().await, [json!([report])]);
    let patch = json!({ "suppFeat": "1", "smProf": { "premises": "second door" } });
    assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&patch)).await.status, 200);
    assert!(bench.told().await.is_empty(), "what is the owner's is told to nobody");
}

#[tokio::test]
async fn a_map_that_was_hidden_meanwhile_is_not_told_of() {
    type Step = for<'b> fn(&'b Bench, u64) -> futures::future::BoxFuture<'b, ()>;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Step, bool); 5] = [
        ("nothing changed", |_, _| Box::pin(async {}), true),
        ("made private", |bench, id| Box::pin(async move {
            let patch = json!({ "suppFeat": "1", "smProf": { "visibility": "PRIVATE" } });
            assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&patch)).await.status, 200);
        }), false),
        ("deleted", |bench, id| Box::pin(async move {
            assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(id))).await.status, 204);
        }), false),
        ("the client revoked", |bench, _| Box::pin(async move {
            let epoch = bench.issuer.state.epoch() + 1;
            let entry = Entry { kind: Kind::Client, value: "vs-2".into(), epoch, issuer: testkit::SIM.into(), expires_s: None };
            bench.issuer.state.apply(vec![entry], epoch);
        }), false),
        ("the client deleted", |bench, _| Box::pin(async move { bench.hosts.set("vs-2", &[]); }), false),
    ];
    for (what, step, hears) in rows {
        let bench = Bench::new().await;
        bench.hosts.set("vs-2", &["val.example"]);
        let covered = request(Value::Null)["areaInt"].clone();
        bench.subscribe(VS2, &about("SPATIAL_MAP_READY", json!({ "area": covered }), Value::Null)).await;
        let id = bench.map_of_vs1(open()).await;
        while crate::sm::subscriptions::round(&bench.sm).await.unwrap() {}
        step(&bench, id).await;
        assert_eq!(bench.told().await.len(), usize::from(hears), "{what}");
    }
}

#[tokio::test]
async fn a_map_subscription_is_its_subscribers_and_says_what_it_must() {
    let bench = Bench::new().await;
    bench.hosts.set("vs-2", &["val.example"]);
    let good = about("SPATIAL_MAP_READY", json!({ "mapIds": [1] }), Value::Null);
    let path = bench.subscribe(VS2, &good).await;
    assert_eq!(bench.send(ask(VS2, "GET", path.as_str())).await.status, 200);
    for method in ["GET", "DELETE"] {
        let foreign = bench.send(ask(VS1, method, path.as_str())).await;
        assert_eq!(
            (foreign.status, foreign.json()["cause"].clone()),
            (404, json!("SUBSCRIPTION_NOT_FOUND")),
            "{method}"
        );
    }
    let huge = json!({ "geoServAr": { "geoArs": [{ "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": 2.0, "lat": 48.0 }, "uncertainty": 1.0e5 }] } });
    for (what, body, param) in [
        ("no target", about("SPATIAL_MAP_READY", json!({}), Value::Null), "/eventSubs/0/mapId"),
        (
            "too large",
            about("SPATIAL_MAP_READY", json!({ "area": huge }), Value::Null),
            "/eventSubs/0/mapId/area",
        ),
        (
            "a cell",
            about("SPATIAL_MAP_READY", json!({ "locInfo": { "cellId": "1" } }), Value::Null),
            "/eventSubs/0/mapId/locInfo",
        ),
        (
            "an empty filter",
            about("CHANGE_OF_OBJECTS", json!({ "mapIds": [1] }), json!({})),
            "/eventSubs/0/evntFltr",
        ),
    ] {
        let answer = bench.send(ask(VS2, "POST", SUBS).json(&body)).await;
        assert_eq!(
            (answer.status, answer.json()["invalidParams"][0]["param"].as_str()),
            (400, Some(param)),
            "{what}"
        );
    }
    let patched = bench
        .send(ask(VS2, "PATCH", path.as_str()).json(&json!({ "notifUri": "https://val.example/2" })))
        .await;
    assert_eq!((patched.status, patched.json()["notifUri"].clone()), (200, json!("https://val.example/2")));
    assert_eq!(bench.send(ask(VS2, "DELETE", path.as_str())).await.status, 204);
    assert_eq!(bench.send(ask(VS2, "GET", path.as_str())).await.status, 404);
}

#[tokio::test]
async fn maps_are_told_at_once_and_in_periods() {
    let bench = Bench::new().await;
    bench.hosts.set("vs-2", &["val.example"]);
    let id = bench.map_of_vs1(open()).await;
    let mut body = about("LAYERS_MODIFICATION", json!({ "mapIds": [id, 4711] }), Value::Null);
    body["reportReq"] =
        json!({ "immRep": true, "notifMethod": "PERIODIC", "repPeriod": 60, "maxReportNbr": 2 });
    let answer = bench.send(ask(VS2, "POST", SUBS).json(&body)).await;
    assert_eq!(answer.json()["report"]["reports"][0]["lyrDet"]["lyrList"][0]["mapLyrId"], "layer-1");
    assert!(bench.told().await.is_empty());
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(bench.told().await.len(), 1);
    bench.clock.advance(Duration::from_secs(60));
    assert!(bench.told().await.is_empty(), "two were all");
}

/// TS 29.523 `notifFlag` and `grpRepTime`, of maps.
#[tokio::test]
async fn reports_of_maps_are_kept_and_gathered() {
    let bench = Bench::new().await;
    bench.hosts.set("vs-2", &["val.example"]);
    let ready = |more: Value| {
        let covered = request(Value::Null)["areaInt"].clone();
        let mut body = about("SPATIAL_MAP_READY", json!({ "area": covered }), Value::Null);
        body["reportReq"] = more;
        body
    };
    let muted = bench.subscribe(VS2, &ready(json!({ "notifFlag": "DEACTIVATE" }))).await;
    let (one, two) = (bench.map_of_vs1(open()).await, bench.map_of_vs1(open()).await);
    let ids = |told: &[Value]| -> Vec<Vec<Value>> {
        let reports = told.iter().map(|reports| reports.as_array().unwrap().clone());
        reports.map(|reports| reports.iter().map(|one| one["mapIds"][0].clone()).collect()).collect()
    };
    assert!(bench.told().await.is_empty(), "muted");
    let patch =
        |flag: &str| ask(VS2, "PATCH", muted.clone()).json(&json!({ "reportReq": { "notifFlag": flag } }));
    assert_eq!(bench.send(patch("RETRIEVAL")).await.status, 200);
    assert_eq!(ids(&bench.told().await), [[json!(one), json!(two)]], "one notification");
    let three = bench.map_of_vs1(open()).await;
    assert!(bench.told().await.is_empty(), "muted again");
    assert_eq!(bench.send(patch("ACTIVATE")).await.status, 200);
    assert_eq!(ids(&bench.told().await), [[json!(three)]]);
    let four = bench.map_of_vs1(open()).await;
    assert_eq!(ids(&bench.told().await), [[json!(four)]]);
    assert_eq!(bench.send(ask(VS2, "DELETE", muted)).await.status, 204);

    bench.subscribe(VS2, &ready(json!({ "grpRepTime": 10 }))).await;
    let (five, six) = (bench.map_of_vs1(open()).await, bench.map_of_vs1(open()).await);
    assert!(bench.told().await.is_empty());
    bench.clock.advance(Duration::from_secs(10));
    assert_eq!(ids(&bench.told().await), [[json!(five), json!(six)]]);
    // No map tells of a UE.
    let refused = bench.send(ask(VS2, "POST", SUBS).json(&ready(json!({ "sampRatio": 50 })))).await;
    assert_eq!(
        (refused.status, &refused.json()["invalidParams"][0]["param"]),
        (400, &json!("/reportReq/sampRatio"))
    );
}
