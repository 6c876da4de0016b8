//! CAPIF as others meet it: enrolment, onboarding, discovery, security context, token, and what a token opens; the servers
//! as API exposing functions, in one process and in several, after a restart and after `kill -9`.

mod apart;
mod domains;
mod enrolment;
mod limits;
mod operator;
mod owners;
mod restart;
mod third_party;
mod websocket;

use api_types::Secret;
use api_types::admin::Enrolment;
use api_types::capif::security::ServiceSecurity;
use api_types::capif::{AefId, ApiInvokerId};
use rcgen::{CertificateParams, KeyPair};
use sdk::capif::{ServiceApiQuery, TokenRequest};
use sdk::{AnchorQuery, CapifClient, Credential, Identity, SanClient, SdkError};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    Launch, Program, Site, TestTime, claims_of, parsed, port_base, text_of, val_server_list,
};

/// Every API that is published.
const APIS: [&str; 10] = [
    "sm_smds",
    "ssan-disc",
    "ssan-grpm",
    "ssan-sanm",
    "ssan-usg",
    "ssm-disc",
    "ssm-dsdisc",
    "ssm-loc",
    "ssm-smasr",
    "ssm-smm",
];

/// An API invoker of a test.
pub(crate) struct Invoker {
    id: ApiInvokerId,
    identity: Identity,
    ccf: CapifClient,
}

fn key_and_csr() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    let csr = params.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
    (key.serialize_pem(), csr)
}

async fn enrol(site: &Site, kind: &str) -> Secret {
    let body = json!({ "kind": kind, "name": "of a test", "apis": [], "expiresInS": 60 });
    site.operator().enrol(&parsed::<Enrolment>(body)).await.expect("enrolled").secret
}

fn stranger(site: &Site) -> CapifClient {
    CapifClient::new(site.link_as(None), site.at("ccf")).expect("a client")
}

async fn onboard(site: &Site, secret: &Secret) -> Result<Invoker, SdkError> {
    let (key_pem, csr) = key_and_csr();
    let made = stranger(site).onboard(secret, &csr, "of a test", "https://localhost:9443/cb").await?;
    let cert_pem = made.value.onboarding_information.api_invoker_certificate.expect("a certificate");
    let identity = Identity { cert_pem, key_pem };
    let ccf = CapifClient::new(site.link_as(Some(&identity)), site.at("ccf")).expect("a client");
    Ok(Invoker { id: made.id, identity, ccf })
}

impl Invoker {
    /// The same at a program that was started again.
    fn update(&mut self, site: &Site) {
        let link = site.link_as(Some(&self.identity));
        self.ccf = CapifClient::new(link, site.at("ccf")).expect("a client");
    }

    /// What it finds: names, functions and ports, by name.
    async fn found(&self) -> Vec<(String, AefId, Option<u16>)> {
        let found = self.ccf.discover(&self.id, &ServiceApiQuery::default()).await.expect("found");
        let mut all = Vec::new();
        for api in found.service_api_descriptions.unwrap_or_default() {
            for profile in api.aef_profiles.into_iter().flatten() {
                let port =
                    profile.interface_descriptions.and_then(|all| all.first().and_then(|one| one.port));
                all.push((api.api_name.as_str().to_owned(), profile.aef_id, port));
            }
        }
        all.sort();
        all
    }

    /// The function that exposes an API.
    async fn aef(&self, api: &str) -> AefId {
        let found = self.found().await;
        found.into_iter().find(|(name, ..)| name == api).map(|(_, aef, _)| aef).expect("published")
    }

    async fn negotiate(&self, aefs: &[&AefId]) -> Vec<Option<String>> {
        let entry = |aef: &&AefId| json!({ "aefId": aef, "prefSecurityMethods": ["OAUTH"] });
        let entries: Vec<Value> = aefs.iter().map(entry).collect();
        let context =
            json!({ "securityInfo": entries, "notificationDestination": "https://localhost:9443/cb" });
        let context =
            self.ccf.put_context(&self.id, &parsed::<ServiceSecurity>(context)).await.expect("negotiated");
        let selected = context.security_info.into_iter().map(|info| info.sel_security_method);
        selected.map(|method| method.map(|method| method.as_str().to_owned())).collect()
    }

    async fn token(&self, aef: &AefId, apis: &str) -> Result<Credential, SdkError> {
        let request = TokenRequest { scope: format!("3gpp#{aef}:{apis}"), ..TokenRequest::default() };
        self.ccf.credential(&self.id, &request).await
    }

    /// A client of the anchors, with a token for these APIs.
    async fn san(&self, site: &Site, apis: &str) -> SanClient {
        let token = self.token(&self.aef("ssan-sanm").await, apis).await.expect("a token");
        SanClient::new(site.link_as(Some(&self.identity)), site.at("san"), token).expect("a client")
    }
}

/// `serve` with these roles, in a directory of its own, at ports of its own.
fn launch(dir: &TempDir, roles: &str) -> Launch {
    let base = port_base(&TestTime::new()).to_string();
    let launch = Launch::new(dir.path(), "capif", &["serve", "--data", "data"]).arg("--roles").arg(roles);
    launch.env("METASEAL_SERVER_PORT_BASE", &base)
}

async fn onboarded(site: &Site) -> Invoker {
    let secret = enrol(site, "api_invoker").await;
    onboard(site, &secret).await.expect("onboarded")
}

async fn refused(site: &Site, done: Result<impl Sized, SdkError>) -> (Option<u16>, String) {
    let error = done.err().expect("a refusal");
    (error.status(), site.reason(error.trace().map(str::to_owned)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_enrolment_to_an_anchor() {
    let dir = TempDir::new().expect("a directory");
    let program = launch(&dir, "sim,ccf,san,sm").start();
    let mut site = Site::of(&program);
    site.register().await;
    let invoker = onboarded(&site).await;
    let found = invoker.found().await;
    assert_eq!(found.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), APIS);
    let (san, sm) = (invoker.aef("ssan-sanm").await, invoker.aef("ssm-smm").await);
    assert_ne!(san, sm);
    let port = |role: &str| url::Url::parse(site.at(role)).ok().and_then(|url| url.port());
    for (name, aef, at) in &found {
        let (role, id) = if name.starts_with("ssan") { ("san", &san) } else { ("sm", &sm) };
        assert_eq!((aef, *at), (id, port(role)), "{name}");
    }

    // No token without a negotiated method, and each for one function.
    assert_eq!(refused(&site, invoker.token(&san, "ssan-sanm").await).await.1, "METHOD_NOT_NEGOTIATED");
    assert_eq!(invoker.negotiate(&[&san, &sm]).await, [Some("OAUTH".to_owned()), Some("OAUTH".to_owned())]);
    let anchors = invoker.san(&site, "ssan-sanm,ssan-disc").await;
    let list = anchors.create_list(&parsed(val_server_list("museum-guide", "capif"))).await.expect("created");
    assert!(anchors.list(&list.id, true).await.is_ok());
    let other = onboarded(&site).await;
    other.negotiate(&[&san]).await;
    let finder = other.san(&site, "ssan-disc").await;
    // It opens when the core function knows of it.
    let mut found = 0;
    for _ in 0..400 {
        let discovered = finder.discover_all(&AnchorQuery::default()).await;
        found = discovered.expect("found").results.len();
        if found > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(found, 1, "what is everybody's");
    let narrow = other.san(&site, "ssan-disc").await;
    assert_eq!(refused(&site, narrow.list(&list.id, true).await).await, (Some(403), "SCOPE_NARROW".into()));

    // Each token goes with a certificate of its own root.
    let token = invoker.token(&san, "ssan-sanm").await.expect("a token");
    let claims = claims_of(&text_of(&token));
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!(san), &json!(site.at("ccf"))));
    let stolen = |link| SanClient::new(link, site.at("san"), token.clone()).expect("a client");
    for (what, link) in [
        ("nobody's", site.link_as(None)),
        ("another invoker's", site.link_as(Some(&other.identity))),
        ("a VAL server's", site.link("vs-1")),
    ] {
        let (status, reason) = refused(&site, stolen(link).list(&list.id, true).await).await;
        assert_eq!((status, reason.as_str()), (Some(401), "HOLDER_WRONG"), "{what}");
    }
    let of_sim = site.server_token("vs-1", "san", "3gpp:seal:san").await;
    let mixed =
        SanClient::new(site.link_as(Some(&invoker.identity)), site.at("san"), of_sim).expect("a client");
    assert_eq!(refused(&site, mixed.list(&list.id, true).await).await.0, Some(401));
    assert!(site.san("vs-1", "3gpp:seal:san").await.discover(&AnchorQuery::default()).await.is_ok());

    operated(&site, &invoker, &anchors).await;
}

/// Keys, verifiers, health and revocations of the core function at `admin`.
async fn operated(site: &Site, invoker: &Invoker, anchors: &SanClient) {
    let admin = site.operator();
    let health = admin.health().await.expect("health");
    assert_eq!(health.functions.get("ccf").map(String::as_str), Some("ok"));
    let at_ccf = |issuer: &str| issuer == site.at("ccf");
    let verifiers = admin.verifiers().await.expect("verifiers");
    assert_eq!(verifiers.iter().filter(|one| at_ccf(&one.issuer) && one.alive).count(), 2, "{verifiers:?}");
    let active = |keys: Vec<api_types::admin::KeyInfo>| {
        let mut of_ccf = keys.into_iter().filter(|key| key.role == "ccf" && key.status.as_str() == "active");
        of_ccf.next().expect("a key").kid
    };
    let before = active(admin.keys().await.expect("keys"));
    assert_eq!(admin.rotate("nef", false).await.expect_err("refused").status(), Some(404));
    admin.rotate("ccf", true).await.expect("rotated");
    assert_ne!(active(admin.keys().await.expect("keys")), before);
    let (status, reason) = refused(site, anchors.discover(&AnchorQuery::default()).await).await;
    assert!(status == Some(401) && ["REVOKED_KEY", "KEY_UNKNOWN"].contains(&reason.as_str()), "{reason}");

    let works = async |san: &SanClient| san.discover(&AnchorQuery::default()).await;
    let revoke = async |kind: &str, value: &str| {
        let body = json!({ "kind": kind, "value": value, "issuer": site.at("ccf") });
        let revoked = site.operator().revoke(&parsed(body)).await.expect("revoked");
        assert_eq!((revoked.confirmed.len(), revoked.lapsed.len()), (2, 0), "{kind}: {revoked:?}");
    };
    let token = invoker.token(&invoker.aef("ssan-sanm").await, "ssan-disc").await.expect("a token");
    let claims = claims_of(&text_of(&token));
    let claim = |value: &Value| value.as_str().expect("a text").to_owned();
    let kid = active(admin.keys().await.expect("keys"));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("token",       claim(&claims["jti"]),             &["REVOKED_TOKEN"][..]),
        ("client",      invoker.id.as_str().to_owned(),    &["REVOKED_CLIENT"]),
        ("key",         kid,                               &["REVOKED_KEY", "KEY_UNKNOWN"]),
        ("certificate", claim(&claims["cnf"]["x5t#S256"]), &["REVOKED_KEY"]),
    ];
    let mut link = Some(token);
    for (kind, value, reasons) in rows {
        let san = match link.take() {
            Some(token) => SanClient::new(site.link_as(Some(&invoker.identity)), site.at("san"), token)
                .expect("a client"),
            None => invoker.san(site, "ssan-disc").await,
        };
        assert!(works(&san).await.is_ok(), "{kind}: before");
        revoke(kind, &value).await;
        let (status, reason) = refused(site, works(&san).await).await;
        assert!(status == Some(401) && reasons.contains(&reason.as_str()), "{kind}: {status:?} {reason}");
    }
    let gone = invoker.ccf.discover(&invoker.id, &ServiceApiQuery::default()).await;
    assert_eq!(
        refused(site, gone).await,
        (Some(403), "PEER_REFUSED".into()),
        "a certificate that was revoked"
    );
    #[rustfmt::skip] // a table stays a table
    let wrong = [
        ("another issuer", json!({ "kind": "token", "value": "x", "issuer": "https://ccf.other.example" })),
        ("not its kind",   json!({ "kind": "subject", "value": "x", "issuer": site.at("ccf") })),
        ("no value",       json!({ "kind": "token", "value": "", "issuer": site.at("ccf") })),
    ];
    for (what, body) in wrong {
        assert_eq!(admin.revoke(&parsed(body)).await.expect_err(what).status(), Some(400), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_says_whose_tokens_open_an_interface() {
    let dir = TempDir::new().expect("a directory");
    let modes = "{ \"ssan-disc\" = \"capif\", \"ssan-sanm\" = \"sim\" }";
    let program = launch(&dir, "sim,ccf,san").env("METASEAL_CAPIF_INTERFACES", modes).start();
    let mut site = Site::of(&program);
    site.register().await;
    let invoker = onboarded(&site).await;
    let names: Vec<String> = invoker.found().await.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["ssan-disc", "ssan-grpm", "ssan-usg"], "what only the SIM-S opens is not published");
    let aef = invoker.aef("ssan-disc").await;
    invoker.negotiate(&[&aef]).await;
    let token = invoker.token(&aef, "ssan-disc").await.expect("a token");
    let capif =
        SanClient::new(site.link_as(Some(&invoker.identity)), site.at("san"), token).expect("a client");
    let sim = site.san("vs-1", "3gpp:seal:san").await;
    let list = sim.create_list(&parsed(val_server_list("museum-guide", "modes"))).await.expect("created");
    assert!(capif.discover(&AnchorQuery::default()).await.is_ok());
    let wrong = (Some(401), "ISSUER_WRONG".to_owned());
    assert_eq!(refused(&site, sim.discover(&AnchorQuery::default()).await).await, wrong);
    assert_eq!(refused(&site, capif.list(&list.id, true).await).await, wrong);
}

#[test]
fn a_mode_that_nobody_opens_is_no_start() {
    let dir = TempDir::new().expect("a directory");
    let started =
        launch(&dir, "sim,san").env("METASEAL_CAPIF_INTERFACES", "{ \"ssan-disc\" = \"capif\" }").try_start();
    let log = started.err().expect("no start");
    assert!(log.contains("peers.ccf"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_has_invokers_that_can_begin_at_once() {
    let program = Program::demo();
    let site = Site::of(&program);
    let demo = &program.ready["demo"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    assert!(text(&program.ready["roots"]["capif"]).ends_with("root.pem"));
    let aefs = demo["aefs"].as_array().expect("a list");
    assert_eq!(aefs.iter().map(|aef| text(&aef["role"])).collect::<Vec<_>>(), ["san", "sm"]);
    let invokers = demo["invokers"].as_array().expect("a list");
    assert_eq!(invokers.len(), 2);
    for invoker in invokers {
        let file = |name: &str| std::fs::read_to_string(text(&invoker[name])).expect("a file");
        let identity = Identity { cert_pem: file("cert"), key_pem: file("key") };
        let ccf = CapifClient::new(site.link_as(Some(&identity)), site.at("ccf")).expect("a client");
        let invoker = Invoker { id: parsed(invoker["apiInvokerId"].clone()), identity, ccf };
        for aef in aefs {
            for api in aef["apis"].as_array().expect("a list") {
                let token = invoker.token(&parsed(aef["aefId"].clone()), &text(api)).await;
                assert!(token.is_ok(), "{api}: {:?}", token.err());
            }
        }
    }
}
