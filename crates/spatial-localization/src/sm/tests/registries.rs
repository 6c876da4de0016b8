//! Data sources, servers of maps, localization, and parts of maps that are the operator's.

use std::time::Duration;

use serde_json::{Value, json};
use service_http::outbox_driver::Decision;

use super::bench::*;

const SOURCES: &str = "/sm_smds/v1/datasources-reg-lists";
const PROFILES: &str = "/ssm-dsdisc/v1/datasource-profiles";
const SERVERS: &str = "/ssm-smasr/v1/registrations";
const LOCALIZATION: &str = "/ssm-loc/v1/localization";
const LOCALIZE: &str = "3gpp:seal:sm.localize";

fn source(requestor: &str) -> Value {
    json!({
        "requestorId": requestor, "notificationDestination": "https://val.example/ds",
        "dsProfile": { "dsId": "camera-1", "smInformation": {
            "smDataIdentifier": "video", "smDataType": "image", "smDataArea": square(2.35, 48.85),
            "smPosition": { "spaMapPos": { "spaMapId": "17" } }, "dsUpdateIntervalInfo": 5,
        } },
    })
}

fn server(map_ids: &[u64]) -> Value {
    let maps: Vec<Value> =
        map_ids.iter().map(|id| json!({ "mapId": id, "covArea": square(2.35, 48.85) })).collect();
    let info = json!({ "endpoint": { "uri": "https://smas.example" } });
    json!({ "profile": { "smasInfo": info, "spatMapInfoList": maps } })
}

fn soon(after_s: i64) -> String {
    api_types::DateTime::from_unix(NOW + after_s).to_string()
}

fn asked(path: &str, pairs: &[(&str, String)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        text.append_pair(name, value);
    }
    format!("{path}?{}", text.finish())
}

impl Bench {
    async fn registered(&self, who: Who, path: &str, body: &Value) -> String {
        let answer = self.send(ask(who, "POST", path).json(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.header("location").unwrap().strip_prefix(ORIGIN).unwrap().to_owned()
    }

    async fn profiles(&self, who: Who, pairs: &[(&str, String)]) -> Vec<Value> {
        let answer = self.send(ask(who, "GET", asked(PROFILES, pairs))).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()["results"].as_array().unwrap().clone()
    }

    async fn universal(&self) -> u64 {
        located(&self.send(ask(VS1, "POST", MAPS).json(&request(json!({ "visibility": "UNIVERSAL" })))).await)
    }
}

#[tokio::test]
async fn a_data_source_is_found_until_it_ends() {
    let bench = Bench::new().await;
    let mut body = source("vs-1");
    body["expTime"] = json!(soon(100));
    let path = bench.registered(VS1, SOURCES, &body).await;
    let found = bench.profiles(VS2, &[]).await;
    assert_eq!((found.len(), found[0]["dsId"].clone()), (1, json!("camera-1")));
    assert!(found[0]["smInformation"].get("smPosition").is_none(), "where it is belongs to its owner");
    assert!(bench.profiles(VS1, &[]).await[0]["smInformation"].get("smPosition").is_some());
    assert!(bench.profiles(ALICE, &[]).await.is_empty(), "sources of others are for VAL servers");
    let wanted = |kind: &str| {
        let details = json!({ "smDataIdentifier": "video", "smDataType": kind, "smDataArea": {} });
        json!({ "smInfoDets": [details] }).to_string()
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("here", vec![("area-int", square(2.35, 48.85).to_string())], 1),
        ("elsewhere", vec![("area-int", square(12.35, 48.85).to_string())], 0),
        ("of its kind", vec![("ds-disc-fltr", wanted("image"))], 1),
        ("of another kind", vec![("ds-disc-fltr", wanted("sound"))], 0),
    ];
    for (what, pairs, count) in rows {
        assert_eq!(bench.profiles(VS2, &pairs).await.len(), count, "{what}");
    }
    bench.clock.advance(Duration::from_secs(99));
    let refresh = json!({ "expTime": soon(200) });
    assert_eq!(bench.send(ask(VS1, "PATCH", path.as_str()).json(&refresh)).await.status, 200);
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!(bench.profiles(VS2, &[]).await.len(), 1, "refreshed");
    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.profiles(VS2, &[]).await.is_empty(), "ended");
    assert_eq!(bench.send(ask(VS1, "PATCH", path.as_str()).json(&refresh)).await.status, 404);
}

#[tokio::test]
async fn a_source_is_asked_for_its_data_where_an_end_point_is_named() {
    let bench = Bench::new().await;
    let path = bench.registered(VS1, SOURCES, &source("vs-1")).await;
    let end_point = json!({ "uri": "https://collector.example/in" });
    assert_eq!(bench.profiles(VS2, &[("end-point", end_point.to_string())]).await.len(), 1);
    let sql = "SELECT id, client, target, body FROM outbox WHERE kind = 'DATA_SOURCE'";
    let rows = bench.kit.store.read(|tx| Box::pin(async move { tx.query(sql, &[]).await })).await.unwrap();
    let message = store::outbox::Message {
        id: rows[0].get(0).unwrap(),
        kind: "DATA_SOURCE".into(),
        client: rows[0].get(1).unwrap(),
        target: rows[0].get(2).unwrap(),
        body: rows[0].get(3).unwrap(),
        trace: None,
        queued_ms: 0,
        due_ms: 0,
    };
    let told: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!((rows.len(), told["dsNotificationInfo"]["smEndPt"].clone()), (1, end_point));
    assert!(matches!(crate::sm::sources::decide(&bench.sm, &message).await.unwrap(), Decision::Send { .. }));
    bench.hosts.set("vs-1", &[]);
    assert_eq!(
        crate::sm::sources::decide(&bench.sm, &message).await.unwrap(),
        Decision::Drop,
        "client deleted"
    );
    bench.hosts.set("vs-1", &["val.example"]);
    assert_eq!(bench.send(ask(VS1, "DELETE", path.as_str())).await.status, 204);
    assert_eq!(
        crate::sm::sources::decide(&bench.sm, &message).await.unwrap(),
        Decision::Drop,
        "deregistered"
    );
}

#[tokio::test]
async fn a_registration_is_its_owners_and_in_its_name() {
    let bench = Bench::new().await;
    let good = bench.registered(VS1, SOURCES, &source("vs-1")).await;
    let with = |name: &str, value: Value| {
        let mut body = source("vs-1");
        body[name] = value;
        body
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("in another's name", with("requestorId", json!("vs-2")), 403),
        ("of a subscriber", with("ueId", json!("msisdn-491700000000")), 403),
        ("past", with("expTime", json!("2001-01-01T00:00:00Z")), 400),
        ("another host", with("notificationDestination", json!("https://other.example/ds")), 400),
        ("no profile", with("dsProfile", json!("msisdn-491700000000")), 400),
    ];
    for (what, body, status) in rows {
        for (method, path) in [("POST", SOURCES), ("PUT", good.as_str())] {
            assert_eq!(
                bench.send(ask(VS1, method, path).json(&body)).await.status,
                status,
                "{what} {method}"
            );
        }
    }
    let absent = bench.send(ask(VS2, "DELETE", format!("{SOURCES}/nothing"))).await;
    let foreign = bench.send(ask(VS2, "DELETE", good.as_str())).await;
    assert_eq!((foreign.status, foreign.seen()), (404, absent.seen()));
    assert_eq!(bench.send(ask(VS1, "DELETE", good.as_str())).await.status, 204);
}

#[tokio::test]
async fn a_server_of_maps_is_told_with_the_maps_that_the_reader_may_discover() {
    let bench = Bench::new().await;
    let open = bench.universal().await;
    let hidden =
        located(&bench.send(ask(VS1, "POST", MAPS).json(&request(json!({ "visibility": "PRIVATE" })))).await);
    let path = bench.registered(VS2, SERVERS, &server(&[open, hidden, 4711])).await;
    let told = bench.send(ask(VS3, "GET", DISC)).await.json();
    let maps = &told["smasList"][0]["spatMapInfoList"];
    assert_eq!((maps.as_array().unwrap().len(), maps[0]["mapId"].clone()), (1, json!(open)));
    assert_eq!(bench.send(ask(VS2, "GET", path.as_str())).await.json(), server(&[open, hidden, 4711]));
    assert_eq!(bench.send(ask(VS1, "GET", path.as_str())).await.status, 404);
    let user = bench.send(ask(ALICE, "POST", SERVERS).json(&server(&[open]))).await;
    assert_eq!(user.status, 403, "for VAL servers");
    let patch = json!({ "expTime": soon(10) });
    assert_eq!(bench.send(ask(VS2, "PATCH", path.as_str()).json(&patch)).await.status, 200);
    bench.clock.advance(Duration::from_secs(10));
    assert!(bench.send(ask(VS3, "GET", DISC)).await.json().get("smasList").is_none(), "ended");
}

async fn seen_at(bench: &Bench, ue: &str, lon: f64, lat: f64) {
    let at = api_types::DateTime::from_unix(NOW);
    let position = api_types::admin::Position { val_ue_id: None, lon, lat, alt: Some(1.5), at: Some(at) };
    bench.sm.put_position(&ue.parse().unwrap(), &position).await.unwrap();
}

#[tokio::test]
async fn where_somebody_is_in_a_map_is_told_to_that_user_and_to_the_owner_of_the_map() {
    let bench = Bench::new().await;
    let id = bench.universal().await;
    seen_at(&bench, "alice-ue", 2.3505, 48.8505).await;
    seen_at(&bench, "eve-ue", 2.3502, 48.8502).await;
    seen_at(&bench, "far-ue", 3.0, 48.85).await;
    let localize = async |who: Who, pairs: &[(&str, String)]| {
        let mut all = vec![("map-id", id.to_string())];
        all.extend(pairs.iter().cloned());
        bench.send(ask(who, "GET", asked(LOCALIZATION, &all)).scope(LOCALIZE)).await
    };
    let names = |answer: &Answer| -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.json());
        let results = answer.json()["results"].as_array().unwrap().clone();
        results.iter().map(|one| one["targetId"]["valUeId"].as_str().unwrap().to_owned()).collect()
    };
    let ue = |name: &str| ("target-id", json!({ "valUeId": name }).to_string());
    let own = localize(ALICE, &[]).await;
    assert_eq!(names(&own), ["alice-ue"]);
    let position = own.json()["results"][0]["position"].clone();
    let near = |name: &str, metres: f64| (position[name].as_f64().unwrap() - metres).abs() < 0.5;
    assert!(near("x", 36.7) && near("y", 55.6) && near("z", 1.5), "{position}");
    assert_eq!(names(&localize(ALICE, &[ue("alice-ue")]).await), ["alice-ue"]);
    let other = localize(ALICE, &[ue("eve-ue")]).await;
    assert_eq!((other.status, other.json()["cause"].clone()), (403, json!("GPSI_MISMATCH")), "another UE");
    assert_eq!(names(&localize(VS1, &[]).await), ["alice-ue", "eve-ue"], "the owner of the map");
    assert_eq!(names(&localize(VS1, &[ue("far-ue")]).await), [""; 0], "not in the map");
    assert_eq!(
        names(&localize(VS1, &[("area-int", square(2.35, 48.85).to_string()), ue("eve-ue")]).await),
        ["eve-ue"]
    );
    assert_eq!(names(&localize(VS2, &[]).await), [""; 0], "a reader of the map");
    let users = [
        ("svc-id", "val-service-1".to_owned()),
        ("map-id", id.to_string()),
        ("aug-with", json!({ "augLyrs": ["VAL_USERS"] }).to_string()),
    ];
    let augmented =
        async |who| bench.send(ask(who, "GET", asked(MAPS, &users))).await.json()["augLyrInf"].clone();
    assert_eq!(augmented(VS1).await["augLyrDet"], json!(["alice-ue", "eve-ue"]));
    assert!(augmented(VS2).await.get("augLyrDet").is_none(), "to a reader nobody");
    bench
        .rule("r", "operator", json!({ "effect": "DENY", "resources": ["eve-ue"], "actions": ["localize"] }))
        .await;
    assert_eq!(names(&localize(VS1, &[]).await), ["alice-ue"], "a rule of the operator");
    for (what, pairs) in [
        ("no map", vec![]),
        ("nobody", vec![("map-id", id.to_string()), ("target-ids", "[]".to_owned())]),
        ("no target", vec![("map-id", id.to_string()), ("target-id", "{}".to_owned())]),
    ] {
        let answer = bench.send(ask(VS1, "GET", asked(LOCALIZATION, &pairs)).scope(LOCALIZE)).await;
        assert_eq!(answer.status, 400, "{what}");
    }
    let absent = asked(LOCALIZATION, &[("map-id", "4711".to_owned())]);
    assert_eq!(bench.send(ask(VS1, "GET", absent).scope(LOCALIZE)).await.status, 404);
    assert_eq!(
        bench.send(ask(VS1, "GET", asked(LOCALIZATION, &[("map-id", id.to_string())]))).await.status,
        403,
        "another scope"
    );
}

/// T3a: a layer that a rule of the operator names is for whom the rule permits it, and not there for anybody else.
#[tokio::test]
async fn a_layer_of_the_operator_is_shown_to_whom_its_rules_permit() {
    let bench = Bench::new().await;
    let inf = json!({ "visibility": "UNIVERSAL", "lyrInf": [{ "mapAsc": "public" }, { "mapAsc": "ducts" }] });
    let id = located(&bench.send(ask(VS1, "POST", MAPS).json(&request(inf))).await);
    let part = format!("spatial-maps/{id}/layers/layer-2");
    bench
        .rule("r", "operator", json!({ "effect": "PERMIT", "subjects": ["vs-2"], "resources": [part] }))
        .await;
    let layers = async |who| {
        let map = bench.send(ask(who, "GET", bench.at(id))).await.json();
        let list = map["smProf"]["mapLyrList"]["lyrList"].as_array().unwrap().clone();
        list.iter().map(|layer| layer["mapLyrId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (what, who, shown) in [
        ("the owner", VS1, &["layer-1", "layer-2"][..]),
        ("permitted", VS2, &["layer-1", "layer-2"]),
        ("not named", VS3, &["layer-1"]),
        ("a user", ALICE, &["layer-1"]),
    ] {
        assert_eq!(layers(who).await, shown, "{what}");
        let filter = json!({ "mapLyrList": { "lyrList": [{ "mapLyrId": "layer-2" }] } }).to_string();
        let found = bench.send(ask(who, "GET", asked(DISC, &[("map-disc-fltr", filter)]))).await.json();
        assert_eq!(
            found["mapsDisc"].as_array().unwrap().len(),
            usize::from(shown.len() == 2),
            "{what}: searched"
        );
        let named = json!({ "lyrList": [{ "mapLyrId": "layer-2" }] }).to_string();
        let query =
            [("svc-id", "val-service-1".to_owned()), ("map-id", id.to_string()), ("map-layer-list", named)];
        let status = bench.send(ask(who, "GET", asked(MAPS, &query))).await.status;
        assert_eq!(status, if shown.len() == 2 { 200 } else { 404 }, "{what}: by name");
    }
}
