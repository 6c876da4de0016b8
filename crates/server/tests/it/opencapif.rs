//! The program with a listener for OpenCAPIF clients: what tells that it is open, its key over restarts, and its tokens at the
//! anchors and map servers (NA-9). What the SDK of OpenCAPIF does there is in `tests/peers/opencapif_sdk_client.py`.

use std::fs;

use rcgen::{CertificateParams, KeyPair};
use sdk::{Answer, HttpsClient, Identity, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Launch, Program, Site, json_of, parsed, with_bearer};

const PASSWORD: &str = "a password of the operator";
const TO: &str = "https://invoker.example/n";

fn key_and_csr() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    let csr = params.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
    (key.serialize_pem(), csr)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn send(link: &HttpsClient, request: Request, status: u16) -> Answer {
    let answer = link.send(request).await.expect("an answer");
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    answer
}

/// A one-time secret for this listener, of the operator.
async fn secret(site: &Site) -> String {
    let body = json!({ "kind": "opencapif", "name": "of a test", "expiresInS": 60 });
    site.operator().enrol(&parsed(body)).await.expect("enrolled").secret.expose().to_owned()
}

fn holder(site: &Site, certificate: &Value, key_pem: String) -> HttpsClient {
    site.link_as(Some(&Identity { cert_pem: text(certificate), key_pem }))
}

/// A token of the listener, and the link of the API invoker that it was given to.
async fn token(site: &Site) -> (String, HttpsClient) {
    let nobody = site.link_as(None);
    let keys = [key_and_csr(), key_and_csr(), key_and_csr()];
    let functions: Vec<Value> = ["AMF", "APF", "AEF"]
        .iter()
        .zip(&keys)
        .map(|(role, (_, csr))| json!({ "regInfo": { "apiProvPubKey": csr }, "apiProvFuncRole": role }))
        .collect();
    let body = json!({ "regSec": secret(site).await, "apiProvFuncs": functions, "suppFeat": "0" });
    let url = site.path("ccf_compat", "/api-provider-management/v1/registrations");
    let made = json_of(&send(&nobody, Request::post(url).json(&body), 201).await);
    let [_, (apf_key, _), _] = keys;
    let (apf, aef) = (&made["apiProvFuncs"][1], text(&made["apiProvFuncs"][2]["apiProvFuncId"]));
    let publisher = holder(site, &apf["regInfo"]["apiProvCert"], apf_key);
    // Under the name that the anchors server has: names open nothing.
    let api = json!({ "apiName": "ssan-disc", "aefProfiles": [{ "aefId": aef, "versions": [{ "apiVersion": "v1" }],
        "securityMethods": ["OAUTH"], "interfaceDescriptions": [{ "fqdn": "aef.example", "port": 8443 }] }] });
    let path = format!("/published-apis/v1/{}/service-apis", text(&apf["apiProvFuncId"]));
    send(&publisher, Request::post(site.path("ccf_compat", &path)).json(&api), 201).await;
    let (key, csr) = key_and_csr();
    let body =
        json!({ "onboardingInformation": { "apiInvokerPublicKey": csr }, "notificationDestination": TO });
    let url = site.path("ccf_compat", "/api-invoker-management/v1/onboardedInvokers");
    let request = with_bearer(Request::post(url).json(&body), &secret(site).await);
    let onboarded = json_of(&send(&nobody, request, 201).await);
    let id = text(&onboarded["apiInvokerId"]);
    let invoker = holder(site, &onboarded["onboardingInformation"]["apiInvokerCertificate"], key);
    let context = json!({ "securityInfo": [{ "aefId": aef, "prefSecurityMethods": ["OAUTH"] }],
        "notificationDestination": TO });
    let url = site.path("ccf_compat", &format!("/capif-security/v1/trustedInvokers/{id}"));
    send(&invoker, Request::put(url).json(&context), 201).await;
    let url = site.path("ccf_compat", &format!("/capif-security/v1/securities/{id}/token"));
    let scope = format!("3gpp#{aef}:ssan-disc");
    let form = [("grant_type", "client_credentials"), ("client_id", id.as_str()), ("scope", scope.as_str())];
    let token = json_of(&send(&invoker, Request::post(url).form(form), 200).await);
    (text(&token["access_token"]), invoker)
}

#[tokio::test(flavor = "multi_thread")]
async fn its_tokens_open_nothing_at_the_spatial_servers() {
    let program = Program::demo_with(&[
        ("METASEAL_COMPAT_CLIENTS", "opencapif"),
        ("METASEAL_COMPAT_ADMIN_PASSWORD", PASSWORD),
    ]);
    let site = Site::of(&program);
    let health = site.operator().health().await.expect("health");
    assert_eq!((health.status.as_str(), health.compat.as_deref()), ("ok", Some("opencapif")));
    assert!(program.log().contains("listening for plain OpenCAPIF clients"), "{}", program.log());
    let shown = site.operator().config().await.expect("the configuration");
    assert!(!shown.to_string().contains(PASSWORD), "{shown}");

    let (token, invoker) = token(&site).await;
    for (server, path) in [
        ("san", "/ssan-disc/v1/spatial-anchors?limit=1"),
        ("san", "/ssan-sanm/v1/anchors-lists/x"),
        ("sm", "/ssm-disc/v1/spatial-maps?limit=1"),
    ] {
        let request = with_bearer(Request::get(site.path(server, path)), &token);
        let answer = send(&invoker, request, 401).await;
        assert_eq!(site.reason(answer.trace()).await, "ALG_REFUSED", "{server} {path}");
    }
    // And at the core function's other listener its holder is nobody.
    let url = site.path("ccf", "/service-apis/v1/allServiceAPIs?api-invoker-id=x");
    let answer = send(&invoker, Request::get(url), 403).await;
    assert_eq!(site.reason(answer.trace()).await, "PEER_REFUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_off_until_it_is_asked_for_and_keeps_its_key() {
    let dir = TempDir::new().expect("a directory");
    let arguments = ["serve", "--roles", "ccf", "--port-base", "0", "--data", "data"];
    let mut program = Launch::new(dir.path(), "off", &arguments).start();
    let site = Site::of(&program);
    assert!(!site.urls.contains_key("ccf_compat"));
    assert_eq!(site.operator().health().await.expect("health").compat, None);
    let key = program.data().join("pki").join("opencapif").join("server.key");
    assert!(!key.exists());
    program.ask_to_end();
    program.ended();

    let open = Launch::new(dir.path(), "open", &[&arguments[..], &["--compat", "opencapif"]].concat());
    let mut keys = Vec::new();
    for start in 0..2 {
        let mut program = open.start();
        let site = Site::of(&program);
        let url = site.path("ccf_compat", "/getUsers");
        send(&site.link_as(None), Request::get(url), 401).await;
        keys.push(fs::read_to_string(&key).expect("a key"));
        let shown = program.log().matches("shown this once").count();
        assert_eq!(shown, 1, "the drawn password at the first start alone, not at start {start}");
        program.ask_to_end();
        program.ended();
    }
    assert_eq!(keys[0], keys[1], "clients keep the certificate to verify tokens by");
}
