//! The example of `capif-aef` as a foreign API exposing function of a core function in another process, over real TLS.

#[allow(dead_code, unreachable_pub)]
#[path = "../../../../capif-aef/examples/third_party.rs"]
mod museum;

use std::fs;
use std::net::SocketAddr;

use api_types::capif::AefId;
use sdk::{CapifClient, HttpsClient, Identity, Request};
use serde_json::json;
use tempfile::TempDir;

use self::museum::Options;
use super::limits::{limited, logged, until};
use super::{Invoker, enrol, launch, onboarded};
use crate::harness::{Site, json_of, port_base, with_bearer};

/// One request to the museum: status, and the cause of a refusal.
async fn asked(link: &HttpsClient, at: SocketAddr, token: Option<&str>) -> (u16, String) {
    let url = format!("https://{at}/museum-hours/v1/hours").parse().expect("a url");
    let request = match token {
        Some(token) => with_bearer(Request::get(url), token),
        None => Request::get(url),
    };
    let answer = link.send(request).await.expect("an answer");
    (answer.status, json_of(&answer)["cause"].as_str().unwrap_or_default().to_owned())
}

async fn token(invoker: &Invoker, aef: &AefId) -> String {
    let sdk::Credential::Bearer(token) = invoker.token(aef, "museum-hours").await.expect("a token") else {
        panic!("a bearer token")
    };
    token.expose().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_function_registers_and_enforces() {
    let dir = TempDir::new().expect("a directory");
    let own = dir.path().join("museum");
    let base = port_base(&crate::harness::TestTime::new());
    let listen = SocketAddr::from(([127, 0, 0, 1], base));
    let root = museum::server_certificate(&own, listen).expect("a certificate");
    let started = launch(&dir, "sim,ccf")
        .env("METASEAL_EGRESS_ALLOW_PRIVATE", "true")
        .env("METASEAL_EGRESS_TRUSTED_ROOTS", &format!("[{root:?}]"));
    let program = started.start();
    let site = Site::of(&program);
    let file = |path: &serde_json::Value| fs::read_to_string(path.as_str().expect("a path")).expect("a file");
    let options = Options {
        core: site.at("ccf").to_owned(),
        roots_pem: file(&program.ready["ca"]),
        capif_root_pem: file(&program.ready["roots"]["capif"]),
        dir: own.clone(),
        listen,
        secret: enrol(&site, "api_provider").await.expose().to_owned(),
        ambient: server::ambient::system(),
    };
    let running = museum::start(options.clone()).await.expect("registered and published");
    let aef: AefId = running.aef_id.as_str().try_into().expect("an identifier");

    let (invoker, other) = (onboarded(&site).await, onboarded(&site).await);
    assert_eq!(invoker.aef("museum-hours").await, aef, "it is discovered");
    for one in [&invoker, &other] {
        assert_eq!(one.negotiate(&[&aef]).await, [Some("OAUTH".to_owned())]);
    }
    let trusted = format!("{}\n{}", options.roots_pem, fs::read_to_string(&root).expect("the root"));
    let link = |identity: Option<&Identity>| HttpsClient::new(&trusted, identity).expect("a client");
    let (of_invoker, of_other, of_nobody) =
        (link(Some(&invoker.identity)), link(Some(&other.identity)), link(None));
    let (good, others) = (token(&invoker, &aef).await, token(&other, &aef).await);
    let spoiled = format!("{good}x");
    let ok = || (200, String::new());
    let refused = |status, cause: &str| (status, cause.to_owned());
    assert_eq!(asked(&of_invoker, listen, Some(&good)).await, ok());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no token",                &of_invoker, None,           refused(401, "TOKEN_MISSING")),
        ("a spoiled token",         &of_invoker, Some(&spoiled), refused(401, "INVALID_TOKEN")),
        ("another's token",         &of_invoker, Some(&others),  refused(401, "INVALID_TOKEN")),
        ("another's certificate",   &of_other,   Some(&good),    refused(401, "INVALID_TOKEN")),
        ("no certificate",          &of_nobody,  Some(&good),    refused(401, "INVALID_TOKEN")),
    ];
    for (what, link, token, expected) in rows {
        assert_eq!(asked(link, listen, token.map(String::as_str)).await, expected, "{what}");
    }

    // Two more, and it says so at once; a restart in between gives none back.
    let api = super::limits::api_id(&invoker, "museum-hours").await;
    limited(&site, &invoker, &api, Some(json!({ "allowedTotalInvocations": 3 }))).await;
    assert_eq!(asked(&of_invoker, listen, Some(&good)).await, ok());
    running.end().await;
    let running = museum::start(options.clone()).await.expect("taken up again");
    assert_eq!(running.aef_id, aef.as_str());
    let again = link(Some(&invoker.identity));
    assert_eq!(asked(&again, listen, Some(&good)).await, ok());
    assert_eq!(asked(&again, listen, Some(&good)).await, refused(429, "TOO_MANY_REQUESTS"));
    assert_eq!(asked(&link(Some(&other.identity)), listen, Some(&others)).await, ok(), "of one alone");

    // The core function learns of all that, from whoever proved to be the API invoker.
    let amf = CapifClient::new(site.link_as(Some(&running.management)), site.at("ccf")).expect("a client");
    until("the log of invocations", || async {
        let mut results = logged(&amf, &aef, &invoker).await;
        results.sort();
        results == ["200", "200", "200", "429"]
    })
    .await;

    // Announced, and ended: the token is worth nothing when that is answered.
    let announce = async |id: &str| {
        let url = format!("https://{listen}/aef-security/v1/check-authentication").parse().expect("a url");
        let body = json!({ "apiInvokerId": id, "supportedFeatures": "0" });
        link(Some(&other.identity)).send(Request::post(url).json(&body)).await.expect("an answer").status
    };
    assert_eq!((announce(other.id.as_str()).await, announce(invoker.id.as_str()).await), (200, 403));
    other.ccf.offboard(&other.id).await.expect("offboarded");
    assert_eq!(asked(&of_other, listen, Some(&others)).await, refused(401, "INVALID_TOKEN"));
    assert_eq!(announce(other.id.as_str()).await, 404);
    running.end().await;
}
