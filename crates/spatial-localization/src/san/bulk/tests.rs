//! Imports and exports over a server with records of its own.

use std::collections::BTreeSet;

use api_types::bulk::{ImportBegin, ImportDefaults, ImportRun, OwnerKind, OwnerRef};
use bytes::Bytes;
use serde_json::{Value, json};
use service_http::refusal::Refusal;

use super::super::tests::{ALICE, VS1, VS2, World, at, list};
use super::{Batch, ExportPage};

impl World {
    async fn begin(&self, id: &str) -> ImportRun {
        self.san.begin_import(id, &ImportBegin::default()).await.unwrap().0
    }

    async fn lines(
        &self,
        id: &str,
        first: u64,
        last: bool,
        skip_bad: bool,
        lines: &str,
    ) -> Result<ImportRun, Refusal> {
        let lines = Bytes::copy_from_slice(lines.as_bytes());
        let batch = Batch { import_id: id.to_owned(), first, last, skip_bad, lines };
        self.san.import_lines(batch, self.san.import_turn()).await
    }

    /// Everything, in pages of `limit`.
    async fn export(&self, limit: u32) -> String {
        let mut text = String::from_utf8(self.san.export_header().unwrap()).unwrap();
        let mut after = None;
        loop {
            let ExportPage { lines, next, .. } = self.san.export_page(after, limit).await.unwrap();
            text.push_str(&String::from_utf8(lines).unwrap());
            after = next;
            if after.is_none() {
                return text;
            }
        }
    }
}

fn line(list: &str, label: &str, id: Option<u32>, more: Value) -> String {
    let mut anchor = at(2.35, 48.85, json!({ "rules": { "valServiceList": ["museum-guide"] } }));
    for (name, value) in more.as_object().unwrap() {
        anchor[name] = value.clone();
    }
    let line = json!({
        "type": "Feature", "id": id, "geometry": null,
        "properties": {
            "list": list, "label": label, "incarnation": "77",
            "owner": { "subject": "vs-1", "kind": "CLIENT" },
            "valServInfo": { "serviceId": "museum-guide", "endPt": { "uri": "https://val.example/guide" } },
            "anchor": anchor,
        },
    });
    format!("{line}\n")
}

fn reason(refused: Result<ImportRun, Refusal>) -> (u16, String, String) {
    let refusal = refused.expect_err("refused");
    let fault = refusal.invalid.first();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    (
        refusal.on_the_wire().0,
        text(fault.map(|fault| &fault.param)),
        text(fault.and_then(|fault| fault.reason.as_ref())),
    )
}

#[tokio::test]
async fn what_goes_out_comes_in_elsewhere_as_it_was() {
    let from = World::new().await;
    let rules = json!({ "rules": { "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] } });
    let own = list(json!({ "a": at(2.35, 48.85, rules), "b": at(2.36, 48.86, json!({ "name": "door" })) }));
    let path = from.post(VS1, &own).await.location();
    from.post(ALICE, &list(json!({ "p": at(2.37, 48.87, json!({ "visibility": "UNIVERSAL" })) }))).await;
    let text = from.export(2).await;
    assert_eq!(text.lines().count(), 4, "{text}");
    assert_eq!(text, from.export(1_000).await, "pages change nothing");
    assert!(text.contains("\"geopose\""), "{text}");

    let to = World::new().await;
    let begun = to.begin("x").await;
    assert!(begun.keeps_ids && begun.next_line == 1);
    let run = to.lines("x", 1, true, false, &text).await.unwrap();
    assert_eq!((run.imported, run.renumbered, run.done, run.next_line), (3, 0, true, 5));
    assert_eq!(to.export(1_000).await, text, "identifiers, lives, owners and rules");
    let before = from.get(VS1, &format!("{path}?supp-feats=1")).await;
    let after = to.get(VS1, &format!("{path}?supp-feats=1")).await;
    assert_eq!((after.status, after.json(), after.tag()), (200, before.json(), before.tag()));
    assert_eq!(to.get(VS2, &path).await.labels(), ["a"]);
    assert_eq!(to.get(VS2, "/ssan-disc/v1/spatial-anchors").await.found().len(), 2);

    // Into a server that has given identifiers, everything gets another one.
    let run = from.san.begin_import("again", &ImportBegin::default()).await.unwrap().0;
    assert!(!run.keeps_ids);
    let run = from.lines("again", 1, true, false, &text).await.unwrap();
    assert_eq!((run.imported, run.renumbered), (3, 3));
    let all = from.export(1_000).await;
    let member = |name: &str| -> BTreeSet<String> {
        all.lines()
            .skip(1)
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|line| line.pointer(name).unwrap().to_string())
            .collect()
    };
    assert_eq!(member("/id").len(), 6);
    assert_eq!(member("/properties/incarnation").len(), 6, "no grant of one holds for its copy");
    assert_eq!(member("/properties/list").len(), 4);
}

#[tokio::test]
async fn an_import_goes_on_where_it_stopped_and_keeps_nothing_twice() {
    let world = World::new().await;
    world.begin("x").await;
    let two = line("l", "a", Some(1), json!({})) + &line("l", "b", Some(2), json!({}));
    let run = world.lines("x", 1, false, false, &two).await.unwrap();
    assert_eq!((run.next_line, run.imported), (3, 2));
    // The answer was lost, and the request is sent again.
    let run = world.lines("x", 1, false, false, &two).await.unwrap();
    assert_eq!((run.next_line, run.imported), (3, 2));
    // Part of what comes was kept before.
    let three = two.clone() + &line("l", "c", Some(3), json!({}));
    let run = world.lines("x", 1, false, false, &three).await.unwrap();
    assert_eq!((run.next_line, run.imported), (4, 3));
    let gap = world.lines("x", 6, false, false, &two).await;
    assert_eq!(reason(gap).0, 412, "lines before these are missing");
    assert_eq!(reason(world.lines("y", 1, false, false, &two).await).0, 404);
    assert_eq!(world.san.import_run("x").await.unwrap().next_line, 4);

    let other = ImportBegin { issuers: [("a".to_owned(), "b".to_owned())].into(), ..ImportBegin::default() };
    assert!(world.san.begin_import("x", &other).await.is_err(), "on other terms");
    let (run, created) = world.san.begin_import("x", &ImportBegin::default()).await.unwrap();
    assert!(!created && run.next_line == 4);
    let run = world.lines("x", 4, true, false, "").await.unwrap();
    assert!(run.done);
    let run = world.lines("x", 1, true, false, &three).await.unwrap();
    assert_eq!((run.imported, run.done), (3, true), "a whole file again");
    assert_eq!(world.export(100).await.lines().count(), 4);
}

#[tokio::test]
async fn each_bad_line_is_named_and_refuses_its_batch_or_is_left_out() {
    let good = |n: u32| line("l", &format!("good-{n}"), Some(n), json!({}));
    let changed = |from: &str, to: &str| line("l", "bad", Some(50), json!({})).replacen(from, to, 1);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, String, &str, &str); 9] = [
        ("no JSON",           "MARK7731\n".into(),                                    "", "is not JSON"),
        ("a member twice",    changed("\"id\":50", "\"id\":50,\"id\":51"),            "", "holds a member twice"),
        ("no owner",          changed("\"owner\"", "\"nobody\""),                     "/properties/owner", "is missing"),
        ("a foreign issuer",  changed("\"subject\"", "\"issuer\":\"https://x.example\",\"subject\""), "/properties/owner/issuer", "is no issuer of this server"),
        ("a demo's",          changed("\"label\"", "\"demo\":true,\"label\""),        "/properties/demo", "was made by a demo"),
        ("a label twice",     line("l", "good-1", Some(50), json!({})),               "/properties/label", "stands in its list twice"),
        ("out of the world",  changed("\"lat\":48.85", "\"lat\":148.85"),             "/properties/anchor/posInfo/pos/localOrigin/point/lat", "is out of range"),
        ("too large",         line("l", "bad", Some(50), json!({ "premises": "x".repeat(17_000) })), "/properties/anchor/premises", "is too long"),
        ("a list",            "[]\n".into(),                                          "", "has the wrong type"),
    ];
    for (what, bad, param, why) in rows {
        let world = World::new().await;
        world.begin("x").await;
        let text = good(1) + &bad + &good(2);
        let (status, at, told) = reason(world.lines("x", 1, true, false, &text).await);
        assert_eq!((status, at.as_str(), told.as_str()), (400, format!("/2{param}").as_str(), why), "{what}");
        assert_eq!(world.export(10).await.lines().count(), 1, "{what}: nothing of the batch is kept");
        let run = world.lines("x", 1, true, true, &text).await.unwrap();
        assert_eq!((run.imported, run.skipped, run.next_line, run.done), (2, 1, 4, true), "{what}");
        assert_eq!((run.bad[0].line, run.bad[0].param.as_str()), (2, param), "{what}");
        assert!(!format!("{:?}", run.bad).contains("MARK7731"), "{what}");
    }
}

#[tokio::test]
async fn no_list_grows_beyond_what_the_interface_takes() {
    let world = World::new().await;
    world.begin("x").await;
    let many: String = (0..1_000).map(|n| line("l", &format!("a{n}"), None, json!({}))).collect();
    assert_eq!(world.lines("x", 1, false, true, &many).await.unwrap().imported, 1_000);
    let run = world.lines("x", 1_001, false, true, &line("l", "more", None, json!({}))).await.unwrap();
    assert_eq!((run.imported, run.skipped), (1_000, 1));
    // A list under the same name and of another owner is another list.
    let foreign = line("l", "a0", None, json!({})).replacen("vs-1", "vs-2", 1);
    let run = world.lines("x", 1_002, false, true, &foreign).await.unwrap();
    assert_eq!((run.imported, run.skipped), (1_001, 1));
    assert_eq!(world.get(VS2, "/ssan-disc/v1/spatial-anchors").await.found().len(), 1);
    let entries: Vec<String> = (0..256).map(|n| format!("s{n}")).collect();
    let ruled = |n: u64| line("r", &format!("a{n}"), None, json!({ "rules": { "valServiceList": entries } }));
    let text: String = (0..17).map(ruled).collect();
    let run = world.lines("x", 1_003, true, true, &text).await.unwrap();
    assert_eq!((run.imported, run.skipped), (1_017, 2), "16 times 256 entries are the most");
}

#[tokio::test]
async fn the_same_number_twice_is_given_once() {
    let world = World::new().await;
    world.begin("x").await;
    let text = line("l", "a", Some(7), json!({})) + &line("l", "b", Some(7), json!({}));
    let run = world.lines("x", 1, false, false, &text).await.unwrap();
    assert_eq!((run.imported, run.renumbered), (2, 1));
    let run = world.lines("x", 3, true, false, &line("m", "a", Some(7), json!({}))).await.unwrap();
    assert_eq!((run.imported, run.renumbered), (3, 2));
    let found: BTreeSet<u64> =
        world.get(VS1, "/ssan-disc/v1/spatial-anchors").await.found().into_iter().collect();
    assert!(found.len() == 3 && found.contains(&7), "{found:?}");
}

#[tokio::test]
async fn plain_features_belong_to_whom_the_operator_names() {
    let world = World::new().await;
    let owner = OwnerRef { issuer: None, subject: "vs-2".into(), kind: OwnerKind::Client };
    let defaults = ImportDefaults {
        owner,
        service_id: "museum-guide".parse().unwrap(),
        end_pt: "https://val.example/guide".into(),
    };
    let begin = ImportBegin { defaults: Some(defaults), ..ImportBegin::default() };
    world.san.begin_import("x", &begin).await.unwrap();
    let point = |lon: f64, name: &str| {
        let geometry = json!({ "type": "Point", "coordinates": [lon, 48.85] });
        json!({ "type": "Feature", "geometry": geometry, "properties": { "name": name } }).to_string()
            + "\r\n"
    };
    let text = point(2.35, "door") + "\n" + &point(2.36, "gate");
    let run = world.lines("x", 1, true, false, &text).await.unwrap();
    assert_eq!((run.imported, run.renumbered, run.next_line), (2, 0, 4));
    assert_eq!(world.get(VS2, "/ssan-disc/v1/spatial-anchors").await.found().len(), 2);
    assert_eq!(world.get(VS1, "/ssan-disc/v1/spatial-anchors").await.found().len(), 0, "nobody else's");
}

#[tokio::test]
async fn what_a_demo_made_stays_there() {
    let world = World::new().await;
    let begin = ImportBegin { demo: true, ..ImportBegin::default() };
    let refusal = world.san.begin_import("x", &begin).await.expect_err("refused");
    assert_eq!(refusal.on_the_wire().0, 400);
    assert!(world.san.import_run("x").await.is_err());
}
