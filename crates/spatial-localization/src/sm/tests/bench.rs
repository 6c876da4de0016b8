//! What the tests of this function are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api_types::function::Function;
use api_types::geo::ServiceArea;
use api_types::ids::SpatialAnchorId;
use async_trait::async_trait;
use authorization::Reason;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use service_http::ambient::{Ambient, TestClock};
use service_http::call::Call;
use service_http::kit::FunctionKit;
use service_http::peer::CertRole;
use service_http::refusal::{Refusal, RefusalRecord};
use service_http::testkit::{self, TestHosts, TestIssuer};
use store::audit::{AuditFilter, AuditRecord};
use store::blobs::{Blobs, Kek};
use store::charging::ChargingRow;
use store::{Migrations, Store, StoreConfig};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::sm::{AnchorSource, SmConfig, SmLimits, SmServer};

pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const ORIGIN: &str = "https://sm.example:8447";
pub(super) const MAPS: &str = "/ssm-smm/v1/spatial-maps";
pub(super) const DISC: &str = "/ssm-disc/v1/spatial-maps";

const ALL_SCOPES: &str = "3gpp:seal:sm.read 3gpp:seal:sm.write";

/// A server, its issuer and its disk.
pub(super) struct Bench {
    pub(super) issuer: TestIssuer,
    pub(super) ambient: Ambient,
    pub(super) clock: Arc<TestClock>,
    pub(super) kit: FunctionKit,
    pub(super) sm: SmServer,
    pub(super) hosts: Arc<TestHosts>,
    pub(super) dir: TempDir,
    router: Router,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    /// A VAL server with a certificate.
    Server(&'static str),
    /// A user of `ue-1`, with DPoP.
    User(&'static str),
}

pub(super) const VS1: Who = Who::Server("vs-1");
pub(super) const VS2: Who = Who::Server("vs-2");
pub(super) const VS3: Who = Who::Server("vs-3");
pub(super) const ALICE: Who = Who::User("alice");
pub(super) const EVE: Who = Who::User("eve");

/// An answer that was read whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) reason: Option<Reason>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn etag(&self) -> String {
        self.header("etag").expect("an entity tag").to_owned()
    }

    /// Everything that a caller can tell two answers apart by, but for the trace.
    pub(super) fn seen(&self) -> (u16, BTreeMap<String, String>, Bytes) {
        let headers = self.headers.iter().filter(|(name, _)| *name != "traceparent");
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        (self.status, headers.collect(), self.body.clone())
    }

    /// Status, reason and cause.
    pub(super) fn refused(&self) -> (u16, Option<Reason>, String) {
        (self.status, self.reason, self.json()["cause"].as_str().unwrap_or_default().to_owned())
    }
}

/// A request in words.
pub(super) struct Ask {
    who: Who,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Body,
    scope: &'static str,
}

pub(super) fn ask(who: Who, method: &str, path: impl Into<String>) -> Ask {
    let method = method.parse().unwrap();
    Ask { who, method, path: path.into(), headers: Vec::new(), body: Body::empty(), scope: ALL_SCOPES }
}

impl Ask {
    pub(super) fn json(self, body: &Value) -> Self {
        self.typed("application/json", body.to_string())
    }

    pub(super) fn typed(mut self, media_type: &str, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.with(CONTENT_TYPE.as_str(), media_type)
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn scope(mut self, scope: &'static str) -> Self {
        self.scope = scope;
        self
    }
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(None, SmLimits::default()).await
    }

    pub(super) async fn with(san: Option<Arc<dyn AnchorSource>>, limits: SmLimits) -> Self {
        Self::reopened(tempfile::tempdir().unwrap(), san, limits).await
    }

    /// A server on a directory that another one has left.
    pub(super) async fn reopened(dir: TempDir, san: Option<Arc<dyn AnchorSource>>, limits: SmLimits) -> Self {
        let (ambient, clock) = Ambient::for_test(NOW, 7);
        let issuer = TestIssuer::sim(&ambient);
        let cfg = StoreConfig::Sqlite { dir: dir.path().to_owned() };
        let store = Store::open(&cfg, Function::Sm, Migrations::of(Function::Sm)).await.unwrap();
        let kit = testkit::kit(Function::Sm, store, &ambient, ORIGIN, &[&issuer]);
        let blobs =
            Blobs::open(&dir.path().join("blobs"), Kek::new("k1", [9; 32]).unwrap(), Vec::new()).unwrap();
        let hosts = TestHosts::of(&[("vs-1", "val.example")]);
        let sm = SmServer::new(
            kit.clone(),
            SmConfig { san, lm: None, hosts: hosts.clone(), blobs, limits, core: None },
        );
        let router = sm.router().unwrap();
        Self { issuer, ambient, clock, kit, sm, hosts, dir, router }
    }

    /// Sends a request and reads the answer whole.
    pub(super) async fn send(&self, ask: Ask) -> Answer {
        let response = self.open(ask).await;
        let reason = response.extensions().get::<RefusalRecord>().map(|record| record.reason);
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, reason }
    }

    /// Sends a request; the body of the answer is still to come.
    pub(super) async fn open(&self, ask: Ask) -> axum::response::Response {
        self.issuer.renew();
        let (certificate, mut claims, key) = match ask.who {
            Who::Server(client) => {
                let claims = self.issuer.claims_of_server(ORIGIN, client, ask.scope);
                (Some(testkit::certificate(CertRole::Client, client)), claims, None)
            }
            Who::User(user) => {
                let claims = self.issuer.claims_of_user(ORIGIN, user, "ue-1", ask.scope);
                (None, claims, Some(testkit::key(&self.ambient)))
            }
        };
        if let Some(certificate) = &certificate {
            testkit::bind_certificate(&mut claims, certificate);
        }
        if let Some(key) = &key {
            testkit::bind_dpop(&mut claims, key);
        }
        let token = self.issuer.token(&claims);
        let mut request = testkit::request(ask.method, &ask.path, testkit::peer(certificate));
        match &key {
            None => testkit::bearer(&mut request, &token),
            Some(key) => testkit::dpop(&mut request, &token, key, ORIGIN, &self.ambient),
        }
        for (name, value) in ask.headers {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        *request.body_mut() = ask.body;
        let answer = tokio::time::timeout(Duration::from_secs(30), self.router.clone().oneshot(request));
        answer.await.expect("an answer in time").unwrap()
    }

    /// Creates a map; its number.
    pub(super) async fn map(&self, owner: Who, map_inf: Value) -> u64 {
        let answer = self.create(owner, map_inf).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.json()["smProf"]["mapId"].as_u64().unwrap()
    }

    pub(super) async fn create(&self, owner: Who, map_inf: Value) -> Answer {
        self.send(ask(owner, "POST", MAPS).json(&request(map_inf))).await
    }

    pub(super) fn at(&self, map_id: u64) -> String {
        format!("{MAPS}/{map_id}")
    }

    pub(super) fn content(&self, map_id: u64) -> String {
        format!("{MAPS}/{map_id}/content")
    }

    /// Sets a rule of operator or regulator; it denies unless it says otherwise.
    pub(super) async fn rule(&self, id: &'static str, class: &str, more: Value) {
        let mut rule = json!({ "class": class, "effect": "DENY" });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let rule = rule.to_string();
        let put: Result<_, store::StoreError> = self
            .kit
            .store
            .write(move |tx| Box::pin(async move { store::policies::put(tx, id, &rule, 0).await }))
            .await;
        put.unwrap();
    }

    /// Everything audited so far.
    pub(super) async fn audit(&self) -> Vec<AuditRecord> {
        self.kit.flush().await;
        let read = self
            .kit
            .store
            .read(|tx| Box::pin(async move { store::audit::page(tx, &AuditFilter::default(), 1_000).await }));
        read.await.unwrap()
    }

    /// Everything charged so far.
    pub(super) async fn charged(&self) -> Vec<ChargingRow> {
        let read = self
            .kit
            .store
            .read(|tx| Box::pin(async move { store::charging::page(tx, None, 0, 1_000).await }));
        read.await.unwrap().into_iter().map(|record| record.row).collect()
    }

    /// Waits until `holds`, for something that happens behind an answer.
    pub(super) async fn until<F: Future<Output = bool>>(&self, what: &str, mut holds: impl FnMut() -> F) {
        for _ in 0..500 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {what}");
    }

    /// Payload files on the disk, unfinished ones included.
    pub(super) fn files(&self) -> usize {
        fn count(dir: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        count(&self.dir.path().join("blobs"))
    }
}

/// The body of a POST: a square of about a hundred metres.
pub(super) fn request(map_inf: Value) -> Value {
    let mut body = json!({ "svcId": "val-service-1", "areaInt": square(2.35, 48.85), "suppFeat": "1" });
    if !map_inf.is_null() {
        body["mapInf"] = map_inf;
    }
    body
}

pub(super) fn square(lon: f64, lat: f64) -> Value {
    let corners = [(0.0, 0.0), (0.001, 0.0), (0.001, 0.001), (0.0, 0.001)];
    let corners: Vec<Value> =
        corners.iter().map(|(x, y)| json!({ "lon": lon + x, "lat": lat + y })).collect();
    json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": corners }] } })
}

/// Rules that list clients of VAL servers and VAL users.
pub(super) fn allow(servers: &[&str], users: &[&str]) -> Value {
    let entity = |kind: &str, id: &&str| json!({ "type": kind, "identifier": id });
    let entities: Vec<Value> = servers
        .iter()
        .map(|id| entity("VAL_SERVER", id))
        .chain(users.iter().map(|id| entity("VAL_CLIENT", id)))
        .collect();
    json!({ "allowedEntities": entities })
}

/// The number at the end of `Location`.
pub(super) fn located(answer: &Answer) -> u64 {
    let location = answer.header(LOCATION.as_str()).expect("a location");
    location.strip_prefix(&format!("{ORIGIN}{MAPS}/")).expect("of this server").parse().unwrap()
}

/// An anchor server that answers by the caller, and can be down.
#[derive(Default)]
pub(super) struct Anchors {
    visible: Mutex<BTreeMap<String, Vec<u32>>>,
    open: Mutex<BTreeMap<String, BTreeSet<String>>>,
    pub(super) down: AtomicBool,
    pub(super) asked: AtomicUsize,
}

impl Anchors {
    /// Lets somebody discover a world anchor.
    pub(super) fn open(&self, subject: &str, uuid: &str) {
        self.open.lock().unwrap().entry(subject.to_owned()).or_default().insert(uuid.to_owned());
    }

    pub(super) fn show(&self, subject: &str, ids: &[u32]) {
        self.visible.lock().unwrap().insert(subject.to_owned(), ids.to_vec());
    }
}

#[async_trait]
impl AnchorSource for Anchors {
    async fn world_anchors_for(
        &self,
        caller: &Call,
        uuids: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Refusal> {
        if self.down.load(Ordering::Relaxed) {
            return Err(Refusal::open(Reason::DependencyDown));
        }
        let open = self.open.lock().unwrap();
        let open = open.get(&caller.caller.subject).cloned().unwrap_or_default();
        Ok(uuids.intersection(&open).cloned().collect())
    }

    async fn anchors_for(&self, caller: &Call, area: &ServiceArea) -> Result<Vec<SpatialAnchorId>, Refusal> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(!area.geographic().is_empty(), "the coverage of the map");
        assert_eq!(caller.presented().expose().split('.').count(), 3, "the token of the reader");
        if self.down.load(Ordering::Relaxed) {
            return Err(Reason::DependencyDown.into());
        }
        let visible = self.visible.lock().unwrap();
        let ids = visible.get(&caller.caller.subject).cloned().unwrap_or_default();
        Ok(ids.into_iter().map(SpatialAnchorId).collect())
    }
}
