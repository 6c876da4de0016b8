//! What a caller may not discover is not there: same bytes, no oracle, nothing in tags (T2, T3b, N-PRIV).

use http::Method;
use http::header::{CONTENT_LENGTH, HeaderName};

use super::*;

/// Everything of an answer that is not drawn anew for each request.
fn fixed(answer: &Answer) -> (u16, Vec<u8>, Vec<(HeaderName, String)>) {
    let drawn = ["traceparent", "date"];
    let headers = answer.headers.iter().filter(|(name, _)| !drawn.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.clone(), value.to_str().unwrap().to_owned()));
    (answer.status, answer.bytes.clone(), headers.collect())
}

#[tokio::test]
async fn a_hidden_list_and_an_absent_one_have_the_same_bytes() {
    let world = World::new().await;
    let named = json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] });
    let ended = json!({ "startTime": "2020-01-01T00:00:00Z", "stopTime": "2021-01-01T00:00:00Z" });
    let lists = [
        ("private", json!({ "a": at(2.0, 48.0, json!({ "visibility": "PRIVATE", "rules": named })) })),
        ("no rules", json!({ "a": at(2.0, 48.0, json!({})) })),
        ("for others", json!({ "a": at(2.0, 48.0, json!({ "rules": named })) })),
        (
            "inactive",
            json!({ "a": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL", "timePeriod": ended })) }),
        ),
    ];
    let put = list(json!({ "a": at(2.0, 48.0, json!({})) }));
    let patch = json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": [] } } });
    for (what, anchors) in lists {
        let path = world.post(VS1, &list(anchors)).await.location();
        for who in [ALICE, VS3] {
            for (method, body) in [
                (Method::GET, None),
                (Method::PUT, Some(&put)),
                (Method::PATCH, Some(&patch)),
                (Method::DELETE, None),
            ] {
                let hidden = world.send(who, method.clone(), &path, body).await;
                let absent =
                    world.send(who, method.clone(), &format!("{LISTS}/AAAAAAAAAAAAAAAAAAAAAA"), body).await;
                assert_eq!(fixed(&hidden), fixed(&absent), "{what} {method} {who:?}");
                assert_eq!(
                    (hidden.status, hidden.cause().as_str()),
                    (404, "RESOURCE_NOT_FOUND"),
                    "{what} {method}"
                );
                assert_ne!(hidden.reason, absent.reason, "the audit knows: {what} {method}");
            }
        }
        assert_eq!(world.get(VS1, &path).await.status, 200, "{what}");
    }
    // A path that cannot be an identifier is refused before it is looked up.
    for path in [
        "/ssan-sanm/v1/anchors-lists/a%2Fb",
        "/ssan-sanm/v1/anchors-lists/%00",
        "/ssan-sanm/v1/anchors-lists/%ff",
    ] {
        assert!(matches!(world.get(ALICE, path).await.status, 400 | 404), "{path}");
    }
}

#[tokio::test]
async fn a_reader_of_a_part_is_shown_the_part() {
    let world = World::new().await;
    let for_alice = json!({ "allowedEntities": [{ "type": "VAL_CLIENT", "identifier": "alice" }] });
    let made = |secret: &str| {
        list(json!({
            "mine": at(2.0, 48.0, json!({ "rules": for_alice, "premises": format!("house {secret}"), "name": "door" })),
            "hidden": at(2.0, 48.0, json!({ "name": secret })),
            "open": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" })),
        }))
    };
    let path = world.post(VS1, &made("one")).await.location();
    let query = format!("{path}?supp-feats=1");
    let seen = world.get(ALICE, &query).await;
    assert_eq!(seen.labels(), ["mine", "open"]);
    let text = String::from_utf8(seen.bytes.clone()).unwrap();
    for withheld in ["house", "premises", "rules", "allowedEntities", "hidden", "one"] {
        assert!(!text.contains(withheld), "{withheld}: {text}");
    }
    assert_eq!(world.get(EVE, &path).await.labels(), ["open"]);

    // An edit of what is withheld shows in nothing.
    let edited = with(made("two"), |v| v["anchors"]["mine"]["rules"]["valServiceList"] = json!(["x"]));
    assert_eq!(world.put(VS1, &path, &edited).await.status, 200);
    let after = world.get(ALICE, &query).await;
    assert_eq!(
        (after.tag(), after.bytes, after.headers.get(CONTENT_LENGTH)),
        (seen.tag(), seen.bytes, seen.headers.get(CONTENT_LENGTH))
    );
    // Who may discover a part is told that it is not its own.
    let put = list(json!({ "mine": at(2.0, 48.0, json!({})) }));
    for (method, body) in [(Method::PUT, Some(&put)), (Method::DELETE, None)] {
        let refused = world.send(ALICE, method.clone(), &path, body).await;
        assert_eq!(refused.refusal(), (403, "UNAUTHORIZED_OPERATION".into(), "NOT_OWNER"), "{method}");
    }
}

/// 10,000 identifiers, 1,000 at a time: nothing tells hidden ones from absent ones.
#[tokio::test]
async fn ten_thousand_identifiers_tell_nothing() {
    let world = World::new().await;
    let mut anchors = json!({});
    for n in 0..200 {
        anchors[format!("h{n}")] = at(2.0, 48.0, json!({}));
    }
    anchors["seen"] = at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" }));
    let created = world.post(VS1, &list(anchors)).await.json();
    let id = |label: &str| created["anchors"][label]["anchorId"].as_u64().unwrap();
    let hidden: Vec<u64> = (0..200).map(|n| id(&format!("h{n}"))).collect();
    let mut reference = None;
    for round in 0..10_u64 {
        // Even rounds hold hidden identifiers, odd ones do not.
        let mut ids: Vec<u64> = (0..1_000).map(|n| 10 + round * 1_000 + n).collect();
        if round % 2 == 0 {
            for (at, hidden) in hidden.iter().enumerate() {
                ids[at * 5] = *hidden;
            }
        }
        let text: Vec<String> = ids.iter().map(u64::to_string).collect();
        let answer = world.get(ALICE, &format!("{DISC}?anchor-ids={}", text.join(","))).await;
        assert_eq!(answer.status, 200);
        let reference = reference.get_or_insert_with(|| fixed(&answer));
        assert_eq!(&fixed(&answer), reference, "round {round}");
    }
    let seen = id("seen");
    assert_eq!(world.get(ALICE, &format!("{DISC}?anchor-ids={},{seen}", hidden[0])).await.found(), [seen]);
}
