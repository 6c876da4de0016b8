//! `CAPIF_Logging_API_Invocation` and `CAPIF_Auditing`: who reports, who audits, and that nothing is changed afterwards.

use serde_json::{Value, json};

use crate::harness::{Ccf, Holder, Provider, ccf, escaped, text};

async fn publish(ccf: &Ccf, provider: &Provider, name: &str, aefs: &[&Holder]) -> String {
    let profile = |aef: &&Holder| {
        let interface = json!({ "fqdn": "aef.example", "port": 443, "securityMethods": ["OAUTH"] });
        json!({ "aefId": aef.id, "versions": [{ "apiVersion": "v1" }], "interfaceDescriptions": [interface] })
    };
    let profiles: Vec<_> = aefs.iter().map(profile).collect();
    let api = json!({ "apiName": name, "aefProfiles": profiles });
    let target = format!("/published-apis/v1/{}/service-apis", provider.apf.id);
    let answer = ccf.post(&target, Some(&provider.apf), &api).await;
    answer.expect(201);
    answer.id()
}

fn entry(api: &str, name: &str, more: Value) -> Value {
    let mut entry = json!({
        "apiId": api, "apiName": name, "apiVersion": "v1", "resourceName": "lists", "protocol": "HTTP_2",
        "operation": "GET", "result": "200", "invocationTime": "2027-01-15T08:00:00Z",
    });
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

fn log(aef: &Holder, invoker: &Holder, entries: Vec<Value>) -> Value {
    json!({ "aefId": aef.id, "apiInvokerId": invoker.id, "logs": entries })
}

fn path(aef: &Holder) -> String {
    format!("/api-invocation-logs/v1/{}/logs", aef.id)
}

async fn audit(ccf: &Ccf, by: &Holder, query: &str) -> crate::harness::Answer {
    ccf.get(&format!("/logs/v1/apiInvocationLogs?{query}"), Some(by)).await
}

/// What is spoiled, who sends, where to, the body, the answer and its reason.
type Row<'r> = (&'r str, Option<&'r Holder>, String, Value, u16, &'r str);

#[tokio::test]
async fn a_function_reports_in_its_own_name_and_about_what_it_exposes() {
    let ccf = ccf().await;
    let provider = ccf.provider(2, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let (aef, other) = (&provider.aefs[0], &provider.aefs[1]);
    let api = publish(&ccf, &provider, "things", &[aef]).await;
    let elsewhere = publish(&ccf, &provider, "others", &[other]).await;
    let good = log(aef, &invoker, vec![entry(&api, "things", json!({}))]);
    let spoiled = |spoil: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        spoil(&mut body);
        body
    };
    let made = ccf.post(&path(aef), Some(aef), &good).await;
    assert_eq!(made.expect(201), good);
    assert_eq!(made.headers["location"], format!("{}{}/{}", crate::harness::ISSUER, path(aef), made.id()));
    let others = json!(other.id);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row<'_>> = vec![
        ("no certificate",              None,                path(aef),   good.clone(), 403, "PEER_REFUSED"),
        ("an API invoker",              Some(&invoker),      path(aef),   good.clone(), 403, "PEER_REFUSED"),
        ("the management function",     Some(&provider.amf), path(aef),   good.clone(), 403, "PEER_REFUSED"),
        ("another function",            Some(other),         path(aef),   good.clone(), 403, "NOT_OWNER"),
        ("another one in the path",     Some(aef),           path(other), good.clone(), 403, "NOT_OWNER"),
        ("another one in the body",     Some(aef),           path(aef),   spoiled(&|b| b["aefId"] = others.clone()), 403, "NOT_OWNER"),
        ("another function's API",      Some(aef),           path(aef),   spoiled(&|b| b["logs"][0]["apiId"] = json!(elsewhere)), 400, "INPUT_REFUSED"),
        ("another name",                Some(aef),           path(aef),   spoiled(&|b| b["logs"][0]["apiName"] = "others".into()), 400, "INPUT_REFUSED"),
        ("no entry",                    Some(aef),           path(aef),   spoiled(&|b| b["logs"] = json!([])), 400, "INPUT_REFUSED"),
        ("no API invoker",              Some(aef),           path(aef),   spoiled(&|b| { b.as_object_mut().unwrap().remove("apiInvokerId"); }), 400, "MEMBER_MISSING"),
        ("no result",                   Some(aef),           path(aef),   spoiled(&|b| { b["logs"][0].as_object_mut().unwrap().remove("result"); }), 400, "MEMBER_MISSING"),
    ];
    for (what, by, target, body, status, reason) in rows {
        let answer = ccf.post(&target, by, &body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(ccf.last_reason().await, reason, "{what}");
    }
    // What happened before it was unpublished or offboarded is still reported.
    let gone =
        log(aef, &Holder { id: "INV0".into(), ..invoker.clone() }, vec![entry("API0", "gone", json!({}))]);
    ccf.post(&path(aef), Some(aef), &gone).await.expect(201);
    let chain = ccf.server.verify_invocations().await.unwrap();
    assert_eq!((chain.intact(), chain.checked), (true, 2));
}

#[tokio::test]
async fn a_management_function_audits_its_own_domain_by_every_filter() {
    let ccf = ccf().await;
    let (provider, foreign) = (ccf.provider(2, &[]).await, ccf.provider(1, &[]).await);
    let (invoker, second) = (ccf.invoker(&[]).await, ccf.invoker(&[]).await);
    let (aef, other) = (&provider.aefs[0], &provider.aefs[1]);
    let api = publish(&ccf, &provider, "things", &[aef, other]).await;
    let more = publish(&ccf, &provider, "others", &[aef]).await;
    let theirs = publish(&ccf, &foreign, "things", &[&foreign.aefs[0]]).await;
    let here = json!({ "ipv4Addr": "192.0.2.1" });
    let there = json!({ "ipv4Addr": "192.0.2.2" });
    let first = entry(
        &api,
        "things",
        json!({ "srcInterface": here, "destInterface": there, "netSliceInfo": { "nsiId": "n1" } }),
    );
    let failed = entry(
        &more,
        "others",
        json!({
            "apiVersion": "v2", "resourceName": "one", "protocol": "HTTP_1_1", "operation": "POST", "result": "403",
            "invocationTime": "2027-01-15T09:00:00Z",
        }),
    );
    let post = async |by: &Holder, log: Value| ccf.post(&path(by), Some(by), &log).await.expect(201);
    post(aef, log(aef, &invoker, vec![first, failed])).await;
    post(other, log(other, &second, vec![entry(&api, "things", json!({}))])).await;
    post(&foreign.aefs[0], log(&foreign.aefs[0], &invoker, vec![entry(&theirs, "things", json!({}))])).await;

    let amf = &provider.amf;
    let all = "supported-features=1";
    let entries = |answer: &Value| -> usize {
        let logs = answer["multipleInvocationLogs"].as_array().unwrap();
        logs.iter().map(|log| log["logs"].as_array().unwrap().len()).sum()
    };
    let json_of = |value: &Value| escaped(&value.to_string());
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(String, usize, String)> = vec![
        (String::new(), 3, String::new()),
        (format!("&aef-id={}", aef.id), 2, format!("&aef-id={}", foreign.aefs[0].id)),
        (format!("&api-invoker-id={}", second.id), 1, "&api-invoker-id=INV0".into()),
        ("&time-range-start=2027-01-15T08:30:00Z".into(), 1, "&time-range-start=2027-01-15T09:00:01Z".into()),
        ("&time-range-end=2027-01-15T08:00:00Z".into(), 2, "&time-range-end=2027-01-15T07:59:59Z".into()),
        (format!("&api-id={more}"), 1, format!("&api-id={theirs}")),
        ("&api-name=things".into(), 2, "&api-name=nothing".into()),
        ("&api-version=v2".into(), 1, "&api-version=v3".into()),
        ("&protocol=HTTP_1_1".into(), 1, "&protocol=MQTT".into()),
        ("&operation=POST".into(), 1, "&operation=PUT".into()),
        ("&result=403".into(), 1, "&result=404".into()),
        ("&resource-name=lists".into(), 2, "&resource-name=none".into()),
        (format!("&src-interface={}", json_of(&here)), 1, format!("&src-interface={}", json_of(&there))),
        (format!("&dest-interface={}", json_of(&there)), 1, format!("&dest-interface={}", json_of(&here))),
        (format!("&net-slice-info={}", json_of(&json!([{ "nsiId": "n1" }]))), 1, format!("&net-slice-info={}", json_of(&json!([{ "nsiId": "n2" }])))),
    ];
    let mut hidden = Vec::new();
    for (hit, count, miss) in rows {
        let found = audit(&ccf, amf, &format!("{all}{hit}")).await.expect(200);
        assert_eq!(entries(&found), count, "{hit}");
        assert_eq!(found["supportedFeatures"], "1");
        if !miss.is_empty() {
            let answer = audit(&ccf, amf, &format!("{all}{miss}")).await;
            assert_eq!(answer.status, 404, "{miss}: {}", answer.body);
            hidden.push(answer.body);
        }
    }
    hidden.dedup();
    assert_eq!(hidden.len(), 1, "another domain's and none are alike");
    let theirs = audit(&ccf, &foreign.amf, all).await.expect(200);
    assert_eq!(entries(&theirs), 1);

    // Without EnQueryInvokeLog an answer is one log.
    let one = audit(&ccf, amf, &format!("aef-id={}&api-invoker-id={}", aef.id, invoker.id)).await.expect(200);
    assert_eq!((text(&one["aefId"]), one["logs"].as_array().unwrap().len()), (aef.id.clone(), 2));
    assert_eq!(one.get("supportedFeatures"), None);
    let several = audit(&ccf, amf, "").await;
    assert_eq!((several.status, several.faults()), (400, vec!["aef-id".into(), "api-invoker-id".into()]));
    for (what, by, query, status) in [
        ("a function", Some(aef), all, 403),
        ("an API invoker", Some(&invoker), all, 403),
        ("nobody", None, all, 403),
        ("a wrong time", Some(amf), "time-range-start=yesterday", 400),
        (
            "an end before the start",
            Some(amf),
            "time-range-start=2027-01-15T09:00:00Z&time-range-end=2027-01-15T08:00:00Z",
            400,
        ),
        ("a wrong interface", Some(amf), "src-interface=here", 400),
        ("no entry at all", Some(amf), "limit=0", 400),
        ("too many", Some(amf), "limit=1001", 400),
        ("a cursor of nobody", Some(amf), "cursor=AAAA", 400),
    ] {
        let answer = ccf.get(&format!("/logs/v1/apiInvocationLogs?{query}"), by).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_audit_comes_in_pages_without_a_gap() {
    let ccf = ccf().await;
    let provider = ccf.provider(2, &[]).await;
    let foreign = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let aefs = [&provider.aefs[0], &provider.aefs[1]];
    let api = publish(&ccf, &provider, "things", &aefs).await;
    for number in 0..7_usize {
        let aef = aefs[number % 3 % 2];
        let entries =
            (0..3).map(|place| entry(&api, "things", json!({ "invocationLatency": number * 3 + place })));
        ccf.post(&path(aef), Some(aef), &log(aef, &invoker, entries.collect())).await.expect(201);
    }
    let mut next = "supported-features=1&limit=4".to_owned();
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let answer = audit(&ccf, &provider.amf, &next).await;
        let page = answer.expect(200);
        let before = seen.len();
        for log in page["multipleInvocationLogs"].as_array().unwrap() {
            seen.extend(
                log["logs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|entry| entry["invocationLatency"].as_u64().unwrap()),
            );
        }
        assert!(seen.len() - before <= 4);
        pages += 1;
        let Some(link) = answer.headers.get("link") else { break };
        let link = link.to_str().unwrap();
        let (url, rel) = link.split_once(">; ").unwrap();
        assert_eq!(rel, "rel=\"next\"");
        next = url.split_once('?').unwrap().1.to_owned();
        if pages == 1 {
            let cursor = next.split_once("cursor=").unwrap().1;
            let others = format!("supported-features=1&limit=4&cursor={cursor}");
            assert_eq!(audit(&ccf, &foreign.amf, &others).await.status, 400, "another caller's");
            let wider = format!("supported-features=1&limit=5&cursor={cursor}");
            assert_eq!(audit(&ccf, &provider.amf, &wider).await.status, 400, "another query's");
        }
    }
    seen.sort_unstable();
    assert_eq!((seen, pages), ((0..21).collect::<Vec<_>>(), 6));
}

#[tokio::test]
async fn what_was_reported_is_not_changed_unseen() {
    for (what, spoil) in [
        ("a result", "UPDATE capif_invocation SET result = '200' WHERE seq = 2"),
        ("a body", "UPDATE capif_invocation SET body = '{}' WHERE seq = 2"),
        ("an entry", "DELETE FROM capif_invocation WHERE seq = 2"),
    ] {
        let ccf = ccf().await;
        let provider = ccf.provider(1, &[]).await;
        let invoker = ccf.invoker(&[]).await;
        let aef = &provider.aefs[0];
        let api = publish(&ccf, &provider, "things", &[aef]).await;
        let entries = ["200", "403", "200"].map(|result| entry(&api, "things", json!({ "result": result })));
        ccf.post(&path(aef), Some(aef), &log(aef, &invoker, entries.into())).await.expect(201);
        assert!(ccf.server.verify_invocations().await.unwrap().intact(), "{what}");
        ccf.write(move |tx| Box::pin(async move { tx.execute(spoil, &[]).await })).await;
        let chain = ccf.server.verify_invocations().await.unwrap();
        assert_eq!((chain.broken, chain.checked), (Some(2), 1), "{what}");
    }
}
