//! Usage information: counters of one's own anchors, once and in periods, and the reports of consumers.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::*;

const USAGE: &str = "/ssan-usg/v1/subscriptions";
const REPORT: &str = "/ssan-usg/v1/report";

fn about(filter: Value) -> Value {
    let event = "SPATIAL_ANCHOR_USAGE_INFORMATION";
    json!({ "eventSubs": [{ "event": event, "evntFltr": { "anchAnlFltr": filter } }] })
}

fn with_members(mut body: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Each anchor with its four numbers.
fn counted(reports: &Value) -> Vec<(u64, [u64; 4])> {
    let mut all = Vec::new();
    for report in reports.as_array().unwrap() {
        for info in report["anchUsgInf"].as_array().unwrap() {
            let number = |name: &str| info[name].as_u64().unwrap();
            let numbers = ["discAcc", "serAcc", "anchDensity", "usrDensity"].map(number);
            all.push((info["anchIds"][0].as_u64().unwrap(), numbers));
        }
    }
    all
}

async fn three_anchors(world: &World) -> [u64; 3] {
    let anchors = json!({
        "a": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" })),
        "b": at(2.0005, 48.0, json!({ "visibility": "UNIVERSAL" })),
        "c": at(3.0, 48.0, json!({ "visibility": "PRIVATE" })),
    });
    let made = world.post(VS1, &list(anchors)).await.json();
    ["a", "b", "c"].map(|label| made["anchors"][label]["anchorId"].as_u64().unwrap())
}

#[tokio::test]
async fn an_owner_asks_how_its_anchors_are_used() {
    let world = World::new().await;
    let [a, b, c] = three_anchors(&world).await;
    let position = |lon| store::anchors::positions::UePosition { lon, lat: 48.0, alt: None, at_s: NOW };
    world.san.put_position(&"alice-ue".parse().unwrap(), position(2.0)).await.unwrap();
    for who in [ALICE, VS2, VS2] {
        assert_eq!(world.get(who, DISC).await.found().len(), 2);
    }
    let used = json!({ "anchUsg": [{ "anchId": a, "access": 5 }, { "anchId": b, "access": 1 }, { "anchId": a, "access": 2 }] });
    for who in [ALICE, VS2] {
        assert_eq!(world.send(who, Method::POST, REPORT, Some(&used)).await.status, 204, "{who:?}");
    }
    let area = json!({ "geoServAr": { "geoArs": circle(2.0, 48.0, 10.0) } });
    let all = [(a, [3, 14, 2, 1]), (b, [3, 2, 2, 1]), (c, [0, 0, 1, 0])];
    let rows = [
        ("by service", json!({ "appId": "museum-guide" }), vec![all[0], all[1], all[2]]),
        ("by number", json!({ "anchIds": [a, c, 4711] }), vec![all[0], all[2]]),
        ("by area", json!({ "area": area }), vec![all[0]]),
        ("by place", json!({ "anchLoc": { "geographicArea": circle(2.0, 48.0, 10.0)[0] } }), vec![all[0]]),
        ("by service and area", json!({ "appId": "other", "area": area }), vec![]),
    ];
    for (what, filter, mut expected) in rows {
        let answer = world.send(VS1, Method::POST, USAGE, Some(&about(filter.clone()))).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.json());
        let mut got = counted(&answer.json()["reports"]);
        got.sort_unstable();
        expected.sort_unstable();
        assert_eq!(got, expected, "{what}");
        let other = world.send(VS2, Method::POST, USAGE, Some(&about(filter))).await;
        assert_eq!(
            (other.status, other.json()["reports"].clone()),
            (200, json!([])),
            "{what}: not the owner"
        );
    }
}

#[tokio::test]
async fn what_is_asked_of_usage_is_as_it_must_be() {
    let world = World::new().await;
    let [a, _, c] = three_anchors(&world).await;
    let good = || about(json!({ "anchIds": [a] }));
    let user = world.send(ALICE, Method::POST, USAGE, Some(&good())).await;
    assert_eq!(user.refusal(), (403, "UNAUTHORIZED_OPERATION".to_owned(), "NOT_ENTITLED"), "for VAL servers");
    assert_eq!(world.send(VS1, Method::POST, USAGE, Some(&good())).await.status, 200);
    let huge = json!({ "geoServAr": { "geoArs": circle(2.0, 48.0, 1.0e5) } });
    let to = json!({ "notifUri": "https://val.example/cb" });
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no filter",         json!({ "eventSubs": [{ "event": "X", "evntFltr": {} }] }), "/eventSubs/0/evntFltr/anchAnlFltr"),
        ("an empty filter",   about(json!({})), "/eventSubs/0/evntFltr/anchAnlFltr"),
        ("too large an area", about(json!({ "area": huge })), "/eventSubs/0/evntFltr/anchAnlFltr/area"),
        ("no place",          about(json!({ "anchLoc": { "cellId": "1" } })), "/eventSubs/0/evntFltr/anchAnlFltr/anchLoc"),
        ("no interval",       with_members(good(), to.clone()), "/sampInt"),
        ("interval 0",        with_members(with_members(good(), to.clone()), json!({ "sampInt": 0 })), "/sampInt"),
        ("another host",      with_members(good(), json!({ "notifUri": "https://other.example/cb", "sampInt": 5 })), "/notifUri"),
    ];
    for (what, body, param) in rows {
        let answer = world.send(VS1, Method::POST, USAGE, Some(&body)).await;
        assert_eq!(
            (answer.status, answer.json()["invalidParams"][0]["param"].as_str()),
            (400, Some(param)),
            "{what}"
        );
    }
    let report = |id: u64, access: u64| json!({ "anchUsg": [{ "anchId": a, "access": 1 }, { "anchId": id, "access": access }] });
    for (what, who, body, status) in [
        ("a hidden one", VS2, report(c, 1), 404),
        ("an absent one", VS2, report(4711, 1), 404),
        ("too many", VS2, report(a, 1_000_001), 400),
        ("nothing", VS2, json!({ "anchUsg": [] }), 400),
        ("below 0", VS2, json!({ "anchUsg": [{ "anchId": a, "access": -1 }] }), 400),
    ] {
        assert_eq!(world.send(who, Method::POST, REPORT, Some(&body)).await.status, status, "{what}");
    }
    let hidden = world.send(VS2, Method::POST, REPORT, Some(&report(c, 1))).await;
    let absent = world.send(VS2, Method::POST, REPORT, Some(&report(4711, 1))).await;
    assert_eq!(hidden.bytes, absent.bytes);
    let answer = world.send(VS1, Method::POST, USAGE, Some(&good())).await;
    assert_eq!(counted(&answer.json()["reports"])[0].1[1], 0, "of what was refused nothing is counted");
}

#[tokio::test]
async fn usage_is_told_in_periods() {
    let world = World::new().await;
    let [a, ..] = three_anchors(&world).await;
    let to = json!({ "notifUri": "https://val.example/cb", "suppFeat": "0" });
    let body = with_members(about(json!({ "anchIds": [a] })), to);
    let periodic = json!({ "reportReq": { "notifMethod": "PERIODIC", "repPeriod": 60, "immRep": true } });
    let made = world.send(VS1, Method::POST, USAGE, Some(&with_members(body.clone(), periodic))).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(counted(&made.json()["report"]["reports"]), [(a, [0, 0, 2, 0])]);
    let sampled =
        world.send(VS1, Method::POST, USAGE, Some(&with_members(body, json!({ "sampInt": 60 })))).await;
    let (periodic, sampled) = (made.location(), sampled.location());
    let told_of = |told: &[(String, Value)], path: &str| -> Vec<Vec<(u64, [u64; 4])>> {
        let is = |notif: &&(String, Value)| path.ends_with(notif.1["subId"].as_str().unwrap());
        told.iter().filter(is).map(|(_, notif)| counted(&notif["reports"])).collect()
    };
    world.clock.advance(Duration::from_secs(60));
    let told = world.told().await;
    assert_eq!(told_of(&told, &periodic), [[(a, [0, 0, 2, 0])]]);
    assert_eq!(told_of(&told, &sampled), [[(a, [0, 0, 2, 0])]], "the first sample is news");
    world.clock.advance(Duration::from_secs(60));
    let told = world.told().await;
    assert_eq!((told_of(&told, &periodic).len(), told_of(&told, &sampled).len()), (1, 0), "nothing new");
    let used = json!({ "anchUsg": [{ "anchId": a, "access": 5 }] });
    assert_eq!(world.send(VS2, Method::POST, REPORT, Some(&used)).await.status, 204);
    world.clock.advance(Duration::from_secs(60));
    let told = world.told().await;
    assert_eq!(told_of(&told, &sampled), [[(a, [0, 5, 2, 0])]]);
    let patch = json!({ "sampInt": 120 });
    assert_eq!(world.patch(VS1, &sampled, &patch).await.status, 200);
    assert_eq!(world.get(VS1, &sampled).await.json()["sampInt"], 120);
    assert_eq!(world.get(VS2, &sampled).await.status, 404);
    assert_eq!(world.send(VS1, Method::DELETE, &sampled, None).await.status, 204);
}
