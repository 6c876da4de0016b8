//! API exposing functions as the core function wants them: limits that survive `kill -9`, logs of what was invoked, an
//! authorization that is withdrawn and whoever is told of it, callbacks to API invokers.

use std::fs;
use std::time::Duration;

use api_types::capif::security::RevocationCause;
use api_types::capif::{AefId, ServiceApiId};
use http::Method;
use sdk::capif::ServiceApiQuery;
use sdk::{AnchorQuery, CapifClient, Identity, Request, SanClient};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Invoker, enrol, key_and_csr, launch, refused, stranger};
use crate::harness::{Program, Site, json_of, port_base, with_bearer};
use crate::spatial::receiver::{Receiver, ReceiverCertificate};

/// Longest wait for what happens in the background.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let enough = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, enough).await.is_ok(), "waited in vain for {what}");
}

/// The identifier of a service API.
pub(super) async fn api_id(invoker: &Invoker, name: &str) -> ServiceApiId {
    let found = invoker.ccf.discover(&invoker.id, &ServiceApiQuery::default()).await.expect("found");
    let mut all = found.service_api_descriptions.unwrap_or_default().into_iter();
    let api = all.find(|api| api.api_name.as_str() == name).expect("published");
    api.api_id.expect("an identifier")
}

/// A function of the domain of a server, from its files.
fn party(program: &Program, site: &Site, role: &str, party: &str) -> (String, CapifClient) {
    let dir = program.data().join("capif").join(role);
    let kept: Value =
        serde_json::from_slice(&fs::read(dir.join("registration.json")).expect("kept")).expect("JSON");
    let text = |member: &str| kept[party][member].as_str().expect("a text").to_owned();
    let key_pem = fs::read_to_string(dir.join(format!("{party}.key"))).expect("a key");
    let identity = Identity { cert_pem: text("cert"), key_pem };
    (text("id"), CapifClient::new(site.link_as(Some(&identity)), site.at("ccf")).expect("a client"))
}

pub(super) async fn limited(site: &Site, invoker: &Invoker, api: &ServiceApiId, policy: Option<Value>) {
    let path = format!("/v1/capif/access-control/{}/{api}", invoker.id);
    let method = if policy.is_some() { Method::PUT } else { Method::DELETE };
    let mut request = Request::new(method, site.path("admin", &path));
    if let Some(policy) = policy {
        request = request.json(&policy);
    }
    let answer = site.operator().send(request).await.expect("an answer");
    assert!((200..300).contains(&answer.status), "{}", String::from_utf8_lossy(&answer.body));
}

/// What becomes of `count` discoveries: `OK`, or the reason.
async fn outcomes(site: &Site, san: &SanClient, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(match san.discover(&AnchorQuery::default()).await {
            Ok(_) => "OK".to_owned(),
            done => refused(site, done).await.1,
        });
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_from_the_answer_on_and_over_a_kill() {
    let dir = TempDir::new().expect("a directory");
    let started = launch(&dir, "sim,ccf,san");
    let mut program = started.start();
    let mut site = Site::of(&program);
    let mut invoker = super::onboarded(&site).await;
    invoker.negotiate(&[&invoker.aef("ssan-disc").await]).await;
    let api = api_id(&invoker, "ssan-disc").await;
    let san = invoker.san(&site, "ssan-disc").await;
    assert_eq!(outcomes(&site, &san, 2).await, ["OK", "OK"], "without a bound");

    // What was made before the policy counts.
    limited(&site, &invoker, &api, Some(json!({ "allowedTotalInvocations": 4 }))).await;
    assert_eq!(outcomes(&site, &san, 3).await, ["OK", "OK", "INVOCATION_LIMIT"]);
    let (status, _) = refused(&site, san.discover(&AnchorQuery::default()).await).await;
    assert_eq!(status, Some(429));

    program.kill();
    let program = started.start();
    site.update(&program);
    invoker.update(&site);
    let san = invoker.san(&site, "ssan-disc").await;
    assert_eq!(outcomes(&site, &san, 1).await, ["INVOCATION_LIMIT"], "a restart gives nothing back");
    limited(&site, &invoker, &api, Some(json!({ "allowedTotalInvocations": 6 }))).await;
    assert_eq!(outcomes(&site, &san, 3).await, ["OK", "OK", "INVOCATION_LIMIT"], "the next request knows");

    limited(&site, &invoker, &api, Some(json!({ "allowedInvocationsPerSecond": 0 }))).await;
    assert_eq!(outcomes(&site, &san, 1).await, ["RATE_LIMITED"]);
    let past = json!([{ "startTime": "2020-01-01T00:00:00Z", "stopTime": "2020-01-02T00:00:00Z" }]);
    limited(&site, &invoker, &api, Some(json!({ "allowedInvocationTimeRangeList": past }))).await;
    assert_eq!(outcomes(&site, &san, 1).await, ["OUTSIDE_ALLOWED_TIME"]);
    limited(&site, &invoker, &api, None).await;
    assert_eq!(outcomes(&site, &san, 1).await, ["OK"]);

    // Every outcome stands in the log of the core function, also what was refused and what was done before the kill.
    let (_, amf) = party(&program, &site, "san", "amf");
    let aef = invoker.aef("ssan-disc").await;
    until("the log of invocations", || async {
        let results = logged(&amf, &aef, &invoker).await;
        let count = |status: &str| results.iter().filter(|seen| *seen == status).count();
        (count("200"), count("429"), count("403")) == (7, 5, 1)
    })
    .await;
}

/// The results that an audit finds.
pub(super) async fn logged(amf: &CapifClient, aef: &AefId, invoker: &Invoker) -> Vec<String> {
    let mut url = amf.url(&["logs", "v1", "apiInvocationLogs"]).expect("a url");
    url.query_pairs_mut()
        .append_pair("aef-id", aef.as_str())
        .append_pair("api-invoker-id", invoker.id.as_str())
        .append_pair("limit", "1000");
    let answer = amf.send(Request::get(url)).await.expect("an answer");
    if answer.status != 200 {
        return Vec::new();
    }
    let logs = json_of(&answer)["logs"].as_array().cloned().unwrap_or_default();
    logs.iter().map(|log| log["result"].as_str().expect("a result").to_owned()).collect()
}

/// An API invoker that is notified at `to`.
async fn notified_at(site: &Site, to: &str) -> Invoker {
    let secret = enrol(site, "api_invoker").await;
    let (key_pem, csr) = key_and_csr();
    let made = stranger(site).onboard(&secret, &csr, "of a test", to).await.expect("onboarded");
    let cert_pem = made.value.onboarding_information.api_invoker_certificate.expect("a certificate");
    let identity = Identity { cert_pem, key_pem };
    let ccf = CapifClient::new(site.link_as(Some(&identity)), site.at("ccf")).expect("a client");
    let invoker = Invoker { id: made.id, identity, ccf };
    let aef = invoker.aef("ssan-disc").await;
    let context = json!({
        "securityInfo": [{ "aefId": aef, "prefSecurityMethods": ["OAUTH"] }], "notificationDestination": to,
    });
    invoker.ccf.put_context(&invoker.id, &crate::harness::parsed(context)).await.expect("negotiated");
    invoker
}

fn causes(receiver: &Receiver, path: &str) -> Vec<(String, usize)> {
    let told = receiver.got(path);
    let one = |notice: &crate::spatial::receiver::Notice| {
        let apis = notice.body["apiIds"].as_array().map_or(0, Vec::len);
        (notice.body["cause"].as_str().unwrap_or_default().to_owned(), apis)
    };
    told.iter().map(one).collect()
}

/// Acts in the audit of the server.
async fn audited(site: &Site, action: &str) -> usize {
    let url = site.path("admin", "/v1/audit?function=san&limit=1000");
    let answer = site.operator().send(Request::get(url)).await.expect("an answer");
    let items = json_of(&answer)["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter(|item| item["action"] == action).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_an_authorization_is_told_and_who_has_one_is_called_back() {
    let dir = TempDir::new().expect("a directory");
    let certificate = ReceiverCertificate::new();
    let root = certificate.root_in(dir.path());
    let started = launch(&dir, "sim,ccf,san")
        .env("METASEAL_EGRESS_ALLOW_PRIVATE", "true")
        .env("METASEAL_EGRESS_TRUSTED_ROOTS", &format!("[{root:?}]"))
        .env("METASEAL_CAPIF_WITHDRAW_OVER_LIMIT", "true");
    let program = started.start();
    let site = Site::of(&program);
    let sbi = program.ready["roots"]["sbi"].as_str().expect("a root").to_owned();
    let sbi = fs::read_to_string(sbi).expect("the SBI root");
    let port = port_base(&site.time);
    let receiver = certificate.receive(port, &sbi).await;
    let at = |path: &str| format!("https://localhost:{port}{path}");

    // A subscription calls back where the API invoker was onboarded to be notified, and nowhere else.
    let invoker = notified_at(&site, &at("/first")).await;
    let aef = invoker.aef("ssan-disc").await;
    let token = invoker.token(&aef, "ssan-sanm,ssan-disc").await.expect("a token");
    let sdk::Credential::Bearer(token) = token else { panic!("a bearer token") };
    let link = site.link_as(Some(&invoker.identity));
    let subscribe = async |to: &str| {
        let body = json!({ "eventSubs": [{ "event": "ANCHOR_DISCOVERY", "evntFltr": {} }], "notifUri": to });
        let url = site.path("san", "/ssan-sanm/v1/subscriptions");
        link.send(with_bearer(Request::post(url).json(&body), token.expose())).await.expect("an answer")
    };
    let made = subscribe(&at("/subscription")).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    for elsewhere in ["https://127.0.0.1:9443/x", "https://elsewhere.example/x"] {
        let answer = subscribe(elsewhere).await;
        assert_eq!((answer.status, site.reason(answer.trace()).await.as_str()), (400, "ADDRESS_REFUSED"));
    }

    // It announces itself to the function, over real TLS.
    let announce = async |id: &str| {
        let body = json!({ "apiInvokerId": id, "supportedFeatures": "0" });
        let url = site.path("san", "/aef-security/v1/check-authentication");
        link.send(Request::post(url).json(&body)).await.expect("an answer").status
    };
    assert_eq!((announce(invoker.id.as_str()).await, announce("INV0").await), (200, 403));

    // The function withdraws one of its APIs: refused from the answer on, and the API invoker hears of it.
    let (_, of_san) = party(&program, &site, "san", "aef");
    let disc = api_id(&invoker, "ssan-disc").await;
    let san = invoker.san(&site, "ssan-disc").await;
    assert_eq!(outcomes(&site, &san, 1).await, ["OK"]);
    let done = of_san.revoke_authorization(&invoker.id, &[disc], RevocationCause::UnexpectedReason).await;
    done.expect("withdrawn");
    assert_eq!(outcomes(&site, &san, 1).await, ["REVOKED_TOKEN"]);
    until("the notification", || async { !receiver.got("/first").is_empty() }).await;
    assert_eq!(causes(&receiver, "/first"), [("UNEXPECTED_REASON".to_owned(), 1)]);
    assert_eq!(audited(&site, "aef.revoke_authorization").await, 0, "it was its own act");

    // The core function ends an API invoker: the function hears of it, and the API invoker.
    let second = notified_at(&site, &at("/second")).await;
    let gone = second.ccf.offboard(&second.id).await;
    gone.expect("offboarded");
    until("the notification", || async { !receiver.got("/second").is_empty() }).await;
    assert_eq!(causes(&receiver, "/second"), [("OTHER_REASON".to_owned(), 4)]);
    until("the function to hear of it", || async { audited(&site, "aef.revoke_authorization").await == 1 })
        .await;

    // Whoever uses up what it may is refused, and then has it no more.
    let third = notified_at(&site, &at("/third")).await;
    let api = api_id(&third, "ssan-disc").await;
    limited(&site, &third, &api, Some(json!({ "allowedTotalInvocations": 1 }))).await;
    let san = third.san(&site, "ssan-disc").await;
    assert_eq!(outcomes(&site, &san, 2).await, ["OK", "INVOCATION_LIMIT"]);
    until("the notification", || async { !receiver.got("/third").is_empty() }).await;
    assert_eq!(causes(&receiver, "/third"), [("OVERLIMIT_USAGE".to_owned(), 1)]);
    until("the token to be worth nothing", || async { outcomes(&site, &san, 1).await == ["REVOKED_TOKEN"] })
        .await;
    receiver.end().await;
}
