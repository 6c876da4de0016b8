//! `CAPIF_Events`: who subscribes, what is refused, who is told of what, and when.

use std::time::Duration;

use serde_json::{Value, json};
use service_http::peer::CertRole;
use store::outbox;

use crate::harness::{Ccf, Holder, NOW, Provider, ccf, ccf_reaching, text};
use crate::receiver::Receiver;

const TO: &str = "https://subscriber.example/notifications";

/// Every feature that is served: test, detail, descriptions.
const FEATURES: &str = "f";

fn path(by: &Holder) -> String {
    format!("/capif-events/v1/{}/subscriptions", by.id)
}

fn body(events: &[&str]) -> Value {
    json!({ "events": events, "notificationDestination": TO, "supportedFeatures": FEATURES })
}

fn with(events: &[&str], more: Value) -> Value {
    let mut body = body(events);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn subscribed(ccf: &Ccf, by: &Holder, body: &Value) -> String {
    let answer = ccf.post(&path(by), Some(by), body).await;
    answer.expect(201);
    format!("{}/{}", path(by), answer.id())
}

/// Publishes an API of this name at the functions of the provider; its identifier.
async fn publish(ccf: &Ccf, provider: &Provider, name: &str) -> String {
    let profiles: Vec<_> = provider.aefs.iter().map(profile).collect();
    let api = json!({ "apiName": name, "aefProfiles": profiles });
    let target = format!("/published-apis/v1/{}/service-apis", provider.apf.id);
    let answer = ccf.post(&target, Some(&provider.apf), &api).await;
    answer.expect(201);
    answer.id()
}

fn profile(aef: &Holder) -> Value {
    let interface = json!({ "fqdn": "aef.example", "port": 443, "securityMethods": ["OAUTH"] });
    json!({ "aefId": aef.id, "versions": [{ "apiVersion": "v1" }], "interfaceDescriptions": [interface] })
}

fn log(aef: &Holder, invoker: &Holder, api: &str, results: &[&str]) -> Value {
    let entry = |result: &&str| {
        json!({
            "apiId": api, "apiName": "things", "apiVersion": "v1", "resourceName": "r", "protocol": "HTTP_2",
            "operation": "GET", "result": result,
        })
    };
    let logs: Vec<_> = results.iter().map(entry).collect();
    json!({ "aefId": aef.id, "apiInvokerId": invoker.id, "logs": logs })
}

async fn report(ccf: &Ccf, aef: &Holder, log: &Value) {
    ccf.post(&format!("/api-invocation-logs/v1/{}/logs", aef.id), Some(aef), log).await.expect(201);
}

/// The messages in the outbox: due in so many seconds, and what they are about.
async fn queued(ccf: &Ccf) -> Vec<(i64, Value)> {
    let read = ccf.kit.store.read(|tx| {
        Box::pin(async move {
            let rows = tx.query("SELECT due_ms, body FROM outbox ORDER BY due_ms, id", &[]).await?;
            rows.iter()
                .map(|row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))
                .collect::<Result<Vec<_>, _>>()
        })
    });
    let rows = read.await.unwrap();
    rows.into_iter()
        .map(|(due_ms, body)| (due_ms / 1_000 - NOW, serde_json::from_str(&body).unwrap()))
        .collect()
}

/// Waits until the task has taken what happened.
async fn taken(ccf: &Ccf) {
    for _ in 0..2_000 {
        let read = ccf.kit.store.read(|tx| {
            Box::pin(async move { tx.query_one("SELECT COUNT(*) FROM happening", &[]).await?.get::<i64>(0) })
        });
        if read.await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody takes what happened");
}

#[tokio::test]
async fn whoever_is_on_record_subscribes_changes_and_ends() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    for by in [&invoker, &provider.aefs[0], &provider.apf, &provider.amf] {
        let wanted = with(
            &["SERVICE_API_UPDATE", "SOMETHING_OF_REL_21"],
            json!({
                "eventFilters": [{ "apiIds": ["API1"] }],
                "eventReq": {},
                "requestTestNotification": false,
                // As a client of others sends it: any text.
                "websockNotifConfig": { "websocketUri": "websocketUri", "requestWebsocketUri": true },
                "supportedFeatures": "ffff",
                "vendorMember": 1,
            }),
        );
        let made = ccf.post(&path(by), Some(by), &wanted).await;
        let kept = made.expect(201);
        assert_eq!(kept["supportedFeatures"], FEATURES, "the features of both sides");
        assert_eq!(kept["events"], wanted["events"]);
        assert_eq!(kept["eventFilters"], wanted["eventFilters"]);
        assert_eq!(kept.get("vendorMember"), None);
        let one = format!("{}/{}", path(by), made.id());
        let socket = format!("{}{one}/websocket", crate::harness::ISSUER.replace("https", "wss"));
        assert_eq!(kept["websockNotifConfig"]["websocketUri"], socket, "the address is the server's to say");
        assert_eq!(made.headers["location"], format!("{}{one}", crate::harness::ISSUER));
        assert!(made.id().bytes().all(|b| b.is_ascii_alphanumeric()), "{}", made.id());

        let patched = ccf.patch(&one, Some(by), &json!({ "events": ["SERVICE_API_AVAILABLE"] })).await;
        let patched = patched.expect(200);
        assert_eq!(
            (&patched["events"][0], &patched["supportedFeatures"]),
            (&json!("SERVICE_API_AVAILABLE"), &json!(FEATURES))
        );
        let replaced = ccf.put(&one, Some(by), &body(&["SERVICE_API_UPDATE"])).await.expect(200);
        assert_eq!(replaced.get("eventFilters"), None);
        ccf.delete(&one, Some(by)).await.expect(204);
        for gone in [
            ccf.delete(&one, Some(by)).await,
            ccf.put(&one, Some(by), &body(&["SERVICE_API_UPDATE"])).await,
            ccf.patch(&one, Some(by), &json!({})).await,
        ] {
            assert_eq!((gone.status, gone.cause().as_str()), (404, "SUBSCRIPTION_NOT_FOUND"));
        }
    }
}

#[tokio::test]
async fn a_subscription_is_its_subscribers() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    let (owner, other) = (ccf.invoker(&[]).await, ccf.invoker(&[]).await);
    let good = body(&["SERVICE_API_UPDATE"]);
    let one = subscribed(&ccf, &owner, &good).await;
    let sub = one.rsplit('/').next().unwrap();
    let by_others = format!("{}/{sub}", path(&other));
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<&Holder>, String, u16, &str); 6] = [
        ("no certificate",               None,                     one.clone(),       403, "PEER_REFUSED"),
        ("another API invoker",          Some(&other),             one.clone(),       403, "NOT_OWNER"),
        ("a function of a provider",     Some(&provider.aefs[0]),  one.clone(),       403, "NOT_OWNER"),
        ("its own path, another's",      Some(&other),             by_others.clone(), 404, "NOT_FOUND"),
        ("a path of nobody",             Some(&owner),             one.replace(&owner.id, "INV0"), 403, "NOT_OWNER"),
        ("one that is not there",        Some(&owner),             format!("{}/SUB0", path(&owner)), 404, "NOT_FOUND"),
    ];
    for (what, by, at, status, reason) in rows {
        let answers = [
            ccf.put(&at, by, &good).await,
            ccf.patch(&at, by, &json!({ "events": ["SERVICE_API_UPDATE"] })).await,
            ccf.delete(&at, by).await,
        ];
        for answer in answers {
            assert_eq!(answer.status, status, "{what}: {}", answer.body);
            assert_eq!(ccf.last_reason().await, reason, "{what}");
        }
    }
    let foreign = ccf.post(&path(&owner), Some(&other), &good).await;
    assert_eq!((foreign.status, foreign.cause().as_str()), (403, "UNAUTHORIZED_OPERATION"));
    // A certificate that does not count any more, and one that the core function never issued.
    let stranger = Holder {
        certificate: service_http::testkit::certificate(CertRole::Invoker, &owner.id),
        ..owner.clone()
    };
    assert_eq!(ccf.post(&path(&owner), Some(&stranger), &good).await.status, 403);
    assert_eq!(ccf.last_reason().await, "PEER_REFUSED");
    ccf.delete(&one, Some(&owner)).await.expect(204);
}

#[tokio::test]
async fn one_spoiled_member_is_not_subscribed_to() {
    let ccf = ccf().await;
    let by = ccf.invoker(&[]).await;
    let events = &["SERVICE_API_UPDATE", "API_INVOKER_UPDATED"];
    let good =
        with(events, json!({ "eventFilters": [{ "apiIds": ["API1"] }, { "apiInvokerIds": ["INV1"] }] }));
    let one = subscribed(&ccf, &by, &good).await;
    let spoiled = |more: Value| {
        let mut body = good.clone();
        for (member, value) in more.as_object().unwrap() {
            match value {
                Value::Null => drop(body.as_object_mut().unwrap().remove(member)),
                value => body[member] = value.clone(),
            }
        }
        body
    };
    let filters = |first: Value, second: Value| json!({ "eventFilters": [first, second] });
    let request = |request: Value| json!({ "eventReq": request });
    let to = |uri: &str| json!({ "notificationDestination": uri });
    let (optional, mandatory) = ("OPTIONAL_IE_INCORRECT", "MANDATORY_IE_INCORRECT");
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Value, u16, &str, &str)> = vec![
        ("no events",               json!({ "events": null }),              400, "MANDATORY_IE_MISSING", "/events"),
        ("an empty list",           json!({ "events": [], "eventFilters": null }),                400, mandatory, "/events"),
        ("no destination",          json!({ "notificationDestination": null }), 400, "MANDATORY_IE_MISSING", "/notificationDestination"),
        ("filters of no feature",   json!({ "supportedFeatures": "1" }),    400, optional, "/eventFilters"),
        ("filters and no features", json!({ "supportedFeatures": null }),   400, optional, "/eventFilters"),
        ("more filters than events", json!({ "eventFilters": [{}, {}, {}] }), 400, mandatory, "/eventFilters"),
        ("an empty filter list",    json!({ "eventFilters": [] }),          400, mandatory, "/eventFilters"),
        ("swapped filters",         filters(json!({ "apiInvokerIds": ["INV1"] }), json!({})), 400, optional, "/eventFilters/0/apiInvokerIds"),
        ("a filter of no use",      filters(json!({}), json!({ "aefIds": ["AEF1"] })), 400, optional, "/eventFilters/1/aefIds"),
        ("no identifier",           filters(json!({ "apiIds": ["a b"] }), json!({})), 400, mandatory, "/eventFilters/0/apiIds/0"),
        ("cleartext",               to("http://subscriber.example/n"),      400, mandatory, "/notificationDestination"),
        ("a user in the address",   to("https://u@subscriber.example/n"),   400, mandatory, "/notificationDestination"),
        ("a port of others",        to("https://subscriber.example:22/n"),  400, mandatory, "/notificationDestination"),
        ("over at once",            request(json!({ "monDur": "2020-01-01T00:00:00Z" })), 400, optional, "/eventReq/monDur"),
        ("no period",               request(json!({ "notifMethod": "PERIODIC" })), 400, optional, "/eventReq/repPeriod"),
        ("no notification",         request(json!({ "maxReportNbr": 0 })),  400, optional, "/eventReq/maxReportNbr"),
        ("a sample",                request(json!({ "sampRatio": 10 })),    400, optional, "/eventReq/sampRatio"),
    ];
    for (what, spoil, status, cause, at) in rows {
        let body = spoiled(spoil);
        for (how, answer) in [
            ("POST", ccf.post(&path(&by), Some(&by), &body).await),
            ("PUT", ccf.put(&one, Some(&by), &body).await),
        ] {
            let seen = (answer.status, answer.cause(), answer.faults());
            let (seen_at, wanted) = (seen.2.join(" "), at.to_owned());
            let expected = (status, cause.to_owned(), wanted);
            assert_eq!((seen.0, seen.1, seen_at), expected, "{how} {what}: {}", answer.body);
        }
    }
    let patch = |patch: Value| {
        let (ccf, one, by) = (&ccf, &one, &by);
        async move { ccf.patch(one, Some(by), &patch).await }
    };
    assert_eq!(patch(json!({ "events": ["SERVICE_API_UPDATE"] })).await.status, 400, "a filter is left over");
    assert_eq!(patch(to("http://subscriber.example/n")).await.status, 400);
    assert_eq!(patch(json!([])).await.status, 400);
    ccf.put(&one, Some(&by), &good).await.expect(200);
    for number in 1..100 {
        let answer = ccf.post(&path(&by), Some(&by), &good).await;
        assert_eq!(answer.status, 201, "{number}: {}", answer.body);
    }
    assert_eq!(ccf.post(&path(&by), Some(&by), &good).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_are_told_of_what_is_theirs() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let provider = ccf.provider(1, &[]).await;
    let foreign = ccf.provider(1, &[]).await;
    let (invoker, narrow) = (ccf.invoker(&[]).await, ccf.invoker(&["others"]).await);
    let aef = &provider.aefs[0];
    let events =
        ["SERVICE_API_AVAILABLE", "SERVICE_API_INVOCATION_SUCCESS", "SERVICE_API_INVOCATION_FAILURE"];
    let hearers = [
        ("/invoker", &invoker, FEATURES),
        ("/plain", &invoker, "0"),
        ("/brief", &invoker, "4"),
        ("/narrow", &narrow, FEATURES),
        ("/aef", aef, FEATURES),
        ("/foreign", &foreign.aefs[0], FEATURES),
    ];
    let mut ids = Vec::new();
    for (to, by, features) in hearers {
        let more = json!({ "notificationDestination": receiver.url(to), "supportedFeatures": features });
        ids.push(subscribed(&ccf, by, &with(&events, more)).await.rsplit('/').next().unwrap().to_owned());
    }
    let api = publish(&ccf, &provider, "things").await;
    report(&ccf, aef, &log(aef, &invoker, &api, &["200", "404", "201"])).await;

    let told = receiver.wait("/invoker", 4).await;
    let words: Vec<_> = told.iter().map(|notice| text(&notice["events"])).collect();
    let count = |event: &str| words.iter().filter(|word| *word == event).count();
    assert_eq!(events.map(count), [1, 2, 1], "each invocation is told by itself: {words:?}");
    let of = |event: &str| told.iter().find(|notice| notice["events"] == event).unwrap();
    let available = of("SERVICE_API_AVAILABLE");
    assert_eq!(available["subscriptionId"], ids[0].as_str());
    assert_eq!(available["eventDetail"]["apiIds"], json!([api]));
    assert_eq!(available["eventDetail"]["serviceAPIDescriptions"][0]["apiName"], "things");
    let failed = &of("SERVICE_API_INVOCATION_FAILURE")["eventDetail"]["invocationLogs"];
    assert_eq!((failed.as_array().unwrap().len(), &failed[0]["logs"][0]["result"]), (1, &json!("404")));
    assert_eq!(failed[0]["aefId"], aef.id.as_str());

    let brief = receiver.wait("/brief", 4).await;
    let brief = brief.iter().find(|notice| notice["events"] == "SERVICE_API_AVAILABLE").unwrap();
    assert_eq!(brief["eventDetail"], json!({ "apiIds": [api] }), "without ApiStatusMonitoring");
    let plain = receiver.wait("/plain", 4).await;
    assert!(plain.iter().all(|notice| notice.get("eventDetail").is_none()), "without Enhanced_event_report");
    receiver.wait("/aef", 4).await;
    taken(&ccf).await;
    assert!(receiver.got("/narrow").is_empty() && receiver.got("/foreign").is_empty());
    // Each notification is on record, with whom was told.
    let audit = ccf.kit.store.read(|tx| {
        let filter = store::audit::AuditFilter::default();
        Box::pin(async move { store::audit::page(tx, &filter, 1_000).await })
    });
    let audit = audit.await.unwrap();
    let notified = audit.iter().filter(|record| record.row.action == "ccf.events.notify");
    assert_eq!(notified.filter(|record| record.row.actor == aef.id).count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_is_tried_and_what_is_the_case_is_told() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let provider = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let api = publish(&ccf, &provider, "things").await;
    publish(&ccf, &provider, "others").await;
    let (api_id, aef_id) =
        (api.as_str().try_into().unwrap(), provider.aefs[0].id.as_str().try_into().unwrap());
    let policy = json!({ "apiInvokerId": invoker.id, "allowedTotalInvocations": 3 });
    ccf.server.put_access_control(&api_id, &aef_id, serde_json::from_value(policy).unwrap()).await.unwrap();
    let more =
        |to: &str| json!({ "requestTestNotification": true, "notificationDestination": receiver.url(to) });
    let events = ["SERVICE_API_AVAILABLE", "ACCESS_CONTROL_POLICY_UPDATE", "API_INVOKER_ONBOARDED"];

    let one = subscribed(&ccf, &invoker, &with(&events, more("/test"))).await;
    let told = receiver.wait("/test", 1).await;
    assert_eq!(told, [json!({ "subscription": format!("{}{one}", crate::harness::ISSUER) })]);
    let mut untested = with(&events, more("/untested"));
    untested["supportedFeatures"] = "4".into();
    subscribed(&ccf, &invoker, &untested).await;

    let mut now = with(&events, more("/now"));
    now["eventReq"] = json!({ "immRep": true });
    subscribed(&ccf, &invoker, &now).await;
    let told = receiver.wait("/now", 5).await;
    let mut words: Vec<_> = told.iter().filter_map(|notice| notice["events"].as_str()).collect();
    words.sort_unstable();
    let expected = [
        "ACCESS_CONTROL_POLICY_UPDATE",
        "API_INVOKER_ONBOARDED",
        "SERVICE_API_AVAILABLE",
        "SERVICE_API_AVAILABLE",
    ];
    assert_eq!(words, expected);
    assert!(receiver.got("/untested").is_empty(), "the feature was not agreed on");
    assert_eq!(receiver.got("/test").len(), 1, "it did not ask what is the case");
}

#[tokio::test]
async fn notifications_leave_when_they_are_wanted() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    let amf = &provider.amf;
    let event = "API_INVOKER_ONBOARDED";
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Value, &[i64]); 5] = [
        ("as things happen",  json!({}), &[0, 0, 0]),
        ("at most two",       json!({ "maxReportNbr": 2 }), &[0, 0]),
        ("once",              json!({ "notifMethod": "ONE_TIME" }), &[0]),
        ("gathered",          json!({ "grpRepTime": 30 }), &[30, 30, 30]),
        ("in periods",        json!({ "notifMethod": "PERIODIC", "repPeriod": 60 }), &[60, 60, 60]),
    ];
    for (what, request, due) in rows {
        let one = subscribed(&ccf, amf, &with(&[event], json!({ "eventReq": request }))).await;
        for number in 0..3 {
            happen(&ccf, &format!("INV{number}")).await;
        }
        taken(&ccf).await;
        let seen: Vec<_> = queued(&ccf).await;
        // The way out is closed: what is due at once was tried, and is tried again later.
        let dues: Vec<_> = seen.iter().map(|(due_s, _)| if *due_s < 5 { 0 } else { *due_s }).collect();
        assert_eq!(dues, due, "{what}");
        ccf.delete(&one, Some(amf)).await;
        ccf.write(|tx| Box::pin(async move { tx.execute("DELETE FROM outbox", &[]).await })).await;
        let left =
            ccf.write(|tx| Box::pin(async move { tx.execute("DELETE FROM subscription", &[]).await })).await;
        // What is out of notifications is not there for its subscriber, and waits for its last message.
        assert_eq!(left, u64::from(due.len() < 3), "{what}");
    }
}

/// An API invoker is onboarded, as far as subscribers can tell.
async fn happen(ccf: &Ccf, invoker: &str) {
    let body = json!({ "what": "invoker_onboarded", "invoker": invoker }).to_string();
    let happening =
        store::happenings::Happening { kind: "capif-events".into(), body, at_ms: NOW * 1_000, trace: None };
    ccf.write(move |tx| Box::pin(async move { store::happenings::note(tx, &happening).await })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_told_at_the_end_of_their_period() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let provider = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let api = publish(&ccf, &provider, "things").await;
    let event = "SERVICE_API_DISCOVERY_BY_API_INVOKERS_COUNT";
    let with = |to: &str, request: Value| {
        with(&[event], json!({ "eventReq": request, "notificationDestination": receiver.url(to) }))
    };
    subscribed(&ccf, &provider.apf, &with("/each", json!({}))).await;
    let periodic = json!({ "notifMethod": "PERIODIC", "repPeriod": 60 });
    subscribed(&ccf, &provider.apf, &with("/period", periodic)).await;
    subscribed(&ccf, &invoker, &with("/invoker", json!({}))).await;
    let discover = async |query: &str| {
        let target = format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}{query}", invoker.id);
        ccf.get(&target, Some(&invoker)).await.expect(200);
        taken(&ccf).await;
    };
    discover("&api-name=things").await;
    discover("").await;
    let each = receiver.wait("/each", 2).await;
    let count = |notice: &Value| notice["eventDetail"]["discoveryCount"].clone();
    let counted = |requests: u64, responses: u64| json!([{ "apiId": api, "discoveryReqCount": requests, "discoveryRspCount": responses }]);
    assert_eq!(each.iter().map(count).collect::<Vec<_>>(), [counted(1, 1), counted(1, 2)]);
    assert!(receiver.got("/period").is_empty(), "the period is not over");
    ccf.clock.set_s(NOW + 60);
    assert_eq!(receiver.wait("/period", 1).await.iter().map(count).collect::<Vec<_>>(), [counted(1, 2)]);
    ccf.clock.set_s(NOW + 120);
    discover("").await;
    ccf.clock.set_s(NOW + 180);
    let both = receiver.wait("/period", 2).await;
    assert_eq!(
        both.iter().map(count).collect::<Vec<_>>(),
        [counted(1, 2), counted(1, 3)],
        "not when nothing is new"
    );
    assert!(receiver.got("/invoker").is_empty(), "counts tell of others");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_decided_again_when_a_notification_leaves() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let provider = ccf.provider(1, &[]).await;
    let (stays, goes) = (ccf.invoker(&[]).await, ccf.invoker(&[]).await);
    let later = |to: &str| {
        let more = json!({ "eventReq": { "grpRepTime": 30 }, "notificationDestination": receiver.url(to) });
        with(&["SERVICE_API_AVAILABLE"], more)
    };
    subscribed(&ccf, &stays, &later("/stays")).await;
    subscribed(&ccf, &goes, &later("/goes")).await;
    let ended = subscribed(&ccf, &stays, &later("/ended")).await;
    publish(&ccf, &provider, "things").await;
    taken(&ccf).await;
    assert_eq!(queued(&ccf).await.len(), 3);
    ccf.delete(&format!("/api-invoker-management/v1/onboardedInvokers/{}", goes.id), Some(&goes))
        .await
        .expect(204);
    ccf.delete(&ended, Some(&stays)).await.expect(204);
    ccf.clock.set_s(NOW + 30);
    receiver.wait("/stays", 1).await;
    for _ in 0..2_000 {
        if queued(&ccf).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(queued(&ccf).await.is_empty(), "the others do not wait");
    assert!(receiver.got("/goes").is_empty() && receiver.got("/ended").is_empty());
    let dead = ccf.write(|tx| Box::pin(async move { outbox::dead(tx, "", 10).await })).await;
    assert!(dead.is_empty(), "nothing was tried in vain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_silences_nobody_else() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let provider = ccf.provider(1, &[]).await;
    let to = |path: &str| {
        with(&["API_INVOKER_ONBOARDED"], json!({ "notificationDestination": receiver.url(path) }))
    };
    subscribed(&ccf, &provider.amf, &to("/damaged")).await;
    ccf.write(|tx| Box::pin(async move { tx.execute("UPDATE subscription SET state = 'x'", &[]).await }))
        .await;
    subscribed(&ccf, &provider.amf, &to("/whole")).await;
    let unknown = store::happenings::Happening {
        kind: "capif-events".into(),
        body: json!({ "what": "of_a_later_version" }).to_string(),
        at_ms: NOW * 1_000,
        trace: None,
    };
    ccf.write(move |tx| Box::pin(async move { store::happenings::note(tx, &unknown).await })).await;
    happen(&ccf, "INV1").await;
    receiver.wait("/whole", 1).await;
    assert!(receiver.got("/damaged").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_at_onboarding_is_counted() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let provider = ccf.provider(1, &[]).await;
    let api = publish(&ccf, &provider, "things").await;
    let event = "SERVICE_API_ONBOARDED_BY_API_INVOKERS_COUNT";
    let body = with(&[event], json!({ "notificationDestination": receiver.url("/counts") }));
    subscribed(&ccf, &provider.apf, &body).await;
    let asking = |name: &str| json!({ "apiList": { "serviceAPIDescriptions": [{ "apiName": name }] } });
    ccf.invoker_with(&[], asking("things")).await;
    ccf.invoker_with(&[], asking("nothing")).await;
    ccf.invoker_with(&[], asking("things")).await;
    let told = receiver.wait("/counts", 2).await;
    let counts: Vec<_> = told.iter().map(|notice| notice["eventDetail"]["onboardedCount"].clone()).collect();
    let counted = |count: u64| json!([{ "apiId": api, "count": count }]);
    assert_eq!(counts, [counted(1), counted(2)]);
}
