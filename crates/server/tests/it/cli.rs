//! The command line (contract section 1), as an operator uses it.

mod anchors;
mod backup;
mod keys;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use sdk::Request;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Launch, Program, Site, TestTime, parsed, port_base, run, run_with};

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
    for word in
        ["demo", "serve", "why", "doctor", "rotate", "backup", "restore", "export", "import", "config"]
    {
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

    // A fault is named with its remedy.
    program.kill();
    fs::set_permissions(dir.path().join("data"), fs::Permissions::from_mode(0o755)).expect("changed");
    let (told, _) = ends(dir.path(), &["doctor", "--data", "data"], 1);
    assert!(told.contains("chmod 700"), "{told}");

    // Without its key nothing starts, and nothing is made anew.
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
