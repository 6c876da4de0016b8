//! Registrations outlive the process; what `kill -9` cut off is completed.

use std::fs;
use std::path::Path;

use sdk::{AnchorQuery, CapifClient, Identity};
use serde_json::Value;
use tempfile::TempDir;

use super::{APIS, Invoker, launch, onboarded};
use crate::harness::{Program, Site, TestTime, port_base};

/// The publishing function of a server, from its files.
fn publisher(program: &Program, site: &Site, role: &str) -> (String, CapifClient) {
    let dir = program.data().join("capif").join(role);
    let kept: Value =
        serde_json::from_slice(&fs::read(dir.join("registration.json")).expect("kept")).expect("JSON");
    let text = |member: &str| kept["apf"][member].as_str().expect("a text").to_owned();
    let key_pem = fs::read_to_string(dir.join("apf.key")).expect("a key");
    let identity = Identity { cert_pem: text("cert"), key_pem };
    (text("id"), CapifClient::new(site.link_as(Some(&identity)), site.at("ccf")).expect("a client"))
}

async fn unpublish(program: &Program, site: &Site, role: &str, most: usize) {
    let (apf, client) = publisher(program, site, role);
    let apf = apf.as_str().try_into().expect("an identifier");
    for api in client.published_apis(&apf).await.expect("published").into_iter().take(most) {
        client.unpublish(&apf, &api.api_id.expect("an identifier")).await.expect("withdrawn");
    }
}

async fn names(invoker: &Invoker) -> Vec<String> {
    invoker.found().await.into_iter().map(|(name, ..)| name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_registrations() {
    let dir = TempDir::new().expect("a directory");
    let started = launch(&dir, "sim,ccf,san,sm");
    let mut program = started.start();
    let mut site = Site::of(&program);
    let mut invoker = onboarded(&site).await;
    let before = invoker.found().await;
    invoker.negotiate(&[&invoker.aef("ssan-sanm").await]).await;
    let works = async |invoker: &Invoker, site: &Site| {
        let san = invoker.san(site, "ssan-disc").await;
        san.discover(&AnchorQuery::default()).await.is_ok()
    };
    assert!(works(&invoker, &site).await);

    program.kill();
    let mut program = started.start();
    site.update(&program);
    invoker.update(&site);
    assert_eq!(invoker.found().await, before, "the same functions with the same APIs");
    assert!(works(&invoker, &site).await, "with the context of before");

    // Elsewhere: what is published says so, and nothing else has changed.
    program.kill();
    let base = port_base(&TestTime::new());
    let mut program = started.clone().env("METASEAL_SERVER_PORT_BASE", &base.to_string()).start();
    site.update(&program);
    invoker.update(&site);
    let after = invoker.found().await;
    let but_port = |all: &[(String, api_types::capif::AefId, Option<u16>)]| -> Vec<_> {
        all.iter().map(|(name, aef, _)| (name.clone(), aef.clone())).collect()
    };
    assert_eq!(but_port(&after), but_port(&before));
    assert!(after.iter().all(|(_, _, port)| *port == Some(base + 6) || *port == Some(base + 7)), "{after:?}");
    assert!(works(&invoker, &site).await);

    // Cut off while it published.
    unpublish(&program, &site, "san", 2).await;
    unpublish(&program, &site, "sm", 1).await;
    assert_eq!(names(&invoker).await.len(), APIS.len() - 3);
    program.kill();
    let program = started.start();
    site.update(&program);
    invoker.update(&site);
    assert_eq!(names(&invoker).await, APIS);
    let same = invoker.found().await;
    assert_eq!(but_port(&same), but_port(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_was_cut_off_is_made_whole() {
    let dir = TempDir::new().expect("a directory");
    let started = launch(&dir, "sim,ccf,san,sm");
    let kept = |file: &'static str| {
        let path = dir.path().join("data/capif").join(file);
        move || -> bool { Path::exists(&path) }
    };
    // After the first key, after the last, after the answer to the registration, while the second server is at it.
    for file in ["san/amf.key", "san/aef.key", "san/registration.json", "sm/aef.key", "sm/registration.json"]
    {
        started.kill_when(kept(file));
    }
    let program = started.start();
    let site = Site::of(&program);
    let invoker = onboarded(&site).await;
    assert_eq!(names(&invoker).await, APIS, "each once");

    // Registered, and the answer never kept: nothing is published under the lost name, all of it under the new one.
    let lost = invoker.aef("ssan-sanm").await;
    unpublish(&program, &site, "san", usize::MAX).await;
    let mut program = program;
    program.kill();
    let files = dir.path().join("data/capif/san");
    fs::remove_file(files.join("registration.json")).expect("removed");
    let mut program = started.start();
    let mut site = site;
    site.update(&program);
    let mut invoker = invoker;
    invoker.update(&site);
    assert_eq!(names(&invoker).await, APIS);
    assert_ne!(invoker.aef("ssan-sanm").await, lost);

    // A key that is damaged is told, not replaced.
    program.kill();
    fs::write(files.join("apf.key"), "damaged").expect("written");
    let log = started.try_start().err().expect("no start");
    assert!(log.contains("apf.key"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_stays_withdrawn() {
    let dir = TempDir::new().expect("a directory");
    let started = launch(&dir, "sim,ccf,san");
    let mut program = started.start();
    let mut site = Site::of(&program);
    let (mut gone, mut stays) = (onboarded(&site).await, onboarded(&site).await);
    let mut held = Vec::new();
    for invoker in [&gone, &stays] {
        let aef = invoker.aef("ssan-sanm").await;
        invoker.negotiate(&[&aef]).await;
        held.push((aef.clone(), invoker.token(&aef, "ssan-disc").await.expect("a token")));
    }
    let discovers = async |site: &Site, invoker: &Invoker, token: &sdk::Credential| {
        let link = site.link_as(Some(&invoker.identity));
        let san = sdk::SanClient::new(link, site.at("san"), token.clone()).expect("a client");
        san.discover(&AnchorQuery::default()).await.map(drop)
    };
    discovers(&site, &gone, &held[0].1).await.expect("both may");
    discovers(&site, &stays, &held[1].1).await.expect("both may");

    // Killed right after the answer: what it said holds.
    gone.ccf.offboard(&gone.id).await.expect("offboarded");
    program.kill();
    let program = started.start();
    site.update(&program);
    gone.update(&site);
    stays.update(&site);
    let (status, reason) = super::refused(&site, discovers(&site, &gone, &held[0].1).await).await;
    assert_eq!((status, reason.as_str()), (Some(401), "REVOKED_KEY"), "the token of before");
    assert_eq!(gone.token(&held[0].0, "ssan-disc").await.err().and_then(|error| error.status()), Some(401));
    discovers(&site, &stays, &held[1].1).await.expect("the other one's token lives on");
    stays.token(&held[1].0, "ssan-disc").await.expect("and it gets another");
}
