//! `metaseal backup` of a running program and `metaseal restore`.

use std::fs;

use tempfile::TempDir;

use super::ends;
use crate::harness::{Launch, Site, TestTime, parsed, port_base, val_server_list, val_server_map};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_the_running_program_comes_to_life() {
    let dir = TempDir::new().expect("a temporary directory");
    // Owners are principals of an issuer, and that has an address: the restored program is given the same.
    let ports = port_base(&TestTime::new()).to_string();
    let mut program =
        Launch::new(dir.path(), "first", &["serve", "--data", "data", "--port-base"]).arg(&ports).start();
    let mut site = Site::of(&program);
    site.register().await;
    let san = site.san("vs-1", "3gpp:seal:san").await;
    let list = san.create_list(&parsed(val_server_list("museum-guide", "kept"))).await.expect("created");
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = sm.create_map(&parsed(val_server_map("museum-guide", "kept"))).await.expect("a map").id();
    let payload = bytes::Bytes::from(vec![42_u8; 300_000]);
    sm.put_content(map, "model/gltf-binary", payload.clone(), None).await.expect("a payload");

    fs::write(dir.path().join("key"), b"a key file of thirty-two bytes..").expect("written");
    fs::write(dir.path().join("other"), b"another key file of as many byte").expect("written");
    fs::write(dir.path().join("empty"), b"").expect("written");
    ends(dir.path(), &["backup", "one.backup", "--key-file", "key", "--data", "data"], 0);
    let bytes = fs::read(dir.path().join("one.backup")).expect("a backup");
    for secret in [&b"BEGIN PRIVATE KEY"[..], b"alice@campus.example", b"SQLite format 3"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a backup is encrypted");
    }
    // What is written after the backup is not in it.
    let later = san.create_list(&parsed(val_server_list("museum-guide", "later"))).await.expect("created");

    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &[&str]); 4] = [
        ("another key",      &["restore", "one.backup", "--key-file", "other", "--data", "restored"]),
        ("no key",           &["restore", "one.backup", "--key-file", "nowhere", "--data", "restored"]),
        ("an empty key",     &["restore", "one.backup", "--key-file", "empty", "--data", "restored"]),
        ("over other data",  &["restore", "one.backup", "--key-file", "key", "--data", "data"]),
    ];
    for (what, arguments) in rows {
        let (_, told) = ends(dir.path(), arguments, 1);
        assert!(!told.contains("panicked"), "{what}: {told}");
        assert!(!dir.path().join("restored/records").exists(), "{what} leaves nothing");
    }
    let mut torn = bytes.clone();
    torn.truncate(bytes.len() - 100);
    let mut flipped = bytes;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (name, bytes) in [("torn.backup", torn), ("flipped.backup", flipped)] {
        fs::write(dir.path().join(name), bytes).expect("written");
        ends(dir.path(), &["restore", name, "--key-file", "key", "--data", "restored"], 1);
        assert!(!dir.path().join("restored/records").exists(), "{name} leaves nothing");
    }

    ends(dir.path(), &["restore", "one.backup", "--key-file", "key", "--data", "restored"], 0);
    program.ask_to_end();
    assert_eq!(program.ended().code(), Some(0));
    let restored = Launch::new(dir.path(), "second", &["serve", "--data", "restored", "--port-base"])
        .arg(&ports)
        .start();
    site.update(&restored);
    let san = site.san("vs-1", "3gpp:seal:san").await;
    let read = san.list(&list.id, true).await.expect("restored");
    assert_eq!(read.value, list.value);
    assert_eq!(san.list(&later.id, true).await.expect_err("later").status(), Some(404));
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let (_, bytes) = sm.get_content(map, 1_000_000).await.expect("restored");
    assert!(bytes == payload);
    site.session("alice", "ue-1").await.expect("users are restored");
    let verified = site.operator().verify_audit().await.expect("chains");
    assert!(verified.intact, "{verified:?}");
}
