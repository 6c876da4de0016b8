//! World storage of ETSI GS ARF 005 over the same anchors: who may not there, may not here.

use http::Method;
use http::header::IF_MATCH;
use serde_json::{Value, json};

use super::{ALICE, EVE, VS1, VS2, Who, World, at, list};

const ANCHORS: &str = "/arf005/v1/worldAnchors";
const POSE: &str =
    r#"{"position":{"lat":48.85,"lon":2.35,"h":35.0},"quaternion":{"x":0.0,"y":0.0,"z":0.6,"w":0.8}}"#;

fn desk(uuid: Option<&str>, name: &str) -> Value {
    json!({
        "UUID": uuid, "name": name, "unit": "M", "keyvalueTags": { "geopose": [POSE], "Location": ["Room1"] },
        "localCRS": [1, 0, 0, 4, 0, 1, 0, 5, 0, 0, 1, 6, 0, 0, 0, 1],
    })
}

impl World {
    async fn made(&self, who: Who<'_>) -> String {
        let made = self.send(who, Method::POST, ANCHORS, Some(&desk(None, "Desk"))).await;
        assert_eq!(made.status, 200, "{}", made.json());
        String::from_utf8(made.bytes).unwrap()
    }

    async fn named(&self, who: Who<'_>) -> Vec<String> {
        let answer = self.get(who, ANCHORS).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        let anchors = answer.json();
        anchors
            .as_array()
            .unwrap()
            .iter()
            .map(|anchor| anchor["name"].as_str().unwrap_or("-").to_owned())
            .collect()
    }
}

#[tokio::test]
async fn an_anchor_lives_on_both_interfaces() {
    let world = World::new().await;
    assert_eq!(world.get(VS1, "/arf005/v1/ping").await.bytes, b"pong");
    let uuid = world.made(VS1).await;
    let one = format!("{ANCHORS}/{uuid}");
    let read = world.get(VS1, &one).await.json();
    assert_eq!(
        (read["UUID"].as_str(), read["name"].as_str(), read["localCRS"][3].as_f64()),
        (Some(uuid.as_str()), Some("Desk"), Some(4.0))
    );
    assert_eq!(read["keyvalueTags"]["geopose"], json!([POSE]));
    assert_eq!(read["keyvalueTags"]["Location"], json!(["Room1"]));

    // What is found there is this anchor.
    let found = world.get(VS1, "/ssan-disc/v1/spatial-anchors?supp-feats=1").await;
    let anchor = &found.json()["results"][0]["anchInfo"];
    assert_eq!(read["keyvalueTags"]["3gpp.anchorId"], json!([anchor["anchorId"].to_string()]));
    assert_eq!(anchor["posInfo"]["pos"]["localOrigin"]["point"], json!({ "lat": 48.85, "lon": 2.35 }));

    let mut changed = read.clone();
    changed["name"] = json!("Table");
    let put = world.send(VS1, Method::PUT, ANCHORS, Some(&changed)).await;
    assert_eq!(put.status, 200, "{}", put.json());
    assert_eq!(world.get(VS1, &one).await.json()["name"], "Table");
    assert_eq!(world.send(VS1, Method::DELETE, &one, None).await.status, 200);
    assert_eq!(world.get(VS1, &one).await.refusal().0, 404);
    assert!(world.get(VS1, "/ssan-disc/v1/spatial-anchors").await.found().is_empty());
}

#[tokio::test]
async fn what_is_hidden_is_absent_and_only_the_owner_writes() {
    let world = World::new().await;
    let rules = json!({ "rules": { "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] }, "premises": "second door" });
    let path = world
        .post(VS1, &list(json!({ "a": at(2.35, 48.85, rules), "b": at(2.36, 48.86, json!({})) })))
        .await
        .location();
    let all = world.get(VS1, ANCHORS).await.json();
    let uuid_of = |n: usize| all[n]["UUID"].as_str().unwrap().to_owned();
    let shared = world.get(VS2, ANCHORS).await.json();
    assert_eq!(shared.as_array().unwrap().len(), 1, "{shared}");
    let open = shared[0]["UUID"].as_str().unwrap().to_owned();
    let hidden = (0..2).map(uuid_of).find(|uuid| *uuid != open).unwrap();
    assert!(!shared.to_string().contains("second door") && !shared.to_string().contains("vs-1"), "{shared}");
    for who in [EVE, ALICE] {
        assert_eq!(world.get(who, ANCHORS).await.json(), json!([]));
    }

    let absent = "0000001f-1111-8111-8111-111111111111";
    let former = {
        let last = if open.ends_with('0') { "1" } else { "0" };
        format!("{}{last}", &open[..35])
    };
    for method in [Method::GET, Method::DELETE] {
        let told = async |uuid: &str| {
            let answer = world.send(VS2, method.clone(), &format!("{ANCHORS}/{uuid}"), None).await;
            (answer.status, answer.bytes)
        };
        let nothing = told(absent).await;
        assert_eq!(nothing.0, 404);
        for uuid in [hidden.as_str(), former.as_str(), "17", "x", &open.to_uppercase()] {
            assert_eq!(told(uuid).await, nothing, "{method} {uuid}");
        }
    }
    for (uuid, status) in [(hidden.as_str(), 404), (absent, 404), (open.as_str(), 403)] {
        let put = world.send(VS2, Method::PUT, ANCHORS, Some(&desk(Some(uuid), "mine"))).await;
        assert_eq!(put.status, status, "{uuid}: {}", put.json());
    }
    let deleted = world.send(VS2, Method::DELETE, &format!("{ANCHORS}/{open}"), None).await;
    assert_eq!(deleted.refusal(), (403, "UNAUTHORIZED_OPERATION".to_owned(), "NOT_OWNER"));

    // A write leaves what this interface does not know, and takes one anchor of several.
    let put = world.send(VS1, Method::PUT, ANCHORS, Some(&desk(Some(&open), "Desk"))).await;
    assert_eq!(put.status, 200, "{}", put.json());
    let whole = world.get(VS1, &format!("{path}?supp-feats=1")).await;
    assert_eq!(whole.json()["anchors"]["a"]["premises"], "second door");
    assert_eq!(world.named(VS2).await, ["Desk"]);
    assert_eq!(world.send(VS1, Method::DELETE, &format!("{ANCHORS}/{hidden}"), None).await.status, 200);
    assert_eq!(world.get(VS1, &path).await.labels(), ["a"]);
    let stale = world.send_if(VS1, Method::DELETE, &path, None, &[(IF_MATCH, whole.tag().as_str())]).await;
    assert_eq!(stale.status, 412, "the other interface counts the versions too");
}

#[tokio::test]
async fn bad_world_anchors_are_refused_by_their_member() {
    let world = World::new().await;
    type Spoil = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, u16, &str); 6] = [
        ("a UUID of one's own", |v| v["UUID"] = json!("0000001f-1111-8111-8111-111111111111"), 409, "ID_TAKEN"),
        ("nowhere",             |v| v["keyvalueTags"] = json!({}), 400, "MANDATORY_IE_INCORRECT"),
        ("off the Earth",       |v| v["keyvalueTags"]["geopose"] = json!([POSE.replace("48.85", "91")]), 400, "MANDATORY_IE_INCORRECT"),
        ("no matrix",           |v| v["localCRS"] = json!([]), 400, "MANDATORY_IE_INCORRECT"),
        ("no unit",             |v| drop(v.as_object_mut().unwrap().remove("unit")), 400, "MANDATORY_IE_MISSING"),
        ("a service of blanks", |v| v["keyvalueTags"]["3gpp.valServiceId"] = json!(["a b"]), 400, "OPTIONAL_IE_INCORRECT"),
    ];
    for (what, spoil, status, cause) in rows {
        let mut anchor = desk(None, "Desk");
        spoil(&mut anchor);
        let answer = world.send(VS1, Method::POST, ANCHORS, Some(&anchor)).await;
        assert_eq!((answer.status, answer.cause().as_str()), (status, cause), "{what}: {}", answer.json());
    }
    assert!(world.named(VS1).await.is_empty());
}

#[tokio::test]
async fn lists_come_page_by_page() {
    let world = World::new().await;
    for _ in 0..3 {
        world.made(VS1).await;
    }
    let mut path = format!("{ANCHORS}?limit=2");
    let mut seen = Vec::new();
    loop {
        let page = world.get(VS1, &path).await;
        seen.extend(page.json().as_array().unwrap().iter().map(|anchor| anchor["UUID"].to_string()));
        match page.next() {
            Some(next) => path = next,
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
    let cursor = world.get(VS1, &format!("{ANCHORS}?limit=2")).await.next().unwrap();
    assert_eq!(world.get(VS2, &cursor).await.refusal().0, 400, "another's cursor");
}
