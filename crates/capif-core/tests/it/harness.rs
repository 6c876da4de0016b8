//! A core function, and the parties that registered and onboarded at it with keys and certificates of their own.

use std::sync::Arc;
use std::time::Duration;

use api_types::Function;
use axum::Router;
use axum::body::{Body, to_bytes};
use capif_core::ccf::{CcfConfig, CcfServer, CertificateError, CertificateIssuer, IssuedCertificate, Named};
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, Request};
use jose::Rs256Key;
use rcgen::{CertificateParams, CertificateSigningRequestParams, Issuer, KeyPair, SanType};
use serde_json::{Value, json};
use service_http::ambient::{Ambient, TestClock};
use service_http::egress::Egress;
use service_http::feed::RevocationLog;
use service_http::kit::{FunctionKit, KitConfig, Settings};
use service_http::limits::{RateLimits, RateSettings};
use service_http::oauth::keys::SealedKeys;
use service_http::peer::{PeerCertificate, identity_uri, key_and_end, x5t_s256};
use service_http::testkit;
use store::{Migrations, Sql, Store, StoreConfig, StoreError};
use tower::ServiceExt as _;

pub(crate) const ISSUER: &str = "https://ccf.example";
/// Origin of the listener for OpenCAPIF clients.
pub(crate) const OPENCAPIF: &str = "https://opencapif.example";
pub(crate) const NOW: i64 = 1_800_000_000;

/// Life of the certificates, in seconds.
const LIFE_S: i64 = 90 * 24 * 3_600;

pub(crate) struct Ccf {
    pub(crate) server: CcfServer,
    pub(crate) kit: FunctionKit,
    pub(crate) clock: Arc<TestClock>,
    router: Router,
    _dir: Arc<tempfile::TempDir>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    /// The body of an answer with this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    pub(crate) fn cause(&self) -> String {
        self.json()["cause"].as_str().unwrap_or_default().to_owned()
    }

    /// The members at fault.
    pub(crate) fn faults(&self) -> Vec<String> {
        let faults = self.json()["invalidParams"].as_array().cloned().unwrap_or_default();
        faults.iter().map(|fault| text(&fault["param"])).collect()
    }

    /// The last segment of `Location`: the identifier of what was made.
    pub(crate) fn id(&self) -> String {
        let location = self.headers[LOCATION].to_str().unwrap();
        location.rsplit('/').next().unwrap().to_owned()
    }
}

/// Whoever holds a certificate.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) id: String,
    pub(crate) certificate: PeerCertificate,
}

/// The domain of an API provider.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) registration: String,
    pub(crate) amf: Holder,
    pub(crate) apf: Holder,
    pub(crate) aefs: Vec<Holder>,
}

/// A root that certifies the keys of signing requests.
struct Root(Issuer<'static, KeyPair>, String);

impl Root {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        let pem = params.self_signed(&key).unwrap().pem();
        Self(Issuer::new(params, key), pem)
    }
}

impl CertificateIssuer for Root {
    fn issue(&self, csr_pem: &str, named: Named<'_>) -> Result<IssuedCertificate, CertificateError> {
        let refused = |_| CertificateError::RequestRefused;
        let request = CertificateSigningRequestParams::from_pem(csr_pem).map_err(refused)?;
        let mut params = CertificateParams::default();
        let uri = identity_uri(named.role, named.id).try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
        let ends = named.until_s.unwrap_or(NOW + LIFE_S);
        params.not_after = time::OffsetDateTime::from_unix_timestamp(ends).unwrap();
        let leaf = params.signed_by(&request.public_key, &self.0).unwrap();
        let (key_sha256, not_after_s) = key_and_end(leaf.der()).unwrap();
        Ok(IssuedCertificate {
            cert_pem: leaf.pem(),
            chain_pem: self.1.clone(),
            x5t_s256: x5t_s256(leaf.der()),
            key_sha256,
            not_after_s,
        })
    }

    fn root_pem(&self) -> String {
        self.1.clone()
    }
}

pub(crate) async fn ccf() -> Ccf {
    ccf_with(|_| {}).await
}

pub(crate) async fn ccf_with(change: impl FnOnce(&mut CcfConfig)) -> Ccf {
    ccf_limited(RateSettings::demo(), change).await
}

/// A core function with other limits of admission.
pub(crate) async fn ccf_limited(limits: RateSettings, change: impl FnOnce(&mut CcfConfig)) -> Ccf {
    let ccf = ccf_unstarted(limits, change).await;
    ccf.server.start().await.unwrap();
    ccf
}

/// A core function whose notifications go somewhere.
pub(crate) async fn ccf_reaching(egress: Egress) -> Ccf {
    let ccf = made(RateSettings::demo(), egress, |_| {}).await;
    ccf.server.start().await.unwrap();
    ccf
}

/// A core function whose notifications go somewhere, and what it tells API exposing functions too.
pub(crate) async fn ccf_telling(egress: Egress) -> Ccf {
    let to_aefs = Some(egress.clone());
    let ccf = made(RateSettings::demo(), egress, |config| config.aef_egress = to_aefs).await;
    ccf.server.start().await.unwrap();
    ccf
}

/// A core function that has no key and whose tasks do not run: what is left for them stays.
pub(crate) async fn ccf_unstarted(limits: RateSettings, change: impl FnOnce(&mut CcfConfig)) -> Ccf {
    made(limits, Egress::closed(), change).await
}

async fn made(limits: RateSettings, egress: Egress, change: impl FnOnce(&mut CcfConfig)) -> Ccf {
    let dir = tempfile::tempdir().unwrap();
    let (ambient, clock) = Ambient::for_test(NOW, 7);
    let (server, kit) = node(dir.path(), &ambient, limits, egress, change).await;
    // One lease after a start, nobody is waited for who is not known.
    clock.advance(Duration::from_secs(1));
    clock.set_s(NOW);
    Ccf { router: server.router().unwrap(), server, kit, clock, _dir: Arc::new(dir) }
}

/// A node over a store; several share one.
async fn node(
    dir: &std::path::Path,
    ambient: &Ambient,
    limits: RateSettings,
    egress: Egress,
    change: impl FnOnce(&mut CcfConfig),
) -> (CcfServer, FunctionKit) {
    let config = StoreConfig::Sqlite { dir: dir.to_owned() };
    let store = Store::open(&config, Function::Ccf, Migrations::of(Function::Ccf)).await.unwrap();
    let kit = FunctionKit::new(KitConfig {
        function: Function::Ccf,
        store: store.clone(),
        ambient: ambient.clone(),
        origin: ISSUER.to_owned(),
        verifier: None,
        egress,
        limits: Arc::new(RateLimits::new(&limits, ambient)),
        pseudonym_key: [7; 32],
        settings: Settings::default(),
    });
    let log = RevocationLog::open(store.clone(), ambient.clone(), ISSUER, None, Vec::new()).await.unwrap();
    let keys = SealedKeys::new(store, &[9; 32], ambient.clone()).unwrap();
    let mut config = CcfConfig::new(log, Arc::new(keys));
    change(&mut config);
    (CcfServer::new(kit.clone(), config, Arc::new(Root::new())), kit)
}

impl Ccf {
    /// The core function after a restart with another configuration: the same store, another process.
    pub(crate) async fn again(&self, change: impl FnOnce(&mut CcfConfig)) -> Self {
        let (ambient, clock) = Ambient::for_test(NOW, 9);
        let (server, kit) =
            node(self._dir.path(), &ambient, RateSettings::demo(), Egress::closed(), change).await;
        server.start().await.unwrap();
        clock.advance(Duration::from_secs(1));
        clock.set_s(NOW);
        Self { router: server.router().unwrap(), server, kit, clock, _dir: self._dir.clone() }
    }

    /// The same core function behind the listener for OpenCAPIF clients.
    pub(crate) async fn opencapif(&self) -> Self {
        let key = Rs256Key::from_pem(&Rs256Key::generate_pem().unwrap()).unwrap();
        let server = self.server.for_opencapif(OPENCAPIF, key);
        let (router, kit) = (server.opencapif_router().unwrap(), server.kit().clone());
        Self { router, server, kit, clock: self.clock.clone(), _dir: self._dir.clone() }
    }

    /// The kind of enrolment that opens this listener.
    fn kind(&self, native: &'static str) -> &'static str {
        if self.kit.settings.compat { "opencapif" } else { native }
    }

    /// A second node over the same store.
    pub(crate) async fn beside(&self) -> Router {
        let (ambient, clock) = Ambient::for_test(NOW, 8);
        let (server, _) =
            node(self._dir.path(), &ambient, RateSettings::demo(), Egress::closed(), |_| {}).await;
        server.start().await.unwrap();
        clock.advance(Duration::from_secs(1));
        clock.set_s(NOW);
        server.router().unwrap()
    }

    /// Registers a domain with one AMF, one APF and `aefs` API exposing functions; it may publish `apis`, or all.
    pub(crate) async fn provider(&self, aefs: usize, apis: &[&str]) -> Provider {
        self.provider_named(aefs, apis, None).await
    }

    pub(crate) async fn provider_named(&self, aefs: usize, apis: &[&str], name: Option<&str>) -> Provider {
        let roles = ["AMF", "APF"].into_iter().chain(std::iter::repeat_n("AEF", aefs));
        let functions: Vec<_> = roles
            .map(|role| json!({ "regInfo": { "apiProvPubKey": csr() }, "apiProvFuncRole": role }))
            .collect();
        let secret = self.enrol(self.kind("api_provider"), apis).await;
        let mut body = json!({ "regSec": secret, "apiProvFuncs": functions });
        if let Some(name) = name {
            body["apiProvName"] = name.into();
        }
        let answer = self.post("/api-provider-management/v1/registrations", None, &body).await;
        let registered = answer.expect(201);
        let mut holders = registered["apiProvFuncs"].as_array().unwrap().iter().map(|function| {
            holder(&text(&function["apiProvFuncId"]), &text(&function["regInfo"]["apiProvCert"]))
        });
        Provider {
            registration: answer.id(),
            amf: holders.next().unwrap(),
            apf: holders.next().unwrap(),
            aefs: holders.collect(),
        }
    }

    /// Onboards an API invoker that may use `apis`, or all.
    pub(crate) async fn invoker(&self, apis: &[&str]) -> Holder {
        self.invoker_with(apis, json!({})).await
    }

    /// As [`Ccf::invoker`], with more members.
    pub(crate) async fn invoker_with(&self, apis: &[&str], more: Value) -> Holder {
        let secret = self.enrol(self.kind("api_invoker"), apis).await;
        let mut body = json!({
            "onboardingInformation": { "apiInvokerPublicKey": csr() },
            "notificationDestination": "https://invoker.example/notifications",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = json_request(Method::POST, "/api-invoker-management/v1/onboardedInvokers", &body);
        let answer = self.send(with_bearer(request, &secret), None).await;
        let onboarded = answer.expect(201);
        holder(&answer.id(), &text(&onboarded["onboardingInformation"]["apiInvokerCertificate"]))
    }

    /// A one-time secret.
    pub(crate) async fn enrol(&self, kind: &str, apis: &[&str]) -> String {
        let body = json!({ "kind": kind, "name": "of a test", "apis": apis });
        let created = self.server.enrol(&serde_json::from_value(body).unwrap()).await.unwrap();
        created.secret.expose().to_owned()
    }

    /// A job of the test's own on the store.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl for<'a> FnOnce(&'a mut dyn Sql) -> futures::future::BoxFuture<'a, Result<T, StoreError>>
        + Send
        + 'static,
    ) -> T {
        self.kit.store.write(job).await.unwrap()
    }

    pub(crate) async fn get(&self, target: &str, by: Option<&Holder>) -> Answer {
        let request = Request::builder().method(Method::GET).uri(target).body(Body::empty()).unwrap();
        self.send(request, by).await
    }

    pub(crate) async fn post(&self, target: &str, by: Option<&Holder>, body: &Value) -> Answer {
        self.send(json_request(Method::POST, target, body), by).await
    }

    pub(crate) async fn put(&self, target: &str, by: Option<&Holder>, body: &Value) -> Answer {
        self.send(json_request(Method::PUT, target, body), by).await
    }

    pub(crate) async fn patch(&self, target: &str, by: Option<&Holder>, body: &Value) -> Answer {
        let mut request = json_request(Method::PATCH, target, body);
        request.headers_mut().insert(CONTENT_TYPE, "application/merge-patch+json".parse().unwrap());
        self.send(request, by).await
    }

    pub(crate) async fn delete(&self, target: &str, by: Option<&Holder>) -> Answer {
        let request = Request::builder().method(Method::DELETE).uri(target).body(Body::empty()).unwrap();
        self.send(request, by).await
    }

    pub(crate) async fn send(&self, request: Request<Body>, by: Option<&Holder>) -> Answer {
        send(&self.router, request, by).await
    }

    /// The reason of the last refusal in the audit.
    pub(crate) async fn last_reason(&self) -> String {
        self.kit.flush().await;
        let filter = store::audit::AuditFilter::default();
        let page = self
            .kit
            .store
            .read(move |tx| Box::pin(async move { store::audit::page(tx, &filter, 1_000).await }));
        let mut reasons = page.await.unwrap().into_iter().rev().filter_map(|record| record.row.reason);
        reasons.next().unwrap_or_default()
    }
}

/// Sends to a node.
pub(crate) async fn send(router: &Router, mut request: Request<Body>, by: Option<&Holder>) -> Answer {
    request.extensions_mut().insert(testkit::peer(by.map(|holder| holder.certificate.clone())));
    request.headers_mut().insert(http::header::HOST, "localhost".parse().unwrap());
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 64 << 20).await.unwrap();
    let body = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

pub(crate) fn json_request(method: Method, target: &str, body: &Value) -> Request<Body> {
    let request = Request::builder().method(method).uri(target).header(CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn with_bearer(mut request: Request<Body>, secret: &str) -> Request<Body> {
    request.headers_mut().insert(AUTHORIZATION, format!("Bearer {secret}").parse().unwrap());
    request
}

/// A signing request for a new key.
pub(crate) fn csr() -> String {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap()
}

/// The holder of a certificate as the edge would show it after a handshake.
pub(crate) fn holder(id: &str, pem: &str) -> Holder {
    let chain = service_http::tls::certificates_from_pem(pem).unwrap();
    let certificate = PeerCertificate::of(&chain[0]).unwrap();
    assert_eq!(certificate.name, id);
    Holder { id: id.to_owned(), certificate }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A query parameter that holds JSON.
pub(crate) fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
