//! Functions in processes of their own, which find each other by `[peers]` (docs/how-to/run.md, "Functions apart").

use std::fs;
use std::path::Path;

use sdk::{AnchorQuery, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Launch, Site, TestTime, parsed, port_base, val_server_list, val_server_map};

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            assert!(fs::copy(entry.path(), target).is_ok())
        }
    }
}

/// What a route of the admin API answers, by status and cause.
async fn asked(site: &Site, request: Request) -> (u16, String) {
    let answer = site.operator().send(request).await.expect("an answer");
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status, body["cause"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_process_opens_another() {
    let dir = TempDir::new().expect("a temporary directory");
    // The SIM-S must know where its servers are before they start, and they where it is: the ports are given.
    let (first, second) = (base(), base());
    let origin = |base: u16, offset: u16| format!("https://localhost:{}", base + offset);
    let issuer = Launch::new(dir.path(), "sim", &["serve", "--roles", "sim", "--data", "sim-data"])
        .arg("--port-base")
        .arg(first.to_string())
        .env("METASEAL_PEERS_SAN", &origin(second, 6))
        .env("METASEAL_PEERS_SM", &origin(second, 7));
    let sim = issuer.start();
    // The same roots, and the same key, copied before the second starts.
    let data = dir.path().join("served");
    copy(&sim.data().join("pki"), &data.join("pki"));
    fs::copy(sim.data().join("kek"), data.join("kek")).expect("copied");
    let servers = Launch::new(dir.path(), "servers", &["serve", "--roles", "san,sm", "--data", "served"])
        .arg("--port-base")
        .arg(second.to_string())
        .env("METASEAL_PEERS_SIM", &origin(first, 4))
        .env("METASEAL_PEERS_SIM_MTLS", &origin(first, 25));
    let mut served = servers.start();

    let mut site = Site::of(&sim);
    let elsewhere = Site::of(&served);
    assert!(sim.ready["urls"].get("san").is_none() && served.ready["urls"].get("sim").is_none());
    for role in ["san", "sm"] {
        let url = elsewhere.at(role).to_owned();
        site.urls.insert(role.into(), url);
    }
    site.register().await;

    let san = site.san("vs-1", "3gpp:seal:san").await;
    let list = san.create_list(&parsed(val_server_list("museum-guide", "apart"))).await.expect("created");
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = sm.create_map(&parsed(val_server_map("museum-guide", "apart"))).await.expect("created").id();
    assert!(sm.map(map, true).await.is_ok());
    let session = site.session("alice", "ue-1").await.expect("logged in");
    let token = session
        .credential(site.at("san"), "3gpp:seal:san.read 3gpp:seal:san.discover")
        .await
        .expect("a token");
    let ue = sdk::SanClient::new(site.link("ue-1"), site.at("san"), token).expect("a client");
    assert_eq!(ue.discover_all(&AnchorQuery::default()).await.expect("found").results.len(), 1);

    // Where a client may be called back is asked of the SIM-S in the other process.
    let mut told = val_server_map("museum-guide", "told");
    told["notifUri"] = json!("https://receiver.example/cb");
    let url = site.path("sm", "/ssm-smm/v1/spatial-maps");
    let before = sm.send(Request::post(url.clone()).json(&told)).await.expect("an answer");
    assert_eq!((before.status, elsewhere.reason(before.trace()).await.as_str()), (400, "ADDRESS_REFUSED"));
    let mut client = site.operator().client("vs-1").await.expect("a client").value;
    client.callback_hosts = vec!["receiver.example".into()];
    site.operator().put_client("vs-1", &client).await.expect("registered");
    let after = sm.send(Request::post(url.clone()).json(&told)).await.expect("an answer");
    assert_eq!(after.status, 202, "{:?}", after.body);
    client.callback_hosts.clear();
    site.operator().put_client("vs-1", &client).await.expect("taken away");
    let gone = sm.send(Request::post(url).json(&told)).await.expect("an answer");
    assert_eq!(gone.status, 400, "taken away when that was answered");

    // Each process answers for what it runs.
    let nobody = json!({ "kind": "subject", "value": "nobody" });
    let user = json!({ "valUserId": "dora@x.example", "password": "a password" });
    let enrolment = json!({ "kind": "api_invoker", "name": "somebody" });
    let operator = |site: &Site, path: &[&str]| site.operator().url(path).expect("a url");
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &Site, Request, u16, &str); 9] = [
        ("users of the servers",      &elsewhere, Request::get(operator(&elsewhere, &["users"])),                      404, "ROLE_NOT_HERE"),
        ("a user of the servers",     &elsewhere, Request::put(operator(&elsewhere, &["users", "dora"])).json(&user),  404, "ROLE_NOT_HERE"),
        ("clients of the servers",    &elsewhere, Request::get(operator(&elsewhere, &["clients"])),                    404, "ROLE_NOT_HERE"),
        ("revocation at the servers", &elsewhere, Request::post(operator(&elsewhere, &["revocations"])).json(&nobody), 404, "ROLE_NOT_HERE"),
        ("rotation at the servers",   &elsewhere, Request::post(operator(&elsewhere, &["keys", "sim", "rotate"])),     404, "ROLE_NOT_HERE"),
        ("position at the SIM-S",     &site,      Request::put(operator(&site, &["positions", "ue-alice"])).json(&json!({ "lon": 2.3, "lat": 48.8 })), 404, "ROLE_NOT_HERE"),
        ("enrolment",                 &site,      Request::post(operator(&site, &["enrolments"])).json(&enrolment),    404, "ROLE_NOT_HERE"),
        ("position at the servers",   &elsewhere, Request::put(operator(&elsewhere, &["positions", "ue-alice"])).json(&json!({ "lon": 2.3, "lat": 48.8 })), 200, ""),
        ("users of the SIM-S",        &site,      Request::get(operator(&site, &["users"])),                           200, ""),
    ];
    for (what, site, request, status, cause) in rows {
        assert_eq!(asked(site, request).await, (status, cause.to_owned()), "{what}");
    }

    // Revoked at one process, refused at the other when it is answered.
    let revoked =
        site.operator().revoke(&parsed(json!({ "kind": "client", "value": "vs-1" }))).await.expect("revoked");
    assert_eq!((revoked.lapsed.len(), revoked.confirmed.len()), (0, 2), "{revoked:?}");
    let refused = san.list(&list.id, true).await.expect_err("revoked");
    assert_eq!(refused.status(), Some(401));
    let why = elsewhere.operator().why(refused.trace().expect("a trace")).await.expect("an explanation");
    assert_eq!(why.reason.as_deref(), Some("REVOKED_CLIENT"));
    let san = site.san("vs-1", "3gpp:seal:san").await;
    assert!(san.list(&list.id, true).await.is_ok(), "a new token is good");

    // Without its issuer a server refuses within the lease, and serves again when the issuer is back.
    let unreachable = (Some(503), Some("ISSUER_UNREACHABLE"));
    sim.signal("STOP");
    assert_eq!(until_refused(&san, &list.id).await, unreachable, "it hangs");
    sim.signal("CONT");
    until_served(&san, &list.id).await;
    let mut sim = sim;
    sim.kill();
    assert_eq!(until_refused(&san, &list.id).await, unreachable, "it is gone");
    let mut sim = issuer.start();
    until_served(&san, &list.id).await;
    sim.kill();
    assert_eq!(until_refused(&san, &list.id).await, unreachable, "it is gone again");
    served.ask_to_end();
    assert_eq!(served.ended().code(), Some(0), "it ends without its issuer");
}

/// A verifier holds out for the rest of its lease, one second at most.
async fn until_refused(
    san: &sdk::SanClient,
    id: &api_types::ids::AnchorsListId,
) -> (Option<u16>, Option<&'static str>) {
    for _ in 0..100 {
        if let Err(error) = san.list(id, true).await {
            return (error.status(), error.cause().map(|cause| cause.as_str()));
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("tokens are taken without a lease");
}

/// Served again, with the token of before.
async fn until_served(san: &sdk::SanClient, id: &api_types::ids::AnchorsListId) {
    for _ in 0..200 {
        if san.list(id, true).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not served again");
}

fn base() -> u16 {
    port_base(&TestTime::new())
}
