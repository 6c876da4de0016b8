//! `ssm-disc`: permission inside the query, pages, areas.

use serde_json::{Value, json};

use super::bench::*;

fn ids(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.json());
    let found = answer.json()["mapsDisc"].as_array().unwrap().clone();
    found.iter().map(|map| map["mapId"].as_u64().unwrap()).collect()
}

fn sorted(mut ids: Vec<u64>) -> Vec<u64> {
    ids.sort_unstable();
    ids
}

fn with(pairs: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    format!("{DISC}?{}", query.finish())
}

fn point(lon: f64, lat: f64) -> String {
    json!({ "geographicArea": { "shape": "POINT", "point": { "lon": lon, "lat": lat } } }).to_string()
}

fn circle(lon: f64, lat: f64, radius_m: f64) -> String {
    let area = json!({
        "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": lon, "lat": lat }, "uncertainty": radius_m
    });
    json!({ "geographicArea": area }).to_string()
}

fn pose(lon: f64, lat: f64) -> String {
    json!({
        "orientation": { "x": 0, "y": 0, "z": 1, "w": 90 },
        "position": {
            "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
            "localOrigin": { "coordinateId": "c", "point": { "lon": lon, "lat": lat }, "horizAxesOrientation": 0 },
            "point": { "x": 0, "y": 0, "z": 0 },
            "uncertaintyEllipsoid": { "semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0 },
            "confidence": 90
        }
    })
    .to_string()
}

#[tokio::test]
async fn each_caller_finds_what_it_may_and_no_trace_of_the_rest() {
    let bench = Bench::new().await;
    let open = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let listed = bench.map(VS1, json!({ "allwEnt": allow(&["vs-2"], &["alice"]) })).await;
    let private = bench.map(VS1, Value::Null).await;
    let service = bench.map(VS1, json!({ "allwEnt": { "valServiceList": ["val-service-1"] } })).await;
    let servers =
        bench.map(VS1, json!({ "allwEnt": { "allowedEntities": [{ "type": "VAL_SERVER" }] } })).await;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        (VS1, vec![open, listed, private, service, servers]),
        (VS2, vec![open, listed, service, servers]),
        (VS3, vec![open, service, servers]),
        (ALICE, vec![open, listed, service]),
        (EVE, vec![open, service]),
    ];
    for (who, expected) in rows {
        assert_eq!(ids(&bench.send(ask(who, "GET", DISC)).await), sorted(expected), "{who:?}");
    }
}

type Row<'r> = (&'r str, Vec<(&'r str, String)>, Vec<u64>);

#[tokio::test]
async fn filters_narrow() {
    let bench = Bench::new().await;
    let universal = |more: Value| {
        let mut inf = json!({ "visibility": "UNIVERSAL" });
        inf.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        inf
    };
    let one = bench.map(VS1, universal(json!({ "lyrInf": [{ "mapAsc": "x" }, { "mapAsc": "y" }] }))).await;
    let mut elsewhere = request(universal(json!({})));
    elsewhere["areaInt"] = square(12.0, 41.0);
    elsewhere["svcId"] = json!("tour");
    let two = located(&bench.send(ask(VS1, "POST", MAPS).json(&elsewhere)).await);
    let mut nowhere = request(universal(json!({})));
    nowhere["areaInt"] = json!({ "topServAr": { "ncgis": [{ "nrCellId": "1" }] } });
    let three = located(&bench.send(ask(VS1, "POST", MAPS).json(&nowhere)).await);

    let layer = |name: &str| json!({ "mapLyrList": { "lyrList": [{ "mapLyrId": name }] } }).to_string();
    let (at_one, at_two) = (point(2.3505, 48.8505), point(12.0005, 41.0005));
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 14] = [
        ("nothing",             vec![], vec![one, two, three]),
        ("service",             vec![("app-svc-id", "tour".into())], vec![two]),
        ("service, quoted",     vec![("app-svc-id", "\"tour\"".into())], vec![two]),
        ("layer",               vec![("map-disc-fltr", layer("layer-2"))], vec![one]),
        ("no such layer",       vec![("map-disc-fltr", layer("roof"))], vec![]),
        ("point inside",        vec![("loc-info", at_one.clone())], vec![one]),
        ("point beside",        vec![("loc-info", point(2.3495, 48.8505))], vec![]),
        ("circle around",       vec![("loc-info", circle(2.35, 48.85, 500.0))], vec![one]),
        ("pose",                vec![("pose", pose(12.0005, 41.0005))], vec![two]),
        ("pose and place",      vec![("pose", pose(12.0005, 41.0005)), ("loc-info", at_two.clone())], vec![two]),
        ("pose elsewhere",      vec![("pose", pose(12.0005, 41.0005)), ("loc-info", at_one.clone())], vec![]),
        ("pose in a circle",    vec![("pose", pose(12.0005, 41.0005)), ("loc-info", circle(12.0, 41.0, 500.0))], vec![two]),
        ("pose, far circle",    vec![("pose", pose(12.0005, 41.0005)), ("loc-info", circle(2.35, 48.85, 500.0))], vec![]),
        ("place and service",   vec![("loc-info", at_two), ("app-svc-id", "val-service-1".into())], vec![]),
    ];
    for (what, pairs, expected) in rows {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(ids(&bench.send(ask(VS2, "GET", with(&pairs))).await), sorted(expected), "{what}");
    }
}

#[tokio::test]
async fn a_place_has_one_name_at_the_antimeridian_and_at_a_pole() {
    let bench = Bench::new().await;
    let polygon = |points: [(f64, f64); 4]| {
        let points = points.map(|(lon, lat)| json!({ "lon": lon, "lat": lat }));
        json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": points }] } })
    };
    let mut ids_of = Vec::new();
    for covered in [
        polygon([(179.0, -20.0), (180.0, -20.0), (180.0, -19.0), (179.0, -19.0)]),
        polygon([(-180.0, -20.0), (-179.0, -20.0), (-179.0, -19.0), (-180.0, -19.0)]),
        polygon([(100.0, -89.0), (110.0, -89.0), (110.0, -90.0), (100.0, -90.0)]),
    ] {
        let mut wanted = request(json!({ "visibility": "UNIVERSAL" }));
        wanted["areaInt"] = covered;
        ids_of.push(located(&bench.send(ask(VS1, "POST", MAPS).json(&wanted)).await));
    }
    let edge = vec![ids_of[0], ids_of[1]];
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ((180.0, -19.5), edge.clone()), ((-180.0, -19.5), edge), ((179.5, -19.5), vec![ids_of[0]]),
        ((105.0, -90.0), vec![ids_of[2]]), ((-60.0, -90.0), vec![ids_of[2]]), ((-60.0, -89.5), vec![]),
    ];
    for ((lon, lat), expected) in rows {
        let found = ids(&bench.send(ask(VS2, "GET", with(&[("loc-info", &point(lon, lat))]))).await);
        assert_eq!(found, sorted(expected), "{lon} {lat}");
    }
}

#[tokio::test]
async fn a_question_is_bounded() {
    let bench = Bench::new().await;
    assert_eq!(
        bench.send(ask(VS1, "GET", with(&[("limit", "1000"), ("supp-feats", "1")]))).await.status,
        200
    );
    let (large, just) = (circle(0.0, 0.0, 60_000.0), circle(0.0, 0.0, 50_000.0));
    assert_eq!(bench.send(ask(VS1, "GET", with(&[("loc-info", just.as_str())]))).await.status, 200);
    let cell = json!({ "cellId": "1" }).to_string();
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Vec<(&str, &str)>); 8] = [
        ("no item",        vec![("limit", "0")]),
        ("too many",       vec![("limit", "1001")]),
        ("forged cursor",  vec![("cursor", "AAAA")]),
        ("10,000 km2",     vec![("loc-info", large.as_str())]),
        ("a cell",         vec![("loc-info", cell.as_str())]),
        ("no location",    vec![("loc-info", "here")]),
        ("no pose",        vec![("pose", "{}")]),
        ("no filter",      vec![("map-disc-fltr", "{\"mapLyrList\":{\"lyrList\":[]}}")]),
    ];
    for (what, pairs) in rows {
        let answer = bench.send(ask(VS1, "GET", with(&pairs))).await;
        assert_eq!(
            (answer.status, answer.json()["cause"].as_str()),
            (400, Some("INVALID_QUERY_PARAM")),
            "{what}"
        );
    }
}

#[tokio::test]
async fn pages_follow_one_another_for_their_own_caller_and_question() {
    let bench = Bench::new().await;
    let mut open = Vec::new();
    for n in 0..12 {
        // Every other map is hidden: neither pages nor counts tell.
        let inf = if n % 2 == 0 { json!({ "visibility": "UNIVERSAL" }) } else { Value::Null };
        let id = bench.map(VS1, inf).await;
        open.extend((n % 2 == 0).then_some(id));
    }
    let mut found = Vec::new();
    let mut next = with(&[("limit", "2"), ("app-svc-id", "val-service-1")]);
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let answer = bench.send(ask(VS2, "GET", &next)).await;
        let page = ids(&answer);
        assert_eq!(page.len(), 2);
        found.extend(page);
        pages += 1;
        let Some(link) = answer.header("link") else { break };
        let url = link.strip_prefix('<').unwrap().split('>').next().unwrap();
        assert!(link.ends_with("rel=\"next\"") && url.starts_with(ORIGIN));
        next = url.strip_prefix(ORIGIN).unwrap().to_owned();
        let query = url::Url::parse(url).unwrap();
        cursor = query.query_pairs().find(|(name, _)| name == "cursor").unwrap().1.into_owned();
    }
    assert_eq!((found, pages), (sorted(open), 3));

    let mine = [("limit", "5"), ("app-svc-id", "val-service-1"), ("cursor", cursor.as_str())];
    assert_eq!(bench.send(ask(VS2, "GET", with(&mine))).await.status, 200, "the limit may change");
    let other_question = [("app-svc-id", "tour"), ("cursor", cursor.as_str())];
    for (what, who, pairs) in
        [("another caller", VS3, &mine[..]), ("another question", VS2, &other_question[..])]
    {
        let answer = bench.send(ask(who, "GET", with(pairs))).await;
        assert_eq!(
            (answer.status, answer.json()["cause"].as_str()),
            (400, Some("INVALID_QUERY_PARAM")),
            "{what}"
        );
    }
}
