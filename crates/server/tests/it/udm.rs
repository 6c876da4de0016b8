//! The UDM as the functions of the core meet it: an operator enters what a subscriber says, a function reads it and is told of each
//! change, and all of it outlives `kill -9`.

use std::time::Duration;

use api_types::ids::Supi;
use api_types::nudm_sdm::{SdmSubscription, UserConsent};
use sdk::udm::{UcAnswer, UdmClient};
use sdk::{Answer, Request};
use serde_json::{Value, json};
use service_http::peer::CertRole;
use tempfile::TempDir;

use crate::harness::{Launch, Site, parsed, port_base};
use crate::spatial::receiver::{Notice, Receiver, ReceiverCertificate};

const GPSI: &str = "msisdn-491700000001";
const SUPI: &str = "imsi-001010000000001";
const PURPOSE: &str = "METAVERSE_LOCATION";
const PATH: &str = "/nudm";

async fn operate(site: &Site, request: Request) -> Answer {
    let identity = site.identity("admin", "operator", "someone");
    site.link_as(Some(&identity)).send(request).await.expect("an answer")
}

async fn says(site: &Site, consent: &str) -> u16 {
    let path = format!("/v1/subscribers/{GPSI}/consents/{PURPOSE}");
    operate(site, Request::put(site.path("admin", &path)).json(&json!({ "consent": consent }))).await.status
}

fn function(site: &Site) -> UdmClient {
    let identity = site.identity("sbi", "function", "san");
    UdmClient::new(site.link_as(Some(&identity)), site.at("udm")).expect("a client")
}

async fn consent(udm: &UdmClient, supi: &Supi) -> Option<UserConsent> {
    match udm.uc_data(supi, Some(&PURPOSE.into()), None).await.expect("an answer") {
        UcAnswer::Said(said) => said.value.about(&PURPOSE.into()).cloned(),
        _ => None,
    }
}

/// The `count`th change that was told, once it has come.
async fn told(receiver: &Receiver, count: usize) -> Notice {
    for _ in 0..400 {
        if let Some(notice) = receiver.got(PATH).get(count - 1) {
            return notice.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never told of change {count}");
}

fn change(notice: &Notice) -> &Value {
    &notice.body["notifyItems"][0]["changes"][0]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_subscriber_says_is_read_told_and_kept() {
    let certificate = ReceiverCertificate::new();
    let dir = TempDir::new().expect("a directory");
    let root = certificate.root_in(dir.path());
    let base = port_base(&crate::harness::TestTime::new());
    let launch = Launch::new(dir.path(), "udm", &["serve", "--data", "data", "--roles", "udm"])
        .env("METASEAL_SERVER_PORT_BASE", &base.to_string())
        .env("METASEAL_EGRESS_ALLOW_PRIVATE", "true")
        .env("METASEAL_EGRESS_TRUSTED_ROOTS", &format!("[{root:?}]"));
    let mut program = launch.start();
    let mut site = Site::of(&program);
    let sbi = program.ready["roots"]["sbi"].as_str().expect("a root").to_owned();
    let sbi = std::fs::read_to_string(sbi).expect("the SBI root");
    let port = port_base(&site.time);
    let receiver = certificate.receive(port, &sbi).await;

    // Nobody yet.
    assert_eq!(says(&site, "CONSENT_GIVEN").await, 404);
    let subscriber = json!({ "supi": SUPI, "externalId": "alice@op-a.example" });
    let put = Request::put(site.path("admin", &format!("/v1/subscribers/{GPSI}"))).json(&subscriber);
    let made = operate(&site, put).await;
    assert_eq!(made.status, 201);
    assert!(!String::from_utf8_lossy(&made.body).contains(SUPI), "a SUPI does not come out");

    let udm = function(&site);
    let found = udm.translate(GPSI).await.expect("an answer").expect("Alice");
    assert_eq!(found.supi.as_str(), SUPI);
    let supi = found.supi;
    assert_eq!(consent(&udm, &supi).await, None);
    let body: SdmSubscription = parsed(json!({
        "nfInstanceId": "4e1b1b5a-3e5b-4a55-8a37-0a5b2f6d1c11",
        "callbackReference": format!("https://localhost:{port}{PATH}"),
        "monitoredResourceUris": [format!("{}/nudm-sdm/v2/{SUPI}/uc-data", site.at("udm"))],
    }));
    let subscribed = udm.subscribe(&supi, &body).await.expect("subscribed");

    assert_eq!(says(&site, "CONSENT_GIVEN").await, 201);
    assert_eq!(consent(&udm, &supi).await, Some(UserConsent::Given));
    let notice = told(&receiver, 1).await;
    assert_eq!(notice.from.as_ref().map(|(role, _)| *role), Some(CertRole::Notifier));
    assert_eq!(notice.body["subscriptionId"], subscribed.id.as_str());
    let expected = json!({
        "op": "ADD", "path": format!("/userConsentPerPurposeList/{PURPOSE}"), "newValue": "CONSENT_GIVEN"
    });
    assert_eq!(change(&notice), &expected);

    // Whoever is no function of the core gets no answer about anybody.
    let stranger = site.identity("sbi", "client", "vs-1");
    let stranger = UdmClient::new(site.link_as(Some(&stranger)), site.at("udm")).expect("a client");
    assert_eq!(stranger.translate(GPSI).await.expect_err("a refusal").status(), Some(403));
    let nobody = UdmClient::new(site.link_as(None), site.at("udm")).expect("a client");
    assert_eq!(nobody.translate(GPSI).await.expect_err("no handshake").status(), None);

    // Withdrawn, and killed as soon as that is answered.
    assert_eq!(says(&site, "CONSENT_NOT_GIVEN").await, 200);
    program.kill();
    let mut program = launch.start();
    site.update(&program);
    let udm = function(&site);
    assert_eq!(consent(&udm, &supi).await, Some(UserConsent::NotGiven));
    let notice = told(&receiver, 2).await;
    assert_eq!(change(&notice)["newValue"], "CONSENT_NOT_GIVEN");

    // The subscription is the function's, whose certificate is another one by now.
    let path = format!("/v1/subscribers/{GPSI}/consents/{PURPOSE}");
    assert_eq!(operate(&site, Request::delete(site.path("admin", &path))).await.status, 204);
    assert_eq!(consent(&udm, &supi).await, None);
    let mut removed = false;
    for count in 3..=4 {
        removed |= change(&told(&receiver, count).await)["op"] == "REMOVE";
        if removed {
            break;
        }
    }
    assert!(removed, "a notification that was cut off may come twice, and then the removal");
    udm.unsubscribe(&supi, &subscribed.id).await.expect("ended");
    assert_eq!(says(&site, "CONSENT_GIVEN").await, 201);
    program.kill();
    receiver.end().await;
}
