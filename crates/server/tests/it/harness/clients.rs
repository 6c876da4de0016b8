//! Clients of a running program, made from its ready file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use api_types::admin::{Client, Policy, User};
use jose::EcKey;
use rcgen::{CertificateParams, KeyPair};
use sdk::{
    AdminClient, Answer, AuthorizationRequest, ClientAuth, Credential, DpopSession, HttpsClient, Identity,
    Request, SanClient, SdkError, SimClient, SmClient, UserSession,
};
use serde_json::{Value, json};
use server::pki::{Authority, Purpose};

use super::{Program, TestTime};

/// A redirect address that is registered for every port.
const REDIRECT: &str = "http://127.0.0.1:40125/cb";
/// What `ue-1` may ask for (contract section 2).
const UE_SCOPES: &str =
    "openid 3gpp:seal:san.read 3gpp:seal:san.discover 3gpp:seal:sm.read 3gpp:seal:sm.localize";

/// A client that is registered.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) secret: Option<String>,
    pub(crate) identity: Option<Identity>,
    pub(crate) bearer: bool,
}

/// A program and who uses it.
pub(crate) struct Site {
    pub(crate) urls: BTreeMap<String, String>,
    pub(crate) ca: String,
    operator: Identity,
    /// Users by name, as the ready file has them.
    pub(crate) users: BTreeMap<String, Value>,
    pub(crate) clients: BTreeMap<String, Known>,
    keys: Vec<Value>,
    /// Lists by VAL server.
    pub(crate) lists: BTreeMap<String, Vec<String>>,
    /// Maps by VAL server.
    pub(crate) maps: BTreeMap<String, u32>,
    /// Anchors of the sample.
    pub(crate) anchors: Vec<u64>,
    /// The clock of the clients.
    pub(crate) time: TestTime,
    data: PathBuf,
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
        let demo = &ready["demo"];
        let mut site = Self {
            urls: urls.iter().map(|(name, url)| (name.clone(), text(url))).collect(),
            ca: file(&ready["ca"]),
            operator: Identity {
                cert_pem: file(&ready["admin"]["cert"]),
                key_pem: file(&ready["admin"]["key"]),
            },
            users: BTreeMap::new(),
            clients: BTreeMap::new(),
            keys: demo["keys"].as_array().cloned().unwrap_or_default(),
            lists: BTreeMap::new(),
            maps: BTreeMap::new(),
            anchors: Vec::new(),
            time,
            data: program.data(),
        };
        for user in demo["users"].as_array().into_iter().flatten() {
            site.users.insert(text(&user["user"]), user.clone());
        }
        for client in demo["clients"].as_array().into_iter().flatten() {
            let certified = client["cert"].is_string();
            let identity = certified
                .then(|| Identity { cert_pem: file(&client["cert"]), key_pem: file(&client["key"]) });
            let secret = client["secret"].as_str().map(str::to_owned);
            let known = Known { secret, identity, bearer: client["bearer"] == true };
            site.clients.insert(text(&client["clientId"]), known);
        }
        let samples = &demo["samples"];
        if samples.is_object() {
            let ids = samples["anchorIds"].as_array().into_iter().flatten();
            site.anchors = ids.filter_map(Value::as_u64).collect();
            site.lists.insert("vs-1".into(), vec![text(&samples["anchorsListId"])]);
            let map = samples["mapId"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("a map");
            site.maps.insert("vs-1".into(), map);
        }
        site
    }

    /// After a restart: the certificate of the operator may be another one.
    pub(crate) fn update(&mut self, program: &Program) {
        let fresh = Self::with_time(program, self.time.clone());
        self.operator = fresh.operator;
        self.urls = fresh.urls;
    }

    /// The operator.
    pub(crate) fn operator(&self) -> AdminClient {
        AdminClient::new(self.link_as(Some(&self.operator)), self.at("admin")).expect("the operator")
    }

    /// Where `name` listens.
    pub(crate) fn at(&self, name: &str) -> &str {
        self.urls.get(name).unwrap_or_else(|| panic!("{name} does not run"))
    }

    /// The address of a path.
    pub(crate) fn path(&self, name: &str, path: &str) -> url::Url {
        format!("{}{path}", self.at(name)).parse().expect("a url")
    }

    /// A connection of a client.
    pub(crate) fn link(&self, client: &str) -> HttpsClient {
        self.link_as(self.clients[client].identity.as_ref())
    }

    /// A connection with any identity, or none.
    pub(crate) fn link_as(&self, identity: Option<&Identity>) -> HttpsClient {
        HttpsClient::new(&self.ca, identity).expect("a connection")
    }

    /// A VAL server's credential.
    pub(crate) async fn server_token(&self, client: &str, role: &str, scope: &str) -> Credential {
        self.try_server_token(client, role, scope).await.expect("a token")
    }

    /// Likewise, or the refusal.
    pub(crate) async fn try_server_token(
        &self,
        client: &str,
        role: &str,
        scope: &str,
    ) -> Result<Credential, SdkError> {
        let auth = ClientAuth::mutual_tls(client);
        let sim = SimClient::discover(self.link(client), self.at("sim"), auth, self.time.ambient()).await?;
        sim.client_credential(self.at(role), scope).await
    }

    /// The SIM-C of a VAL UE. `ue-1` has a DPoP key of its own, `ue-bearer` none.
    pub(crate) async fn sim_c(&self, client: &str) -> SimClient {
        let known = &self.clients[client];
        let auth = ClientAuth::secret(client, known.secret.clone().expect("a secret"));
        let sim = SimClient::discover(self.link(client), self.at("sim"), auth, self.time.ambient());
        let sim = sim.await.expect("a SIM-S");
        if known.bearer { sim } else { sim.with_dpop(DpopSession::new(self.time.ambient()).expect("a key")) }
    }

    /// What the SIM-C of a user asks for at login.
    pub(crate) fn request(&self, user: &str, scope: &str) -> AuthorizationRequest {
        let of = |role: &&&str| scope.split(' ').any(|word| word.starts_with(&format!("3gpp:seal:{role}")));
        AuthorizationRequest {
            redirect_uri: REDIRECT.into(),
            scope: scope.into(),
            resources: ["san", "sm"].iter().filter(of).map(|role| self.at(role).to_owned()).collect(),
            val_ue_id: self.users[user]["valUeId"].as_str().map(str::to_owned),
            acr_values: String::new(),
            push: true,
        }
    }

    /// The password of a user.
    pub(crate) fn password(&self, user: &str) -> &str {
        self.users[user]["password"].as_str().expect("a password")
    }

    /// A user who has logged in for everything that the client may ask for.
    pub(crate) async fn session(&self, user: &str, client: &str) -> Result<UserSession, SdkError> {
        let sim = self.sim_c(client).await;
        let scope = "3gpp:seal:san.read 3gpp:seal:san.discover";
        let request = self.request(user, UE_SCOPES);
        UserSession::login(sim, request, user, self.password(user), self.at("san"), scope).await
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
        let path = self.keys.first().and_then(|key| key["key"].as_str()).expect("a key");
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
        let file =
            |name: &str| fs::read_to_string(self.data.join("pki").join(root).join(name)).expect("a root");
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

    /// Registers users, clients and rules like a demo's in a program that has none: `alice`, `bob`, `eve`, `ue-1`,
    /// `ue-bearer`, `vs-1`, `vs-2`.
    pub(crate) async fn register(&mut self) {
        let admin = self.operator();
        for (number, name) in ["alice", "bob", "eve"].into_iter().enumerate() {
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
                "scopes": UE_SCOPES.split(' ').collect::<Vec<_>>(),
                "valServices": ["museum-guide", "campus-navigation"],
            });
            let created = admin.put_client(id, &parsed::<Client>(body)).await.expect("registered");
            let secret = created.secret.map(|secret| secret.expose().to_owned());
            let client = Known { secret, bearer, identity: None };
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
        let identity =
            Identity { cert_pem: created.cert.expect("a certificate"), key_pem: key.serialize_pem() };
        self.clients.insert(id.into(), Known { identity: Some(identity), ..Known::default() });
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

/// The body of an answer; `null` where it is no JSON.
pub(crate) fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}
