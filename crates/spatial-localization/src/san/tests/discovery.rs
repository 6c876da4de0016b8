//! Discovery: filters, shapes, pages and cursors.

use http::Method;
use service_http::guard::UE_ID;

use super::*;

fn open(lon: f64, lat: f64, more: Value) -> Value {
    with(at(lon, lat, more), |v| v["visibility"] = json!("UNIVERSAL"))
}

fn ids(created: &Value, labels: &[&str]) -> Vec<u64> {
    let mut ids: Vec<u64> =
        labels.iter().map(|label| created["anchors"][*label]["anchorId"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn every_filter_narrows() {
    let world = World::new().await;
    let in_map = json!({ "posInfo": { "spaMapPos": { "spaMapId": "17" } }, "visibility": "UNIVERSAL" });
    let guide = world
        .post(VS1, &list(json!({
            "a": open(2.35, 48.85, json!({ "specInfo": "eA==", "rules": { "valServiceList": ["x"] }, "premises": "p" })),
            "b": open(2.36, 48.85, json!({})),
            "map": in_map,
            "hidden": at(2.35, 48.85, json!({ "specInfo": "eA==" })),
        })))
        .await
        .json();
    let other = world.post(VS2, &list_of("other", json!({ "a": open(2.35, 48.85, json!({})) }))).await.json();
    let all = [ids(&guide, &["a", "b", "map"]), ids(&other, &["a"])].concat();
    let sorted = |mut ids: Vec<u64>| {
        ids.sort_unstable();
        ids
    };
    let (a, hidden, far) = (ids(&guide, &["a"])[0], ids(&guide, &["hidden"])[0], ids(&guide, &["b"])[0]);
    let near = |more: &str| format!("{}{more}", area(circle(2.35, 48.85, 100.0)));
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, String, Vec<u64>)> = vec![
        ("nothing", DISC.into(), sorted(all)),
        ("identifiers", format!("{DISC}?anchor-ids={a},{hidden},{far},3"), sorted(vec![a, far])),
        ("service", format!("{DISC}?svc-id=other"), ids(&other, &["a"])),
        ("service as JSON", format!("{DISC}?svc-id=%22other%22"), ids(&other, &["a"])),
        ("information", format!("{DISC}?anch-inf=%22eA==%22"), vec![a]),
        ("information bare", format!("{DISC}?anch-inf=eA%3D%3D"), vec![a]),
        ("area", near(""), sorted([vec![a], ids(&other, &["a"])].concat())),
        ("area and service", near("&svc-id=museum-guide"), vec![a]),
        ("area and identifier", near(&format!("&anchor-ids={far}")), vec![]),
        ("area and identifier inside", near(&format!("&anchor-ids={far},{a}")), vec![a]),
        ("map position only", format!("{DISC}?anchor-ids={}", ids(&guide, &["map"])[0]), ids(&guide, &["map"])),
        ("no such service", format!("{DISC}?svc-id=none"), vec![]),
    ];
    for (what, path, want) in rows {
        let answer = world.get(ALICE, &path).await;
        assert_eq!(answer.found(), want, "{what}");
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(
            !text.contains("rules") && !text.contains("premises") && !text.contains("visibility"),
            "{what}"
        );
    }
    let mine = world.get(VS1, &format!("{DISC}?anchor-ids={a}&supp-feats=1")).await.json();
    assert_eq!(mine["suppFeat"], "1");
    assert_eq!(mine["results"][0]["anchInfo"]["premises"], "p");
    assert_eq!(mine["results"][0]["valSvcInf"]["serviceId"], "museum-guide");
}

#[tokio::test]
async fn shapes_are_exact_around_the_globe() {
    let world = World::new().await;
    let mut turned = at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" }));
    turned["posInfo"]["pos"]["point"] = json!({ "x": 0.0, "y": 1000.0 });
    turned["posInfo"]["pos"]["localOrigin"]["horizAxesOrientation"] = json!(900);
    let created = world
        .post(VS1, &list(json!({
            "west": open(-179.99, 10.0, json!({})), "east": open(179.99, 10.0, json!({})), "line": open(-180.0, 10.0, json!({})),
            "north": open(77.0, 90.0, json!({})), "near": open(-100.0, 89.95, json!({})), "south": open(0.0, -90.0, json!({})),
            "turned": turned,
        })))
        .await
        .json();
    let far_east = json!({ "shape": "ELLIPSOID_ARC", "point": { "lon": 2.0, "lat": 48.0 }, "innerRadius": 900,
        "uncertaintyRadius": 200.0, "offsetAngle": 80, "includedAngle": 20, "confidence": 90 });
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Value, Vec<&str>)> = vec![
        ("circle on the antimeridian", circle(180.0, 10.0, 2_000.0), vec!["west", "east", "line"]),
        ("circle west of it", circle(-179.99, 10.0, 500.0), vec!["west"]),
        ("polygon over it", polygon(&[(179.9, 9.9), (-179.9, 9.9), (-179.9, 10.1), (179.9, 10.1)]), vec!["west", "east", "line"]),
        ("polygon up to it", polygon(&[(179.9, 9.9), (180.0, 9.9), (180.0, 10.1), (179.9, 10.1)]), vec!["east", "line"]),
        ("polygon from it", polygon(&[(-180.0, 9.9), (-179.9, 9.9), (-179.9, 10.1), (-180.0, 10.1)]), vec!["west", "line"]),
        ("circle on the north pole", circle(0.0, 90.0, 10_000.0), vec!["north", "near"]),
        ("polygon around it", polygon(&[(0.0, 89.9), (120.0, 89.9), (-120.0, 89.9)]), vec!["north", "near"]),
        ("circle on the south pole", circle(130.0, -89.99, 10_000.0), vec!["south"]),
        ("an offset by the axes of its origin", json!([far_east]), vec!["turned"]),
        ("not at its origin", circle(2.0, 48.0, 900.0), vec![]),
        ("a corner of the box but not of the circle", circle(180.0, 10.0, 1_000.0), vec!["line"]),
        ("two areas", json!([circle(0.0, 90.0, 100.0)[0], circle(0.0, -90.0, 100.0)[0]]), vec!["north", "south"]),
    ];
    for (what, shapes, labels) in rows {
        let answer = world.get(ALICE, &area(shapes)).await;
        assert_eq!(answer.found(), ids(&created, &labels), "{what}");
    }
}

#[tokio::test]
async fn a_question_with_one_fault_is_refused() {
    let world = World::new().await;
    let own = world.post(VS1, &list(json!({ "a": open(2.0, 48.0, json!({})) }))).await.json();
    let own = ids(&own, &["a"])[0];
    let big = circle(2.0, 48.0, 56_419.0);
    let just = circle(2.0, 48.0, 56_400.0);
    let bow_tie = polygon(&[(-90.0, -45.0), (89.0, 45.0), (89.0, -45.0), (-90.0, 45.0)]);
    let planet = polygon(&[(-60.0, -80.0), (60.0, -80.0), (179.0, 0.0), (60.0, 80.0), (-60.0, 80.0)]);
    let unknown = json!([{ "shape": "LATER" }]);
    let many: Vec<Value> = (0..17).map(|_| circle(2.0, 48.0, 1.0)[0].clone()).collect();
    let cells = format!("{DISC}?area-int=%7B%22topServAr%22%3A%7B%22tais%22%3A%5B%7B%7D%5D%7D%7D");
    let thousand: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, String, Option<&str>)> = vec![
        ("10,000 square kilometres", area(just), None),
        ("a little more", area(big.clone()), Some("AREA_TOO_LARGE")),
        ("a little more, own anchors by name", format!("{}&anchor-ids={own}", area(big.clone())), None),
        ("a little more, others by name", format!("{}&anchor-ids={own},7", area(big)), Some("AREA_TOO_LARGE")),
        ("the planet", area(planet), Some("AREA_TOO_LARGE")),
        ("edges that cross", area(bow_tie), Some("QUERY_WRONG")),
        ("a shape that is not known", area(unknown), Some("QUERY_WRONG")),
        ("too many shapes", area(json!(many)), Some("QUERY_WRONG")),
        ("cells", cells, Some("QUERY_WRONG")),
        ("no JSON", format!("{DISC}?area-int=%7B"), Some("QUERY_WRONG")),
        ("latitude", area(circle(0.0, 91.0, 1.0)), Some("QUERY_WRONG")),
        ("no identifier", format!("{DISC}?anchor-ids="), Some("QUERY_WRONG")),
        ("no number", format!("{DISC}?anchor-ids=1,x"), Some("QUERY_WRONG")),
        ("33 bits", format!("{DISC}?anchor-ids=4294967296"), Some("QUERY_WRONG")),
        ("too many identifiers", format!("{DISC}?anchor-ids={}", thousand.join(",")), Some("QUERY_WRONG")),
        ("no base64", format!("{DISC}?anch-inf=%25"), Some("QUERY_WRONG")),
        ("no mask", format!("{DISC}?supp-feats=xyz"), Some("QUERY_WRONG")),
        ("limit 0", format!("{DISC}?limit=0"), Some("QUERY_WRONG")),
        ("limit 1001", format!("{DISC}?limit=1001"), Some("QUERY_WRONG")),
        ("limit 1000", format!("{DISC}?limit=1000"), None),
        ("a parameter twice", format!("{DISC}?limit=1&limit=2"), Some("QUERY_WRONG")),
        ("a cursor of nobody", format!("{DISC}?cursor=AAAA"), Some("QUERY_WRONG")),
    ];
    for (what, path, reason) in rows {
        let answer = world.get(VS1, &path).await;
        let want = if reason.is_some() { (400, "INVALID_QUERY_PARAM") } else { (200, "") };
        assert_eq!(
            (answer.status, answer.cause().as_str(), answer.reason),
            (want.0, want.1, reason),
            "{what}: {}",
            answer.json()
        );
    }
    for (ue_id, status) in [("alice", 200), ("msisdn-alice", 200), ("eve", 403)] {
        let answer = world
            .send_if(ALICE, Method::GET, DISC, None, &[(http::HeaderName::from_static("ue-id"), ue_id)])
            .await;
        assert_eq!(answer.status, status, "{UE_ID:?} {ue_id}");
    }
}

#[tokio::test]
async fn a_thousand_anchors_come_page_by_page() {
    let world = World::new().await;
    let mut want = Vec::new();
    for part in 0..2 {
        let mut anchors = json!({});
        for n in 0..750 {
            let lon = 2.0 + f64::from(part * 750 + n) * 1e-5;
            // Every third is hidden from the reader.
            anchors[format!("a{n}")] =
                if n % 3 == 0 { at(lon, 48.0, json!({})) } else { open(lon, 48.0, json!({})) };
        }
        let created = world.post(VS1, &list(anchors)).await.json();
        let seen = created["anchors"].as_object().unwrap().values();
        want.extend(seen.filter(|a| a["visibility"] == "UNIVERSAL").map(|a| a["anchorId"].as_u64().unwrap()));
    }
    want.sort_unstable();
    assert_eq!(want.len(), 1_000);
    for (start, pages) in [
        (DISC.to_owned(), 10),
        (area(circle(2.0, 48.0, 5_000.0)), 10),
        (format!("{DISC}?limit=400"), 3),
        (format!("{DISC}?limit=1000"), 1),
    ] {
        let (mut got, mut path, mut count) = (Vec::new(), Some(start.clone()), 0);
        while let Some(next) = path {
            let page = world.get(ALICE, &next).await;
            got.extend(page.found());
            path = page.next();
            count += 1;
        }
        assert_eq!((got == want, count), (true, pages), "{start}");
    }
    // A cursor is good for its caller and query, at another page size too, and for nobody else.
    let next = world.get(ALICE, &format!("{DISC}?svc-id=museum-guide&limit=10")).await.next().unwrap();
    assert_eq!(world.get(ALICE, &next).await.found(), want[10..20]);
    assert_eq!(world.get(ALICE, &next.replace("limit=10", "limit=20")).await.found(), want[10..30]);
    let foreign =
        |answer: Answer| (answer.status, answer.cause(), answer.json()["invalidParams"][0]["param"].clone());
    let refused = (400, "INVALID_QUERY_PARAM".to_owned(), json!("cursor"));
    assert_eq!(foreign(world.get(EVE, &next).await), refused, "another caller");
    assert_eq!(foreign(world.get(VS1, &next).await), refused, "the owner");
    assert_eq!(
        foreign(world.get(ALICE, &next.replace("museum-guide", "other")).await),
        refused,
        "another query"
    );
    assert_eq!(
        foreign(world.get(ALICE, &next.replace("svc-id=museum-guide&", "")).await),
        refused,
        "a wider query"
    );
}

/// The map server asks in the name of its reader (RFC 8693): the rules are about the reader, a VAL server as well as a user.
#[tokio::test]
async fn a_function_that_acts_for_a_server_finds_what_that_server_finds() {
    let world = World::new().await;
    let for_vs2 = json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] });
    let body = list(json!({
        "open": open(2.0, 48.0, json!({})),
        "listed": at(2.0, 48.0, json!({ "rules": for_vs2 })),
        "own": at(2.0, 48.0, json!({ "visibility": "PRIVATE" })),
    }));
    let created = world.post(VS1, &body).await.json();
    let ids = |labels: &[&str]| ids(&created, labels);
    let asked = |subject: &'static str, acts: bool| {
        let certificate = testkit::certificate(CertRole::Function, "sm");
        let mut claims = world.sim.claims_of_server(SAN, "sm", crate::san::DISCOVER);
        if acts {
            claims["sub"] = json!(subject);
            claims["act"] = json!({ "sub": "sm" });
        }
        testkit::bind_certificate(&mut claims, &certificate);
        let mut request = testkit::request(Method::GET, DISC, testkit::peer(Some(certificate)));
        testkit::bearer(&mut request, &world.sim.token(&claims));
        world.answer(request)
    };
    for (subject, acts, expected) in [
        ("vs-1", true, ids(&["open", "listed", "own"])),
        ("vs-2", true, ids(&["open", "listed"])),
        ("vs-3", true, ids(&["open"])),
        ("sm", false, ids(&["open"])),
    ] {
        let mut found = asked(subject, acts).await.found();
        found.sort_unstable();
        assert_eq!(found, expected, "{subject}");
    }
    world.rule("p-1", json!({ "class": "operator", "effect": "DENY", "subjects": ["vs-2"] })).await;
    let denied = asked("vs-2", true).await;
    assert_eq!(denied.refusal(), (403, "UNAUTHORIZED_OPERATION".into(), "OPERATOR_RULE"));
    assert_eq!(asked("vs-3", true).await.status, 200);
}

/// A wire of a thousand kilometres has no area and a large rectangle around it. What lies beside it is read in bounded
/// pieces; what is hidden lengthens nothing.
#[tokio::test]
async fn a_wire_is_searched_piece_by_piece() {
    let bounds = store::Bounds { in_boxes: 0, examined: 16, ..store::Bounds::default() };
    let world = World::with(SanConfig { search: bounds, ..SanConfig::default() }).await;
    let wire = area(polygon(&[(0.0, 0.0), (10.0, 10.0), (10.0, 10.000_000_1)]));
    let put = async |visibility: &str| {
        let mut anchors = json!({});
        for n in 0..40 {
            let along = f64::from(n) * 0.25;
            anchors[format!("on-{n}")] = at(along, along, json!({ "visibility": visibility }));
            anchors[format!("by-{n}")] = at(along, along + 0.01, json!({ "visibility": visibility }));
        }
        let made = world.post(VS1, &list(anchors)).await.json();
        let on = made["anchors"].as_object().unwrap().iter().filter(|(label, _)| label.starts_with("on-"));
        let mut on: Vec<u64> = on.map(|(_, anchor)| anchor["anchorId"].as_u64().unwrap()).collect();
        on.sort_unstable();
        on
    };
    let search = async || {
        let mut pages = Vec::new();
        let mut path = Some(wire.clone());
        while let Some(next) = path {
            let page = world.get(ALICE, &next).await;
            pages.push(page.found());
            path = page.next();
            assert!(pages.len() < 100, "pages without end");
        }
        pages
    };
    let on = put("UNIVERSAL").await;
    let pages = search().await;
    assert_eq!(pages.concat(), on);
    assert!(pages.len() > 3, "each page examines a few: {pages:?}");
    put("PRIVATE").await;
    assert_eq!(search().await, pages);
}
