//! Trackables and world links of ETSI GS ARF 005 over the same maps and anchors: who may not there, may not here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::bench::{Anchors, Bench, EVE, VS1, VS2, VS3, Who, allow, ask};
use crate::sm::SmLimits;

const TRACKABLES: &str = "/arf005/v1/trackables";
const LINKS: &str = "/arf005/v1/worldLinks";
const DESK: &str = "0000001f-1111-8111-8111-111111111111";

fn poster(map: u64, object: Option<&str>) -> Value {
    let mut tags = json!({ "3gpp.mapId": [map.to_string()], "Location": ["Room1"] });
    if let Some(object) = object {
        tags["3gpp.objectId"] = json!([object]);
    }
    json!({
        "name": "Poster", "trackableType": "IMAGE_MARKER", "trackablePayload": "aW1hZ2U=", "unit": "M",
        "trackableEncodingInformation": { "dataFormat": "ARCORE", "version": "1.0" },
        "localCRS": [1, 0, 0, 4, 0, 1, 0, 5, 0, 0, 1, 6, 0, 0, 0, 1], "keyvalueTags": tags,
    })
}

fn link(from: &str, to: (&str, &str)) -> Value {
    json!({
        "UUIDFrom": from, "typeFrom": "TRACKABLE", "UUIDTo": to.1, "typeTo": to.0, "unit": "M",
        "transform": [1, 0, 0, 4, 0, 1, 0, 5, 0, 0, 1, 6, 0, 0, 0, 1],
    })
}

impl Bench {
    async fn made(&self, who: Who, at: &str, body: &Value) -> String {
        let made = self.send(ask(who, "POST", at).json(body)).await;
        assert_eq!(made.status, 200, "{}", made.json());
        String::from_utf8(made.body.to_vec()).unwrap()
    }

    async fn uuids(&self, who: Who, at: &str) -> Vec<String> {
        let list = self.send(ask(who, "GET", at)).await;
        assert_eq!(list.status, 200, "{}", list.json());
        list.json().as_array().unwrap().iter().map(|one| one["UUID"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_trackable_is_an_object_of_a_map() {
    let bench = Bench::new().await;
    let map = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let uuid = bench.made(VS1, TRACKABLES, &poster(map, Some("poster"))).await;
    let one = format!("{TRACKABLES}/{uuid}");
    let read = bench.send(ask(VS2, "GET", one.clone())).await.json();
    assert_eq!(
        (read["UUID"].as_str(), read["name"].as_str(), read["trackablePayload"].as_str()),
        (Some(uuid.as_str()), Some("Poster"), Some("aW1hZ2U="))
    );
    let native = bench.send(ask(VS1, "GET", bench.at(map))).await.json();
    let object = &native["smProf"]["objList"][0];
    assert_eq!(
        (object["objId"].as_str(), object["objType"].as_str()),
        (Some("poster"), Some("IMAGE_MARKER"))
    );

    let mut changed = read;
    changed["trackableType"] = json!("FIDUCIAL_MARKER");
    assert_eq!(bench.send(ask(VS1, "PUT", TRACKABLES).json(&changed)).await.status, 200);
    assert_eq!(bench.send(ask(EVE, "GET", one.clone())).await.json()["trackableType"], "FIDUCIAL_MARKER");
    let unnamed = bench.made(VS1, TRACKABLES, &poster(map, None)).await;
    let mut both = vec![uuid.clone(), unnamed];
    both.sort();
    let mut listed = bench.uuids(VS2, TRACKABLES).await;
    listed.sort();
    assert_eq!(listed, both);
    assert_eq!(bench.send(ask(VS1, "DELETE", one.clone())).await.status, 200);
    assert_eq!(bench.send(ask(VS1, "GET", one)).await.status, 404);
    let actions: Vec<String> = bench.audit().await.into_iter().map(|record| record.row.action).collect();
    assert_eq!(actions.iter().filter(|action| *action == "sm.map.update").count(), 4, "{actions:?}");
}

#[tokio::test]
async fn what_is_hidden_is_absent_and_only_the_owner_writes() {
    let bench = Bench::new().await;
    let shared = bench.map(VS1, json!({ "allwEnt": allow(&["vs-2"], &[]) })).await;
    let private = bench.map(VS1, json!({ "visibility": "PRIVATE" })).await;
    let open = bench.made(VS1, TRACKABLES, &poster(shared, Some("open"))).await;
    let kept = bench.made(VS1, TRACKABLES, &poster(shared, Some("duct"))).await;
    let hidden = bench.made(VS1, TRACKABLES, &poster(private, Some("x"))).await;
    // An object that is the operator's is kept from all but the owner.
    let part = json!({ "resources": [format!("spatial-maps/{shared}/objects/duct")] });
    bench.rule("duct", "operator", part).await;
    assert_eq!(bench.uuids(VS2, TRACKABLES).await, std::slice::from_ref(&open));
    assert_eq!(bench.uuids(VS1, TRACKABLES).await.len(), 3);
    assert!(bench.uuids(EVE, TRACKABLES).await.is_empty());

    let absent = DESK;
    for method in ["GET", "DELETE"] {
        let told =
            async |uuid: &str| bench.send(ask(VS2, method, format!("{TRACKABLES}/{uuid}"))).await.seen();
        let nothing = told(absent).await;
        assert_eq!(nothing.0, 404);
        let (former, last) = (&open[..35], if open.ends_with('0') { "1" } else { "0" });
        for uuid in
            [hidden.as_str(), kept.as_str(), &format!("{former}{last}"), "17", "x", &open.to_uppercase()]
        {
            assert_eq!(told(uuid).await, nothing, "{method} {uuid}");
        }
    }
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another's hidden map",  "POST",   TRACKABLES.to_owned(),            Some(poster(private, None)), 404, "RESOURCE_NOT_FOUND"),
        ("another's open map",    "POST",   TRACKABLES.to_owned(),            Some(poster(shared, None)),  403, "UNAUTHORIZED_OPERATION"),
        ("another's open object", "DELETE", format!("{TRACKABLES}/{open}"),   None,                        403, "UNAUTHORIZED_OPERATION"),
    ];
    for (what, method, path, body, status, cause) in rows {
        let asked = ask(VS2, method, path);
        let asked = match &body {
            Some(body) => asked.json(body),
            None => asked,
        };
        let got = bench.send(asked).await.refused();
        assert_eq!((got.0, got.2.as_str()), (status, cause), "{what}");
    }
    for (uuid, status) in [(open.as_str(), 403), (kept.as_str(), 404), (hidden.as_str(), 404), (absent, 404)]
    {
        let mut body = poster(shared, None);
        body["UUID"] = json!(uuid);
        assert_eq!(bench.send(ask(VS2, "PUT", TRACKABLES).json(&body)).await.status, status, "{uuid}");
    }
    type Spoil = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, u16, &str); 4] = [
        ("a UUID of one's own", |v| v["UUID"] = json!(DESK), 409, "ID_TAKEN"),
        ("an object that is",   |v| v["keyvalueTags"]["3gpp.objectId"] = json!(["open"]), 409, "ID_TAKEN"),
        ("in no map",           |v| v["keyvalueTags"] = json!({}), 400, "MANDATORY_IE_INCORRECT"),
        ("no matrix",           |v| v["localCRS"] = json!([]), 400, "MANDATORY_IE_INCORRECT"),
    ];
    for (what, spoil, status, cause) in rows {
        let mut body = poster(shared, None);
        spoil(&mut body);
        let got = bench.send(ask(VS1, "POST", TRACKABLES).json(&body)).await.refused();
        assert_eq!((got.0, got.2.as_str()), (status, cause), "{what}");
    }
    assert_eq!(bench.uuids(VS1, TRACKABLES).await.len(), 3, "nothing of it was kept");
}

#[tokio::test]
async fn a_link_is_seen_by_who_may_discover_both_ends() {
    let anchors = Arc::new(Anchors::default());
    let bench = Bench::with(Some(anchors.clone()), SmLimits::default()).await;
    for server in ["vs-1", "vs-2"] {
        anchors.open(server, DESK);
    }
    let map = bench.map(VS1, json!({ "allwEnt": allow(&["vs-2", "vs-3"], &[]) })).await;
    let private = bench.map(VS1, json!({ "visibility": "PRIVATE" })).await;
    let (poster_1, poster_2, secret) = (
        bench.made(VS1, TRACKABLES, &poster(map, Some("1"))).await,
        bench.made(VS1, TRACKABLES, &poster(map, Some("2"))).await,
        bench.made(VS1, TRACKABLES, &poster(private, Some("s"))).await,
    );
    let to_anchor = bench.made(VS1, LINKS, &link(&poster_1, ("ANCHOR", DESK))).await;
    let to_trackable = bench.made(VS1, LINKS, &link(&poster_1, ("TRACKABLE", &poster_2))).await;
    let to_secret = bench.made(VS1, LINKS, &link(&poster_1, ("TRACKABLE", &secret))).await;
    // vs-2 owns the map of neither end: nobody else is shown what it ties together.
    let foreign = bench.made(VS2, LINKS, &link(&poster_1, ("TRACKABLE", &poster_2))).await;

    let all = [
        ("to an anchor", &to_anchor),
        ("to a trackable", &to_trackable),
        ("to a secret", &to_secret),
        ("foreign", &foreign),
    ];
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the owner",             VS1, [true,  true,  true,  false]),
        ("may discover both",     VS2, [true,  true,  false, true]),
        ("but not the anchor",    VS3, [false, true,  false, false]),
        ("nothing of it",         EVE, [false, false, false, false]),
    ];
    for (what, who, seen) in rows {
        let listed = bench.uuids(who, LINKS).await;
        for ((which, uuid), seen) in all.iter().zip(seen) {
            assert_eq!(listed.contains(uuid), seen, "{what}, {which}, list");
            let read = bench.send(ask(who, "GET", format!("{LINKS}/{uuid}"))).await;
            assert_eq!(read.status, if seen { 200 } else { 404 }, "{what}, {which}");
        }
    }
    let nothing = bench.send(ask(EVE, "GET", format!("{LINKS}/{DESK}"))).await.seen();
    let hidden = bench.send(ask(EVE, "GET", format!("{LINKS}/{to_anchor}"))).await.seen();
    assert_eq!(hidden, nothing, "hidden is absent");
    let read = bench.send(ask(VS2, "GET", format!("{LINKS}/{to_anchor}"))).await.json();
    assert_eq!((read["UUIDTo"].as_str(), read["transform"][3].as_f64()), (Some(DESK), Some(4.0)));

    // Only who made it writes it; an end that is hidden is absent.
    let mut changed = read.clone();
    changed["transform"][3] = json!(9);
    for (who, status) in [(VS2, 403), (VS3, 404), (VS1, 200)] {
        assert_eq!(bench.send(ask(who, "PUT", LINKS).json(&changed)).await.status, status, "{who:?}");
    }
    assert_eq!(bench.send(ask(VS2, "GET", format!("{LINKS}/{to_anchor}"))).await.json()["transform"][3], 9.0);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("a hidden trackable", VS2, link(&poster_1, ("TRACKABLE", &secret)), 404),
        ("a hidden anchor",    VS3, link(&poster_1, ("ANCHOR", DESK)),       404),
        ("no anchor at all",   VS1, link(&poster_1, ("ANCHOR", "desk")),     404),
        ("no kind",            VS1, link(&poster_1, ("UNKNOWN", DESK)),      400),
        ("to itself",          VS1, link(&poster_1, ("TRACKABLE", &poster_1)), 400),
    ];
    for (what, who, body, status) in rows {
        assert_eq!(bench.send(ask(who, "POST", LINKS).json(&body)).await.status, status, "{what}");
    }
    for (who, uuid, status) in
        [(VS2, &to_anchor, 403), (VS3, &to_anchor, 404), (VS1, &to_anchor, 200), (VS1, &to_anchor, 404)]
    {
        let gone = bench.send(ask(who, "DELETE", format!("{LINKS}/{uuid}"))).await;
        assert_eq!(gone.status, status, "{who:?}");
    }

    // An end that goes takes the link from everybody but who made it.
    assert_eq!(bench.send(ask(VS1, "DELETE", format!("{TRACKABLES}/{poster_2}"))).await.status, 200);
    assert_eq!(bench.send(ask(VS2, "GET", format!("{LINKS}/{to_trackable}"))).await.status, 404);
    assert_eq!(bench.send(ask(VS1, "GET", format!("{LINKS}/{to_trackable}"))).await.status, 200);
    let actions: Vec<String> = bench.audit().await.into_iter().map(|record| record.row.action).collect();
    for action in ["create", "read", "update", "delete", "discover"] {
        assert!(actions.iter().any(|one| *one == format!("sm.world_link.{action}")), "{action}");
    }
}

#[tokio::test]
async fn links_come_page_by_page_and_need_the_anchor_server_where_it_decides() {
    let anchors = Arc::new(Anchors::default());
    let bench = Bench::with(Some(anchors.clone()), SmLimits::default()).await;
    anchors.open("vs-1", DESK);
    anchors.open("vs-2", DESK);
    let map = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let one = bench.made(VS1, TRACKABLES, &poster(map, Some("1"))).await;
    for _ in 0..5 {
        bench.made(VS1, LINKS, &link(&one, ("WORLDANCHOR", DESK))).await;
    }
    let mut path = format!("{LINKS}?limit=2");
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = bench.send(ask(VS2, "GET", path.clone())).await;
        let found = page.json().as_array().unwrap().clone();
        assert!(found.len() <= 2);
        seen.extend(found.iter().map(|one| one["UUID"].to_string()));
        pages += 1;
        let Some(next) = page.header("link") else { break };
        path = next.split(['<', '>']).nth(1).unwrap().strip_prefix(super::bench::ORIGIN).unwrap().to_owned();
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), pages), (5, 3));
    assert!(bench.uuids(EVE, &format!("{LINKS}?limit=2")).await.is_empty());

    anchors.down.store(true, Ordering::Relaxed);
    assert_eq!(bench.send(ask(VS2, "GET", LINKS)).await.status, 503);
    assert_eq!(bench.uuids(VS1, LINKS).await.len(), 5, "its own need nobody");
}
