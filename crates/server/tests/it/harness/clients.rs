//! Clients of a running program, made from its ready file.

use std::collections::BTreeMap;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use api_types::admin::{Client, Policy, User};
use jose::EcKey;
use rcgen::{CertificateParams, KeyPair};
use sdk::{AdminClient, Credential, HttpsClient, Identity, Request, SanClient, SmClient};
use serde_json::{Value, json};
use server::demo::Sample;
use server::pki::{Authority, Purpose};

use super::{Program, TestTime};

/// A program and who uses it.
pub(crate) struct Site {
    /// Users, clients, urls.
    pub(crate) sample: Sample,
    /// The clock of the clients.
    pub(crate) time: TestTime,
    data: PathBuf,
}

impl Deref for Site {
    type Target = Sample;

    fn deref(&self) -> &Sample {
        &self.sample
    }
}

impl DerefMut for Site {
    fn deref_mut(&mut self) -> &mut Sample {
        &mut self.sample
    }
}

impl Site {
    /// What the ready file says; of a program that is no demo, without users and clients.
    pub(crate) fn of(program: &Program) -> Self {
        Self::with_time(program, TestTime::new())
    }

    /// Likewise, with a clock that the caller moves.
    pub(crate) fn with_time(program: &Program, time: TestTime) -> Self {
        let ready = &program.ready;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let file = |value: &Value| fs::read_to_string(text(value)).expect("a file of the ready file");
        let urls = ready["urls"].as_object().expect("urls");
        let mut sample = Sample {
            urls: urls.iter().map(|(name, url)| (name.clone(), text(url))).collect(),
            ca: file(&ready["ca"]),
            operator: Identity { cert_pem: file(&ready["admin"]["cert"]), key_pem: file(&ready["admin"]["key"]) },
            users: BTreeMap::new(),
            clients: BTreeMap::new(),
            keys: Vec::new(),
            lists: BTreeMap::new(),
            anchor_ids: Vec::new(),
            maps: BTreeMap::new(),
            ambient: time.ambient(),
        };
        let demo = &ready["demo"];
        for user in demo["users"].as_array().into_iter().flatten() {
            let mut body = user.clone();
            body["valUeIds"] = json!([user["valUeId"]]);
            sample.users.insert(text(&user["user"]), body);
        }
        for client in demo["clients"].as_array().into_iter().flatten() {
            let identity = client["cert"]
                .is_string()
                .then(|| Identity { cert_pem: file(&client["cert"]), key_pem: file(&client["key"]) });
            let kind = match client["kind"].as_str() {
                Some("sim_c") => "sim_c",
                Some("xr_as") => "xr_as",
                _ => "val_server",
            };
            let mut known = server::demo::DemoClient { kind, identity, ..Default::default() };
            known.secret = client["secret"].as_str().map(str::to_owned);
            known.bearer = client["bearer"] == true;
            sample.clients.insert(text(&client["clientId"]), known);
        }
        sample.keys = demo["keys"].as_array().cloned().unwrap_or_default();
        let samples = &demo["samples"];
        if samples.is_object() {
            sample.lists.insert("vs-1".into(), vec![text(&samples["anchorsListId"])]);
            let ids = samples["anchorIds"].as_array().into_iter().flatten();
            sample.anchor_ids = ids.filter_map(|id| u32::try_from(id.as_u64()?).ok()).collect();
            let map = samples["mapId"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("a map");
            sample.maps.insert("vs-1".into(), map);
        }
        Self { sample, time, data: program.data() }
    }

    /// The operator.
    pub(crate) fn operator(&self) -> AdminClient {
        self.sample.admin().expect("the operator")
    }

    /// Where `name` listens.
    pub(crate) fn at(&self, name: &str) -> &str {
        self.sample.url(name).expect("a url")
    }

    /// The address of a path.
    pub(crate) fn path(&self, name: &str, path: &str) -> url::Url {
        format!("{}{path}", self.at(name)).parse().expect("a url")
    }

    /// A connection of a client.
    pub(crate) fn link(&self, client: &str) -> HttpsClient {
        self.sample.https(client, None).expect("a client")
    }

    /// A connection with any identity, or none.
    pub(crate) fn link_as(&self, identity: Option<&Identity>) -> HttpsClient {
        HttpsClient::new(&self.sample.ca, identity).expect("a connection")
    }

    /// A VAL server's credential.
    pub(crate) async fn server_token(&self, client: &str, role: &str, scope: &str) -> Credential {
        self.sample.val_server(client, role, scope).await.expect("a token")
    }

    /// A VAL server at the anchor server.
    pub(crate) async fn san(&self, client: &str, scope: &str) -> SanClient {
        let credential = self.server_token(client, "san", scope).await;
        SanClient::new(self.link(client), self.at("san"), credential).expect("a client")
    }

    /// A VAL server at the map server.
    pub(crate) async fn sm(&self, client: &str, scope: &str) -> SmClient {
        let credential = self.server_token(client, "sm", scope).await;
        SmClient::new(self.link(client), self.at("sm"), credential).expect("a client")
    }

    /// The signing key of the SIM-S, which a demo gives away.
    pub(crate) fn issuer_key(&self) -> EcKey {
        let path = self.sample.keys.first().and_then(|key| key["key"].as_str()).expect("a key");
        EcKey::from_pem(&fs::read_to_string(path).expect("a key file")).expect("a key")
    }

    /// A key that nobody knows.
    pub(crate) fn stranger_key(&self) -> EcKey {
        let ambient = self.time.ambient();
        EcKey::generate_with(|bytes| {
            ambient.fill(bytes);
            Ok(())
        })
        .expect("a key")
    }

    /// The identity `urn:metaseal:<role>:<name>` of one of the program's roots.
    pub(crate) fn identity(&self, root: &str, role: &str, name: &str) -> Identity {
        self.identity_at(root, role, name, self.time.now_s())
    }

    /// Likewise, made at another time.
    pub(crate) fn identity_at(&self, root: &str, role: &str, name: &str, now_s: i64) -> Identity {
        let file = |name: &str| fs::read_to_string(self.data.join("pki").join(root).join(name)).expect("a root");
        let authority = Authority::load(file("root.pem"), &file("root.key")).expect("an authority");
        issue(&authority, role, name, &self.time, now_s)
    }

    /// The same identity of a root that nobody trusts.
    pub(crate) fn forged_identity(&self, role: &str, name: &str) -> Identity {
        let ambient = self.time.ambient_at(self.time.now_s());
        let (authority, _) = Authority::create("sbi", &ambient).expect("an authority");
        issue(&authority, role, name, &self.time, self.time.now_s())
    }

    /// The reason by which the request of a trace was refused, from the record of the program.
    pub(crate) async fn reason(&self, trace: Option<String>) -> String {
        let trace = trace.expect("every answer has a trace");
        let why = self.operator().why(&trace).await.expect("an explanation");
        why.reason.unwrap_or_else(|| "permitted".into())
    }

    /// Registers users, clients and rules like a demo's in a program that has none: `alice`, `eve`, `ue-1`, `ue-bearer`,
    /// `vs-1`, `vs-2`.
    pub(crate) async fn register(&mut self) {
        let admin = self.operator();
        for (number, name) in ["alice", "eve"].into_iter().enumerate() {
            let password = self.time.ambient().unguessable();
            let mut body = json!({
                "password": password, "valUserId": format!("{name}@campus.example"), "valUeIds": [format!("ue-{name}")],
                "gpsi": format!("msisdn-88210{number:06}"), "valServices": ["museum-guide", "campus-navigation"],
            });
            let user: User = serde_json::from_value(body.clone()).expect("a user");
            admin.put_user(name, &user, Some(&password)).await.expect("registered");
            body["valUeId"] = body["valUeIds"][0].clone();
            self.users.insert(name.into(), body);
        }
        for (id, bearer) in [("ue-1", false), ("ue-bearer", true)] {
            let body = json!({
                "kind": "sim_c", "auth": "client_secret_basic", "redirectUris": ["http://127.0.0.1/cb"], "bearer": bearer,
                "scopes": server::demo::UE_SCOPES.split(' ').collect::<Vec<_>>(),
                "valServices": ["museum-guide", "campus-navigation"],
            });
            let created = admin.put_client(id, &parsed::<Client>(body)).await.expect("registered");
            let secret = created.secret.map(|secret| secret.expose().to_owned());
            let client = server::demo::DemoClient { kind: "sim_c", secret, bearer, ..Default::default() };
            self.clients.insert(id.into(), client);
        }
        for (id, service) in [("vs-1", "museum-guide"), ("vs-2", "campus-navigation")] {
            self.register_val_server(id, service).await;
        }
        for (id, body) in [
            ("everybody", json!({ "class": "local", "effect": "PERMIT" })),
            ("not-eve", json!({ "class": "local", "effect": "DENY", "subjects": ["eve@campus.example"] })),
        ] {
            admin.put_policy(id, &parsed::<Policy>(body)).await.expect("a rule");
        }
    }

    /// Registers a VAL server with a certificate.
    pub(crate) async fn register_val_server(&mut self, id: &str, service: &str) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        let csr = params.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
        let body = json!({
            "kind": "val_server", "auth": "tls_client_auth", "scopes": ["3gpp:seal:san", "3gpp:seal:sm"],
            "valServices": [service], "csr": csr,
        });
        let created = self.operator().put_client(id, &parsed::<Client>(body)).await.expect("registered");
        let identity = Identity { cert_pem: created.cert.expect("a certificate"), key_pem: key.serialize_pem() };
        let client =
            server::demo::DemoClient { kind: "val_server", identity: Some(identity), ..Default::default() };
        self.clients.insert(id.into(), client);
    }
}

fn issue(authority: &Authority, role: &str, name: &str, time: &TestTime, now_s: i64) -> Identity {
    let ambient = time.ambient_at(now_s);
    let issued = authority.issue((role, name), Purpose::Client, &[], &ambient).expect("a certificate");
    Identity { cert_pem: issued.cert_pem, key_pem: issued.key_pem }
}

/// JSON as a type of the API.
pub(crate) fn parsed<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).expect("a body of this type")
}

/// A list with one anchor of everybody's, and one of its owner's.
pub(crate) fn val_server_list(service: &str, name: &str) -> Value {
    let anchor = |visibility: &str| {
        json!({
            "posInfo": { "pos": {
                "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
                "localOrigin": { "coordinateId": "hall", "point": { "lon": 2.35, "lat": 48.85 }, "horizAxesOrientation": 0 },
                "point": { "x": 0.5, "y": 0.5, "z": 1.6 },
                "uncertaintyEllipsoid": { "semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0 },
                "confidence": 90,
            } },
            "name": name, "visibility": visibility,
        })
    };
    json!({
        "valServInfo": { "serviceId": service, "endPt": { "uri": format!("https://{service}.example/list") } },
        "anchors": { "open": anchor("UNIVERSAL"), "own": anchor("PRIVATE") },
        "suppFeat": "1",
    })
}

/// The request for a map of a service.
pub(crate) fn val_server_map(service: &str, text: &str) -> Value {
    let corner = |lon: f64, lat: f64| json!({ "lon": lon, "lat": lat });
    let area = json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": [
        corner(2.34, 48.84), corner(2.36, 48.84), corner(2.36, 48.86), corner(2.34, 48.86),
    ] }] } });
    json!({
        "svcId": service, "areaInt": area,
        "mapInf": { "lyrInf": [{ "area": area, "mapAsc": text }], "allwEnt": { "valServiceList": [service] } },
        "suppFeat": "1",
    })
}

/// A request with a bearer token of any kind.
pub(crate) fn with_bearer(request: Request, token: &str) -> Request {
    request.header("authorization", &format!("Bearer {token}"))
}
