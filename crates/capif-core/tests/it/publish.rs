//! Publishing (sheet 1.3).

use std::time::Duration;

use authorization::revocation::Kind;
use http::header::LOCATION;
use serde_json::{Value, json};
use service_http::limits::RateSettings;
use store::capif::contexts::{self, ContextEntry, ContextRow};
use store::capif::tokens::{self, TokenRow};
use tokio::time::timeout;

use crate::harness::{Ccf, Holder, ISSUER, NOW, Provider, ccf, ccf_unstarted, text};

pub(crate) fn profile(aef: &Holder) -> Value {
    json!({ "aefId": aef.id, "versions": [{ "apiVersion": "v1" }], "protocol": "HTTP_2", "dataFormat": "JSON",
        "securityMethods": ["OAUTH"], "interfaceDescriptions": [{ "fqdn": "san.example.com", "port": 443 }] })
}

pub(crate) fn api(name: &str, aefs: &[&Holder]) -> Value {
    let profiles: Vec<_> = aefs.iter().map(|aef| profile(aef)).collect();
    json!({ "apiName": name, "aefProfiles": profiles })
}

pub(crate) fn path(provider: &Provider) -> String {
    format!("/published-apis/v1/{}/service-apis", provider.apf.id)
}

/// Publishes, and gives the path of the service API.
pub(crate) async fn published(ccf: &Ccf, provider: &Provider, body: &Value) -> String {
    let answer = ccf.post(&path(provider), Some(&provider.apf), body).await;
    answer.expect(201);
    format!("{}/{}", path(provider), answer.id())
}

#[tokio::test]
async fn what_is_published_is_read_listed_changed_and_unpublished() {
    let ccf = ccf().await;
    let provider = ccf.provider(2, &[]).await;
    let apf = Some(&provider.apf);
    assert_eq!(ccf.get(&path(&provider), apf).await.expect(200), json!([]));

    let answer = ccf.post(&path(&provider), apf, &api("things", &[&provider.aefs[0]])).await;
    let made = answer.expect(201);
    let one = format!("{}/{}", path(&provider), text(&made["apiId"]));
    assert_eq!(answer.headers[LOCATION], format!("https://ccf.example{one}"));
    assert!(
        text(&made["apiId"]).bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "OpenCAPIF clients take no hyphen"
    );
    let mut expected = api("things", &[&provider.aefs[0]]);
    expected["apiId"] = made["apiId"].clone();
    assert_eq!(made, expected);
    assert_eq!(ccf.get(&one, apf).await.expect(200), made);
    published(&ccf, &provider, &api("others", &[&provider.aefs[0]])).await;
    let listed = ccf.get(&path(&provider), apf).await.expect(200);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed.as_array().unwrap().contains(&made));

    // The identifier is assigned once, whatever is sent.
    let mut next = api("things", &[&provider.aefs[0], &provider.aefs[1]]);
    next["apiId"] = "API1".into();
    let replaced = ccf.put(&one, apf, &next).await.expect(200);
    assert_eq!(replaced["apiId"], made["apiId"]);
    assert_eq!(replaced["aefProfiles"].as_array().unwrap().len(), 2);
    let patch = json!({ "description": "things", "apiName": "stuff", "apiStatus": { "aefIds": [] } });
    let modified = ccf.patch(&one, apf, &patch).await.expect(200);
    assert_eq!((&modified["description"], &modified["apiName"]), (&json!("things"), &json!("things")));
    assert_eq!(modified["apiStatus"], json!({ "aefIds": [] }));
    let patch = json!({ "description": null, "apiStatus": null });
    let modified = ccf.patch(&one, apf, &patch).await.expect(200);
    assert_eq!(modified, replaced);
    assert_eq!(ccf.get(&one, apf).await.expect(200), replaced);

    assert_eq!(ccf.delete(&one, apf).await.expect(204), Value::Null);
    assert_eq!(ccf.get(&one, apf).await.status, 404);
    assert_eq!(ccf.delete(&one, apf).await.status, 404);
    assert_eq!(ccf.get(&path(&provider), apf).await.expect(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn each_operation_is_for_the_function_that_published() {
    let ccf = ccf().await;
    let (mine, other) = (ccf.provider(1, &[]).await, ccf.provider(1, &[]).await);
    let invoker = ccf.invoker(&[]).await;
    let body = api("things", &[&mine.aefs[0]]);
    let one = published(&ccf, &mine, &body).await;
    let theirs = published(&ccf, &other, &api("things", &[&other.aefs[0]])).await;
    let its_id = theirs.rsplit('/').next().unwrap();
    let nowhere = "/published-apis/v1/APF00/service-apis";
    let collections = [path(&mine), nowhere.to_owned()];
    let documents = [one.clone(), format!("{}/API00", path(&mine)), format!("{nowhere}/API00")];
    // Whoever it is not: the same answer for what is there and what is not.
    for holder in [&mine.amf, &mine.aefs[0], &invoker] {
        for target in &collections {
            assert_eq!(ccf.get(target, Some(holder)).await.status, 403, "{target}");
            assert_eq!(ccf.post(target, Some(holder), &body).await.status, 403, "{target}");
        }
        for target in &documents {
            assert_eq!(ccf.get(target, Some(holder)).await.status, 403, "{target}");
            assert_eq!(ccf.put(target, Some(holder), &body).await.status, 403, "{target}");
            assert_eq!(ccf.patch(target, Some(holder), &json!({})).await.status, 403, "{target}");
            assert_eq!(ccf.delete(target, Some(holder)).await.status, 403, "{target}");
        }
        assert_eq!(ccf.last_reason().await, "PEER_REFUSED");
    }
    assert_eq!(ccf.get(&one, None).await.status, 403);
    for target in &collections {
        let answers =
            [ccf.get(target, Some(&other.apf)).await, ccf.post(target, Some(&other.apf), &body).await];
        for answer in answers {
            assert_eq!((answer.status, answer.cause().as_str()), (403, "UNAUTHORIZED_OPERATION"), "{target}");
            assert_eq!(ccf.last_reason().await, "NOT_OWNER");
        }
    }
    for target in &documents {
        let by = Some(&other.apf);
        let answers = [
            ccf.get(target, by).await,
            ccf.put(target, by, &body).await,
            ccf.patch(target, by, &json!({})).await,
            ccf.delete(target, by).await,
        ];
        for answer in answers {
            assert_eq!((answer.status, ccf.last_reason().await.as_str()), (403, "NOT_OWNER"), "{target}");
        }
    }
    // Another function's service API under one's own name is as if it were not there.
    for id in [its_id, "API00", "a-b"] {
        let (target, by) = (format!("{}/{id}", path(&mine)), Some(&mine.apf));
        let answers = [
            ccf.get(&target, by).await,
            ccf.put(&target, by, &body).await,
            ccf.patch(&target, by, &json!({})).await,
            ccf.delete(&target, by).await,
        ];
        for answer in answers {
            assert_eq!((answer.status, answer.cause().as_str()), (404, "RESOURCE_NOT_FOUND"), "{id}");
        }
    }
    ccf.get(&one, Some(&mine.apf)).await.expect(200);
    ccf.get(&theirs, Some(&other.apf)).await.expect(200);
}

#[tokio::test]
async fn a_certificate_counts_while_its_record_says_so() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    ccf.get(&path(&provider), Some(&provider.apf)).await.expect(200);
    let registration = format!("/api-provider-management/v1/registrations/{}", provider.registration);
    ccf.delete(&registration, Some(&provider.amf)).await.expect(204);
    assert_eq!(ccf.get(&path(&provider), Some(&provider.apf)).await.status, 403);
    assert_eq!(ccf.last_reason().await, "PEER_REFUSED");
}

#[tokio::test]
async fn one_spoiled_member_is_not_published() {
    let ccf = ccf().await;
    let provider = ccf.provider_named(2, &["things", "others"], Some("Example")).await;
    let foreign = ccf.provider(1, &[]).await;
    let (apf, [first, second]) = (Some(&provider.apf), [&provider.aefs[0], &provider.aefs[1]]);
    let good = || api("things", &[first]);
    let one = published(&ccf, &provider, &good()).await;
    published(&ccf, &provider, &api("others", &[second])).await;
    let spoiled = |spoil: &dyn Fn(&mut Value)| {
        let mut body = good();
        spoil(&mut body);
        body
    };
    let profile_of = |holder: &Holder| json!([profile(holder)]);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Value, u16, &str, &str)> = vec![
        ("no name", spoiled(&|b| { b.as_object_mut().unwrap().remove("apiName"); }), 400, "MANDATORY_IE_MISSING", "/apiName"),
        ("a name that is no segment", spoiled(&|b| b["apiName"] = "a/b".into()), 400, "MANDATORY_IE_INCORRECT", "/apiName"),
        ("a name beyond the enrolment", spoiled(&|b| b["apiName"] = "more".into()), 403, "UNAUTHORIZED_OPERATION", ""),
        ("no profile in the list", spoiled(&|b| b["aefProfiles"] = json!([])), 400, "MANDATORY_IE_INCORRECT", "/aefProfiles"),
        ("another domain's function", spoiled(&|b| b["aefProfiles"] = profile_of(&foreign.aefs[0])), 400, "MANDATORY_IE_INCORRECT", "/aefProfiles/0/aefId"),
        ("a function that does not expose", spoiled(&|b| b["aefProfiles"] = profile_of(&provider.apf)), 400, "MANDATORY_IE_INCORRECT", "/aefProfiles/0/aefId"),
        ("a function that is not there", spoiled(&|b| b["aefProfiles"][0]["aefId"] = "AEF00".into()), 400, "MANDATORY_IE_INCORRECT", "/aefProfiles/0/aefId"),
        ("active without a profile", spoiled(&|b| b["apiStatus"] = json!({ "aefIds": [second.id] })), 400, "MANDATORY_IE_INCORRECT", "/apiStatus/aefIds/0"),
        ("neither domain nor interface", spoiled(&|b| { b["aefProfiles"][0].as_object_mut().unwrap().remove("interfaceDescriptions"); }), 400, "MANDATORY_IE_INCORRECT", "/aefProfiles/0"),
        ("another provider's name", spoiled(&|b| b["apiProvName"] = "Other".into()), 400, "MANDATORY_IE_INCORRECT", "/apiProvName"),
        ("a name taken at the function", spoiled(&|b| { b["apiName"] = "others".into(); b["aefProfiles"] = json!([profile(first), profile(second)]); }), 409, "ID_TAKEN", ""),
    ];
    for (what, body, status, cause, at) in rows {
        let put = ccf.put(&one, apf, &body).await;
        let post = ccf.post(&path(&provider), apf, &body).await;
        for (how, answer) in [("POST", post), ("PUT", put)] {
            assert_eq!(
                (answer.status, answer.cause().as_str()),
                (status, cause),
                "{how} {what}: {}",
                answer.body
            );
            let faults = if at.is_empty() { vec![] } else { vec![at.to_owned()] };
            assert_eq!(answer.faults(), faults, "{how} {what}");
        }
    }
    // One name at one function, once; changed in place it is its own.
    assert_eq!(ccf.post(&path(&provider), apf, &good()).await.cause(), "ID_TAKEN");
    ccf.put(&one, apf, &good()).await.expect(200);
    ccf.put(&one, apf, &spoiled(&|b| b["apiProvName"] = "Example".into())).await.expect(200);
    ccf.post(&path(&provider), apf, &spoiled(&|b| b["aefProfiles"] = profile_of(second))).await.expect(201);
    let patch = ccf.patch(&one, apf, &json!({ "aefProfiles": profile_of(second) })).await;
    assert_eq!((patch.status, patch.cause().as_str()), (409, "ID_TAKEN"));
    assert_eq!(ccf.patch(&one, apf, &json!([])).await.status, 400);
    assert_eq!(ccf.get(&path(&provider), apf).await.expect(200).as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn features_are_those_of_both_sides() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    let with = |name: &str, features: &str| {
        let mut body = api(name, &[&provider.aefs[0]]);
        body["supportedFeatures"] = features.into();
        body["vendorSpecific-urn:example"] = json!({ "colour": "blue" });
        body["ourOwn"] = 1.into();
        body
    };
    let apf = Some(&provider.apf);
    let made = ccf.post(&path(&provider), apf, &with("things", "ffff")).await.expect(201);
    assert_eq!(
        (&made["supportedFeatures"], &made["vendorSpecific-urn:example"]["colour"]),
        (&json!("3ff"), &json!("blue"))
    );
    assert_eq!(made.get("ourOwn"), None, "unknown members are ignored");
    let made = ccf.post(&path(&provider), apf, &with("others", "22")).await.expect(201);
    assert_eq!((&made["supportedFeatures"], made.get("vendorSpecific-urn:example")), (&json!("22"), None));
}

/// A security context and a token of `invoker` for a service API at a function.
async fn used(ccf: &Ccf, invoker: &Holder, at: &[(&Holder, &str, &str)]) {
    let (entries, rows) = at
        .iter()
        .map(|(aef, api_id, api_name)| {
            let entry = ContextEntry {
                aef_id: aef.id.clone(),
                api_id: (*api_id).to_owned(),
                api_name: (*api_name).to_owned(),
                method: "OAUTH".to_owned(),
            };
            let token = TokenRow {
                jti: format!("{}/{api_name}", aef.id),
                invoker_id: invoker.id.clone(),
                aef_id: aef.id.clone(),
                apis: vec![(*api_name).to_owned()],
                resources: Vec::new(),
                permission: None,
                expires_s: NOW + 300,
            };
            (entry, token)
        })
        .unzip::<_, _, Vec<_>, Vec<_>>();
    let context = ContextRow { invoker_id: invoker.id.clone(), body: "{}".to_owned(), version: 0 };
    ccf.write(move |tx| {
        Box::pin(async move {
            contexts::put(tx, &context, &entries, 0).await?;
            for row in &rows {
                tokens::insert(tx, row).await?;
            }
            Ok(())
        })
    })
    .await;
}

/// What is left of the context of an API invoker, and the tokens that were revoked.
async fn left(ccf: &Ccf, invoker: &Holder) -> (Vec<String>, Vec<String>) {
    let id = invoker.id.clone();
    let entries = ccf.kit.store.read(|tx| Box::pin(async move { contexts::entries(tx, &id).await }));
    let entries =
        entries.await.unwrap().into_iter().map(|entry| format!("{}/{}", entry.aef_id, entry.api_name));
    let revoked =
        ccf.kit.store.read(|tx| Box::pin(async move { store::revocations::after(tx, 0, 1_000).await }));
    let revoked = revoked.await.unwrap().into_iter().map(|record| record.revocation);
    let revoked = revoked.filter(|row| row.kind == Kind::Token.as_str());
    (entries.collect(), revoked.map(|row| row.value).collect())
}

#[tokio::test]
async fn contexts_and_tokens_end_with_what_they_name() {
    type Change = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<Change>, &[&str]); 8] = [
        ("nothing of it", Some(|b| b["description"] = "more".into()), &[]),
        ("a profile", Some(|b| { b["aefProfiles"].as_array_mut().unwrap().remove(0); }), &["0/things"]),
        ("its status at one", Some(|b| b["apiStatus"] = json!({ "aefIds": [b["aefProfiles"][1]["aefId"]] })), &["0/things"]),
        ("its status everywhere", Some(|b| b["apiStatus"] = json!({ "aefIds": [] })), &["0/things", "1/things"]),
        ("its name", Some(|b| b["apiName"] = "stuff".into()), &["0/things", "1/things"]),
        ("a method", Some(|b| b["aefProfiles"][0]["securityMethods"] = json!(["PKI"])), &["0/things"]),
        ("every profile", Some(|b| { b.as_object_mut().unwrap().remove("aefProfiles"); }), &["0/things", "1/things"]),
        ("all of it", None, &["0/things", "1/things"]),
    ];
    for (what, change, gone) in rows {
        let ccf = ccf().await;
        let provider = ccf.provider(2, &[]).await;
        let (invoker, bystander) = (ccf.invoker(&[]).await, ccf.invoker(&[]).await);
        let aefs = [&provider.aefs[0], &provider.aefs[1]];
        let body = api("things", &aefs);
        let one = published(&ccf, &provider, &body).await;
        let id = one.rsplit('/').next().unwrap();
        let other = published(&ccf, &provider, &api("others", &aefs)).await;
        let other = other.rsplit('/').next().unwrap();
        let (first, second) = (aefs[0], aefs[1]);
        used(&ccf, &invoker, &[(first, id, "things"), (second, id, "things"), (first, other, "others")])
            .await;
        used(&ccf, &bystander, &[(second, other, "others")]).await;
        let named = |aef: &str, name: &str| format!("{}/{name}", aefs[aef.parse::<usize>().unwrap()].id);
        let gone: Vec<_> = gone
            .iter()
            .map(|text| text.split_once('/').unwrap())
            .map(|(aef, name)| named(aef, name))
            .collect();
        match change {
            Some(change) => {
                let mut next = body;
                change(&mut next);
                ccf.put(&one, Some(&provider.apf), &next).await.expect(200);
            }
            None => drop(ccf.delete(&one, Some(&provider.apf)).await.expect(204)),
        }
        let mut stays: Vec<_> =
            [("0", "things"), ("1", "things"), ("0", "others")].map(|(aef, name)| named(aef, name)).into();
        stays.retain(|entry| !gone.contains(entry));
        let (mut entries, mut revoked) = left(&ccf, &invoker).await;
        for list in [&mut stays, &mut entries, &mut revoked] {
            list.sort();
        }
        let mut gone = gone;
        gone.sort();
        assert_eq!((entries, revoked), (stays, gone), "{what}");
        assert_eq!(left(&ccf, &bystander).await.0, [named("1", "others")], "{what}");
    }
}

#[tokio::test]
async fn a_patch_has_the_consequences_of_a_put() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let one = published(&ccf, &provider, &api("things", &[&provider.aefs[0]])).await;
    let id = one.rsplit('/').next().unwrap();
    used(&ccf, &invoker, &[(&provider.aefs[0], id, "things")]).await;
    ccf.patch(&one, Some(&provider.apf), &json!({ "description": "more" })).await.expect(200);
    assert_eq!(left(&ccf, &invoker).await.1, Vec::<String>::new());
    ccf.patch(&one, Some(&provider.apf), &json!({ "apiStatus": { "aefIds": [] } })).await.expect(200);
    assert_eq!(left(&ccf, &invoker).await, (vec![], vec![format!("{}/things", provider.aefs[0].id)]));
}

/// The words of what was noted for subscribers since the last look.
async fn noted(ccf: &Ccf) -> String {
    let taken = ccf.write(|tx| Box::pin(async move { store::happenings::take(tx, 100).await })).await;
    let words = taken.into_iter().map(|happening| {
        let body: Value = serde_json::from_str(&happening.body).unwrap();
        text(&body["what"])
    });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_happens_is_noted_where_somebody_subscribed() {
    let ccf = ccf_unstarted(RateSettings::demo(), |_| {}).await;
    let (provider, invoker) = (ccf.provider(2, &[]).await, ccf.invoker(&[]).await);
    let (apf, first, second) = (Some(&provider.apf), &provider.aefs[0], &provider.aefs[1]);
    published(&ccf, &provider, &api("before", &[first])).await;
    assert_eq!(noted(&ccf).await, "", "nobody subscribed");
    let row = subscription(&invoker);
    ccf.write(move |tx| Box::pin(async move { store::subscriptions::insert(tx, &row).await })).await;

    let one = published(&ccf, &provider, &api("things", &[first, second])).await;
    assert_eq!(noted(&ccf).await, "service_api_available");
    ccf.post(&path(&provider), apf, &json!({ "apiName": "draft" })).await.expect(201);
    assert_eq!(noted(&ccf).await, "", "one that is active nowhere");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        (json!({ "description": "more" }), "service_api_updated"),
        (json!({ "apiStatus": { "aefIds": [first.id] } }), "service_api_updated"),
        (json!({ "apiStatus": { "aefIds": [] } }), "service_api_updated service_api_unavailable"),
        (json!({ "description": null }), "service_api_updated"),
        (json!({ "apiStatus": { "aefIds": [second.id] } }), "service_api_updated service_api_available"),
    ];
    for (patch, expected) in rows {
        ccf.patch(&one, apf, &patch).await.expect(200);
        assert_eq!(noted(&ccf).await, expected, "{patch}");
    }
    let id = one.rsplit('/').next().unwrap();
    used(&ccf, &invoker, &[(second, id, "things")]).await;
    ccf.put(&one, apf, &api("things", &[first])).await.expect(200);
    assert_eq!(noted(&ccf).await, "authorization_revoked service_api_updated");
    ccf.get(&format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}", invoker.id), Some(&invoker))
        .await
        .expect(200);
    assert_eq!(noted(&ccf).await, "discovered");
    ccf.put(&one, Some(&provider.amf), &api("things", &[first])).await;
    assert_eq!(noted(&ccf).await, "", "a change that was refused");
    // What ends with a service API is told before it: authorizations, policies and routes.
    used(&ccf, &invoker, &[(first, id, "things")]).await;
    let (api_id, aef) = (id.parse().unwrap(), first.id.parse().unwrap());
    let policy = json!({ "apiInvokerId": invoker.id, "allowedTotalInvocations": 1 });
    ccf.server.put_access_control(&api_id, &aef, serde_json::from_value(policy).unwrap()).await.unwrap();
    let rule = json!({ "ipv4AddrRanges": [{ "start": "192.0.2.1", "end": "192.0.2.9" }], "aefProfile": profile(second) });
    let rules = serde_json::from_value(json!({ "routingRules": [rule] })).unwrap();
    ccf.server.put_routing(&api_id, &aef, rules).await.unwrap();
    assert_eq!(noted(&ccf).await, "access_control_updated topology_hidden");
    ccf.delete(&one, apf).await.expect(204);
    assert_eq!(
        noted(&ccf).await,
        "authorization_revoked access_control_gone topology_shown service_api_unavailable"
    );
    let other = published(&ccf, &provider, &api("others", &[first])).await;
    used(&ccf, &invoker, &[(first, other.rsplit('/').next().unwrap(), "others")]).await;
    noted(&ccf).await;
    let onboarded = format!("/api-invoker-management/v1/onboardedInvokers/{}", invoker.id);
    assert_eq!(ccf.delete(&onboarded, Some(&invoker)).await.status, 204);
    assert_eq!(noted(&ccf).await, "authorization_revoked invoker_offboarded");
}

/// A subscription by which happenings are kept; nobody tells it of anything.
fn subscription(by: &Holder) -> store::subscriptions::SubscriptionRow {
    store::subscriptions::SubscriptionRow {
        sub_id: "SUB1".into(),
        family: "capif-events".into(),
        owner_issuer: ISSUER.into(),
        owner_subject: by.id.clone(),
        owner_name: by.id.clone(),
        client: by.id.clone(),
        standing: "{}".into(),
        body: "{}".into(),
        version: 1,
        state: "{}".into(),
        reports: 0,
        reports_max: None,
        ends_s: None,
        next_s: None,
        ended_s: None,
        trace: None,
        created_s: NOW,
    }
}

#[tokio::test]
async fn it_is_answered_when_no_verifier_accepts_what_ended() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let (apf, aef) = (Some(&provider.apf), &provider.aefs[0]);
    let one = published(&ccf, &provider, &api("things", &[aef])).await;
    used(&ccf, &invoker, &[(aef, one.rsplit('/').next().unwrap(), "things")]).await;
    // The function follows the feed: it holds a lease of a second.
    ccf.get("/revocations?after=0", Some(aef)).await.expect(200);
    let no_more = json!({ "apiStatus": { "aefIds": [] } });
    let change = ccf.patch(&one, apf, &no_more);
    tokio::pin!(change);
    assert!(timeout(Duration::from_millis(100), &mut change).await.is_err(), "the lease is alive");
    let told = ccf.get("/revocations?after=0", Some(aef)).await.expect(200);
    assert!(told.to_string().contains(&format!("{}/things", aef.id)), "{told}");
    let epoch = told["epoch"].as_u64().unwrap();
    // What it asks "after" confirms what it has applied.
    ccf.get(&format!("/revocations?after={epoch}"), Some(aef)).await.expect(200);
    change.await.expect(200);
}
