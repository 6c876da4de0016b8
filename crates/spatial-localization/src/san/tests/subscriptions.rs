//! Subscriptions: the resource, what is told of which event, and what is decided again when it is told.

use authorization::revocation::{Entry, Kind};
use http::Method;
use http::header::{ETAG, IF_MATCH};
use serde_json::{Value, json};
use service_http::outbox_driver::Decision;
use std::time::Duration;
use store::anchors::positions::UePosition;
use store::outbox::{self, Message};

use super::*;
use crate::shared::subscriptions::notifier;

const SUBS: &str = "/ssan-sanm/v1/subscriptions";
const CALLBACK: &str = "https://val.example/cb";

fn subscription(events: Value, more: Value) -> Value {
    let mut body = json!({ "eventSubs": events, "notifUri": CALLBACK });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn discovery(filter: Value) -> Value {
    json!([{ "event": "ANCHOR_DISCOVERY", "evntFltr": filter }])
}

fn in_range(range_m: f64, persistent: bool, place: Option<(f64, f64)>) -> Value {
    let mut range = json!({ "appRng": range_m, "perSrch": persistent });
    if let Some((lon, lat)) = place {
        let point = json!({ "shape": "POINT", "point": { "lon": lon, "lat": lat } });
        range["usrLoc"] = json!({ "geographicArea": point });
    }
    json!([{ "event": "SPATIAL_ANCHOR_IN_RANGE", "evntFltr": { "rngFltr": range } }])
}

fn interest(range_m: f64, disc: bool) -> Value {
    let filter = json!({ "ueFltr": { "rngVal": range_m, "disc": disc } });
    json!([{ "event": "UE_SPATIAL_ANCHOR_INTEREST", "evntFltr": filter }])
}

impl World {
    pub(super) async fn subscribe(&self, who: Who<'_>, body: &Value) -> String {
        self.sim.renew();
        let answer = self.send(who, Method::POST, SUBS, Some(body)).await;
        answer.location()
    }

    /// Everything that subscribers are told now: who, and what. What could not go stays for the next time.
    pub(super) async fn told(&self) -> Vec<(String, Value)> {
        self.sim.renew();
        while crate::san::subscriptions::round(&self.san).await.unwrap() {}
        let mut told = Vec::new();
        for message in self.waiting().await {
            match self.decide(&message).await {
                Decision::Send { hosts, body } => {
                    assert!(hosts.contains(&"val.example".to_owned()));
                    told.push((message.client.clone(), serde_json::from_str(&body).unwrap()));
                }
                Decision::Drop => {}
                Decision::Later(_) => continue,
            }
            let gone: Result<bool, store::StoreError> = self
                .store
                .write(move |tx| Box::pin(async move { outbox::cancel(tx, &message.id).await }))
                .await;
            gone.unwrap();
        }
        told
    }

    async fn decide(&self, message: &Message) -> Decision {
        match notifier::admitted(self.san.kit(), message).await.unwrap() {
            Err(decision) => decision,
            Ok(admitted) if admitted.row.family == "usage" => {
                crate::san::usage::decide(&self.san, admitted, message).await.unwrap()
            }
            Ok(admitted) => crate::san::subscriptions::decide(&self.san, admitted, message).await.unwrap(),
        }
    }

    async fn waiting(&self) -> Vec<Message> {
        let sql = "SELECT id, kind, client, target, body, queued_ms FROM outbox ORDER BY queued_ms, id";
        let read = self.store.read(|tx| Box::pin(async move { tx.query(sql, &[]).await }));
        let rows = read.await.unwrap();
        let message = |row: &store::Row| Message {
            id: row.get(0).unwrap(),
            kind: row.get(1).unwrap(),
            client: row.get(2).unwrap(),
            target: row.get(3).unwrap(),
            body: row.get(4).unwrap(),
            trace: None,
            queued_ms: row.get(5).unwrap(),
            due_ms: 0,
        };
        rows.iter().map(message).collect()
    }

    async fn seen_at(&self, ue: &str, lon: f64, lat: f64) {
        let position = UePosition { lon, lat, alt: None, at_s: NOW };
        self.san.put_position(&ue.parse().unwrap(), position).await.unwrap();
    }

    /// A list of vs-1 with one anchor at a place; its path and the anchor.
    async fn anchor(&self, lon: f64, lat: f64, more: Value) -> (String, u64) {
        let answer = self.post(VS1, &list(json!({ "a": at(lon, lat, more) }))).await;
        let id = answer.json()["anchors"]["a"]["anchorId"].as_u64().unwrap();
        (answer.location(), id)
    }
}

fn open() -> Value {
    json!({ "visibility": "UNIVERSAL" })
}

/// Identifiers of the anchors of each report.
fn anchors(told: &[(String, Value)]) -> Vec<(String, Vec<u64>)> {
    let ids = |report: &Value| {
        let list = report["achrList"].as_array().cloned().unwrap_or_default();
        list.iter().map(|profile| profile["anchInfo"]["anchorId"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    told.iter()
        .flat_map(|(client, notif)| {
            let reports = notif["reports"].as_array().unwrap().clone();
            reports.iter().map(|report| (client.clone(), ids(report))).collect::<Vec<_>>()
        })
        .collect()
}

/// What was detected, of whom and which anchor.
fn detected(told: &[(String, Value)]) -> Vec<(String, Value)> {
    told.iter()
        .flat_map(|(_, notif)| notif["reports"].as_array().unwrap().clone())
        .map(|report| {
            let what = report["detEvent"].as_str().unwrap_or("-").to_owned();
            let of = if report["ueAnchrInt"].is_null() {
                let list = report["achrList"].as_array().unwrap().clone();
                json!(list.iter().map(|p| p["anchInfo"]["anchorId"].clone()).collect::<Vec<_>>())
            } else {
                let list = report["ueAnchrInt"].as_array().unwrap().clone();
                json!(list.iter().map(|p| json!([p["ueId"], p["anchrId"]])).collect::<Vec<_>>())
            };
            (what, of)
        })
        .collect()
}

#[tokio::test]
async fn a_subscription_is_its_subscribers() {
    let world = World::new().await;
    let body = subscription(
        discovery(json!({})),
        json!({ "suppFeat": "1", "report": { "subId": "x", "reports": [] } }),
    );
    let created = world.send(VS2, Method::POST, SUBS, Some(&body)).await;
    let path = created.location();
    assert!(created.json().get("report").is_none(), "the report is the server's");
    let read = world.get(VS2, &path).await;
    assert_eq!((read.status, read.json(), read.tag()), (200, created.json(), created.header(ETAG)));

    let absent = world.get(VS1, &format!("{SUBS}/nothing")).await;
    for (method, body) in [
        (Method::GET, None),
        (Method::PUT, Some(&body)),
        (Method::PATCH, Some(&json!({}))),
        (Method::DELETE, None),
    ] {
        for who in [VS1, VS3] {
            let foreign = world.send(who, method.clone(), &path, body).await;
            let refusal = (404, "SUBSCRIPTION_NOT_FOUND".to_owned(), "NOT_FOUND");
            assert_eq!(foreign.refusal(), refusal, "{method} by {who:?}");
            assert_eq!(foreign.bytes, absent.bytes, "{method} by {who:?}");
        }
    }
    let patch = json!({ "notifUri": format!("{CALLBACK}/2"), "eventSubs": interest(5.0, true) });
    let stale = world.send_if(VS2, Method::PATCH, &path, Some(&patch), &[(IF_MATCH, "\"x\"")]).await;
    assert_eq!(stale.status, 412);
    let patched = world.send_if(VS2, Method::PATCH, &path, Some(&patch), &[(IF_MATCH, &read.tag())]).await;
    assert_eq!((patched.status, patched.json()["notifUri"].clone()), (200, json!(format!("{CALLBACK}/2"))));
    assert_eq!(patched.json()["suppFeat"], "1", "what is not named stays");
    let replaced = world.put(VS2, &path, &subscription(discovery(json!({})), json!({}))).await;
    assert_eq!((replaced.status, replaced.json().get("suppFeat")), (200, None));
    assert_eq!(world.send(VS2, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(world.get(VS2, &path).await.status, 404);
}

#[tokio::test]
async fn a_subscription_says_what_it_must() {
    let world = World::new().await;
    let good = || subscription(in_range(10.0, true, Some((2.0, 48.0))), json!({}));
    assert_eq!(world.send(VS2, Method::POST, SUBS, Some(&good())).await.status, 201);
    assert_eq!(
        world
            .send(ALICE, Method::POST, SUBS, Some(&subscription(in_range(10.0, true, None), json!({}))))
            .await
            .status,
        400,
        "alice's client has no host"
    );
    let huge = json!({ "geoServAr": { "geoArs": circle(2.0, 48.0, 1.0e5) } });
    let cells = json!({ "topServAr": { "plmnIds": [{ "mcc": "001", "mnc": "01" }] } });
    type Spoil = Box<dyn Fn(&mut Value)>;
    let set = |pointer: &'static str, value: Value| -> Spoil {
        Box::new(move |body: &mut Value| *body.pointer_mut(pointer).unwrap() = value.clone())
    };
    let add = |pointer: &'static str, name: &'static str, value: Value| -> Spoil {
        Box::new(move |body: &mut Value| body.pointer_mut(pointer).unwrap()[name] = value.clone())
    };
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str, &str); 21] = [
        ("no event",            set("/eventSubs", json!([])), "/eventSubs", "MANDATORY_IE_INCORRECT"),
        ("no address",          Box::new(|body| drop(body.as_object_mut().unwrap().remove("notifUri"))), "/notifUri", "MANDATORY_IE_MISSING"),
        ("no url",              set("/notifUri", json!("nowhere")), "/notifUri", "MANDATORY_IE_INCORRECT"),
        ("another host",        set("/notifUri", json!("https://other.example/cb")), "/notifUri", "MANDATORY_IE_INCORRECT"),
        ("no TLS",              set("/notifUri", json!("http://val.example/cb")), "/notifUri", "MANDATORY_IE_INCORRECT"),
        ("no filter of ranges", Box::new(|body| body["eventSubs"][0]["evntFltr"] = json!({})), "/eventSubs/0/evntFltr/rngFltr", "MANDATORY_IE_MISSING"),
        ("no place of a server",Box::new(|body| body["eventSubs"] = in_range(10.0, true, None)), "/eventSubs/0/evntFltr/rngFltr/usrLoc", "MANDATORY_IE_MISSING"),
        ("a place nowhere",     set("/eventSubs/0/evntFltr/rngFltr/usrLoc", json!({ "cellId": "1" })), "/eventSubs/0/evntFltr/rngFltr/usrLoc", "OPTIONAL_IE_INCORRECT"),
        ("a range too large",   set("/eventSubs/0/evntFltr/rngFltr/appRng", json!(60_000.0)), "/eventSubs/0/evntFltr/rngFltr/appRng", "OPTIONAL_IE_INCORRECT"),
        ("a range below 0",     set("/eventSubs/0/evntFltr/rngFltr/appRng", json!(-1.0)), "/eventSubs/0/evntFltr/rngFltr/appRng", "MANDATORY_IE_INCORRECT"),
        ("no filter of UEs",    Box::new(|body| body["eventSubs"][0]["event"] = json!("UE_SPATIAL_ANCHOR_INTEREST")), "/eventSubs/0/evntFltr/ueFltr", "MANDATORY_IE_MISSING"),
        ("interest too far",    Box::new(|body| body["eventSubs"] = interest(60_000.0, false)), "/eventSubs/0/evntFltr/ueFltr/rngVal", "OPTIONAL_IE_INCORRECT"),
        ("an area too large",   add("/eventSubs/0/evntFltr", "anchrFltr", json!({ "areaInt": huge })), "/eventSubs/0/evntFltr/anchrFltr/areaInt", "OPTIONAL_IE_INCORRECT"),
        ("an area of cells",    add("/eventSubs/0/evntFltr", "anchrFltr", json!({ "areaInt": cells })), "/eventSubs/0/evntFltr/anchrFltr/areaInt", "OPTIONAL_IE_INCORRECT"),
        ("a filter of nothing", add("/eventSubs/0/evntFltr", "anchrFltr", json!({})), "/eventSubs/0/evntFltr/anchrFltr", "MANDATORY_IE_INCORRECT"),
        ("past",                add("", "expTime", json!("2001-01-01T00:00:00Z")), "/expTime", "OPTIONAL_IE_INCORRECT"),
        ("no period",           add("", "reportReq", json!({ "notifMethod": "PERIODIC" })), "/reportReq/repPeriod", "OPTIONAL_IE_INCORRECT"),
        ("a sample",            add("", "reportReq", json!({ "sampRatio": 50 })), "/reportReq/sampRatio", "OPTIONAL_IE_INCORRECT"),
        ("parts of a model",    Box::new(|body| { body["eventSubs"] = interest(5.0, false); body["reportReq"] = json!({ "sampRatio": 50, "partitionCriteria": ["TAC"] }); }), "/reportReq/partitionCriteria", "OPTIONAL_IE_INCORRECT"),
        ("gathered too long",   add("", "reportReq", json!({ "grpRepTime": 31 * 24 * 3_600 + 1 })), "/reportReq/grpRepTime", "OPTIONAL_IE_INCORRECT"),
        ("too many events",     Box::new(|body| body["eventSubs"] = json!(vec![body["eventSubs"][0].clone(); 65])), "/eventSubs", "MANDATORY_IE_INCORRECT"),
    ];
    for (what, spoil, param, cause) in rows {
        let mut body = good();
        spoil(&mut body);
        let answer = world.send(VS2, Method::POST, SUBS, Some(&body)).await;
        let told = answer.json();
        assert_eq!(
            (
                answer.status,
                told["invalidParams"][0]["param"].as_str().unwrap_or("-"),
                answer.cause().as_str()
            ),
            (400, param, cause),
            "{what}: {told}"
        );
    }
    world.hosts.set_down(true);
    let down = world.send(VS2, Method::POST, SUBS, Some(&good())).await;
    assert_eq!(down.refusal(), (503, "DECISION_UNAVAILABLE".to_owned(), "DEPENDENCY_DOWN"));
    world.hosts.set_down(false);
    for _ in 0..99 {
        assert_eq!(world.send(VS2, Method::POST, SUBS, Some(&good())).await.status, 201);
    }
    let one_more = world.send(VS2, Method::POST, SUBS, Some(&good())).await;
    assert_eq!(one_more.refusal().0, 429, "so many of one owner");
}

#[tokio::test]
async fn who_may_discover_an_anchor_hears_of_it() {
    let world = World::new().await;
    let all = subscription(discovery(json!({})), json!({}));
    world.subscribe(VS2, &all).await;
    world.subscribe(VS3, &all).await;
    let rules = json!({ "rules": { "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] } });
    let (path, id) = world.anchor(2.0, 48.0, rules).await;
    let told = world.told().await;
    assert_eq!(anchors(&told), [("vs-2".to_owned(), vec![id])], "created");
    assert_eq!(told[0].1["reports"][0]["event"], "ANCHOR_DISCOVERY");
    assert!(
        told[0].1["reports"][0]["achrList"][0]["anchInfo"].get("rules").is_none(),
        "rules are the owner's"
    );
    let profile = &told[0].1["reports"][0]["achrList"][0];
    assert_eq!(profile["valSvcInf"]["serviceId"], "museum-guide");

    let patch = json!({ "anchors": { "a": { "specInfo": "AAAA" } } });
    assert_eq!(world.patch(VS1, &path, &patch).await.status, 200);
    let told = world.told().await;
    assert_eq!(anchors(&told), [("vs-2".to_owned(), vec![id])], "changed");
    assert_eq!(world.patch(VS1, &path, &patch).await.status, 200);
    assert!(world.told().await.is_empty(), "nothing was changed");

    assert_eq!(world.send(VS1, Method::DELETE, &path, None).await.status, 204);
    let told = world.told().await;
    assert_eq!(anchors(&told), [("vs-2".to_owned(), vec![id])], "deleted");
    assert_eq!(told[0].1["reports"][0]["achrList"][0]["anchInfo"]["specInfo"], "AAAA", "as it last was");
}

#[tokio::test]
async fn a_filter_narrows_what_is_told() {
    let world = World::new().await;
    let here = json!({ "geoServAr": { "geoArs": circle(2.0, 48.0, 1_000.0) } });
    let rows = [
        ("vs-a", json!({ "discFltr": { "mgntEvts": ["ANCHOR_DELETION"] } }), [false, false, true]),
        (
            "vs-b",
            json!({ "discFltr": { "mgntEvts": ["ANCHOR_CREATION", "ANCHOR_UPDATE"] } }),
            [true, true, false],
        ),
        ("vs-c", json!({ "discFltr": { "mgntEvts": ["SOMETHING_ELSE"] } }), [false, false, false]),
        ("vs-d", json!({ "anchrFltr": { "areaInt": here } }), [true, true, true]),
        ("vs-e", json!({ "anchrFltr": { "svcIds": ["other"] } }), [false, false, false]),
        (
            "vs-f",
            json!({ "anchrFltr": { "svcIds": ["other", "museum-guide"], "areaInt": here } }),
            [true, true, true],
        ),
        ("vs-g", json!({ "anchrFltr": { "anchIds": [1, 2, 3] } }), [false, false, false]),
    ];
    for (client, filter, _) in &rows {
        world.hosts.set(client, &["val.example"]);
        world.subscribe(Who::Server(client, &[]), &subscription(discovery(filter.clone()), json!({}))).await;
    }
    let expected = |step: usize| -> Vec<String> {
        rows.iter().filter(|(_, _, wanted)| wanted[step]).map(|(client, _, _)| (*client).to_owned()).collect()
    };
    let heard = |told: Vec<(String, Value)>| -> Vec<String> {
        let mut heard: Vec<String> = told.into_iter().map(|(client, _)| client).collect();
        heard.sort();
        heard
    };
    let (path, _) = world.anchor(2.0, 48.0, open()).await;
    assert_eq!(heard(world.told().await), expected(0), "created");
    let patch = json!({ "anchors": { "a": { "specInfo": "AAAA" } } });
    assert_eq!(world.patch(VS1, &path, &patch).await.status, 200);
    assert_eq!(heard(world.told().await), expected(1), "changed");
    assert_eq!(world.send(VS1, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(heard(world.told().await), expected(2), "deleted");
    world.anchor(3.0, 48.0, open()).await;
    let far = heard(world.told().await);
    assert_eq!(far, ["vs-b"], "elsewhere, only who names no area");
}

/// Between the event and the message everything may have changed.
#[tokio::test]
async fn permission_is_decided_again_when_it_is_told() {
    type Step = for<'w> fn(&'w World, &'w str) -> futures::future::BoxFuture<'w, ()>;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Step, bool); 11] = [
        ("nothing changed", |_, _| Box::pin(async {}), true),
        ("made private", |world, path| Box::pin(async move {
            let patch = json!({ "suppFeat": "1", "anchors": { "a": { "visibility": "PRIVATE" } } });
            assert_eq!(world.patch(VS1, path, &patch).await.status, 200);
        }), false),
        ("made inactive", |world, path| Box::pin(async move {
            let period = json!({ "startTime": "2001-01-01T00:00:00Z", "stopTime": "2002-01-01T00:00:00Z" });
            let patch = json!({ "suppFeat": "1", "anchors": { "a": { "timePeriod": period } } });
            assert_eq!(world.patch(VS1, path, &patch).await.status, 200);
        }), false),
        ("a rule of the operator", |world, _| Box::pin(async move {
            world.rule("r", json!({ "class": "operator", "effect": "DENY", "subjects": ["vs-2"], "actions": ["discover"] })).await;
        }), false),
        ("a rule for another", |world, _| Box::pin(async move {
            world.rule("r", json!({ "class": "operator", "effect": "DENY", "subjects": ["vs-3"] })).await;
        }), true),
        ("the client revoked", |world, _| Box::pin(async move { world.revoke(Kind::Client, "vs-2"); }), false),
        ("the subject revoked", |world, _| Box::pin(async move { world.revoke(Kind::Subject, "vs-2"); }), false),
        ("another client revoked", |world, _| Box::pin(async move { world.revoke(Kind::Client, "vs-3"); }), true),
        ("the client deleted", |world, _| Box::pin(async move { world.hosts.set("vs-2", &[]); }), false),
        ("unsubscribed", |world, _| Box::pin(async move {
            let sub = world.last_sub.lock().unwrap().clone();
            assert_eq!(world.send(VS2, Method::DELETE, &sub, None).await.status, 204);
        }), false),
        ("deleted", |world, path| Box::pin(async move {
            // Told of nothing but that it is gone, in a message of its own.
            assert_eq!(world.send(VS1, Method::DELETE, path, None).await.status, 204);
        }), false),
    ];
    for (what, step, hears) in rows {
        let world = World::new().await;
        let wanted = json!({ "discFltr": { "mgntEvts": ["ANCHOR_CREATION"] } });
        let sub = world.subscribe(VS2, &subscription(discovery(wanted), json!({}))).await;
        *world.last_sub.lock().unwrap() = sub;
        let (path, id) = world.anchor(2.0, 48.0, open()).await;
        while crate::san::subscriptions::round(&world.san).await.unwrap() {}
        assert_eq!(world.waiting().await.len(), 1, "{what}: queued");
        step(&world, &path).await;
        let expected = if hears { vec![("vs-2".to_owned(), vec![id])] } else { Vec::new() };
        assert_eq!(anchors(&world.told().await), expected, "{what}");
    }
}

#[tokio::test]
async fn what_cannot_be_decided_waits() {
    let world = World::new().await;
    world.subscribe(VS2, &subscription(discovery(json!({})), json!({}))).await;
    world.anchor(2.0, 48.0, open()).await;
    assert!(!crate::san::subscriptions::round(&world.san).await.unwrap());
    let message = world.waiting().await.remove(0);
    world.clock.advance(Duration::from_secs(2));
    assert!(matches!(world.decide(&message).await, Decision::Later(_)), "the lease has run out");
    world.sim.renew();
    world.hosts.set_down(true);
    assert!(matches!(world.decide(&message).await, Decision::Later(_)), "the SIM-S does not answer");
    world.hosts.set_down(false);
    assert_eq!(world.told().await.len(), 1);
}

#[tokio::test]
async fn a_revoked_subscriber_has_no_subscription_any_more() {
    let world = World::new().await;
    let path = world.subscribe(VS2, &subscription(discovery(json!({})), json!({}))).await;
    world.revoke(Kind::Subject, "vs-2");
    world.anchor(2.0, 48.0, open()).await;
    assert!(world.told().await.is_empty());
    // A token of after the revocation does not find it.
    assert_eq!(world.get(VS2, &path).await.status, 404);
}

#[tokio::test]
async fn an_anchor_in_range_is_told_at_the_crossing() {
    let world = World::new().await;
    world.hosts.set("ue-1", &["val.example"]);
    // About 74 m to a thousandth of a degree of longitude, and 111 m to one of latitude.
    let (_, id) = world.anchor(2.0, 48.0, open()).await;
    world.anchor(2.0, 48.0, json!({ "visibility": "PRIVATE" })).await;
    world.seen_at("alice-ue", 2.002, 48.0).await;
    world.seen_at("eve-ue", 2.0, 48.0).await;
    world.subscribe(ALICE, &subscription(in_range(100.0, true, None), json!({}))).await;
    assert!(world.told().await.is_empty(), "149 m");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("still outside", 2.0014,  None),
        ("came in",       2.001,   Some("ANCHOR_IN_RANGE_OF_UE")),
        ("still in",      2.0013,  None),
        ("in the band",   2.00144, None),
        ("left",          2.0016,  Some("ANCHOR_OUT_RANGE_OF_UE")),
        ("in the band",   2.00144, None),
        ("came again",    2.0,     Some("ANCHOR_IN_RANGE_OF_UE")),
    ];
    for (what, lon, expected) in rows {
        world.seen_at("alice-ue", lon, 48.0).await;
        let expected: Vec<_> = expected.iter().map(|what| ((*what).to_owned(), json!([id]))).collect();
        assert_eq!(detected(&world.told().await), expected, "{what}");
    }
    world.seen_at("eve-ue", 2.0, 48.0).await;
    assert!(world.told().await.is_empty(), "of another user nothing");
}

#[tokio::test]
async fn a_search_that_is_not_persistent_ends_with_its_first_hit() {
    let world = World::new().await;
    let path =
        world.subscribe(VS2, &subscription(in_range(100.0, false, Some((2.0, 48.0))), json!({}))).await;
    assert!(world.told().await.is_empty());
    let (_, id) = world.anchor(2.0, 48.0, open()).await;
    assert_eq!(detected(&world.told().await), [("ANCHOR_IN_RANGE_OF_UE".to_owned(), json!([id]))]);
    world.anchor(2.0, 48.0, open()).await;
    assert!(world.told().await.is_empty());
    assert_eq!(world.get(VS2, &path).await.status, 404, "over");
}

#[tokio::test]
async fn what_is_in_range_from_the_start_is_told() {
    let world = World::new().await;
    let (_, id) = world.anchor(2.0, 48.0, open()).await;
    world.subscribe(VS2, &subscription(in_range(100.0, true, Some((2.0, 48.0))), json!({}))).await;
    assert_eq!(detected(&world.told().await), [("ANCHOR_IN_RANGE_OF_UE".to_owned(), json!([id]))]);
    assert!(world.told().await.is_empty(), "once");
}

/// UEs are told to the owner of the anchor and to nobody else.
#[tokio::test]
async fn ues_near_an_anchor_are_its_owners_to_know() {
    let world = World::new().await;
    let body = subscription(interest(100.0, false), json!({}));
    world.subscribe(VS1, &body).await;
    world.subscribe(VS2, &body).await;
    let (path, id) = world.anchor(2.0, 48.0, open()).await;
    world.seen_at("alice-ue", 2.0, 48.0).await;
    let told = world.told().await;
    assert_eq!(detected(&told), [("UE_IN_RANGE_OF_ANCHOR".to_owned(), json!([["alice-ue", id]]))]);
    assert_eq!(told[0].0, "vs-1");
    assert_eq!(told[0].1["reports"][0]["ueAnchrInt"][0]["anchrRng"], json!(0.0));
    world.seen_at("alice-ue", 2.1, 48.0).await;
    assert_eq!(
        detected(&world.told().await),
        [("UE_OUT_RANGE_OF_ANCHOR".to_owned(), json!([["alice-ue", id]]))]
    );
    // The anchor comes to the UE.
    let patch = json!({ "anchors": { "a": at(2.1, 48.0, json!({})) } });
    assert_eq!(world.patch(VS1, &path, &patch).await.status, 200);
    assert_eq!(
        detected(&world.told().await),
        [("UE_IN_RANGE_OF_ANCHOR".to_owned(), json!([["alice-ue", id]]))]
    );
    world.rule("r", json!({ "class": "operator", "effect": "DENY", "actions": ["observe"] })).await;
    world.seen_at("eve-ue", 2.1, 48.0).await;
    assert!(world.told().await.is_empty(), "the operator does not let it");
}

#[tokio::test]
async fn ues_that_discover_an_anchor_are_told_where_that_is_wanted() {
    let world = World::new().await;
    world.subscribe(VS1, &subscription(interest(1.0, true), json!({}))).await;
    let (_, id) = world.anchor(2.0, 48.0, open()).await;
    assert_eq!(world.get(ALICE, DISC).await.found(), [id]);
    assert_eq!(world.get(VS2, DISC).await.found(), [id], "a server is no UE");
    assert_eq!(detected(&world.told().await), [("-".to_owned(), json!([["alice-ue", id]]))]);
}

#[tokio::test]
async fn a_first_report_comes_with_the_answer() {
    let world = World::new().await;
    let (_, id) = world.anchor(2.0, 48.0, open()).await;
    world.anchor(2.0, 48.0, json!({ "visibility": "PRIVATE" })).await;
    let events = json!([discovery(json!({}))[0], in_range(100.0, true, Some((2.0, 48.0)))[0]]);
    let body = subscription(events, json!({ "reportReq": { "immRep": true, "maxReportNbr": 2 } }));
    let answer = world.send(VS2, Method::POST, SUBS, Some(&body)).await;
    let path = answer.location();
    let report = answer.json()["report"].clone();
    assert_eq!(report["subId"].as_str().unwrap(), path.rsplit('/').next().unwrap());
    let ids = |n: usize| report["reports"][n]["achrList"][0]["anchInfo"]["anchorId"].as_u64();
    assert_eq!((ids(0), ids(1), report["reports"].as_array().unwrap().len()), (Some(id), Some(id), 2));
    assert!(world.told().await.is_empty(), "what came with the answer is not told again");
    assert!(world.get(VS2, &path).await.json().get("report").is_none());
    let (_, second) = world.anchor(2.0, 48.0, open()).await;
    let told = world.told().await;
    assert_eq!(anchors(&told), [("vs-2".to_owned(), vec![second]), ("vs-2".to_owned(), vec![second])]);
    // Two reports were all.
    assert_eq!(world.get(VS2, &path).await.status, 404);
    world.anchor(2.0, 48.0, open()).await;
    assert!(world.told().await.is_empty());
}

#[tokio::test]
async fn periodic_reports_say_what_is_the_case() {
    let world = World::new().await;
    let (path, id) = world.anchor(2.0, 48.0, open()).await;
    let request = json!({ "notifMethod": "PERIODIC", "repPeriod": 60 });
    let end = api_types::DateTime::from_unix(NOW + 200).to_string();
    let sub = world
        .subscribe(VS2, &subscription(discovery(json!({})), json!({ "reportReq": request, "expTime": end })))
        .await;
    world.anchor(2.0, 48.0, open()).await;
    assert!(world.told().await.is_empty(), "not on an event");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.told().await[0].1["reports"][0]["achrList"].as_array().unwrap().len(), 2);
    assert!(world.told().await.is_empty(), "once in a period");
    assert_eq!(world.send(VS1, Method::DELETE, &path, None).await.status, 204);
    world.clock.advance(Duration::from_secs(60));
    let told = anchors(&world.told().await);
    assert!(told[0].1.len() == 1 && told[0].1[0] != id, "{told:?}");
    world.clock.advance(Duration::from_secs(80));
    assert!(world.told().await.is_empty(), "it has ended");
    assert_eq!(world.get(VS2, &sub).await.status, 404);
}

#[tokio::test]
async fn one_time_is_one_report() {
    let world = World::new().await;
    let once = json!({ "reportReq": { "notifMethod": "ONE_TIME" } });
    let path = world.subscribe(VS2, &subscription(discovery(json!({})), once)).await;
    let (_, id) = world.anchor(2.0, 48.0, open()).await;
    world.anchor(2.0, 48.0, open()).await;
    assert_eq!(anchors(&world.told().await), [("vs-2".to_owned(), vec![id])]);
    assert_eq!(world.get(VS2, &path).await.status, 404);
}

/// What is told is recorded, once, also when it is tried again.
/// TS 29.523 `notifFlag`: what happens is kept while a subscription is muted, and goes when it is asked for.
#[tokio::test]
async fn a_muted_subscription_keeps_its_reports() {
    let world = World::new().await;
    let flag = |flag: &str| json!({ "reportReq": { "notifFlag": flag } });
    let more = json!({ "reportReq": { "notifFlag": "DEACTIVATE", "maxReportNbr": 3 } });
    let path = world.subscribe(VS2, &subscription(discovery(json!({})), more)).await;
    let (_, one) = world.anchor(2.0, 48.0, open()).await;
    let (_, two) = world.anchor(2.1, 48.0, open()).await;
    assert!(world.told().await.is_empty(), "muted");
    let patched = world.send(VS2, Method::PATCH, &path, Some(&flag("RETRIEVAL"))).await;
    assert_eq!((patched.status, &patched.json()["reportReq"]["notifFlag"]), (200, &json!("RETRIEVAL")));
    let told = world.told().await;
    assert_eq!(told.len(), 1, "one report: {told:?}");
    let both = vec![("vs-2".to_owned(), vec![one]), ("vs-2".to_owned(), vec![two])];
    assert_eq!(anchors(&told), both, "in the order in which it happened");

    // Muted again after that, and permission is decided when it goes.
    let (hidden, _) = world.anchor(2.2, 48.0, open()).await;
    let (_, four) = world.anchor(2.3, 48.0, open()).await;
    assert!(world.told().await.is_empty());
    let patch = json!({ "anchors": { "a": { "visibility": "PRIVATE" } } });
    world.send(VS1, Method::PATCH, &format!("{hidden}?supp-feats=1"), Some(&own(patch))).await;
    assert_eq!(world.send(VS2, Method::PATCH, &path, Some(&flag("ACTIVATE"))).await.status, 200);
    let told = world.told().await;
    assert!(anchors(&told).contains(&("vs-2".to_owned(), vec![four])), "{told:?}");
    assert_eq!(told.len(), 1);

    // Two reports were made, however often it was muted meanwhile: one is left.
    let (_, five) = world.anchor(2.4, 48.0, open()).await;
    assert_eq!(anchors(&world.told().await), [("vs-2".to_owned(), vec![five])]);
    world.anchor(2.5, 48.0, open()).await;
    assert!(world.told().await.is_empty(), "out of reports");
    assert_eq!(world.get(VS2, &path).await.status, 404);
}

fn own(mut patch: Value) -> Value {
    patch["suppFeat"] = json!("1");
    patch
}

/// TS 29.523 `grpRepTime`: what happens within so many seconds is one report.
#[tokio::test]
async fn reports_are_gathered_for_a_while() {
    let world = World::new().await;
    let more = json!({ "reportReq": { "grpRepTime": 10 } });
    world.subscribe(VS2, &subscription(discovery(json!({})), more)).await;
    let (_, one) = world.anchor(2.0, 48.0, open()).await;
    assert!(world.told().await.is_empty());
    world.clock.advance(Duration::from_secs(9));
    world.sim.renew();
    let (_, two) = world.anchor(2.1, 48.0, open()).await;
    assert!(world.told().await.is_empty(), "the time runs from the first");
    world.clock.advance(Duration::from_secs(1));
    let told = world.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(anchors(&told), [("vs-2".to_owned(), vec![one]), ("vs-2".to_owned(), vec![two])]);
    world.clock.advance(Duration::from_secs(30));
    assert!(world.told().await.is_empty(), "nothing is left of it");
    let (_, three) = world.anchor(2.2, 48.0, open()).await;
    assert!(world.told().await.is_empty(), "the next group begins");
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(anchors(&world.told().await), [("vs-2".to_owned(), vec![three])]);
}

/// TS 29.523 `sampRatio` and `partitionCriteria`: of a share of the UEs is told, and always of the same.
#[tokio::test]
async fn a_sample_of_ues_is_told() {
    let world = World::new().await;
    let all = json!({ "reportReq": { "sampRatio": 100 } });
    let half = json!({ "reportReq": { "sampRatio": 50, "partitionCriteria": ["GEOAREA"] } });
    world.subscribe(VS1, &subscription(interest(50.0, false), all)).await;
    let sampled = world.subscribe(VS1, &subscription(interest(50.0, false), half)).await;
    let sampled = sampled.rsplit('/').next().unwrap().to_owned();
    world.anchor(2.0, 48.0, open()).await;
    world.told().await;
    let ues = |told: &[(String, Value)], of: bool| {
        let mut ues = std::collections::BTreeSet::new();
        for (_, notif) in told.iter().filter(|(_, notif)| (notif["subId"] == sampled.as_str()) == of) {
            for report in notif["reports"].as_array().unwrap() {
                let near = report["ueAnchrInt"].as_array().cloned().unwrap_or_default();
                ues.extend(near.iter().map(|one| one["ueId"].as_str().unwrap().to_owned()));
            }
        }
        ues
    };
    for n in 0..40 {
        world.seen_at(&format!("ue-{n}"), 2.0, 48.0).await;
    }
    let came = world.told().await;
    assert_eq!(ues(&came, false).len(), 40);
    let some = ues(&came, true);
    assert!((8..=32).contains(&some.len()), "{}", some.len());
    // They go, and come again: it is told of the same ones.
    for lon in [2.1, 2.0] {
        for n in 0..40 {
            world.seen_at(&format!("ue-{n}"), lon, 48.0).await;
        }
        let told = world.told().await;
        assert_eq!(ues(&told, false).len(), 40);
        if lon < 2.1 {
            assert_eq!(ues(&told, true), some);
        }
    }
}

#[tokio::test]
async fn a_notification_is_recorded_once() {
    let world = World::new().await;
    world.subscribe(VS2, &subscription(discovery(json!({})), json!({}))).await;
    world.anchor(2.0, 48.0, open()).await;
    assert!(!crate::san::subscriptions::round(&world.san).await.unwrap());
    let message = world.waiting().await.remove(0);
    for _ in 0..3 {
        assert!(matches!(world.decide(&message).await, Decision::Send { .. }));
    }
    let sql = "SELECT consumer, units FROM charging WHERE operation = 'san.subscription.notify'";
    let read = world.store.read(|tx| Box::pin(async move { tx.query(sql, &[]).await }));
    let rows: Vec<(String, i64)> =
        read.await.unwrap().iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
    assert_eq!(rows, [("vs-2".to_owned(), 1)]);
    let sql = "SELECT actor FROM audit WHERE action = 'san.subscription.notify'";
    let read = world.store.read(|tx| Box::pin(async move { tx.query(sql, &[]).await }));
    assert_eq!(read.await.unwrap().len(), 1);
}

impl World {
    fn revoke(&self, kind: Kind, value: &str) {
        let epoch = self.sim.state.epoch() + 1;
        let entry =
            Entry { kind, value: value.to_owned(), epoch, issuer: testkit::SIM.to_owned(), expires_s: None };
        self.sim.state.apply(vec![entry], epoch);
    }
}
