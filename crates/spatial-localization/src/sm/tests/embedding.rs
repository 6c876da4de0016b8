//! Maps that embed anchors (FFS-13): each reader is shown its own, and nothing tells of the others.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use authorization::Reason;
use serde_json::{Value, json};

use super::bench::*;
use crate::sm::SmLimits;

async fn bench() -> (Bench, Arc<Anchors>) {
    let anchors = Arc::new(Anchors::default());
    (Bench::with(Some(anchors.clone()), SmLimits::default()).await, anchors)
}

fn embedding(det: Value) -> Value {
    let mut info = json!({ "augWith": "SPATIAL_ANCHORS" });
    if !det.is_null() {
        info["augLyrDet"] = det;
    }
    json!({ "visibility": "UNIVERSAL", "augLyrInf": [info] })
}

#[tokio::test]
async fn each_reader_is_shown_the_anchors_that_it_may_discover() {
    let (bench, anchors) = bench().await;
    anchors.show("vs-1", &[30, 10]);
    anchors.show("vs-2", &[20]);
    let id = bench.map(VS1, embedding(Value::Null)).await;
    let shown = |answer: Answer| answer.json()["augLyrInf"].clone();
    let with = |det: Value| json!({ "augWith": "SPATIAL_ANCHORS", "augLyrDet": det });
    let bare = json!({ "augWith": "SPATIAL_ANCHORS" });
    let rows = [
        (VS1, with(json!(["10", "30"]))),
        (VS2, with(json!(["20"]))),
        (VS3, bare.clone()),
        (EVE, bare.clone()),
    ];
    for (who, expected) in rows {
        assert_eq!(shown(bench.send(ask(who, "GET", bench.at(id))).await), expected, "{who:?}");
    }
    // Another owner permits: the same map shows one more, to this reader alone.
    let before = bench.send(ask(VS3, "GET", bench.at(id))).await;
    anchors.show("vs-3", &[40]);
    let after = bench.send(ask(VS3, "GET", bench.at(id))).await;
    assert_eq!(shown(after), with(json!(["40"])));
    assert_eq!(shown(bench.send(ask(EVE, "GET", bench.at(id))).await), bare);
    assert_eq!(before.status, 200);
}

#[tokio::test]
async fn nothing_of_a_map_changes_with_anchors_that_a_reader_may_not_discover() {
    let (bench, anchors) = bench().await;
    let id = bench.map(VS1, embedding(Value::Null)).await;
    let read = || bench.send(ask(EVE, "GET", bench.at(id)));
    let before = read().await;
    anchors.show("vs-2", &[1, 2, 3, 4, 5]);
    let after = read().await;
    assert_eq!(after.seen(), before.seen(), "bytes, tag and length");
    assert_eq!(
        bench.send(ask(EVE, "GET", bench.at(id)).with("if-none-match", before.etag())).await.status,
        304
    );
    anchors.show("eve", &[5]);
    assert_eq!(
        bench.send(ask(EVE, "GET", bench.at(id)).with("if-none-match", before.etag())).await.status,
        200
    );

    // What the creator lists changes nothing for who may not discover it.
    let list = json!({ "augLyrInf": { "augWith": "SPATIAL_ANCHORS", "augLyrDet": ["1", "2"] } });
    let with_five = read().await;
    assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&list)).await.status, 200);
    let narrowed = read().await;
    assert_eq!(
        narrowed.json()["augLyrInf"],
        json!({ "augWith": "SPATIAL_ANCHORS" }),
        "5 is not listed, 1 and 2 not hers"
    );
    assert_ne!(narrowed.etag(), with_five.etag());
    assert_eq!(narrowed.seen(), before.seen());
}

#[tokio::test]
async fn a_reader_asks_for_the_augmentation_of_any_map() {
    let (bench, anchors) = bench().await;
    anchors.show("alice", &[7]);
    let plain = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let listed = bench.map(VS1, embedding(json!(["7", "8"]))).await;
    let get = |id: u64, with: &str| {
        let with: String = url::form_urlencoded::byte_serialize(with.as_bytes()).collect();
        ask(ALICE, "GET", format!("{MAPS}?svc-id=val-service-1&map-id={id}&aug-with={with}"))
    };
    let anchors_wanted = json!({ "augLyrs": ["SPATIAL_ANCHORS"] }).to_string();
    for id in [plain, listed] {
        let answer = bench.send(get(id, &anchors_wanted)).await;
        assert_eq!(
            answer.json()["augLyrInf"],
            json!({ "augWith": "SPATIAL_ANCHORS", "augLyrDet": ["7"] }),
            "{id}"
        );
        let asked = anchors.asked.load(Ordering::Relaxed);
        let without = bench.send(ask(ALICE, "GET", format!("{MAPS}?svc-id=val-service-1&map-id={id}"))).await;
        assert_eq!(without.json().get("augLyrInf"), None, "nothing asked, nothing added");
        assert_eq!(anchors.asked.load(Ordering::Relaxed), asked);
    }
    let users = bench.send(get(plain, &json!({ "augLyrs": ["VAL_USERS"] }).to_string())).await;
    assert_eq!(
        (users.status, users.json()["augLyrInf"].clone()),
        (200, json!({ "augWith": "VAL_USERS" })),
        "who is there is told to the owner; to others nobody is"
    );
}

#[tokio::test]
async fn without_the_anchor_server_the_plain_map_is_served() {
    let (bench, anchors) = bench().await;
    anchors.show("alice", &[7]);
    let id = bench.map(VS1, embedding(Value::Null)).await;
    anchors.down.store(true, Ordering::Relaxed);
    let map = bench.send(ask(ALICE, "GET", bench.at(id))).await;
    assert_eq!((map.status, map.json().get("augLyrInf")), (200, None));
    let wanted: String =
        url::form_urlencoded::byte_serialize(br#"{"augLyrs":["SPATIAL_ANCHORS"]}"#).collect();
    let query = format!("{MAPS}?svc-id=val-service-1&map-id={id}");
    let refused = bench.send(ask(ALICE, "GET", format!("{query}&aug-with={wanted}"))).await;
    assert_eq!(refused.refused(), (503, Some(Reason::DependencyDown), "DECISION_UNAVAILABLE".into()));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(bench.send(ask(ALICE, "GET", &query)).await.status, 200);

    // Who may not discover the map learns nothing of the anchor server either, and it is not asked.
    let asked = anchors.asked.load(Ordering::Relaxed);
    let private = bench.map(VS1, json!({ "augLyrInf": [{ "augWith": "SPATIAL_ANCHORS" }] })).await;
    let hidden = format!("{MAPS}?svc-id=val-service-1&map-id={private}&aug-with={wanted}");
    let absent = format!("{MAPS}?svc-id=val-service-1&map-id=4000000000&aug-with={wanted}");
    let (hidden, absent) =
        (bench.send(ask(EVE, "GET", hidden)).await, bench.send(ask(EVE, "GET", absent)).await);
    assert_eq!((hidden.status, hidden.seen()), (404, absent.seen()));
    assert_eq!(anchors.asked.load(Ordering::Relaxed), asked);
}

#[tokio::test]
async fn without_an_anchor_server_in_the_deployment_nothing_is_embedded() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, embedding(Value::Null)).await;
    let map = bench.send(ask(VS1, "GET", bench.at(id))).await;
    assert_eq!((map.status, map.json().get("augLyrInf")), (200, None));
}

#[tokio::test]
async fn the_details_of_users_are_the_owners() {
    let (bench, _) = bench().await;
    let inf = json!({ "visibility": "UNIVERSAL", "augLyrInf": [{ "augWith": "VAL_USERS", "augLyrDet": ["alice"] }] });
    let id = bench.map(VS1, inf).await;
    let shown = |answer: Answer| answer.json()["augLyrInf"].clone();
    let own = shown(bench.send(ask(VS1, "GET", bench.at(id))).await);
    assert_eq!(own, json!({ "augWith": "VAL_USERS", "augLyrDet": ["alice"] }));
    assert_eq!(shown(bench.send(ask(VS2, "GET", bench.at(id))).await), json!({ "augWith": "VAL_USERS" }));
}

#[tokio::test]
async fn a_map_that_embeds_anchors_is_of_a_bounded_area() {
    let (bench, _) = bench().await;
    let circle = |m: f64| {
        json!({ "geoServAr": { "geoArs": [
            { "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": 0, "lat": 0 }, "uncertainty": m }] } })
    };
    for (metres, status) in [(50_000.0, 201), (60_000.0, 400)] {
        let mut body = request(embedding(Value::Null));
        body["areaInt"] = circle(metres);
        let answer = bench.send(ask(VS1, "POST", MAPS).json(&body)).await;
        assert_eq!(answer.status, status, "{metres}: {}", answer.json());
    }
}
