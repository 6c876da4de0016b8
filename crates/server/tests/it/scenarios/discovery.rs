//! E2E-12: 500 anchors and 50 maps of mixed visibility, and a consumer who may see some.

use std::collections::BTreeSet;

use api_types::ids::{SpatialAnchorId, SpatialMapId};
use api_types::san::SpatialAnchorsDiscResp;
use bytes::Bytes;
use sdk::{AnchorQuery, MapQuery, Request, SanClient};
use serde_json::{Value, json};

use crate::harness::{Program, Site, parsed, val_server_map};

fn ids(found: &SpatialAnchorsDiscResp) -> BTreeSet<u32> {
    found.results.iter().filter_map(|profile| profile.anch_info.anchor_id).map(|id| id.0).collect()
}

async fn all(san: &SanClient, query: AnchorQuery) -> BTreeSet<u32> {
    ids(&san.discover_all(&query).await.expect("found"))
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_hides_what_it_must() {
    let program = Program::demo();
    let site = Site::of(&program);
    let (one, two, three) = (
        site.san("vs-1", "3gpp:seal:san").await,
        site.san("vs-2", "3gpp:seal:san").await,
        site.san("vs-3", "3gpp:seal:san").await,
    );
    let service = |name: &str| AnchorQuery {
        svc_id: Some(name.into()),
        limit: Some(1_000),
        own_members: true,
        ..Default::default()
    };
    let own = [
        all(&one, service("museum-guide")).await,
        all(&two, service("campus-navigation")).await,
        all(&three, service("asset-tracking")).await,
    ];
    assert_eq!(own.each_ref().map(BTreeSet::len), [200, 180, 120], "owners see all of theirs");
    let everything: BTreeSet<u32> = own.iter().flatten().copied().collect();

    // vs-3 may see its own, and what is UNIVERSAL of the others: six in ten.
    let whole = AnchorQuery { limit: Some(1_000), own_members: true, ..Default::default() };
    let seen = three.discover_all(&whole).await.expect("found");
    let visible = ids(&seen);
    assert_eq!(visible.len(), 120 + 120 + 108);
    for profile in &seen.results {
        let anchor = serde_json::to_value(&profile.anch_info).expect("JSON");
        let mine = profile.val_svc_inf.service_id.as_str() == "asset-tracking";
        assert!(
            mine || anchor["visibility"] == "UNIVERSAL" || anchor.get("visibility").is_none(),
            "{anchor}"
        );
        assert!(
            mine || anchor.get("premises").is_none() && anchor.get("rules").is_none(),
            "for the owner only: {anchor}"
        );
    }

    // By whatever way it asks, it sees the same.
    assert_eq!(all(&three, service("museum-guide")).await.len(), 120);
    let corner = |lon: f64, lat: f64| json!({ "lon": lon, "lat": lat });
    let area = |west: f64, south: f64, east: f64, north: f64| {
        let points = [corner(west, south), corner(east, south), corner(east, north), corner(west, north)];
        parsed(json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": points }] } }))
    };
    let here =
        AnchorQuery { area_int: Some(area(2.3, 48.8, 2.4, 48.9)), limit: Some(1_000), ..Default::default() };
    assert_eq!(all(&three, here).await, visible);
    let elsewhere = AnchorQuery { area_int: Some(area(3.0, 48.8, 3.1, 48.9)), ..Default::default() };
    assert_eq!(all(&three, elsewhere).await, BTreeSet::new());
    for size in [7, 100, 348, 349] {
        let pages = AnchorQuery { limit: Some(size), ..Default::default() };
        assert_eq!(all(&three, pages).await, visible, "pages of {size}");
    }
    let mut named = BTreeSet::new();
    for chunk in everything.iter().copied().collect::<Vec<_>>().chunks(100) {
        let query = AnchorQuery {
            anchor_ids: chunk.iter().map(|id| SpatialAnchorId(*id)).collect(),
            limit: Some(1_000),
            ..Default::default()
        };
        named.extend(all(&three, query).await);
    }
    assert_eq!(named, visible, "by name");

    // A hidden anchor and one that never was: the same bytes.
    let hidden: Vec<u32> = everything.difference(&visible).copied().collect();
    assert_eq!(hidden.len(), 152);
    let ask = async |id: u32| {
        let url = site.path("san", &format!("/ssan-disc/v1/spatial-anchors?anchor-ids={id}"));
        let answer = three.send(Request::get(url)).await.expect("an answer");
        (answer.status, answer.body, answer.headers.get("link").cloned())
    };
    let absent = (1..).find(|id| !everything.contains(id)).expect("an id");
    for id in hidden.iter().step_by(10) {
        assert_eq!(ask(*id).await, ask(absent).await, "{id}");
    }
    // Ten thousand guesses find nothing but what is visible anyway.
    for start in 0..50_u32 {
        let guesses: Vec<_> = (0..200).map(|n| SpatialAnchorId(site_random(&site, start, n))).collect();
        let query = AnchorQuery { anchor_ids: guesses, limit: Some(1_000), ..Default::default() };
        assert!(all(&three, query).await.is_subset(&visible));
    }

    // A cursor is its caller's and its query's.
    let page = two.discover(&AnchorQuery { limit: Some(10), ..Default::default() }).await.expect("a page");
    let next = page.next.expect("more");
    let cursor = next.query_pairs().find(|(name, _)| name == "cursor").expect("a cursor").1.into_owned();
    assert!(two.page(next.clone(), None).await.is_ok());
    for (what, query) in [
        (
            "another caller's",
            AnchorQuery { limit: Some(10), cursor: Some(cursor.clone()), ..Default::default() },
        ),
        (
            "a forged one",
            AnchorQuery {
                limit: Some(10),
                cursor: Some(cursor.replace('A', "B") + "x"),
                ..Default::default()
            },
        ),
    ] {
        let refused = three.discover(&query).await.map(drop).expect_err(what);
        assert_eq!(
            (refused.status(), refused.cause().map(|cause| cause.as_str())),
            (Some(400), Some("INVALID_QUERY_PARAM")),
            "{what}"
        );
    }
    let other_query = AnchorQuery { cursor: Some(cursor), ..service("museum-guide") };
    let refused = two.discover(&other_query).await.map(drop).expect_err("another query");
    assert_eq!(refused.status(), Some(400));
    let huge = AnchorQuery { area_int: Some(area(-10.0, 40.0, 10.0, 55.0)), ..Default::default() };
    assert_eq!(three.discover(&huge).await.expect_err("scraping").status(), Some(400));

    maps(&site).await;
}

/// A number of the range that identifiers have.
fn site_random(site: &Site, start: u32, number: u32) -> u32 {
    let drawn = u32::try_from(site.time.draw(1 << 31)).expect("31 bits");
    drawn ^ (start & 1) ^ (number & 1)
}

/// The same for maps: by list, by address, by payload, by range.
async fn maps(site: &Site) {
    let owner = site.sm("vs-1", "3gpp:seal:sm").await;
    let reader = site.sm("vs-3", "3gpp:seal:sm").await;
    let mut visible = BTreeSet::new();
    let mut hidden = Vec::new();
    for number in 0..47 {
        let mut body = val_server_map("museum-guide", &format!("map {number}"));
        body["mapInf"]["visibility"] = json!(["UNIVERSAL", "RESTRICTED", "PRIVATE"][number % 3]);
        let id = owner.create_map(&parsed(body)).await.expect("created").id();
        owner
            .put_content(id, "model/gltf-binary", Bytes::from(vec![1_u8; 2_000]), None)
            .await
            .expect("a payload");
        if number % 3 == 0 {
            visible.insert(id.0);
        } else {
            hidden.push(id);
        }
    }
    let query = MapQuery { limit: Some(7), ..Default::default() };
    let found = reader.discover_all(&query).await.expect("found").maps_disc.unwrap_or_default();
    let found: BTreeSet<u32> =
        found.iter().map(|map| serde_json::to_value(map).expect("JSON")).map(|map| number_of(&map)).collect();
    assert!(visible.is_subset(&found));
    assert!(hidden.iter().all(|id| !found.contains(&id.0)));
    for id in &hidden {
        let map = format!("/ssm-smm/v1/spatial-maps/{id}");
        let content = format!("{map}/content");
        for (method, path, range) in [
            (http::Method::GET, &map, None),
            (http::Method::GET, &content, None),
            (http::Method::GET, &content, Some("bytes=0-9")),
            (http::Method::HEAD, &content, None),
        ] {
            let request = Request::new(method, site.path("sm", path)).opt_header("range", range);
            assert_eq!(reader.send(request).await.expect("an answer").status, 404, "{path}");
        }
    }
    let open = SpatialMapId(*visible.first().expect("a map"));
    let (head, part) = reader.get_content_range(open, 10, 19).await.expect("a range");
    assert_eq!((part.len(), head.length), (10, Some(10)));
}

fn number_of(map: &Value) -> u32 {
    let id = map["mapInf"]["mapId"]
        .as_u64()
        .or(map["mapId"].as_u64())
        .unwrap_or_else(|| panic!("no map id: {map}"));
    u32::try_from(id).expect("31 bits")
}
