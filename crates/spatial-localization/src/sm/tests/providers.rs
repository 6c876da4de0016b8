//! Service information of several providers in one map.

use authorization::Reason;
use serde_json::{Value, json};

use super::bench::*;

async fn bench() -> (Bench, u64) {
    let bench = Bench::new().await;
    let inf = json!({ "allwEnt": allow(&["vs-2", "vs-3"], &["alice"]), "premises": "second door",
                      "servInfos": [{ "servInfoId": "i1", "info": "one" }] });
    let id = bench.map(VS1, inf).await;
    (bench, id)
}

fn patch(entries: Value) -> Value {
    json!({ "suppFeat": "1", "smProf": { "servInfos": entries } })
}

async fn entries(bench: &Bench, id: u64) -> Vec<(String, String, String)> {
    let map = bench.send(ask(VS1, "GET", format!("{}?supp-feats=1", bench.at(id)))).await.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = map["smProf"]["servInfos"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|e| (text(&e["servInfoId"]), text(&e["providerId"]), text(&e["info"]))).collect()
}

fn row(id: &str, provider: &str, info: &str) -> (String, String, String) {
    (id.to_owned(), provider.to_owned(), info.to_owned())
}

#[tokio::test]
async fn each_provider_keeps_its_own_entries() {
    let (bench, id) = bench().await;
    for (who, entry) in [(VS2, "i2"), (VS3, "i3")] {
        let body = patch(json!([{ "servInfoId": entry, "info": "mine" }]));
        let answer = bench.send(ask(who, "PATCH", bench.at(id)).json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        assert_eq!(answer.json()["smProf"].get("premises"), None, "a provider is no owner");
    }
    assert_eq!(
        entries(&bench, id).await,
        [row("i1", "vs-1", "one"), row("i2", "vs-2", "mine"), row("i3", "vs-3", "mine")]
    );
    let map = bench.send(ask(VS1, "GET", format!("{}?supp-feats=1", bench.at(id)))).await.json();
    assert_eq!(map["smProf"]["premises"], "second door", "what a provider is not shown stays");
    let none = bench.send(ask(VS2, "PATCH", bench.at(id)).json(&patch(json!([])))).await;
    assert_eq!(none.status, 200);
    assert_eq!(entries(&bench, id).await, [row("i1", "vs-1", "one"), row("i3", "vs-3", "mine")]);
}

#[tokio::test]
async fn nobody_writes_the_entries_of_others() {
    let (bench, id) = bench().await;
    let mine = patch(json!([{ "servInfoId": "i2", "info": "two" }]));
    assert_eq!(bench.send(ask(VS2, "PATCH", bench.at(id)).json(&mine)).await.status, 200);
    let before = entries(&bench, id).await;
    let own = |entry: Value| patch(json!([entry]));
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Who, Value, Reason); 9] = [
        ("another's info",         VS2, own(json!({ "servInfoId": "i1", "info": "x" })), Reason::PartOfOtherProvider),
        ("another's name",         VS2, own(json!({ "servInfoId": "i9", "providerId": "vs-1", "info": "x" })), Reason::PartOfOtherProvider),
        ("taken over",             VS2, own(json!({ "servInfoId": "i1", "providerId": "vs-2", "info": "one" })), Reason::PartOfOtherProvider),
        ("owner, another's info",  VS1, own(json!({ "servInfoId": "i2", "info": "x" })), Reason::PartOfOtherProvider),
        ("owner, all entries",     VS1, json!({ "suppFeat": "1", "smProf": { "servInfos": [] } }), Reason::PartOfOtherProvider),
        ("the map beside it",      VS2, json!({ "suppFeat": "1", "smProf": { "name": "x", "servInfos": [] } }), Reason::NotOwner),
        ("the map alone",          VS2, json!({ "smProf": { "objList": [{ "objId": "o", "objType": "t" }] } }), Reason::NotOwner),
        ("a hidden member",        VS2, json!({ "suppFeat": "1", "smProf": { "premises": "x" } }), Reason::NotOwner),
        ("a user",                 ALICE, own(json!({ "servInfoId": "i4", "info": "x" })), Reason::NotOwner),
    ];
    for (what, who, body, reason) in rows {
        let answer = bench.send(ask(who, "PATCH", bench.at(id)).json(&body)).await;
        if what == "owner, all entries" {
            // The array is the sender's part: the owner drops its own entry, and no other.
            assert_eq!(answer.status, 200, "{what}");
            assert_eq!(entries(&bench, id).await, [row("i2", "vs-2", "two")]);
            let back = patch(json!([{ "servInfoId": "i1", "info": "one" }]));
            assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&back)).await.status, 200);
            continue;
        }
        assert_eq!(answer.refused(), (403, Some(reason), "UNAUTHORIZED_OPERATION".into()), "{what}");
    }
    let mut after = entries(&bench, id).await;
    after.sort();
    assert_eq!(after, before);

    // A whole replacement is judged by what it leaves out.
    let mut whole = bench.send(ask(VS1, "GET", format!("{}?supp-feats=1", bench.at(id)))).await.json();
    whole["suppFeat"] = json!("1");
    assert_eq!(bench.send(ask(VS1, "PUT", bench.at(id)).json(&whole)).await.status, 200);
    whole["smProf"]["servInfos"] = json!([{ "servInfoId": "i1", "info": "one" }]);
    let answer = bench.send(ask(VS1, "PUT", bench.at(id)).json(&whole)).await;
    assert_eq!(answer.reason, Some(Reason::PartOfOtherProvider));
}
