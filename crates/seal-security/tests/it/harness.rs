//! A SIM-S with users, clients and rules, and what its clients do.

use std::sync::Arc;
use std::time::Duration;

use api_types::Function;
use api_types::admin::{Client, User};
use api_types::ids::{ClientId, UserId};
use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use jose::dpop::ProofFor;
use jose::{EcKey, Signer};
use seal_security::sim_s::{
    CertificateError, CertificateIssuer, IssuedCert, SealedKeys, SimConfig, SimServer,
};
use serde_json::{Value, json};
use service_http::ambient::{Ambient, TestClock};
use service_http::feed::RevocationLog;
use service_http::kit::FunctionKit;
use service_http::peer::{CertRole, PeerCertificate};
use service_http::testkit;
use store::{Migrations, Store, StoreConfig};
use tower::ServiceExt as _;

pub(crate) const ISSUER: &str = "https://sim.example";
pub(crate) const MTLS: &str = "https://sim-mtls.example";
pub(crate) const SAN: &str = "https://san.example";
pub(crate) const SM: &str = "https://sm.example";
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const REDIRECT: &str = "http://127.0.0.1:49152/cb";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Sim {
    pub(crate) server: SimServer,
    pub(crate) kit: FunctionKit,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<TestClock>,
    /// The DPoP key of a client.
    pub(crate) key: EcKey,
    /// The key of `ue-jwt`.
    pub(crate) assertion_key: EcKey,
    public: Router,
    mtls: Router,
    secrets: std::collections::HashMap<String, String>,
    _dir: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

struct Certificates;

impl CertificateIssuer for Certificates {
    fn issue_client(&self, csr_pem: &str, client: &ClientId) -> Result<IssuedCert, CertificateError> {
        if csr_pem != "csr" {
            return Err(CertificateError::RequestRefused);
        }
        let cert_pem = format!("certificate of {client}");
        let x5t_s256 = testkit::certificate(CertRole::Client, client.as_str()).x5t_s256;
        Ok(IssuedCert { cert_pem, chain_pem: "chain".into(), x5t_s256 })
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    /// `error` of the body, or of the redirect.
    pub(crate) fn error(&self) -> String {
        match self.query("error") {
            Some(error) => error,
            None => self.json()["error"].as_str().unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION).map(|value| value.to_str().unwrap())
    }

    /// A parameter of the redirect.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.location()?).unwrap();
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The identifier in the login form.
    pub(crate) fn interaction(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"interaction\" value=\"").expect("a login form");
        rest.split('"').next().unwrap().to_owned()
    }

    /// The cookie that is set.
    pub(crate) fn cookie(&self) -> Option<String> {
        let value = self.headers.get(SET_COOKIE)?.to_str().unwrap();
        Some(value.split(';').next().unwrap().to_owned())
    }
}

/// Parameters, to be spoiled.
#[derive(Clone)]
pub(crate) struct Params(pub(crate) Vec<(String, String)>);

impl Params {
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn text(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// A good authentication request of `ue-1` for spatial anchors.
pub(crate) fn asks() -> Params {
    Params::of(&[
        ("response_type", "code"),
        ("client_id", "ue-1"),
        ("scope", "openid 3gpp:seal:san.read 3gpp:seal:san.discover"),
        ("redirect_uri", REDIRECT),
        ("state", "state-1"),
        ("nonce", "nonce-1"),
        ("acr_values", "3gpp:acr:password"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", SAN),
        ("val_ue_id", "ue-alice"),
    ])
}

pub(crate) fn redeems(code: &str) -> Params {
    Params::of(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ])
}

pub(crate) async fn sim() -> Sim {
    sim_with(|_| {}).await
}

pub(crate) async fn sim_with(change: impl FnOnce(&mut SimConfig)) -> Sim {
    sim_at(ISSUER, change).await
}

/// A SIM-S under another issuer.
pub(crate) async fn sim_at(issuer: &str, change: impl FnOnce(&mut SimConfig)) -> Sim {
    let dir = tempfile::tempdir().unwrap();
    let (ambient, clock) = Ambient::for_test(NOW, 7);
    let config = StoreConfig::Sqlite { dir: dir.path().to_owned() };
    let store = Store::open(&config, Function::Sim, Migrations::of(Function::Sim)).await.unwrap();
    let kit = testkit::kit(Function::Sim, store.clone(), &ambient, issuer, &[]);
    let log = RevocationLog::open(store.clone(), ambient.clone(), issuer, None, Vec::new()).await.unwrap();
    // One lease after a start, nobody is waited for who is not known.
    clock.advance(Duration::from_secs(1));
    clock.set_s(NOW);
    let keys = SealedKeys::new(store, &[9; 32], ambient.clone()).unwrap();
    let mut config = SimConfig::new(log, Arc::new(keys));
    config.mtls_origin = Some(MTLS.to_owned());
    config.servers = vec![(Function::San, SAN.to_owned()), (Function::Sm, SM.to_owned())];
    config.logins.per_minute = 10_000;
    change(&mut config);
    let server = SimServer::new(kit.clone(), config, Arc::new(Certificates));
    server.start().await.unwrap();
    let (key, assertion_key) = (testkit::key(&ambient), testkit::key(&ambient));
    let mut sim = Sim {
        public: server.router().unwrap(),
        mtls: server.mtls_router().unwrap(),
        server,
        kit,
        ambient,
        clock,
        key,
        assertion_key,
        secrets: Default::default(),
        _dir: dir,
    };
    sim.provision().await;
    sim
}

impl Sim {
    async fn provision(&mut self) {
        for (user, ue) in [("alice", "ue-alice"), ("bob", "ue-bob"), ("eve", "ue-eve")] {
            self.put_user(user, ue).await;
        }
        let seal = json!([
            "3gpp:seal:san.read",
            "3gpp:seal:san.discover",
            "3gpp:seal:sm.read",
            "3gpp:seal:sm.localize"
        ]);
        let ue = json!({ "kind": "sim_c", "auth": "client_secret_basic", "redirectUris": ["http://127.0.0.1/cb"],
            "scopes": seal, "valServices": ["vs-a", "vs-b"] });
        let jwks = json!({ "keys": [self.assertion_key.public_jwk().to_value()] });
        let server = json!({ "kind": "val_server", "auth": "tls_client_auth", "valServices": ["vs-a"],
            "scopes": ["3gpp:seal:san", "3gpp:seal:sm"] });
        let with = |base: &Value, members: Value| {
            let mut body = base.clone();
            body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            body
        };
        for (client, body) in [
            ("ue-1", ue.clone()),
            ("ue-2", with(&ue, json!({ "auth": "client_secret_post" }))),
            ("ue-bearer", with(&ue, json!({ "bearer": true }))),
            ("ue-pairwise", with(&ue, json!({ "subjectType": "pairwise" }))),
            ("ue-jwt", with(&ue, json!({ "auth": "private_key_jwt", "jwks": jwks }))),
            ("vs-1", server.clone()),
            ("vs-2", with(&server, json!({ "scopes": ["3gpp:seal:san.read"] }))),
            ("vs-secret", with(&server, json!({ "auth": "client_secret_basic" }))),
        ] {
            self.put_client(client, body).await;
        }
        self.put_policy(
            "p-alice",
            json!({ "class": "local", "effect": "PERMIT", "subjects": ["val-alice"] }),
        )
        .await;
        self.put_policy(
            "p-bob",
            json!({ "class": "local", "effect": "PERMIT", "subjects": ["val-bob"], "services": ["spatial-map-mgmt"] }),
        )
        .await;
    }

    pub(crate) async fn put_user(&self, user: &str, ue: &str) {
        let body: User = serde_json::from_value(json!({
            "password": PASSWORD, "valUserId": format!("val-{user}"), "valUeIds": [ue], "gpsi": format!("msisdn-{user}"),
            "valServices": ["vs-a"],
        }))
        .unwrap();
        self.server.put_user(&UserId::try_from(user).unwrap(), body).await.unwrap();
    }

    pub(crate) async fn put_client(&mut self, client: &str, body: Value) {
        let body: Client = serde_json::from_value(body).unwrap();
        let written = self.server.put_client(&ClientId::try_from(client).unwrap(), body).await.unwrap();
        if let Some(secret) = written.body.secret {
            self.secrets.insert(client.to_owned(), secret.expose().to_owned());
        }
    }

    pub(crate) async fn put_policy(&self, id: &'static str, body: Value) {
        let write = self.kit.store.write(move |tx| {
            Box::pin(async move { store::policies::put(tx, id, &body.to_string(), 0).await })
        });
        let written: Result<_, store::StoreError> = write.await;
        written.unwrap();
        self.server.policies_changed().await.unwrap();
    }

    pub(crate) async fn delete_policy(&self, id: &'static str) {
        let write =
            self.kit.store.write(move |tx| Box::pin(async move { store::policies::delete(tx, id).await }));
        let written: Result<_, store::StoreError> = write.await;
        assert!(written.unwrap());
        self.server.policies_changed().await.unwrap();
    }

    pub(crate) fn secret(&self, client: &str) -> &str {
        &self.secrets[client]
    }

    pub(crate) fn basic(&self, client: &str) -> (HeaderName, String) {
        let credentials = STANDARD.encode(format!("{client}:{}", self.secret(client)));
        (AUTHORIZATION, format!("Basic {credentials}"))
    }

    pub(crate) fn proof(&self, key: &EcKey, url: &str) -> String {
        self.proof_with(key, "POST", url, None, None)
    }

    pub(crate) fn proof_with(
        &self,
        key: &EcKey,
        htm: &str,
        url: &str,
        access_token: Option<&str>,
        nonce: Option<&str>,
    ) -> String {
        let jti = self.ambient.random_id();
        let proof = ProofFor { jti: &jti, htm, htu: url, iat: self.ambient.now_s(), access_token, nonce };
        jose::dpop::sign(key, &proof).unwrap()
    }

    async fn send(
        &self,
        router: &Router,
        mut request: Request<Body>,
        certificate: Option<PeerCertificate>,
    ) -> Answer {
        request.extensions_mut().insert(testkit::peer(certificate));
        request.headers_mut().insert(http::header::HOST, "localhost".parse().unwrap());
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, target: &str, headers: &[(HeaderName, String)]) -> Answer {
        let mut request = Request::builder().method(Method::GET).uri(target).body(Body::empty()).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        self.send(&self.public, request, None).await
    }

    pub(crate) async fn post_raw(
        &self,
        path: &str,
        headers: &[(HeaderName, String)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri(path).body(Body::from(body)).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        self.send(&self.public, request, None).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(HeaderName, String)], form: &Params) -> Answer {
        let mut all = vec![(CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())];
        all.extend_from_slice(headers);
        self.post_raw(path, &all, form.text().into_bytes()).await
    }

    /// Over mutual TLS, with the certificate of `role` and `name`.
    pub(crate) async fn post_mtls(&self, path: &str, role: CertRole, name: &str, form: &Params) -> Answer {
        let mut request =
            Request::builder().method(Method::POST).uri(path).body(Body::from(form.text())).unwrap();
        request.headers_mut().insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        self.send(&self.mtls, request, Some(testkit::certificate(role, name))).await
    }

    /// JSON over mutual TLS, with the certificate of a role and name.
    pub(crate) async fn json_mtls(
        &self,
        method: Method,
        path: &str,
        (role, name): (CertRole, &str),
        media: &str,
        body: Option<&Value>,
    ) -> Answer {
        let bytes = body.map(ToString::to_string).unwrap_or_default();
        let mut request = Request::builder().method(method).uri(path).body(Body::from(bytes)).unwrap();
        if body.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, media.parse().unwrap());
        }
        self.send(&self.mtls, request, Some(testkit::certificate(role, name))).await
    }

    /// As [`Sim::post_mtls`], a GET.
    pub(crate) async fn get_mtls(&self, path: &str, role: CertRole, name: &str) -> Answer {
        let request = Request::builder().method(Method::GET).uri(path).body(Body::empty()).unwrap();
        self.send(&self.mtls, request, Some(testkit::certificate(role, name))).await
    }

    /// The login form for a request.
    pub(crate) async fn form(&self, asks: &Params) -> Answer {
        let page = self.get(&format!("/authorize?{}", asks.text()), &[]).await;
        assert_eq!(page.status, 200, "{:?} {}", page.location(), page.body);
        page
    }

    /// The answer of the form.
    pub(crate) async fn answer_form(&self, page: &Answer, user: &str, password: &str) -> Answer {
        let form =
            Params::of(&[("interaction", &page.interaction()), ("username", user), ("password", password)]);
        let cookie: Vec<_> = page.cookie().map(|cookie| (COOKIE, cookie)).into_iter().collect();
        self.post("/authorize", &cookie, &form).await
    }

    pub(crate) async fn log_in(&self, user: &str, asks: &Params) -> Answer {
        let page = self.form(asks).await;
        self.answer_form(&page, user, PASSWORD).await
    }

    pub(crate) async fn code(&self, user: &str, asks: &Params) -> String {
        let answer = self.log_in(user, asks).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        answer.query("code").unwrap_or_else(|| panic!("{:?}", answer.location()))
    }

    /// `POST /token` of a client with its secret and a proof of `self.key`.
    pub(crate) async fn token_of(&self, client: &str, form: &Params) -> Answer {
        let proof = self.proof(&self.key, &format!("{ISSUER}/token"));
        self.post("/token", &[self.basic(client), (HeaderName::from_static("dpop"), proof)], form).await
    }

    /// `POST /token` of a client with its secret and no proof.
    pub(crate) async fn bearer_token_of(&self, client: &str, form: &Params) -> Answer {
        self.post("/token", &[self.basic(client)], form).await
    }

    /// The token response for alice at `ue-1`.
    pub(crate) async fn tokens(&self) -> Value {
        self.tokens_for("alice", "ue-1", &asks()).await
    }

    pub(crate) async fn tokens_for(&self, user: &str, client: &str, asks: &Params) -> Value {
        let code = self.code(user, &asks.clone().with("client_id", client)).await;
        let answer = self.token_of(client, &redeems(&code)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    pub(crate) fn assertion(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({ "iss": "ue-jwt", "sub": "ue-jwt", "aud": ISSUER, "jti": self.ambient.random_id(),
            "iat": self.ambient.now_s(), "exp": self.ambient.now_s() + 60 });
        change(&mut claims);
        jose::jwt::sign(&self.assertion_key, "JWT", &claims).unwrap()
    }

    /// Whether the issuer takes an access token for active, asked by its owner.
    pub(crate) async fn is_active(&self, client: &str, token: &str) -> bool {
        let answer = self.post("/introspect", &[self.basic(client)], &Params::of(&[("token", token)])).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["active"].as_bool().unwrap()
    }

    /// The reasons of the refusals in the audit, in their order.
    pub(crate) async fn reasons(&self) -> Vec<String> {
        self.kit.flush().await;
        let filter = store::audit::AuditFilter::default();
        let page = self
            .kit
            .store
            .read(move |tx| Box::pin(async move { store::audit::page(tx, &filter, 1_000).await }));
        page.await.unwrap().into_iter().filter_map(|record| record.row.reason).collect()
    }

    pub(crate) async fn last_reason(&self) -> String {
        self.reasons().await.pop().unwrap_or_default()
    }

    /// What the last check saw that failed, from the newest trace.
    pub(crate) async fn last_seen(&self) -> String {
        let newest = self.kit.traces.newest(1).pop().expect("a trace");
        let steps = serde_json::to_value(newest).unwrap();
        failed_checks(&steps).pop().unwrap_or_default()
    }
}

fn failed_checks(value: &Value) -> Vec<String> {
    let inside = match value {
        Value::Array(items) => items.iter().flat_map(failed_checks).collect(),
        Value::Object(members) => members.values().flat_map(failed_checks).collect(),
        _ => Vec::new(),
    };
    let own = (value["verdict"] == "fail").then(|| value["seen"].as_str()).flatten().map(str::to_owned);
    inside.into_iter().chain(own).collect()
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The header of a token.
pub(crate) fn header(token: &Value) -> Value {
    let header = token.as_str().unwrap().split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
