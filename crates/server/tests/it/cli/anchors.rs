//! `metaseal export` and `metaseal import`: a file goes round, is killed, and is spoiled.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::ends;
use crate::harness::{Launch, Program, Site, TestTime, parsed, port_base, run, val_server_list};

/// The summary of an import that must end with `code`.
fn import(dir: &Path, more: &[&str], code: i32) -> (Value, String) {
    let arguments = [&["import", "--json", "--data", "data"], more].concat();
    let (out, err) = ends(dir, &arguments, code);
    (serde_json::from_str(&out).unwrap_or_default(), err)
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_go_out_and_come_in() {
    let dir = TempDir::new().expect("a temporary directory");
    let ports = port_base(&TestTime::new()).to_string();
    let start =
        || Launch::new(dir.path(), "served", &["serve", "--data", "data", "--port-base"]).arg(&ports).start();
    let mut program = start();
    let mut site = Site::of(&program);
    site.register().await;
    let san = site.san("vs-1", "3gpp:seal:san").await;
    let list = san.create_list(&parsed(val_server_list("museum-guide", "kept"))).await.expect("created");
    ends(dir.path(), &["export", "one.ndjson", "--data", "data"], 0);
    ends(dir.path(), &["export", "one.ndjson", "--data", "data"], 1);
    let file = dir.path().join("one.ndjson");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).expect("lines");
    let anchors = list.value.anchors.len();
    assert_eq!(text.lines().count(), anchors + 1);

    // Where identifiers were given, all are new; the same file again changes nothing.
    let (first, _) = import(dir.path(), &["one.ndjson"], 0);
    assert_eq!(
        (first["imported"].as_u64(), first["renumbered"].as_u64()),
        (Some(anchors as u64), Some(anchors as u64))
    );
    let (again, _) = import(dir.path(), &["one.ndjson"], 0);
    assert_eq!((again["now"].as_u64(), again["done"].as_bool()), (Some(0), Some(true)));

    // A large file: the program is killed while it comes in, and the command goes on.
    let line = text.lines().nth(1).expect("an anchor");
    let many: String = (0..12_000)
        .map(|n| {
            let mut feature: Value = serde_json::from_str(line).expect("JSON");
            feature["properties"]["list"] = json!(format!("l{}", n / 500));
            feature["properties"]["label"] = json!(format!("a{n}"));
            format!("{feature}\n")
        })
        .collect();
    fs::write(dir.path().join("many.ndjson"), &many).expect("written");
    fs::write(dir.path().join("bad.ndjson"), format!("{many}MARK7731\n{line}\n")).expect("written");
    // Whatever it was doing then: before the first line, in between, or done.
    let arguments = ["import", "many.ndjson", "--data", "data"];
    std::thread::scope(|scope| {
        let command = scope.spawn(|| run(dir.path(), &arguments));
        std::thread::sleep(std::time::Duration::from_millis(500));
        program.kill();
        command.join().expect("it ends");
    });
    let program = start();
    let (rest, told) = import(dir.path(), &["many.ndjson"], 0);
    assert_eq!((rest["imported"].as_u64(), rest["done"].as_bool()), (Some(12_000), Some(true)), "{told}");
    assert!(rest["now"].as_u64() <= Some(12_000));

    // A bad line stops an import, or is left out.
    let (stopped, told) = import(dir.path(), &["bad.ndjson"], 1);
    assert!(
        told.contains("line 12001") && told.contains("is not JSON") && !told.contains("MARK7731"),
        "{told}"
    );
    assert_eq!(stopped["done"], json!(false));
    let (_, _) = import(dir.path(), &["bad.ndjson", "--skip-bad"], 0);
    assert!(site.operator().verify_audit().await.expect("chains").intact);
    drop(program);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_demo_made_is_not_imported() {
    let dir = TempDir::new().expect("a temporary directory");
    let demo = Program::demo();
    let data = demo.data();
    let data = data.to_str().expect("text");
    ends(dir.path(), &["export", "demo.ndjson", "--data", data], 0);
    let text = fs::read_to_string(dir.path().join("demo.ndjson")).expect("lines");
    assert!(text.lines().all(|line| line.contains("\"demo\":true")));
    let ports = port_base(&TestTime::new()).to_string();
    let program =
        Launch::new(dir.path(), "served", &["serve", "--data", "data", "--port-base"]).arg(&ports).start();
    let (_, told) = import(dir.path(), &["demo.ndjson"], 1);
    assert!(told.contains("was made by a demo"), "{told}");
    // Without its first line it says so still, on each.
    let rest: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    fs::write(dir.path().join("rest.ndjson"), rest).expect("written");
    let (_, told) = import(dir.path(), &["rest.ndjson"], 1);
    assert!(told.contains("demo"), "{told}");
    drop(program);
}
