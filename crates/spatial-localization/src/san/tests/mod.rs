//! The spatial anchor server behind its whole router: guard, handlers and an SQLite store of its own.

mod discovery;
mod groups;
mod hidden;
mod kept;
mod levels;
mod lists;
mod place_and_rules;
mod providers;
mod same_as_brute_force;
mod subscriptions;
mod told;
mod usage;
mod world_storage;

use std::sync::{Arc, Mutex};

use api_types::function::Function;
use authorization::IssuerRow;
use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderMap, Method, Request};
use jose::EcKey;
use serde_json::{Value, json};
use service_http::ambient::{Ambient, TestClock};
use service_http::peer::{CertRole, PeerCertificate};
use service_http::refusal::RefusalRecord;
use service_http::testkit::{self, TestHosts, TestIssuer};
use service_http::verifier::Following;
use store::{Migrations, Store, StoreConfig};
use tower::ServiceExt as _;

use super::{SanConfig, SanServer};

pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const SAN: &str = "https://san.example:8446";
pub(super) const CCF: &str = "https://ccf.example:8445";
pub(super) const AEF: &str = "AEF1";
pub(super) const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
pub(super) const DISC: &str = "/ssan-disc/v1/spatial-anchors";

/// One SAn server, one SIM-S.
pub(super) struct World {
    pub(super) clock: Arc<TestClock>,
    pub(super) san: SanServer,
    pub(super) store: Store,
    ambient: Ambient,
    sim: TestIssuer,
    ccf: TestIssuer,
    router: Router,
    ue_key: EcKey,
    pub(super) hosts: Arc<TestHosts>,
    /// A subscription that a step of a table needs.
    pub(super) last_sub: Mutex<String>,
    _dir: tempfile::TempDir,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who<'a> {
    /// A VAL server, with the VAL services of its token.
    Server(&'a str, &'a [&'a str]),
    /// An API invoker, with the APIs of its scope, and the details of its token as JSON (none: empty).
    Invoker(&'a str, &'a str, &'a str),
    /// A VAL user in the client `ue-1`, at the VAL UE `<user>-ue`.
    User(&'a str, &'a [&'a str]),
}

pub(super) const VS1: Who<'static> = Who::Server("vs-1", &[]);
pub(super) const VS2: Who<'static> = Who::Server("vs-2", &[]);
pub(super) const VS3: Who<'static> = Who::Server("vs-3", &[]);
pub(super) const ALICE: Who<'static> = Who::User("alice", &[]);
pub(super) const EVE: Who<'static> = Who::User("eve", &[]);

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    pub(super) reason: Option<&'static str>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub(super) fn cause(&self) -> String {
        self.json()["cause"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn header(&self, name: http::HeaderName) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    pub(super) fn tag(&self) -> String {
        self.header(ETAG)
    }

    /// Path of the new list.
    pub(super) fn location(&self) -> String {
        assert_eq!(self.status, 201, "{}", self.json());
        self.header(LOCATION).strip_prefix(SAN).unwrap().to_owned()
    }

    /// Path and query of the next page.
    pub(super) fn next(&self) -> Option<String> {
        let link = self.headers.get(LINK)?.to_str().unwrap().to_owned();
        let url = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?.to_owned();
        Some(url.strip_prefix(SAN)?.to_owned())
    }

    /// Identifiers of the anchors that were discovered.
    pub(super) fn found(&self) -> Vec<u64> {
        assert_eq!(self.status, 200, "{}", self.json());
        let body = self.json();
        let results = body["results"].as_array().unwrap().clone();
        results.iter().map(|profile| profile["anchInfo"]["anchorId"].as_u64().unwrap()).collect()
    }

    /// Labels of the list.
    pub(super) fn labels(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{}", self.json());
        self.json()["anchors"].as_object().unwrap().keys().cloned().collect()
    }

    /// Status, cause and fine reason.
    pub(super) fn refusal(&self) -> (u16, String, &'static str) {
        (self.status, self.cause(), self.reason.unwrap_or("none"))
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(SanConfig::default()).await
    }

    pub(super) async fn with(config: SanConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ambient, clock) = Ambient::for_test(NOW, 7);
        let cfg = StoreConfig::Sqlite { dir: dir.path().to_owned() };
        let store = Store::open(&cfg, Function::San, Migrations::of(Function::San)).await.unwrap();
        let sim = TestIssuer::sim(&ambient);
        let row = IssuerRow::ccf(CCF, format!("{CCF}/jwks"), AEF);
        let ccf = TestIssuer::new(row, Following::Feed, &ambient);
        let kit = testkit::kit(Function::San, store.clone(), &ambient, SAN, &[&sim, &ccf]);
        let hosts =
            TestHosts::of(&[("vs-1", "val.example"), ("vs-2", "val.example"), ("vs-3", "val.example")]);
        let san = SanServer::new(kit, SanConfig { hosts: Some(hosts.clone()), ..config });
        let router = san.router().unwrap();
        let ue_key = testkit::key(&ambient);
        Self {
            clock,
            san,
            store,
            ambient,
            sim,
            ccf,
            router,
            ue_key,
            hosts,
            last_sub: Mutex::default(),
            _dir: dir,
        }
    }

    /// A request with a good token for everything.
    pub(super) fn request(&self, who: Who<'_>, method: Method, path: &str) -> Request<Body> {
        let scope = "3gpp:seal:san";
        match who {
            Who::Server(client, services) => {
                let certificate: PeerCertificate = testkit::certificate(CertRole::Client, client);
                let mut claims = self.sim.claims_of_server(SAN, client, scope);
                claims["val_service_id"] = json!(services);
                testkit::bind_certificate(&mut claims, &certificate);
                let mut request = testkit::request(method, path, testkit::peer(Some(certificate)));
                testkit::bearer(&mut request, &self.sim.token(&claims));
                request
            }
            Who::Invoker(invoker, apis, details) => {
                let certificate = testkit::certificate(CertRole::Invoker, invoker);
                let mut claims = self.ccf.claims_of_server(AEF, invoker, &format!("3gpp#{AEF}:{apis}"));
                if !details.is_empty() {
                    claims["authorization_details"] = serde_json::from_str(details).unwrap();
                }
                testkit::bind_certificate(&mut claims, &certificate);
                let mut request = testkit::request(method, path, testkit::peer(Some(certificate)));
                testkit::bearer(&mut request, &self.ccf.token(&claims));
                request
            }
            Who::User(user, services) => {
                let mut claims = self.sim.claims_of_user(SAN, user, "ue-1", scope);
                claims["val_service_id"] = json!(services);
                testkit::bind_dpop(&mut claims, &self.ue_key);
                let mut request = testkit::request(method, path, testkit::peer(None));
                testkit::dpop(&mut request, &self.sim.token(&claims), &self.ue_key, SAN, &self.ambient);
                request
            }
        }
    }

    pub(super) async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let reason = response.extensions().get::<RefusalRecord>().map(|refusal| refusal.reason.as_str());
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, bytes, reason }
    }

    pub(super) async fn send(
        &self,
        who: Who<'_>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        self.send_if(who, method, path, body, &[]).await
    }

    pub(super) async fn send_if(
        &self,
        who: Who<'_>,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(http::HeaderName, &str)],
    ) -> Answer {
        let mut request = self.request(who, method, path);
        if let Some(body) = body {
            *request.body_mut() = Body::from(body.to_string());
            request.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        self.answer(request).await
    }

    pub(super) async fn get(&self, who: Who<'_>, path: &str) -> Answer {
        self.send(who, Method::GET, path, None).await
    }

    pub(super) async fn post(&self, who: Who<'_>, body: &Value) -> Answer {
        self.send(who, Method::POST, LISTS, Some(body)).await
    }

    pub(super) async fn put(&self, who: Who<'_>, path: &str, body: &Value) -> Answer {
        self.send(who, Method::PUT, path, Some(body)).await
    }

    pub(super) async fn patch(&self, who: Who<'_>, path: &str, body: &Value) -> Answer {
        self.send(who, Method::PATCH, path, Some(body)).await
    }

    /// Adds a rule of the operator.
    pub(super) async fn rule(&self, id: &'static str, body: Value) {
        let body = body.to_string();
        let put: Result<_, store::StoreError> = self
            .store
            .write(move |tx| Box::pin(async move { store::policies::put(tx, id, &body, NOW * 1_000).await }))
            .await;
        put.unwrap();
    }
}

/// An anchor at a place, with further members.
pub(super) fn at(lon: f64, lat: f64, more: Value) -> Value {
    let mut anchor = json!({ "posInfo": { "pos": {
        "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
        "localOrigin": { "coordinateId": "hall-1", "point": { "lon": lon, "lat": lat }, "horizAxesOrientation": 0 },
        "point": { "x": 0.0, "y": 0.0, "z": 1.5 },
        "uncertaintyEllipsoid": { "semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0 },
        "confidence": 90,
    } } });
    for (name, value) in more.as_object().unwrap() {
        anchor[name] = value.clone();
    }
    anchor
}

/// A list of these anchors by a peer that knows members of ours.
pub(super) fn list(anchors: Value) -> Value {
    list_of("museum-guide", anchors)
}

pub(super) fn list_of(service: &str, anchors: Value) -> Value {
    json!({
        "valServInfo": { "serviceId": service, "endPt": { "uri": "https://val.example/guide" } },
        "anchors": anchors,
        "suppFeat": "1",
    })
}

/// A list as it is read, ready to be written again.
pub(super) fn with(mut body: Value, spoil: impl FnOnce(&mut Value)) -> Value {
    spoil(&mut body);
    body
}

/// The query of an area.
pub(super) fn area(shapes: Value) -> String {
    let text = json!({ "geoServAr": { "geoArs": shapes } }).to_string();
    let pairs = url::form_urlencoded::Serializer::new(String::new()).append_pair("area-int", &text).finish();
    format!("{DISC}?{pairs}")
}

pub(super) fn circle(lon: f64, lat: f64, radius_m: f64) -> Value {
    json!([{ "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": lon, "lat": lat }, "uncertainty": radius_m }])
}

pub(super) fn polygon(points: &[(f64, f64)]) -> Value {
    let points: Vec<Value> = points.iter().map(|(lon, lat)| json!({ "lon": lon, "lat": lat })).collect();
    json!([{ "shape": "POLYGON", "pointList": points }])
}
