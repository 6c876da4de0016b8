//! Where UEs are, from a location management server over TLS (TS 29.549 `ss-lair`).

use std::sync::{Arc, Mutex};

use api_types::ids::SpatialMapId;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use sdk::SmClient;
use serde_json::{Value, json};
use service_http::peer::{CertRole, Peer};

use super::receiver::{Notice, Notices, ReceiverCertificate};
use super::{Deployment, create, get};
use crate::harness::{TestTime, port_base};

/// What the server answers, and what it was asked.
#[derive(Clone, Default)]
struct Lm {
    says: Arc<Mutex<String>>,
    asked: Notices,
}

async fn answer(State(lm): State<Lm>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.certificate.clone());
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let body: serde_json::Map<String, Value> = query
        .map(|(name, value)| (name.into_owned(), serde_json::from_str(&value).unwrap_or_default()))
        .collect();
    let from = peer.map(|certificate| (certificate.role, certificate.name.clone()));
    let path = request.uri().path().to_owned();
    lm.asked.lock().expect("notices").push(Notice { path, body: Value::Object(body), from });
    let said = lm.says.lock().expect("what is said").clone();
    (StatusCode::OK, [("content-type", "application/json")], said).into_response()
}

fn at(ue: &str, lon: f64, lat: f64) -> Value {
    let area = json!({ "shape": "POINT_ALTITUDE", "point": { "lon": lon, "lat": lat }, "altitude": 4.5 });
    json!({ "valTgtUe": { "valUeId": ue }, "locInfo": { "geographicArea": area } })
}

async fn located(deployment: &Deployment, sm: &SmClient, map: SpatialMapId) -> Vec<(String, [i64; 3])> {
    let path = format!("/ssm-loc/v1/localization?map-id={map}");
    let (seen, refusal) = get(&deployment.site, sm, &path).await;
    assert_eq!((seen.status, refusal.as_str()), (200, ""), "{}", seen.body);
    let one = |result: &Value| {
        let metres = |axis: &str| result["position"][axis].as_f64().map_or(0, |metres| metres.round() as i64);
        let ue = result["targetId"]["valUeId"].as_str().unwrap_or_default().to_owned();
        (ue, ["x", "y", "z"].map(metres))
    };
    seen.body["results"].as_array().expect("results").iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_come_from_a_location_management_server() {
    let certificate = ReceiverCertificate::new();
    let port = port_base(&TestTime::new());
    let deployment = Deployment::new(|dir| {
        let root = certificate.root_in(dir.path());
        vec![
            ("METASEAL_PEERS_LOCATION", format!("https://localhost:{port}")),
            ("METASEAL_EGRESS_TRUSTED_ROOTS", format!("[{root:?}]")),
        ]
    })
    .await;
    let site = &deployment.site;
    let roots = deployment.program.ready["roots"]["sbi"].as_str().expect("a root").to_owned();
    let sbi = std::fs::read_to_string(roots).expect("the SBI root");
    let lm = Lm::default();
    let app = Router::new().fallback(answer).with_state(lm.clone());
    let server = certificate.serve(port, &sbi, app, lm.asked.clone()).await;
    let say = |said: String| *lm.says.lock().expect("what is said") = said;

    let owner = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = create(&owner, json!({})).await;
    // Another user, and somebody a degree away, are said as well.
    let user = json!({ "valTgtUe": { "valUserId": "u" }, "locInfo": at("x", 2.35, 48.85)["locInfo"] });
    say(json!([at("ue-alice", 2.34, 48.85), at("ue-far", 3.35, 48.85), user]).to_string());
    assert_eq!(located(&deployment, &owner, map).await, [("ue-alice".to_owned(), [0, 1112, 5])]);

    // It is asked by the certificate of the map server, for a circle around the map.
    let asked = lm.asked.lock().expect("notices")[0].clone();
    assert_eq!(asked.path, "/ss-lair/v1/location-retrievals");
    assert_eq!(asked.from, Some((CertRole::Function, "sm".to_owned())));
    let point = &asked.body["location-info"]["geographicArea"]["point"];
    let near = |value: &Value, wanted: f64| (value.as_f64().expect("a number") - wanted).abs() < 1e-6;
    assert!(near(&point["lon"], 2.35) && near(&point["lat"], 48.85), "{}", asked.body);
    let range_m = asked.body["range"].as_f64().expect("metres");
    assert!((1_330.0..3_000.0).contains(&range_m), "{range_m}");

    // What the admin interface is told counts beside it; of two positions the latest.
    let position = |lon: f64| json!({ "lon": lon, "lat": 48.841 });
    for (ue, lon) in [("ue-eve", 2.341), ("ue-alice", 2.341)] {
        let url = site.operator().url(&["positions", ue]).expect("a url");
        let put = site.operator().send(sdk::Request::put(url).json(&position(lon))).await.expect("an answer");
        assert!(put.status < 300, "{}", put.status);
    }
    let mut old = at("ue-alice", 2.34, 48.85);
    old["locInfo"]["ageOfLocationInfo"] = json!(5);
    say(json!([old]).to_string());
    let both = ["ue-alice", "ue-eve"].map(|ue| (ue.to_owned(), [73, 111, 0]));
    assert_eq!(located(&deployment, &owner, map).await, both);

    // The users in a map come from there too, for the owner.
    say(json!([at("ue-carol", 2.35, 48.85)]).to_string());
    let layers = "%7B%22augLyrs%22:%5B%22VAL_USERS%22%5D%7D";
    let augmented = format!("/ssm-smm/v1/spatial-maps?svc-id=museum-guide&map-id={map}&aug-with={layers}");
    let (seen, _) = get(site, &owner, &augmented).await;
    let users = &seen.body["augLyrInf"]["augLyrDet"];
    assert_eq!((seen.status, users), (200, &json!(["ue-alice", "ue-carol", "ue-eve"])), "{}", seen.body);
    let other = site.sm("vs-2", "3gpp:seal:sm").await;
    assert_eq!(located(&deployment, &other, map).await, []);

    // What cannot be understood, and silence, are no positions.
    let localization = format!("/ssm-loc/v1/localization?map-id={map}");
    let two_members = json!([{ "valTgtUe": { "valUserId": "u", "valUeId": "v" }, "locInfo": {} }]);
    for said in ["{", "{}", "[{}]", &two_members.to_string()] {
        say(said.to_owned());
        let (seen, refusal) = get(site, &owner, &localization).await;
        assert_eq!((seen.status, refusal.as_str()), (503, "DEPENDENCY_DOWN"), "{said}");
    }
    server.end().await;
    for path in [localization, augmented] {
        let (seen, refusal) = get(site, &owner, &path).await;
        assert_eq!((seen.status, refusal.as_str()), (503, "DEPENDENCY_DOWN"), "{path}");
    }
    let (plain, _) = get(site, &owner, &format!("/ssm-smm/v1/spatial-maps/{map}")).await;
    assert_eq!(plain.status, 200, "the map itself needs no positions");
}
