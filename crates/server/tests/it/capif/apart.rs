//! The core function in one process, a server in another, which registers by the secret of an enrolment.

use std::fs;

use sdk::AnchorQuery;
use serde_json::json;
use tempfile::TempDir;

use super::{enrol, onboarded, refused};
use crate::harness::{Launch, Site, TestTime, claims_of, parsed, port_base, text_of};
use crate::peers::copy;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_registers_at_a_core_function_elsewhere() {
    let dir = TempDir::new().expect("a directory");
    let (first, second) = (port_base(&TestTime::new()), port_base(&TestTime::new()));
    let origin = |base: u16, offset: u16| format!("https://localhost:{}", base + offset);
    let issuers =
        Launch::new(dir.path(), "issuers", &["serve", "--roles", "sim,ccf", "--data", "issuers-data"])
            .arg("--port-base")
            .arg(first.to_string())
            .env("METASEAL_PEERS_SAN", &origin(second, 6));
    let issuing = issuers.start();
    let data = dir.path().join("served");
    copy(&issuing.data().join("pki"), &data.join("pki"));
    fs::copy(issuing.data().join("kek"), data.join("kek")).expect("copied");
    let server = Launch::new(dir.path(), "server", &["serve", "--roles", "san", "--data", "served"])
        .arg("--port-base")
        .arg(second.to_string())
        .env("METASEAL_PEERS_SIM", &origin(first, 4))
        .env("METASEAL_PEERS_SIM_MTLS", &origin(first, 25))
        .env("METASEAL_PEERS_CCF", &origin(first, 5));
    let mut site = Site::of(&issuing);

    // Without a good secret there is no start, and the log says what to do.
    let with = |secret: &str| server.clone().env("METASEAL_CAPIF_SAN_ENROLMENT", secret);
    let of_invoker = enrol(&site, "api_invoker").await;
    for (what, launch) in [
        ("none", server.clone()),
        ("a wrong one", with("wrong")),
        ("of another kind", with(of_invoker.expose())),
    ] {
        let log = launch.try_start().err().expect(what);
        assert!(log.contains("capif.san_enrolment") && log.contains("/v1/enrolments"), "{what}: {log}");
    }
    let secret = enrol(&site, "api_provider").await;
    let mut served = with(secret.expose()).start();
    let elsewhere = Site::of(&served);
    site.urls.insert("san".into(), elsewhere.at("san").to_owned());
    let shown = elsewhere.operator().config().await.expect("the configuration");
    assert!(!shown.to_string().contains(secret.expose()), "{shown}");

    let invoker = onboarded(&site).await;
    let aef = invoker.aef("ssan-disc").await;
    invoker.negotiate(&[&aef]).await;
    let san = invoker.san(&site, "ssan-disc").await;
    assert!(san.discover(&AnchorQuery::default()).await.is_ok());

    // The secret is used up, and nobody needs it any more.
    served.ask_to_end();
    assert_eq!(served.ended().code(), Some(0));
    let served = server.start();
    let elsewhere = Site::of(&served);
    assert!(san.discover(&AnchorQuery::default()).await.is_ok());
    assert_eq!(invoker.aef("ssan-disc").await, aef);

    // Revoked there, refused here.
    let token = invoker.token(&aef, "ssan-disc").await.expect("a token");
    let jti = claims_of(&text_of(&token))["jti"].clone();
    let link = site.link_as(Some(&invoker.identity));
    let one = sdk::SanClient::new(link, site.at("san"), token).expect("a client");
    assert!(one.discover(&AnchorQuery::default()).await.is_ok());
    let revocation = json!({ "kind": "token", "value": jti, "issuer": site.at("ccf") });
    site.operator().revoke(&parsed(revocation)).await.expect("revoked");
    let got = refused(&elsewhere, one.discover(&AnchorQuery::default()).await).await;
    assert_eq!(got, (Some(401), "REVOKED_TOKEN".into()));
    assert!(san.discover(&AnchorQuery::default()).await.is_ok(), "the other token stands");
}
