//! What is recorded: audit, charging, traces, and the reasons that they give.

use sdk::admin::RecordFilter;
use sdk::{AnchorQuery, HttpsClient, Request};
use serde_json::json;

use crate::harness::{Program, Site, json_of, parsed, text_of, val_server_list, with_bearer};

#[tokio::test(flavor = "multi_thread")]
async fn audit_charging_and_traces_tell_the_same_story() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    // A client of its own, so that the demo's own work is not among its records.
    let mut site = site;
    site.register_val_server("vs-7", "museum-guide").await;
    let san = site.san("vs-7", "3gpp:seal:san").await;
    let created = san.create_list(&parsed(val_server_list("museum-guide", "seven"))).await.expect("created");
    let id = created.id.clone();
    let read = san.list(&id, true).await.expect("read");
    let patch = json!({ "suppFeat": "1", "anchors": { "open": { "name": "renamed" } } });
    san.patch_list(&id, &patch, None).await.expect("changed");
    let found = san.discover(&AnchorQuery { limit: Some(7), ..Default::default() }).await.expect("found");
    assert_eq!(found.found.results.len(), 7);
    let stranger = site.san("vs-2", "3gpp:seal:san").await;
    let refused = stranger.delete_list(&id, None).await.expect_err("not its own");
    assert_eq!(refused.status(), Some(403));
    san.delete_list(&id, None).await.expect("deleted");
    let gone = san.list(&id, true).await.expect_err("gone");
    assert_eq!(gone.status(), Some(404));

    // Audit, by each filter.
    let object = format!("anchors-lists/{id}");
    let by = |filter: RecordFilter| {
        let admin = &admin;
        async move { admin.audit(&filter).await.expect("audit").items }
    };
    let mine =
        by(RecordFilter { function: Some("san".into()), actor: Some("vs-7".into()), ..Default::default() })
            .await;
    let story: Vec<_> =
        mine.iter().map(|item| (item.action.as_str(), item.verdict.as_str(), item.status)).collect();
    assert_eq!(
        story,
        [
            ("san.anchors_list.create", "permit", 201),
            ("san.anchors_list.read", "permit", 200),
            ("san.anchors_list.modify", "permit", 200),
            ("san.anchors.discover", "permit", 200),
            ("san.anchors_list.delete", "permit", 204),
            (mine.last().expect("a record").action.as_str(), "deny", 404),
        ]
    );
    assert_eq!(mine.last().expect("a record").reason.as_deref(), Some("NOT_FOUND"));
    let of_list = by(RecordFilter { object: Some(object.clone()), ..Default::default() }).await;
    assert!(of_list.len() >= 4 && of_list.iter().all(|item| item.object.as_deref() == Some(object.as_str())));
    assert!(
        of_list
            .iter()
            .filter(|item| item.verdict == "permit")
            .all(|item| item.owner.as_deref() == Some("vs-7"))
    );
    let trace = read.trace.clone().expect("a trace");
    let of_trace = by(RecordFilter { trace: Some(trace.clone()), ..Default::default() }).await;
    assert_eq!(of_trace.len(), 1);
    assert_eq!(of_trace[0].trace.as_str(), trace);
    let later = by(RecordFilter {
        function: Some("san".into()),
        after: Some(mine[1].seq),
        actor: Some("vs-7".into()),
        ..Default::default()
    })
    .await;
    assert_eq!(later, mine[2..]);
    // Pages of one: the same records in the same order.
    let (mut paged, mut cursor) = (Vec::new(), None);
    loop {
        let filter = RecordFilter {
            function: Some("san".into()),
            actor: Some("vs-7".into()),
            limit: Some(1),
            cursor,
            ..Default::default()
        };
        let page = admin.audit(&filter).await.expect("audit");
        paged.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, mine);
    for (filter, what) in [
        ("function=planet", "a function"),
        ("limit=0", "a limit"),
        ("cursor=x", "a cursor"),
        ("after=x", "a place"),
        ("limit=1&limit=2", "twice"),
    ] {
        let mut url = admin.url(&["audit"]).expect("a url");
        url.set_query(Some(filter));
        let answer = admin.send(Request::get(url)).await.expect("an answer");
        assert_eq!(
            (answer.status, json_of(&answer)["cause"].as_str()),
            (400, Some("INVALID_QUERY_PARAM")),
            "{what}"
        );
    }
    let verified = admin.verify_audit().await.expect("chains");
    assert!(verified.intact && verified.functions.len() == 7, "{verified:?}");

    // Charging: one record for each 2xx, none for a refusal, units as delivered.
    let filter = RecordFilter { consumer: Some("vs-7".into()), ..Default::default() };
    let charged = admin.charging(&filter).await.expect("charging").items;
    let sums: Vec<_> = charged.iter().map(|item| (item.operation.as_str(), item.units)).collect();
    assert_eq!(
        sums,
        [
            ("san.anchors_list.create", 2),
            ("san.anchors_list.read", 2),
            ("san.anchors_list.modify", sums[2].1),
            ("san.anchors.discover", 7),
            ("san.anchors_list.delete", sums[4].1),
        ]
    );
    assert!(charged.iter().all(|item| item.client == "vs-7" && item.outcome == "SERVED"), "{charged:?}");
    let permits: Vec<_> =
        mine.iter().filter(|item| item.verdict == "permit").map(|item| &item.trace).collect();
    assert_eq!(charged.iter().map(|item| &item.trace).collect::<Vec<_>>(), permits);

    // Traces: the steps of the procedure, and why.
    let steps = admin.trace(&trace).await.expect("steps");
    assert!(steps.len() > 1 && steps.iter().all(|step| step.procedure == "TR33.721-S1"), "{steps:?}");
    assert!(steps.iter().any(|step| !step.checks.is_empty()), "{steps:?}");
    let why = admin.why(&trace).await.expect("why");
    assert_eq!((why.verdict.as_str(), why.status, why.reason.as_deref()), ("permit", 200, None));
    let why = admin.why(refused.trace().expect("a trace")).await.expect("why");
    assert_eq!((why.verdict.as_str(), why.status, why.reason.as_deref()), ("deny", 403, Some("NOT_OWNER")));
    let failed: Vec<_> = why.checks.iter().filter(|check| check.verdict.as_str() == "fail").collect();
    assert!(!failed.is_empty() && failed.iter().all(|check| check.remedy.is_some()), "{why:?}");
    let recent = admin.traces(Some(1_000)).await.expect("traces");
    assert!(recent.items.iter().any(|summary| summary.trace.as_str() == trace));

    // A trace of a client's own is a link: the decision is found by it (decision 0003).
    let own = "5bd66ef5095369c7b0d1f8f4bd33716a";
    let link =
        HttpsClient::new(&site.ca, site.clients["vs-7"].identity.as_ref()).expect("a link").with_trace(own);
    let token = text_of(&site.server_token("vs-7", "san", "3gpp:seal:san").await);
    let asked = with_bearer(Request::get(site.path("san", "/ssan-disc/v1/spatial-anchors?limit=1")), &token);
    let answer = link.send(asked).await.expect("an answer");
    assert_ne!(answer.trace().expect("a trace"), own, "a new trace begins");
    assert_eq!(admin.why(own).await.expect("found by the link").status, 200);
    for unknown in ["0".repeat(32), "x".into(), "A".repeat(32)] {
        assert_eq!(admin.why(&unknown).await.expect_err("unknown").status(), Some(404));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_before_the_holder_are_counted_and_still_explained() {
    let program = Program::demo();
    let site = Site::of(&program);
    let nobody = site.link_as(None);
    let before = denials(&site).await;
    let mut last = None;
    for _ in 0..200 {
        let answer = nobody
            .send(Request::get(site.path("san", "/ssan-disc/v1/spatial-anchors")))
            .await
            .expect("an answer");
        assert_eq!(answer.status, 401);
        last = answer.trace();
    }
    assert_eq!(site.reason(last).await, "TOKEN_MISSING", "a counted refusal is explained");
    // Whoever floods does not fill the audit: few records, and none is lost in the count.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let after = denials(&site).await;
    assert!(after - before < 150, "{} records for 200 refusals", after - before);
    assert!(site.operator().verify_audit().await.expect("chains").intact);
}

async fn denials(site: &Site) -> usize {
    let filter = RecordFilter { function: Some("san".into()), limit: Some(1_000), ..Default::default() };
    let items = site.operator().audit(&filter).await.expect("audit").items;
    items.iter().filter(|item| item.reason.as_deref() == Some("TOKEN_MISSING")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn health_verifiers_metrics_and_configuration_are_shown() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    let health = admin.health().await.expect("health");
    assert_eq!((health.status.as_str(), health.version.as_str()), ("ok", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        health.functions.keys().map(String::as_str).collect::<Vec<_>>(),
        ["admin", "ccf", "console", "san", "sim", "sm", "udm"]
    );
    let verifiers = admin.verifiers().await.expect("verifiers");
    let alive = |at: &str| verifiers.iter().filter(|one| one.alive && one.issuer == site.at(at)).count();
    assert_eq!((alive("sim"), alive("ccf")), (3, 2), "admin, san and sm; san and sm: {verifiers:?}");
    assert_eq!(verifiers.len(), 5, "{verifiers:?}");
    let _ = site.san("vs-1", "3gpp:seal:san").await.discover(&AnchorQuery::default()).await;
    let metrics = admin.metrics().await.expect("metrics");
    for line in metrics.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        assert!(line.rsplit(' ').next().is_some_and(|number| number.parse::<f64>().is_ok()), "{line}");
    }
    assert!(metrics.contains("# TYPE") && metrics.contains("san"), "{metrics}");
    let config = admin.config().await.expect("the configuration");
    assert_eq!(config["storage"]["backend"], "sqlite");
    let keys = admin.keys().await.expect("keys");
    assert!(
        keys.iter().any(|key| key.role == "sim" && key.alg == "ES256" && key.status.as_str() == "active")
    );
}
