//! Groups of anchors: whose they are, who reads them, and that they open nothing.

use http::Method;
use serde_json::{Value, json};

use super::*;

const GROUPS: &str = "/ssan-grpm/v1/groups?supp-feats=1";

fn path_of(id: &str) -> String {
    format!("/ssan-grpm/v1/groups/{id}?supp-feats=1")
}

fn anchors_of(id: &str, more: &str) -> String {
    format!("/ssan-grpm/v1/groups/{id}/spatial-anchors?supp-feats=1{more}")
}

/// A universal, a restricted (to VS2) and a private anchor of VS1, and one of VS2.
async fn anchors(world: &World) -> [u64; 4] {
    let made = list(json!({
        "a": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" })),
        "b": at(2.1, 48.0, json!({ "rules": { "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] } })),
        "c": at(2.2, 48.0, json!({ "visibility": "PRIVATE" })),
    }));
    let made = world.post(VS1, &made).await.json();
    let other =
        world.post(VS2, &list(json!({ "x": at(2.3, 48.0, json!({ "visibility": "UNIVERSAL" })) }))).await;
    let id = |list: &Value, label: &str| list["anchors"][label]["anchorId"].as_u64().unwrap();
    [id(&made, "a"), id(&made, "b"), id(&made, "c"), id(&other.json(), "x")]
}

async fn group(world: &World, ids: &[u64], rules: Value) -> String {
    let body = json!({ "name": "gallery", "anchorIds": ids, "rules": rules, "suppFeat": "1" });
    let made = world.send(VS1, Method::POST, "/ssan-grpm/v1/groups", Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let id = made.json()["groupId"].as_str().unwrap().to_owned();
    assert_eq!(made.header(LOCATION), format!("{SAN}/ssan-grpm/v1/groups/{id}"));
    id
}

fn anybody() -> Value {
    json!({ "allowedEntities": [{ "type": "VAL_SERVER" }, { "type": "VAL_CLIENT" }] })
}

#[tokio::test]
async fn each_reader_is_shown_what_a_discovery_would_show() {
    let world = World::new().await;
    let [a, b, c, _] = anchors(&world).await;
    let id = group(&world, &[a, b, c], anybody()).await;
    let sorted = |mut ids: Vec<u64>| {
        ids.sort_unstable();
        ids
    };
    for (who, expected) in [(VS1, vec![a, b, c]), (VS2, vec![a, b]), (ALICE, vec![a])] {
        let found = world.get(who, &anchors_of(&id, "")).await.found();
        assert_eq!(sorted(found), sorted(expected), "{who:?}");
    }
    // Further filters hold as well, and a page names the next one of this group.
    let narrowed = world.get(VS1, &anchors_of(&id, &format!("&anchor-ids={a},4711"))).await;
    assert_eq!(narrowed.found(), [a]);
    let first = world.get(VS1, &anchors_of(&id, "&limit=2")).await;
    let next = first.next().unwrap();
    assert!(next.starts_with(&format!("/ssan-grpm/v1/groups/{id}/spatial-anchors?")), "{next}");
    let rest = world.get(VS1, &next).await;
    assert_eq!(sorted([first.found(), rest.found()].concat()), sorted(vec![a, b, c]));
    let elsewhere = next.replace(&format!("/ssan-grpm/v1/groups/{id}"), "/ssan-disc/v1");
    assert_eq!(world.get(VS1, &elsewhere).await.refusal().1, "INVALID_QUERY_PARAM");
}

#[tokio::test]
async fn a_group_is_its_owners() {
    let world = World::new().await;
    let [a, b, c, x] = anchors(&world).await;
    let shared = group(&world, &[a, c], anybody()).await;
    let private = group(&world, &[b], Value::Null).await;

    let own = world.get(VS1, &path_of(&shared)).await;
    assert_eq!((own.json()["anchorIds"].clone(), own.json()["rules"].clone()), (json!([a, c]), anybody()));
    let mut listed: Vec<String> = world.get(VS1, GROUPS).await.json()["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["groupId"].as_str().unwrap().to_owned())
        .collect();
    listed.sort_unstable();
    let mut both = vec![shared.clone(), private.clone()];
    both.sort_unstable();
    assert_eq!(listed, both);
    assert_eq!(world.get(VS2, GROUPS).await.json()["groups"], json!([]));

    // A reader is not told which anchors are hidden, nor who else reads.
    let seen = world.get(VS2, &path_of(&shared)).await;
    assert_eq!(seen.json(), json!({ "groupId": shared, "name": "gallery", "anchorIds": [] }));
    let not_for = world.get(VS2, &path_of(&private)).await;
    let absent = world.get(VS2, &path_of("no-such-group")).await;
    assert_eq!((not_for.status, &not_for.bytes), (404, &absent.bytes));
    assert_eq!(world.get(VS2, &anchors_of(&private, "")).await.bytes, absent.bytes);

    // Only the owner changes it; who reads it is told so, to others it is not there.
    let change = json!({ "name": "hall", "suppFeat": "1" });
    for (who, id, status) in [(VS2, &shared, 403), (VS2, &private, 404), (VS1, &shared, 200)] {
        assert_eq!(world.patch(who, &path_of(id), &change).await.status, status, "{who:?}");
    }
    assert_eq!(world.get(VS1, &path_of(&shared)).await.json()["name"], "hall");
    let whole = json!({ "anchorIds": [b], "suppFeat": "1" });
    assert_eq!(
        world.put(VS1, &path_of(&shared), &whole).await.json(),
        json!({ "groupId": shared, "anchorIds": [b] })
    );

    // What is another's cannot be put together, and whether it is there cannot be asked this way.
    for ids in [json!([a, x]), json!([a, 4711])] {
        let foreign = world.put(VS1, &path_of(&shared), &json!({ "anchorIds": ids, "suppFeat": "1" })).await;
        assert_eq!(foreign.refusal().1, "MANDATORY_IE_INCORRECT", "{ids}");
    }
    assert_eq!(world.get(VS1, &path_of(&shared)).await.json()["anchorIds"], json!([b]));

    for (who, status) in [(VS2, 404), (VS1, 204), (VS1, 404)] {
        let gone = world.send(who, Method::DELETE, &path_of(&private), None).await;
        assert_eq!(gone.status, status, "{who:?}");
    }
}

#[tokio::test]
async fn one_spoiled_member_is_named() {
    let world = World::new().await;
    let [a, ..] = anchors(&world).await;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no anchors",     json!({ "anchorIds": [] }),                        "/anchorIds"),
        ("absent",         json!({}),                                         "/anchorIds"),
        ("twice",          json!({ "anchorIds": [a, a] }),                    "/anchorIds"),
        ("text",           json!({ "anchorIds": ["x"] }),                     "/anchorIds/0"),
        ("own identifier", json!({ "anchorIds": [a], "groupId": "mine" }),    "/groupId"),
        ("empty rules",    json!({ "anchorIds": [a], "rules": {} }),          "/rules"),
        ("control",        json!({ "anchorIds": [a], "name": "a\u{7}" }),     "/name"),
    ];
    for (what, mut body, param) in rows {
        body["suppFeat"] = json!("1");
        let refused = world.send(VS1, Method::POST, "/ssan-grpm/v1/groups", Some(&body)).await;
        assert_eq!(
            (refused.status, refused.json()["invalidParams"][0]["param"].clone()),
            (400, json!(param)),
            "{what}"
        );
    }
    assert_eq!(world.get(VS1, GROUPS).await.json()["groups"], json!([]));
}

#[tokio::test]
async fn a_peer_of_rel_19_knows_no_groups() {
    let world = World::new().await;
    let [a, ..] = anchors(&world).await;
    let id = group(&world, &[a], anybody()).await;
    let plain = format!("/ssan-grpm/v1/groups/{id}");
    let body = json!({ "anchorIds": [a] });
    let rows = [
        (Method::POST, "/ssan-grpm/v1/groups".to_owned(), Some(&body)),
        (Method::GET, "/ssan-grpm/v1/groups".to_owned(), None),
        (Method::GET, plain.clone(), None),
        (Method::PUT, plain.clone(), Some(&body)),
        (Method::PATCH, plain.clone(), Some(&body)),
        (Method::GET, format!("{plain}/spatial-anchors"), None),
        (Method::DELETE, plain, None),
    ];
    for (method, path, body) in rows {
        let answer = world.send(VS1, method.clone(), &path, body).await;
        assert_eq!(answer.refusal(), (404, "RESOURCE_NOT_FOUND".to_owned(), "NOT_FOUND"), "{method} {path}");
    }
    assert_eq!(world.get(VS1, &path_of(&id)).await.status, 200);
}

#[tokio::test]
async fn the_operator_may_forbid_groups() {
    let world = World::new().await;
    let [a, ..] = anchors(&world).await;
    let id = group(&world, &[a], anybody()).await;
    world.rule("no-groups", json!({ "class": "operator", "effect": "DENY", "actions": ["group"] })).await;
    let body = json!({ "anchorIds": [a], "suppFeat": "1" });
    let refused = world.send(VS1, Method::POST, "/ssan-grpm/v1/groups", Some(&body)).await;
    assert_eq!((refused.status, refused.refusal().2), (403, "OPERATOR_RULE"));
    assert_eq!(world.put(VS1, &path_of(&id), &body).await.refusal().2, "OPERATOR_RULE");
    assert_eq!(world.get(VS1, &path_of(&id)).await.status, 200);
}
