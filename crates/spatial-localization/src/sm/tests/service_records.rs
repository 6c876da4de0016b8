//! Spatial service discovery of OSCP over the same maps: who may not there, may not here.

use serde_json::{Value, json};

use super::bench::{ALICE, Bench, EVE, MAPS, VS1, VS2, ask};

const RECORDS: &str = "/oscp-ssd/v1/fr/ssrs";

fn guide(visibility: Option<&str>) -> Value {
    let properties = visibility.map(|value| json!([{ "type": "3gpp.visibility", "value": value }]));
    json!({
        "type": "ssr",
        "services": [{ "id": "museum-guide", "type": "geopose", "title": "Guide", "url": "https://val.example",
                       "properties": properties }],
        "geometry": { "type": "Polygon", "coordinates": [[[2.35, 48.85], [2.36, 48.85], [2.36, 48.86], [2.35, 48.85]]] },
    })
}

/// The cell of resolution 8 around a place.
fn around(lat: f64, lon: f64) -> String {
    let cell = h3o::LatLng::new(lat, lon).unwrap().to_cell(h3o::Resolution::Eight);
    format!("{RECORDS}?h3Index={cell}")
}

#[tokio::test]
async fn a_record_is_a_map() {
    let bench = Bench::new().await;
    let made = bench.send(ask(VS1, "POST", RECORDS).json(&guide(Some("UNIVERSAL")))).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(made.header("content-type"), Some("application/vnd.oscp+json; version=1.0"));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(made.header("location").unwrap().ends_with(&format!("{RECORDS}/{id}")));
    let one = format!("{RECORDS}/{id}");
    let map = bench.send(ask(VS1, "GET", format!("{MAPS}/{id}?supp-feats=1"))).await.json();
    assert_eq!(
        (map["svcId"].as_str(), map["smProf"]["name"].as_str()),
        (Some("museum-guide"), Some("Guide"))
    );

    // Everybody finds it in the cell where it is, and in no other.
    for who in [VS1, VS2, EVE] {
        let found = bench.send(ask(who, "GET", around(48.852, 2.355))).await;
        assert_eq!(found.json()[0]["id"].as_str(), Some(id.as_str()), "{who:?} {}", found.json());
        assert_eq!(found.json()[0]["services"], guide(Some("UNIVERSAL"))["services"]);
        assert_eq!(bench.send(ask(who, "GET", around(48.90, 2.355))).await.json(), json!([]));
    }
    let own = "/oscp-ssd/v1/fr/provider/ssrs";
    assert_eq!(bench.send(ask(VS1, "GET", own)).await.json().as_array().unwrap().len(), 1);
    assert_eq!(bench.send(ask(VS2, "GET", own)).await.json(), json!([]));

    let mut changed = bench.send(ask(VS1, "GET", one.clone())).await.json();
    changed["services"][0]["title"] = json!("Tour");
    let put = bench.send(ask(VS1, "PUT", one.clone()).json(&changed)).await;
    assert_eq!(
        (put.status, put.json()["services"][0]["title"].as_str()),
        (200, Some("Tour")),
        "{}",
        put.json()
    );
    assert_eq!(bench.send(ask(VS2, "PUT", one.clone()).json(&changed)).await.status, 403);
    assert_eq!(bench.send(ask(VS2, "DELETE", one.clone())).await.status, 403);
    assert_eq!(bench.send(ask(VS1, "DELETE", one.clone())).await.status, 204);
    assert_eq!(bench.send(ask(VS1, "GET", one)).await.status, 404);
}

#[tokio::test]
async fn what_is_hidden_is_absent() {
    let bench = Bench::new().await;
    let made = bench.send(ask(VS1, "POST", RECORDS).json(&guide(None))).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    for who in [VS2, ALICE, EVE] {
        assert_eq!(bench.send(ask(who, "GET", around(48.852, 2.355))).await.json(), json!([]), "{who:?}");
        for method in ["GET", "DELETE"] {
            let hidden = bench.send(ask(who, method, format!("{RECORDS}/{id}"))).await;
            let absent = bench.send(ask(who, method, format!("{RECORDS}/1"))).await;
            assert_eq!((hidden.status, hidden.seen()), (404, absent.seen()), "{who:?} {method}");
        }
        let put = bench.send(ask(who, "PUT", format!("{RECORDS}/{id}")).json(&guide(None))).await;
        assert_eq!(put.status, 404, "{who:?}");
    }
}

#[tokio::test]
async fn bad_records_and_cells_are_refused() {
    let bench = Bench::new().await;
    type Spoil = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, u16); 5] = [
        ("an id of one's own",  |v| v["id"] = json!("17"), 409),
        ("no services",         |v| v["services"] = json!([]), 400),
        ("an open ring",        |v| drop(v["geometry"]["coordinates"][0].as_array_mut().unwrap().pop()), 400),
        ("edges that cross",    |v| v["geometry"]["coordinates"] = json!([[[2.0, 48.0], [2.1, 48.1], [2.1, 48.0], [2.0, 48.1], [2.0, 48.0]]]), 400),
        ("open to all and more", |v| v["services"][0]["properties"] = json!([{ "type": "3gpp.visibility", "value": "EVERYBODY" }]), 400),
    ];
    for (what, spoil, status) in rows {
        let mut record = guide(None);
        spoil(&mut record);
        let answer = bench.send(ask(VS1, "POST", RECORDS).json(&record)).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.json());
    }
    for (what, path, status) in [
        ("no cell", RECORDS.to_owned(), 400),
        ("a cell that is none", format!("{RECORDS}?h3Index=MARK7731"), 400),
        ("a cell of a continent", format!("{RECORDS}?h3Index=801ffffffffffff"), 400),
        ("a country of three letters", "/oscp-ssd/v1/fra/ssrs".to_owned(), 404),
        ("a country of digits", format!("/oscp-ssd/v1/12/ssrs/{}", 1), 404),
    ] {
        let answer = bench.send(ask(VS1, "GET", path)).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.json());
        assert!(!answer.json().to_string().contains("MARK7731"), "{what}");
    }
}
