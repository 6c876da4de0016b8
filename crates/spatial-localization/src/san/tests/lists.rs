//! Create, get, replace, modify and delete: bodies, identifiers, conditions, records.

use http::Method;
use http::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use store::charging;

use super::*;

#[tokio::test]
async fn a_list_lives_from_post_to_delete() {
    let world = World::new().await;
    let body = list(json!({
        "a1": at(2.35, 48.85, json!({ "anchorId": 1, "specInfo": "eyJ4IjoxfQ==", "name": "door" })),
        "a2": at(2.36, 48.86, json!({ "premises": "residence", "servInfos": [{ "servInfoId": "i", "info": "x" }] })),
    }));
    let created = world.post(VS1, &body).await;
    let path = created.location();
    let shown = created.json();
    let id = shown["anchors"]["a1"]["anchorId"].as_u64().unwrap();
    assert!(id != 1 && id < 1 << 31, "the server gives identifiers");
    assert_eq!(shown["anchors"]["a2"]["servInfos"][0]["providerId"], "vs-1");
    assert_eq!(shown["anchors"]["a2"]["premises"], "residence");
    assert_eq!(shown["suppFeat"], "1");

    let got = world.get(VS1, &format!("{path}?supp-feats=1")).await;
    assert_eq!((got.status, got.json(), got.tag()), (200, shown.clone(), created.tag()));
    let again = world
        .send_if(VS1, Method::GET, &format!("{path}?supp-feats=1"), None, &[(IF_NONE_MATCH, &got.tag())])
        .await;
    assert_eq!((again.status, again.bytes.len(), again.tag()), (304, 0, got.tag()));

    // A peer that does not know members of ours is not given any, and is not told of features it did not name.
    let plain = world.get(VS1, &path).await.json();
    assert!(plain.get("suppFeat").is_none() && plain["anchors"]["a1"].get("name").is_none());
    assert!(
        plain["anchors"]["a2"].get("premises").is_none() && plain["anchors"]["a2"].get("servInfos").is_none()
    );
    let none = world.get(VS1, &format!("{path}?supp-feats=%220%22")).await.json();
    assert_eq!(none["suppFeat"], "0");

    // PUT: the label keeps its identifier; what is not named goes; members of ours stay for a peer that ignores them.
    let put = world
        .put(VS1, &path, &with(plain.clone(), |v| drop(v["anchors"].as_object_mut().unwrap().remove("a1"))))
        .await;
    assert_eq!(put.status, 200, "{}", put.json());
    let after = world.get(VS1, &format!("{path}?supp-feats=1")).await.json();
    assert_eq!(after["anchors"], json!({ "a2": shown["anchors"]["a2"] }));

    // PATCH: add, change, rename members; a removed identifier is never given again.
    let patch = json!({ "suppFeat": "1", "anchors": { "a3": at(0.0, 0.0, json!({})), "a2": { "premises": null, "name": "gate" } } });
    let patched = world.patch(VS1, &path, &patch).await;
    assert_eq!(patched.status, 200, "{}", patched.json());
    let now = patched.json();
    assert_eq!(now["anchors"]["a2"]["name"], "gate");
    assert!(now["anchors"]["a2"].get("premises").is_none());
    assert_eq!(now["anchors"]["a2"]["anchorId"], shown["anchors"]["a2"]["anchorId"]);
    assert_ne!(now["anchors"]["a3"]["anchorId"].as_u64().unwrap(), id);
    let removed = world.patch(VS1, &path, &json!({ "anchors": { "a2": null } })).await;
    assert_eq!(removed.labels(), ["a3"]);
    let last = world.patch(VS1, &path, &json!({ "anchors": { "a3": null } })).await;
    assert_eq!(last.status, 400, "the last anchor stays: {}", last.json());
    assert_eq!(world.get(VS1, &path).await.labels(), ["a3"]);

    let gone = world.send(VS1, Method::DELETE, &path, None).await;
    assert_eq!((gone.status, gone.bytes.len()), (204, 0));
    assert_eq!(world.get(VS1, &path).await.refusal(), (404, "RESOURCE_NOT_FOUND".into(), "NOT_FOUND"));
    assert!(world.get(VS1, DISC).await.found().is_empty());
    let left: Result<Vec<i64>, store::StoreError> = world
        .store
        .read(|tx| {
            Box::pin(async move {
                let mut counts = Vec::new();
                for table in
                    ["anchor", "anchors_list", "anchor_box", "anchor_spot", "visibility_class", "class_match"]
                {
                    counts.push(tx.query_one(&format!("select count(*) from {table}"), &[]).await?.get(0)?);
                }
                Ok(counts)
            })
        })
        .await;
    assert_eq!(left.unwrap(), [0; 6], "nothing is left of a deleted list");
}

#[tokio::test]
async fn one_charging_record_per_served_2xx_of_the_token_subject() {
    let world = World::new().await;
    let path = world.post(VS1, &list(json!({ "a": at(1.0, 1.0, json!({ "visibility": "UNIVERSAL" })), "b": at(1.0, 1.0, json!({})) }))).await.location();
    let tag = world.get(ALICE, &path).await.tag();
    world.send_if(ALICE, Method::GET, &path, None, &[(IF_NONE_MATCH, &tag)]).await;
    world.get(EVE, DISC).await;
    assert_eq!(world.put(ALICE, &path, &list(json!({ "a": at(1.0, 1.0, json!({})) }))).await.status, 403);
    world.get(ALICE, &format!("{LISTS}/none")).await;
    let rows =
        world.store.read(|tx| Box::pin(async move { charging::page(tx, None, 0, 100).await })).await.unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|record| &record.row)
        .map(|row| {
            (row.operation.clone(), row.units, row.outcome.clone(), row.client.clone(), row.owner.clone())
        })
        .collect();
    let row = |operation: &str, units, outcome: &str, client: &str, owner: Option<&str>| {
        (operation.to_owned(), units, outcome.to_owned(), client.to_owned(), owner.map(str::to_owned))
    };
    assert_eq!(
        rows,
        [
            row("san.anchors_list.create", 2, "SERVED", "vs-1", Some("vs-1")),
            row("san.anchors_list.read", 1, "PARTIAL", "ue-1", Some("vs-1")),
            row("san.anchors.discover", 1, "SERVED", "ue-1", None),
        ]
    );
}

#[tokio::test]
async fn a_body_with_one_fault_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let good = || list(json!({ "a": at(2.0, 48.0, json!({ "rules": { "valServiceList": ["guide"] } })) }));
    let path = world.post(VS1, &good()).await.location();
    let before = world.get(VS1, &path).await.bytes;
    type Row = (&'static str, fn(&mut Value), &'static str);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 17] = [
        ("no valServInfo", |v| drop(v.as_object_mut().unwrap().remove("valServInfo")), "MANDATORY_IE_MISSING"),
        ("no endPt", |v| drop(v["valServInfo"].as_object_mut().unwrap().remove("endPt")), "MANDATORY_IE_MISSING"),
        ("no anchors", |v| drop(v.as_object_mut().unwrap().remove("anchors")), "MANDATORY_IE_MISSING"),
        ("empty anchors", |v| v["anchors"] = json!({}), "MANDATORY_IE_INCORRECT"),
        ("anchors as a list", |v| v["anchors"] = json!([]), "MANDATORY_IE_INCORRECT"),
        ("no posInfo", |v| drop(v["anchors"]["a"].as_object_mut().unwrap().remove("posInfo")), "MANDATORY_IE_MISSING"),
        ("empty posInfo", |v| v["anchors"]["a"]["posInfo"] = json!({}), "MANDATORY_IE_INCORRECT"),
        ("longitude", |v| v["anchors"]["a"]["posInfo"]["pos"]["localOrigin"]["point"]["lon"] = json!(180.5), "MANDATORY_IE_INCORRECT"),
        ("latitude", |v| v["anchors"]["a"]["posInfo"]["pos"]["localOrigin"]["point"]["lat"] = json!(-91), "MANDATORY_IE_INCORRECT"),
        ("specInfo", |v| v["anchors"]["a"]["specInfo"] = json!("%"), "MANDATORY_IE_INCORRECT"),
        ("empty rules", |v| v["anchors"]["a"]["rules"] = json!({}), "MANDATORY_IE_INCORRECT"),
        ("unknown visibility", |v| v["anchors"]["a"]["visibility"] = json!("WORLD"), "MANDATORY_IE_INCORRECT"),
        ("period backwards", |v| v["anchors"]["a"]["timePeriod"] = json!({ "startTime": "2027-01-02T00:00:00Z", "stopTime": "2027-01-01T00:00:00Z" }), "MANDATORY_IE_INCORRECT"),
        ("suppFeat no mask", |v| v["suppFeat"] = json!("xyz"), "OPTIONAL_IE_INCORRECT"),
        ("suppFeat a number", |v| v["suppFeat"] = json!(1), "OPTIONAL_IE_INCORRECT"),
        ("empty label", |v| { let a = v["anchors"]["a"].clone(); v["anchors"][""] = a; }, "MANDATORY_IE_INCORRECT"),
        ("label with a line break", |v| { let a = v["anchors"]["a"].clone(); v["anchors"]["x\ny"] = a; }, "MANDATORY_IE_INCORRECT"),
    ];
    for (what, spoil, cause) in rows {
        let body = with(good(), spoil);
        for answer in [world.post(VS1, &body).await, world.put(VS1, &path, &body).await] {
            assert_eq!((answer.status, answer.cause().as_str()), (400, cause), "{what}: {}", answer.json());
            let reason = if cause == "MANDATORY_IE_MISSING" { "MEMBER_MISSING" } else { "INPUT_REFUSED" };
            assert_eq!(answer.reason, Some(reason), "{what}");
        }
    }
    assert_eq!(world.get(VS1, &path).await.bytes, before);

    // An open enumeration takes later values; a peer without feature 1 may send anything as a member of ours.
    let later = with(good(), |v| {
        v["anchors"]["a"]["rules"] = json!({ "allowedEntities": [{ "type": "LATER", "identifier": "x" }] })
    });
    assert_eq!(world.post(VS1, &later).await.status, 201);
    let ignored = with(good(), |v| {
        v["anchors"]["a"]["visibility"] = json!("WORLD");
        v["suppFeat"] = json!("0");
    });
    let path = world.post(VS1, &ignored).await.location();
    assert_eq!(
        world.get(VS1, &format!("{path}?supp-feats=1")).await.json()["anchors"]["a"].get("visibility"),
        None
    );
}

#[tokio::test]
async fn media_types_and_raw_bodies() {
    let world = World::new().await;
    let path = world.post(VS1, &list(json!({ "a": at(2.0, 48.0, json!({})) }))).await.location();
    let patch = r#"{"anchors":{"a":{"specInfo":"eA=="}}}"#;
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    type Row<'a> = (&'a str, Method, &'a str, &'a str, (u16, &'a str));
    #[rustfmt::skip] // a table stays a table
    let rows: [Row<'_>; 9] = [
        ("PATCH as JSON", Method::PATCH, "application/json", patch, (200, "")),
        ("PATCH as merge patch", Method::PATCH, "application/merge-patch+json; charset=utf-8", patch, (200, "")),
        ("PATCH as JSON patch", Method::PATCH, "application/json-patch+json", patch, (415, "UNSUPPORTED_MEDIA_TYPE")),
        ("PUT as merge patch", Method::PUT, "application/merge-patch+json", patch, (415, "UNSUPPORTED_MEDIA_TYPE")),
        ("no JSON", Method::PATCH, "application/json", "{", (400, "INVALID_MSG_FORMAT")),
        ("no object", Method::PATCH, "application/json", "[]", (400, "INVALID_MSG_FORMAT")),
        ("member twice", Method::PATCH, "application/json", r#"{"anchors":{},"anchors":{}}"#, (400, "INVALID_MSG_FORMAT")),
        ("bytes behind", Method::PATCH, "application/json", "{} x", (400, "INVALID_MSG_FORMAT")),
        ("too deep", Method::PATCH, "application/json", &deep, (400, "INVALID_MSG_FORMAT")),
    ];
    for (what, method, media, body, (status, cause)) in rows {
        let mut request = world.request(VS1, method, &path);
        request.headers_mut().insert(CONTENT_TYPE, media.parse().unwrap());
        *request.body_mut() = Body::from(body.to_owned());
        let answer = world.answer(request).await;
        assert_eq!((answer.status, answer.cause().as_str()), (status, cause), "{what}: {}", answer.json());
    }
}

#[tokio::test]
async fn conditions_protect_against_lost_updates() {
    let world = World::new().await;
    let created = world.post(VS1, &list(json!({ "a": at(2.0, 48.0, json!({ "name": "one" })) }))).await;
    let path = created.location();
    let plain = world.get(VS1, &path).await;
    let patch = json!({ "suppFeat": "1", "anchors": { "a": { "name": "two" } } });
    let with_tag = async |method: Method, tag: &str, body: Option<&Value>| {
        world.send_if(VS1, method, &path, body, &[(IF_MATCH, tag)]).await
    };
    let changed = with_tag(Method::PATCH, &created.tag(), Some(&patch)).await;
    assert_eq!(changed.status, 200);
    let put = list(json!({ "a": at(2.0, 48.0, json!({})) }));
    for (method, body) in [(Method::PATCH, Some(&patch)), (Method::PUT, Some(&put)), (Method::DELETE, None)] {
        let stale = with_tag(method.clone(), &created.tag(), body).await;
        assert_eq!(stale.refusal(), (412, "PRECONDITION_FAILED".into(), "STALE_VERSION"), "{method}");
    }
    assert_eq!(world.get(VS1, &path).await.tag(), plain.tag(), "what a plain peer is shown did not change");
    assert_eq!(with_tag(Method::PUT, &changed.tag(), Some(&put)).await.status, 200);
    assert_eq!(with_tag(Method::DELETE, "*", None).await.status, 204);
}

#[tokio::test]
async fn an_anchor_id_names_an_anchor_of_this_list_or_nothing() {
    let world = World::new().await;
    let first =
        world.post(VS1, &list(json!({ "a": at(2.0, 48.0, json!({})), "b": at(2.0, 48.0, json!({})) }))).await;
    let other = world.post(VS1, &list(json!({ "a": at(2.0, 48.0, json!({})) }))).await;
    let (path, ids) = (first.location(), first.json());
    let id = |label: &str| ids["anchors"][label]["anchorId"].clone();
    let put = async |anchors: Value| world.put(VS1, &path, &list(anchors)).await;
    let with_id = |id: &Value| at(2.0, 48.0, json!({ "anchorId": id }));
    for (what, foreign) in
        [("of another list", other.json()["anchors"]["a"]["anchorId"].clone()), ("of none", json!(5))]
    {
        let answer = put(json!({ "a": with_id(&foreign) })).await;
        assert_eq!((answer.status, answer.cause().as_str()), (400, "OPTIONAL_IE_INCORRECT"), "{what}");
        assert_eq!(answer.json()["invalidParams"][0]["param"], "/anchors/a/anchorId");
    }
    let twice = put(json!({ "a": with_id(&id("a")), "b": with_id(&id("a")) })).await;
    assert_eq!(twice.status, 400);
    // Labels may change places, and a new label for the same anchor is no new anchor.
    let swapped = put(json!({ "a": with_id(&id("b")), "b": with_id(&id("a")) })).await.json();
    assert_eq!(
        (&swapped["anchors"]["a"]["anchorId"], &swapped["anchors"]["b"]["anchorId"]),
        (&id("b"), &id("a"))
    );
    let renamed = put(json!({ "c": with_id(&id("a")), "a": at(3.0, 48.0, json!({})) })).await.json();
    assert_eq!(renamed["anchors"]["c"]["anchorId"], id("a"));
    assert_eq!(renamed["anchors"]["a"]["anchorId"], id("b"), "without an identifier the label tells");
}

#[tokio::test]
async fn patches_make_a_list_no_larger_than_a_body_could() {
    let world = World::new().await;
    let labels: Vec<String> = (0..40).map(|n| format!("a{n}")).collect();
    let anchors: serde_json::Map<String, Value> =
        labels.iter().map(|label| (label.clone(), at(2.0, 48.0, json!({})))).collect();
    let path = world.post(VS1, &list(Value::Object(anchors))).await.location();
    let infos = |n: usize| {
        let info = |i: usize| json!({ "servInfoId": format!("i{i}"), "info": "x".repeat(16_000) });
        json!({ "servInfos": (0..n).map(info).collect::<Vec<_>>() })
    };
    let patch = async |label: &str, member: Value| {
        let body = json!({ "suppFeat": "1", "anchors": { label: member } });
        world.send(VS1, Method::PATCH, &path, Some(&body)).await
    };
    let refused = (413, "TOO_LARGE".to_owned(), "TOO_LARGE");
    assert_eq!(patch("a0", infos(17)).await.refusal(), refused, "an anchor");
    let grown = async || {
        for label in &labels {
            let answer = patch(label, infos(15)).await;
            if answer.status != 200 {
                return (answer.refusal(), label.clone());
            }
        }
        ((200, String::new(), ""), String::new())
    };
    let (refusal, label) = grown().await;
    assert_eq!((refusal, label.as_str()), (refused, "a21"), "a list");
    assert!(world.get(VS1, &path).await.bytes.len() < 5 * 1024 * 1024);
    // Less is always possible.
    assert_eq!(patch("a0", json!({ "servInfos": null })).await.status, 200);
}

#[tokio::test]
async fn a_page_of_large_anchors_ends_early_and_names_the_next() {
    let world = World::new().await;
    let spec = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [7_u8; 48_000]);
    let mut want = Vec::new();
    for _ in 0..4 {
        let one =
            |n: u32| (format!("a{n}"), at(2.0, 48.0, json!({ "specInfo": spec, "visibility": "UNIVERSAL" })));
        let anchors: serde_json::Map<String, Value> = (0..50).map(one).collect();
        let created = world.post(VS1, &list(Value::Object(anchors))).await.json();
        let ids = created["anchors"].as_object().unwrap().values();
        want.extend(ids.map(|anchor| anchor["anchorId"].as_u64().unwrap()));
    }
    want.sort_unstable();
    let (mut got, mut pages, mut path) = (Vec::new(), 0, Some(format!("{DISC}?limit=1000")));
    while let Some(next) = path {
        let page = world.get(ALICE, &next).await;
        assert!(page.bytes.len() < 9 * 1024 * 1024);
        got.extend(page.found());
        path = page.next();
        pages += 1;
    }
    assert_eq!((got == want, pages), (true, 2));
}
