//! A view in the eyes of somebody is what a discovery of that somebody finds, and nothing else.

use std::collections::BTreeSet;

use sdk::{AnchorQuery, Request, SanClient};
use serde_json::Value;

use crate::harness::{Program, Site, json_of};

/// The anchors of a view, page by page.
async fn anchors(site: &Site, query: &str) -> (BTreeSet<u64>, Vec<Value>) {
    let admin = site.operator();
    let (mut ids, mut all, mut cursor) = (BTreeSet::new(), Vec::new(), String::new());
    loop {
        let mut url = admin.url(&["views", "anchors"]).expect("a url");
        url.set_query(Some(&format!("limit=70&{query}{cursor}")));
        let page = json_of(&admin.send(Request::get(url)).await.expect("an answer"));
        for item in page["items"].as_array().expect("items") {
            assert!(ids.insert(item["anchorId"].as_u64().expect("an id")), "twice");
            all.push(item.clone());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, all),
        }
    }
}

fn found(list: &api_types::san::SpatialAnchorsDiscResp) -> BTreeSet<u64> {
    let ids = list.results.iter().filter_map(|found| found.anch_info.anchor_id);
    ids.map(|id| u64::from(id.0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_what_a_discovery_finds() {
    let program = Program::demo();
    let site = Site::of(&program);
    let (all, operator) = anchors(&site, "").await;
    assert_eq!(all.len(), 500, "the operator sees everything");
    assert!(operator.iter().all(|item| item["owner"].is_string() && item["rules"][0].is_string()));

    let query = AnchorQuery { limit: Some(1_000), ..AnchorQuery::default() };
    for user in ["alice", "bob"] {
        let session = site.session(user, "ue-1").await.expect("a session");
        let credential = session.credential(site.at("san"), "3gpp:seal:san.discover").await.expect("a token");
        let san = SanClient::new(site.link("ue-1"), site.at("san"), credential).expect("a client");
        let real = found(&san.discover_all(&query).await.expect("found"));
        let (seen, items) = anchors(&site, &format!("client=ue-1&user={user}&ue=ue-{user}")).await;
        assert_eq!(seen, real, "{user}");
        assert!(seen.len() < all.len(), "{user} sees less than everything");
        // Nor is more of each shown than a discovery would.
        let hidden = ["owner", "anchorsListId", "label"];
        assert!(items.iter().all(|item| hidden.iter().all(|member| item.get(*member).is_none())), "{user}");
    }
    for server in ["vs-1", "vs-2"] {
        let san = site.san(server, "3gpp:seal:san").await;
        let real = found(&san.discover_all(&query).await.expect("found"));
        let (seen, items) = anchors(&site, &format!("client={server}")).await;
        assert_eq!(seen, real, "{server}");
        assert!(
            items.iter().any(|item| item["own"] == true && item["label"].is_string()),
            "{server} owns some"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_nobody_is_empty_and_says_why() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    let ask = |path: &'static [&'static str], query: &'static str| {
        let mut url = admin.url(path).expect("a url");
        url.set_query(Some(query));
        admin.send(Request::get(url))
    };
    let eve = json_of(&ask(&["views", "anchors"], "client=ue-1&user=eve").await.expect("an answer"));
    assert_eq!(
        (eve["items"].as_array().map(Vec::len), eve["denied"].as_str()),
        (Some(0), Some("NOT_ENTITLED"))
    );
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &'static str, u16); 5] = [
        ("a user without a client", "user=alice",                        400),
        ("an unknown client",       "client=nobody",                     404),
        ("an unknown user",         "client=ue-1&user=nobody",           404),
        ("another's UE",            "client=ue-1&user=alice&ue=ue-bob",  404),
        ("a cursor of nobody's",    "cursor=x",                          400),
    ];
    for (what, query, status) in rows {
        for path in [&["views", "anchors"][..], &["views", "maps"][..]] {
            let mut url = admin.url(path).expect("a url");
            url.set_query(Some(query));
            assert_eq!(admin.send(Request::get(url)).await.expect("an answer").status, status, "{what}");
        }
    }
    let maps = json_of(&ask(&["views", "maps"], "client=ue-1&user=alice").await.expect("an answer"));
    assert_eq!(maps["items"].as_array().map(Vec::len), Some(3), "{maps}");
    let id = maps["items"][0]["mapId"].as_u64().expect("an id").to_string();
    let mut url = admin.url(&["views", "maps", &id, "content"]).expect("a url");
    let whole = admin.send(Request::get(url.clone())).await.expect("an answer");
    assert_eq!(&whole.body[..4], b"glTF", "the payload");
    url.set_query(Some("client=ue-1&user=eve"));
    assert_eq!(admin.send(Request::get(url)).await.expect("an answer").status, 404, "hidden from eve");
}
