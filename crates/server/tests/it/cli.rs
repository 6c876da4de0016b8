//! The command line (contract section 1), as an operator uses it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use sdk::Request;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    Launch, Program, Site, TestTime, claims_of, parsed, port_base, run, run_with, text_of, val_server_list,
    with_bearer,
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Both outputs of a command that must end with `code`.
fn ends(dir: &Path, arguments: &[&str], code: i32) -> (String, String) {
    ended(arguments, run(dir, arguments), code)
}

fn ended(arguments: &[&str], output: Output, code: i32) -> (String, String) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn help_and_configuration_explain_themselves() {
    let dir = TempDir::new().expect("a temporary directory");
    let (help, _) = ends(dir.path(), &["--help"], 0);
    for word in ["demo", "serve", "why", "doctor", "rotate", "backup", "restore", "config"] {
        assert!(help.contains(word), "{word} is not in the help:\n{help}");
        let (own, _) = ends(dir.path(), &[word, "--help"], 0);
        for option in ["--data", "--config", "--port-base", "--ready", "--json"] {
            assert!(own.contains(option), "{word} --help does not name {option}");
        }
    }
    ends(dir.path(), &["--version"], 0);
    ends(dir.path(), &["nonsense"], 2);
    ends(dir.path(), &["serve", "--nonsense"], 2);

    let file = dir.path().join("metaseal.toml");
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, &[&str]); 4] = [
        ("an unknown key",     "[server]\nhost = \"localhost\"\nprot_base = 1\n", &["metaseal.toml:3", "prot_base", "config schema"]),
        ("an unknown section", "[sever]\nhost = \"x\"\n",                         &["metaseal.toml:1", "sever", "config schema"]),
        ("a wrong kind",       "[sim]\naccess_token_s = \"long\"\n",              &["metaseal.toml:2", "config schema"]),
        ("a wrong value",      "[sim]\naccess_token_s = 3600\n",                  &["sim.access_token_s", "between 1 and 600"]),
    ];
    for (what, content, words) in rows {
        fs::write(&file, content).expect("written");
        for command in [&["config", "check"][..], &["serve", "--data", "x"], &["demo", "--once"]] {
            let arguments = [command, &["--config", "metaseal.toml"]].concat();
            let (_, told) = ends(dir.path(), &arguments, 1);
            for word in words {
                assert!(told.contains(word), "{what}: {word} is not in\n{told}");
            }
        }
    }
    assert!(!dir.path().join("x").exists(), "a wrong configuration leaves no traces");

    // Layers: file, then environment, then flag.
    fs::write(&file, "[server]\nport_base = 9000\nhost = \"a.example\"\n").expect("written");
    let arguments = ["config", "check", "--json", "--config", "metaseal.toml"];
    let check = |extra: &[&str], env: &[(&str, &str)]| -> Value {
        let arguments = [&arguments, extra].concat();
        let (out, _) = ended(&arguments, run_with(dir.path(), &arguments, env), 0);
        serde_json::from_str(&out).expect("JSON")
    };
    assert_eq!(check(&[], &[])["server"]["port_base"], 9000);
    let layered = check(&[], &[("METASEAL_SERVER_PORT_BASE", "9100")]);
    assert_eq!(
        (&layered["server"]["port_base"], &layered["server"]["host"]),
        (&json!(9100), &json!("a.example"))
    );
    let flagged = check(&["--port-base", "0"], &[("METASEAL_SERVER_PORT_BASE", "9100")]);
    assert_eq!(flagged["server"]["port_base"], 0);
    let wrong = run_with(dir.path(), &["config", "check"], &[("METASEAL_SERVER_PROT_BASE", "1")]);
    let (_, told) = ended(&["config", "check"], wrong, 1);
    assert!(told.contains("METASEAL_SERVER_PROT_BASE"), "{told}");

    let (schema, _) = ends(dir.path(), &["config", "schema"], 0);
    let schema: Value = serde_json::from_str(&schema).expect("a JSON Schema");
    assert!(schema["$schema"].is_string());
    let all = schema.to_string();
    for key in
        ["port_base", "access_token_s", "backend", "connections_per_source", "allow_private", "sim_mtls"]
    {
        assert!(all.contains(key), "{key} is not in the schema");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_program_a_directory_and_a_quiet_end() {
    let dir = TempDir::new().expect("a temporary directory");
    let launch = Launch::new(dir.path(), "first", &["serve", "--port-base", "0", "--data", "data"]);
    let mut program = launch.start();
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(program.ready_file()), 0o600);
    assert_eq!(mode(&program.data()), 0o700);
    for file in ["kek", "ready.json", "pki/sbi/root.key", "pki/admin/operator.key"] {
        assert_eq!(mode(&program.data().join(file)), 0o600, "{file}");
    }
    assert_eq!(program.ready["pid"], program.id());
    assert!(program.ready.get("demo").is_none(), "only a demo gives keys away");

    let second = Launch::new(dir.path(), "second", &["serve", "--port-base", "0", "--data", "data"]);
    let refused = second.try_start().err().expect("refused");
    assert!(refused.contains("in use"), "{refused}");
    let demo =
        Launch::new(dir.path(), "third", &["demo", "--only", "none", "--port-base", "0", "--data", "data"]);
    assert!(demo.try_start().is_err(), "no demo in a directory with data");

    // The test clock is a demo's alone.
    let site = Site::of(&program);
    let refused = site.operator().set_clock(60).await.expect_err("no test clock");
    assert_eq!(refused.status(), Some(404));

    // A request in hand is served to its end, and no new connection after it.
    let mut site = site;
    site.register().await;
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = sm
        .create_map(&parsed(crate::harness::val_server_map("museum-guide", "drain")))
        .await
        .expect("a map")
        .id();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(futures::stream::unfold(receiver, |mut pieces| async move {
        pieces.recv().await.map(|piece| (piece, pieces))
    }));
    let upload =
        tokio::spawn(async move { sm.put_content_stream(map, "model/gltf-binary", body, None, None).await });
    sender.send(Ok(bytes::Bytes::from_static(b"begun before "))).await.expect("sent");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    program.ask_to_end();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    sender.send(Ok(bytes::Bytes::from_static(b"and ended after"))).await.expect("sent");
    drop(sender);
    upload.await.expect("a task").expect("a request in hand is served");
    let status = program.ended();
    assert_eq!(status.code(), Some(0), "SIGTERM ends with 0:\n{}", program.log());
    assert!(site.operator().health().await.is_err(), "nobody listens any more");

    let mut program = launch.start();
    site.update(&program);
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let (_, bytes) = sm.get_content(map, 1_000).await.expect("kept");
    assert_eq!(&bytes[..], b"begun before and ended after");

    // Without its key nothing starts, and nothing is made anew.
    program.kill();
    fs::rename(dir.path().join("data/kek"), dir.path().join("kek.away")).expect("moved");
    let refused = launch.try_start().err().expect("refused");
    assert!(refused.contains("restore it from a backup"), "{refused}");
    fs::write(dir.path().join("data/kek"), [7_u8; 32]).expect("written");
    let wrong = launch.try_start().err().expect("another key opens nothing");
    assert!(!wrong.contains("panicked"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_stays_a_demo() {
    let program = Program::demo();
    let data = program.data();
    let dir = TempDir::new().expect("a temporary directory");
    let ready = program.ready_file().to_string_lossy().into_owned();

    // why and doctor find the program by its ready file.
    let site = Site::of(&program);
    let answer =
        site.link_as(None).send(Request::get(site.path("san", "/ssan-disc/v1/spatial-anchors"))).await;
    let parent = answer.expect("an answer").header("traceparent").expect("a trace").to_owned();
    let trace = parent.split('-').nth(1).expect("a trace").to_owned();
    for named in [&parent, &trace] {
        let (out, _) = ends(dir.path(), &["why", named, "--ready", &ready], 0);
        for word in ["deny", "TOKEN_MISSING", "401", "remedy"] {
            assert!(out.contains(word), "{word} is not in\n{out}");
        }
    }
    let (out, _) = ends(dir.path(), &["why", &trace, "--json", "--ready", &ready], 0);
    let why: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (&why["reason"], &why["status"], &why["function"]),
        (&json!("TOKEN_MISSING"), &json!(401), &json!("san"))
    );
    ends(dir.path(), &["why", "nonsense", "--ready", &ready], 1);
    ends(dir.path(), &["why", &"0".repeat(32), "--ready", &ready], 1);
    let (out, _) = ends(dir.path(), &["doctor", "--ready", &ready], 0);
    assert!(out.contains("audit chains") && !out.contains('✗'), "{out}");
    let (out, _) = ends(dir.path(), &["doctor", "--json", "--ready", &ready], 0);
    let findings: Value = serde_json::from_str(&out).expect("JSON");
    assert!(findings.as_array().expect("findings").iter().all(|finding| finding["ok"] == true), "{findings}");
    let (out, _) = ends(dir.path(), &["doctor", "--data", "nowhere"], 0);
    assert!(out.contains("does not exist yet"), "{out}");

    // What a demo made is not kept, and no program but a demo takes its directory.
    fs::write(dir.path().join("key"), b"a key file of thirty-two bytes..").expect("written");
    let from = data.to_string_lossy().into_owned();
    let (_, told) = ends(dir.path(), &["backup", "demo.backup", "--key-file", "key", "--data", &from], 1);
    assert!(told.contains("demo") && !dir.path().join("demo.backup").exists(), "{told}");
    drop(site);
    let mut program = program;
    program.ask_to_end();
    assert_eq!(program.ended().code(), Some(0));
    let serve = Launch::new(dir.path(), "serve", &["serve", "--port-base", "0"]).arg("--data").arg(&data);
    let refused = serve.try_start().err().expect("refused");
    assert!(refused.contains("made by a demo"), "{refused}");
}

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
    let map = sm
        .create_map(&parsed(crate::harness::val_server_map("museum-guide", "kept")))
        .await
        .expect("a map")
        .id();
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

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_with_and_without_haste() {
    let program = Program::demo();
    let site = Site::of(&program);
    let dir = TempDir::new().expect("a temporary directory");
    let ready = program.ready_file().to_string_lossy().into_owned();
    let header = |token: &str| {
        use base64::Engine as _;
        let part = token.split('.').next().expect("a header");
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<Value>(&bytes).expect("JSON")["kid"].as_str().expect("a kid").to_owned()
    };
    let link = site.link("vs-1");
    let search = || Request::get(site.path("san", "/ssan-disc/v1/spatial-anchors"));
    let status = async |token: &str| {
        let answer = link.send(with_bearer(search(), token)).await.expect("an answer");
        let reason = site.reason(answer.trace()).await;
        (answer.status, reason)
    };
    let old = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san").await);

    let (out, _) = ends(dir.path(), &["rotate", "sim", "--json", "--ready", &ready], 0);
    let rotated: Value = serde_json::from_str(&out).expect("JSON");
    let next = rotated["kid"].as_str().expect("a kid").to_owned();
    assert_ne!(header(&old), next);
    assert_eq!(status(&old).await.0, 200, "a token of the old key holds until its end");
    let keys = site.operator().keys().await.expect("keys");
    assert!(keys.iter().any(|key| key.kid == next) && keys.iter().any(|key| key.kid == header(&old)));
    // The new key signs after the verifiers' cache time.
    let active_s = keys.iter().find(|key| key.kid == next).expect("the key").active_from.unix();
    let wait = (active_s - site.time.now_s()).max(0) + 1;
    site.operator().set_clock(wait).await.expect("the clock moves");
    site.time.move_by(wait);
    let fresh = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san").await);
    assert_eq!(header(&fresh), next, "{keys:?}");
    assert_eq!(status(&fresh).await.0, 200);

    let (out, _) = ends(dir.path(), &["rotate", "sim", "--emergency", "--json", "--ready", &ready], 0);
    let rotated: Value = serde_json::from_str(&out).expect("JSON");
    for token in [&old, &fresh] {
        let (status, reason) = status(token).await;
        assert_eq!(status, 401);
        assert!(["REVOKED_KEY", "KEY_UNKNOWN", "EXPIRED"].contains(&reason.as_str()), "{reason}");
    }
    let newest = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san.discover").await);
    assert_eq!(header(&newest), rotated["kid"].as_str().expect("a kid"), "it signs at once");
    assert_eq!(status(&newest).await.0, 200);
    assert_eq!(claims_of(&newest)["client_id"], "vs-1");
    let (_, told) = ends(dir.path(), &["rotate", "ccf", "--ready", &ready], 1);
    assert!(told.contains("ROLE_NOT_HERE"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let dir = TempDir::new().expect("a temporary directory");
    let base = port_base(&TestTime::new());
    let taken = std::net::TcpListener::bind(("127.0.0.1", base + 6)).expect("free");
    let launch = Launch::new(dir.path(), "serve", &["serve", "--data", "data"])
        .arg("--port-base")
        .arg(base.to_string());
    let refused = launch.try_start().err().expect("refused");
    assert!(refused.contains("san cannot listen") && refused.contains("--port-base"), "{refused}");
    drop(taken);
    let program = launch.start();
    let site = Site::of(&program);
    assert_eq!(site.at("san"), format!("https://localhost:{}", base + 6));
    assert_eq!(site.at("admin"), format!("https://localhost:{}", base + 2));
    assert_eq!(site.at("sim_mtls"), format!("https://localhost:{}", base + 25));
}
