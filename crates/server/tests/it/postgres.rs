//! The same program over PostgreSQL: a demo, and a restart that loses nothing.

use bytes::Bytes;
use sdk::{AnchorQuery, SanClient};
use store::testkit::Postgres;
use tempfile::TempDir;

use crate::harness::{Launch, Program, Site, TestTime, parsed, port_base, val_server_list, val_server_map};

const SCOPE: &str = "3gpp:seal:san.read 3gpp:seal:san.discover";

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_and_a_restart_over_postgresql() {
    // It ends with the thread that starts it: this one.
    let mut postgres = Postgres::start();
    let url = postgres.database();
    let program =
        Program::demo_with(&[("METASEAL_STORAGE_BACKEND", "postgres"), ("METASEAL_STORAGE_URL", &url)]);
    let site = Site::of(&program);
    let session = site.session("alice", "ue-1").await.expect("a login");
    let credential = session.credential(site.at("san"), SCOPE).await.expect("a token");
    let ue = SanClient::new(site.link("ue-1"), site.at("san"), credential).expect("a client");
    let found =
        ue.discover_all(&AnchorQuery { limit: Some(100), ..Default::default() }).await.expect("found");
    assert!(found.results.len() >= 300, "{}", found.results.len());
    let config = site.operator().config().await.expect("the configuration").to_string();
    assert!(
        !config.contains(&url) && !config.contains("127.0.0.1:"),
        "a connection string may hold a password: {config}"
    );
    assert!(site.operator().verify_audit().await.expect("chains").intact);
    assert!(!program.data().join("records").exists(), "nothing is in files");
    drop(program);

    // Real use: killed, with its database, and started again.
    let dir = TempDir::new().expect("a temporary directory");
    let launch = Launch::new(dir.path(), "serve", &["serve", "--data", "data", "--port-base"])
        .arg(port_base(&TestTime::new()).to_string())
        .env("METASEAL_STORAGE_BACKEND", "postgres")
        .env("METASEAL_STORAGE_URL", &postgres.database());
    let mut program = launch.start();
    let mut site = Site::of(&program);
    site.register().await;
    let san = site.san("vs-1", "3gpp:seal:san").await;
    let mut lists = Vec::new();
    for number in 0..20 {
        let body = val_server_list("museum-guide", &format!("list {number}"));
        lists.push(san.create_list(&parsed(body)).await.expect("created"));
    }
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = sm.create_map(&parsed(val_server_map("museum-guide", "kept"))).await.expect("created").id();
    let payload = Bytes::from(vec![7_u8; 200_000]);
    sm.put_content(map, "model/gltf-binary", payload.clone(), None).await.expect("a payload");
    let sim = site.sim_c("ue-bearer").await;
    let pending = sim.begin(site.request("alice", "openid 3gpp:seal:san.read"));
    let code = sim.login(&pending, "alice", site.password("alice")).await.expect("a code");
    sim.redeem(&code, Some(site.at("san")), None).await.expect("redeemed");
    program.kill();
    postgres.crash();
    postgres.restart();

    let program = launch.start();
    site.update(&program);
    // The token of before is good: its key was kept.
    for list in &lists {
        assert_eq!(san.list(&list.id, true).await.expect("kept").value, list.value);
    }
    let (_, bytes) = sm.get_content(map, 1_000_000).await.expect("kept");
    assert!(bytes == payload);
    assert!(sim.redeem(&code, Some(site.at("san")), None).await.is_err(), "a used code stays used");
    site.session("alice", "ue-1").await.expect("a login");
    assert!(site.operator().verify_audit().await.expect("chains").intact);
    let filter = sdk::admin::RecordFilter { consumer: Some("vs-1".into()), ..Default::default() };
    let charged = site.operator().charging(&filter).await.expect("charging").items;
    let created = charged.iter().filter(|item| item.operation.ends_with("create")).count();
    assert_eq!(created, 21, "one charge for each list and map");
    assert!(launch.try_start().is_err(), "a second program on the directory is refused");
}
