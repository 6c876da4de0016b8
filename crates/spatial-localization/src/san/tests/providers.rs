//! Parts of several providers in one anchor (S2-L3, IMP-19, IMP-45).

use http::Method;
use http::header::IF_MATCH;

use super::*;

const OTHERS: (u16, &str, &str) = (403, "UNAUTHORIZED_OPERATION", "PART_OF_OTHER_PROVIDER");
const NOT_OWNER: (u16, &str, &str) = (403, "UNAUTHORIZED_OPERATION", "NOT_OWNER");

fn open_to_both() -> Value {
    let rules = json!({ "allowedEntities": [
        { "type": "VAL_SERVER", "identifier": "vs-2" },
        { "type": "VAL_SERVER", "identifier": "vs-3" },
        { "type": "VAL_CLIENT", "identifier": "alice" },
    ] });
    list(json!({
        "a": at(2.0, 48.0, json!({ "rules": rules, "name": "door", "servInfos": [{ "servInfoId": "own", "info": "vs-1's" }] })),
        "b": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" })),
        "c": at(2.0, 48.0, json!({})),
    }))
}

fn infos(list: &Value) -> Vec<(String, String, String)> {
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let entries = list["anchors"]["a"]["servInfos"].as_array().unwrap();
    entries.iter().map(|e| (text(e, "servInfoId"), text(e, "providerId"), text(e, "info"))).collect()
}

fn part(entries: Value) -> Value {
    json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": entries } } })
}

#[tokio::test]
async fn who_may_patch_what() {
    let world = World::new().await;
    let path = world.post(VS1, &open_to_both()).await.location();
    let added = world.patch(VS2, &path, &part(json!([{ "servInfoId": "two", "info": "vs-2's" }]))).await;
    assert_eq!(added.status, 200, "{}", added.json());
    assert_eq!(added.labels(), ["a", "b"], "the answer is what vs-2 may see");
    let whole = async || world.get(VS1, &format!("{path}?supp-feats=1")).await.json();
    let before = whole().await;
    assert_eq!(
        infos(&before),
        [("own".into(), "vs-1".into(), "vs-1's".into()), ("two".into(), "vs-2".into(), "vs-2's".into()),]
    );
    let position = before["anchors"]["a"]["posInfo"].clone();
    let anchor_id = before["anchors"]["a"]["anchorId"].clone();

    type Row = (&'static str, Who<'static>, Value, (u16, &'static str, &'static str));
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row> = vec![
        ("entry of another changed", VS2, part(json!([{ "servInfoId": "own", "info": "x" }])), OTHERS),
        ("entry of another taken over", VS2, part(json!([{ "servInfoId": "own", "providerId": "vs-2", "info": "vs-1's" }])), OTHERS),
        ("entry in another's name", VS2, part(json!([{ "servInfoId": "z", "providerId": "vs-1", "info": "x" }])), OTHERS),
        ("own and another's", VS2, part(json!([{ "servInfoId": "two", "info": "x" }, { "servInfoId": "own", "info": "x" }])), OTHERS),
        ("owner changes another's", VS1, part(json!([{ "servInfoId": "two", "info": "x" }])), OTHERS),
        ("own and the name", VS2, json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": [{ "servInfoId": "two", "info": "x" }], "name": "gate" } } }), NOT_OWNER),
        ("own and the rules", VS2, json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": [], "rules": { "valServiceList": ["x"] } } } }), NOT_OWNER),
        ("own and the premises", VS2, json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": [], "premises": "x" } } }), NOT_OWNER),
        ("own and the service", VS2, with(part(json!([])), |v| v["valServInfo"] = json!({ "serviceId": "x" })), NOT_OWNER),
        ("own and removal of an anchor", VS2, with(part(json!([])), |v| v["anchors"]["b"] = Value::Null), NOT_OWNER),
        ("removal of the anchor", VS2, json!({ "anchors": { "a": null } }), NOT_OWNER),
        ("all anchors", VS2, json!({ "anchors": null }), NOT_OWNER),
        ("not listed there", VS2, json!({ "suppFeat": "1", "anchors": { "b": { "servInfos": [{ "servInfoId": "z", "info": "x" }] } } }), NOT_OWNER),
        ("a hidden anchor", VS2, json!({ "suppFeat": "1", "anchors": { "c": { "servInfos": [] } } }), NOT_OWNER),
        ("an absent anchor", VS2, json!({ "suppFeat": "1", "anchors": { "d": { "servInfos": [] } } }), NOT_OWNER),
        ("a new anchor", VS2, json!({ "anchors": { "d": at(0.0, 0.0, json!({})) } }), NOT_OWNER),
        ("nothing at all", VS2, json!({}), NOT_OWNER),
        ("a listed user is no provider", ALICE, part(json!([{ "servInfoId": "z", "info": "x" }])), NOT_OWNER),
        ("a PUT of the own entry", VS2, with(before.clone(), |v| v["anchors"]["a"]["servInfos"][1]["info"] = json!("x")), NOT_OWNER),
    ];
    for (what, who, body, refusal) in rows {
        let method = if what.starts_with("a PUT") { Method::PUT } else { Method::PATCH };
        let answer = world.send(who, method, &path, Some(&body)).await;
        let (status, cause, reason) = answer.refusal();
        assert_eq!((status, cause.as_str(), reason), refusal, "{what}: {}", answer.json());
        assert_eq!(whole().await, before, "nothing changed: {what}");
    }
    let owner_drops = with(before.clone(), |v| v["anchors"]["a"]["servInfos"] = json!([]));
    let answer = world.put(VS1, &path, &owner_drops).await;
    let (status, cause, reason) = answer.refusal();
    assert_eq!((status, cause.as_str(), reason), OTHERS, "a full replacement that drops an entry");

    // The published schema wants posInfo in a patch; repeating what is there changes nothing.
    let literal = json!({ "suppFeat": "1", "anchors": { "a": {
        "anchorId": anchor_id, "posInfo": position, "servInfos": [{ "servInfoId": "two", "info": "new" }],
    } } });
    assert_eq!(infos(&world.patch(VS2, &path, &literal).await.json())[1].2, "new");
    assert_eq!(world.patch(VS2, &path, &part(Value::Null)).await.status, 200, "its own part may go");
    assert_eq!(infos(&whole().await).len(), 1);
}

#[tokio::test]
async fn two_providers_at_once_both_keep_their_entries() {
    let world = World::new().await;
    let path = world.post(VS1, &open_to_both()).await.location();
    let rounds = 20;
    let write = async |who: Who<'_>, id: &str| {
        for round in 0..rounds {
            let body = part(json!([{ "servInfoId": id, "info": format!("{id} {round}") }]));
            assert_eq!(world.patch(who, &path, &body).await.status, 200);
        }
    };
    tokio::join!(write(VS2, "two"), write(VS3, "three"), write(VS1, "own"));
    let mut left = infos(&world.get(VS1, &format!("{path}?supp-feats=1")).await.json());
    left.sort();
    assert_eq!(
        left,
        [
            ("own".into(), "vs-1".into(), "own 19".into()),
            ("three".into(), "vs-3".into(), "three 19".into()),
            ("two".into(), "vs-2".into(), "two 19".into()),
        ]
    );

    // With If-Match, the later of two is told.
    let tag = world.get(VS2, &format!("{path}?supp-feats=1")).await.tag();
    let body = part(json!([{ "servInfoId": "two", "info": "last" }]));
    let first = world.send_if(VS2, Method::PATCH, &path, Some(&body), &[(IF_MATCH, &tag)]).await;
    let again = with(body, |v| v["anchors"]["a"]["servInfos"][0]["info"] = json!("later"));
    let second = world.send_if(VS2, Method::PATCH, &path, Some(&again), &[(IF_MATCH, &tag)]).await;
    assert_eq!((first.status, second.status), (200, 412));
}

#[tokio::test]
async fn the_owner_is_the_token_and_never_the_body() {
    let world = World::new().await;
    let body = with(list(json!({ "a": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" })) })), |v| {
        v["owner"] = json!("vs-2");
        v["anchors"]["a"]["owner"] = json!("vs-2");
    });
    let path = world.post(ALICE, &body).await.location();
    for who in [VS2, EVE] {
        assert_eq!(world.put(who, &path, &body).await.refusal().2, "NOT_OWNER", "{who:?}");
    }
    assert_eq!(world.put(ALICE, &path, &body).await.status, 200);
    let spoofed = list(
        json!({ "a": at(2.0, 48.0, json!({ "servInfos": [{ "servInfoId": "i", "providerId": "vs-2", "info": "x" }] })) }),
    );
    assert_eq!(
        world.post(VS1, &spoofed).await.refusal(),
        (403, "UNAUTHORIZED_OPERATION".into(), "PART_OF_OTHER_PROVIDER")
    );
}
