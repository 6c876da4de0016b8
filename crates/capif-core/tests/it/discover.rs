//! Discovery by API invokers (sheet 1.4).

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, Ccf, Holder, NOW, ccf, escaped, send};
use crate::publish::{api, path, published};

fn target(invoker: &Holder, query: &str) -> String {
    format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}&{query}", invoker.id)
}

async fn ask(ccf: &Ccf, invoker: &Holder, query: &str) -> Answer {
    ccf.get(&target(invoker, query), Some(invoker)).await
}

async fn ask_at(router: &Router, invoker: &Holder, query: &str) -> Answer {
    let request =
        Request::builder().method(Method::GET).uri(target(invoker, query)).body(Body::empty()).unwrap();
    send(router, request, Some(invoker)).await
}

/// The names that were found, in their order by name.
fn names(answer: &Answer) -> String {
    let found = answer.expect(200);
    let mut names: Vec<_> = found["serviceAPIDescriptions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|api| api["apiName"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.join(" ")
}

#[tokio::test]
async fn found_is_what_was_published_as_it_was_published() {
    let ccf = ccf().await;
    let (provider, invoker) = (ccf.provider(1, &[]).await, ccf.invoker(&[]).await);
    // None found: no list.
    assert_eq!(ask(&ccf, &invoker, "").await.expect(200), json!({}));
    assert_eq!(ask(&ccf, &invoker, "supported-features=ff").await.expect(200), json!({ "suppFeat": "f" }));
    let mut body = api("things", &[&provider.aefs[0]]);
    body["description"] = "näïve \"things\"".into();
    let one = published(&ccf, &provider, &body).await;
    let made = ccf.get(&one, Some(&provider.apf)).await.expect(200);
    assert_eq!(ask(&ccf, &invoker, "").await.expect(200), json!({ "serviceAPIDescriptions": [made] }));
    let both = json!({ "serviceAPIDescriptions": [made], "suppFeat": "2" });
    assert_eq!(ask(&ccf, &invoker, "supported-features=2").await.expect(200), both);
    // The path as the prose has it.
    let prose = format!("/service-apis/v1/allServiceApis?api-invoker-id={}", invoker.id);
    assert_eq!(
        ccf.get(&prose, Some(&invoker)).await.expect(200),
        json!({ "serviceAPIDescriptions": [made] })
    );
}

#[tokio::test]
async fn whoever_asks_asks_for_itself() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    published(&ccf, &provider, &api("things", &[&provider.aefs[0]])).await;
    let (invoker, other) = (ccf.invoker(&[]).await, ccf.invoker(&[]).await);
    assert_eq!(names(&ask(&ccf, &invoker, "").await), "things");
    let nobody = Holder { id: "INV00".into(), ..invoker.clone() };
    for (named, by, reason) in [
        (&other, Some(&invoker), "NOT_OWNER"),
        (&nobody, Some(&invoker), "NOT_OWNER"),
        (&invoker, None, "PEER_REFUSED"),
        (&provider.apf, Some(&provider.apf), "PEER_REFUSED"),
        (&provider.aefs[0], Some(&provider.aefs[0]), "PEER_REFUSED"),
        (&invoker, Some(&provider.amf), "PEER_REFUSED"),
    ] {
        let answer = ccf.get(&target(named, ""), by).await;
        assert_eq!((answer.status, ccf.last_reason().await.as_str()), (403, reason), "{}", named.id);
    }
    let onboarded = format!("/api-invoker-management/v1/onboardedInvokers/{}", invoker.id);
    ccf.delete(&onboarded, Some(&invoker)).await.expect(204);
    assert_eq!(ask(&ccf, &invoker, "").await.status, 403, "offboarded, on a connection of before");
    assert_eq!(names(&ask(&ccf, &other, "").await), "things");
}

#[tokio::test]
async fn an_onboarding_ends() {
    let ccf = ccf().await;
    let end = json!({ "expTime": api_types::DateTime::from_unix(NOW + 60), "supportedFeatures": "8" });
    let invoker = ccf.invoker_with(&[], end).await;
    ccf.clock.set_s(NOW + 59);
    ask(&ccf, &invoker, "").await.expect(200);
    ccf.clock.set_s(NOW + 60);
    assert_eq!(ask(&ccf, &invoker, "").await.status, 403);
    assert_eq!(ccf.last_reason().await, "PEER_REFUSED");
}

#[tokio::test]
async fn an_enrolment_limits_what_is_seen() {
    let ccf = ccf().await;
    let provider = ccf.provider(2, &[]).await;
    for name in ["ssan-sanm", "ssan-disc", "ssm-smm"] {
        published(&ccf, &provider, &api(name, &[&provider.aefs[0]])).await;
    }
    let elsewhere = published(&ccf, &provider, &api("ssan-sanm", &[&provider.aefs[1]])).await;
    let hidden = published(&ccf, &provider, &api("secret", &[&provider.aefs[0]])).await;
    let (all, some) =
        (ccf.invoker(&[]).await, ccf.invoker(&["ssan-sanm", "ssm-smm", "absent", "ssm-smm"]).await);
    assert_eq!(names(&ask(&ccf, &all, "").await), "secret ssan-disc ssan-sanm ssan-sanm ssm-smm");
    assert_eq!(names(&ask(&ccf, &some, "").await), "ssan-sanm ssan-sanm ssm-smm");
    assert_eq!(names(&ask(&ccf, &all, "api-name=ssan-disc").await), "ssan-disc");
    assert_eq!(names(&ask(&ccf, &some, "api-name=ssan-disc").await), "");
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let both = format!("api-ids={},{},API00", id(&hidden), id(&elsewhere));
    assert_eq!(names(&ask(&ccf, &all, &both).await), "secret ssan-sanm");
    assert_eq!(names(&ask(&ccf, &some, &both).await), "ssan-sanm");
}

#[tokio::test]
async fn every_filter_leaves_what_fits() {
    let ccf = ccf().await;
    let (provider, invoker) = (ccf.provider_named(3, &[], Some("Example")).await, ccf.invoker(&[]).await);
    let [a, b, c] = [0, 1, 2].map(|index| provider.aefs[index].id.clone());
    let version = |name: &str, comm: &str, uri: &str| {
        json!({ "apiVersion": name, "resources": [{ "resourceName": "r", "commType": comm, "uri": uri,
            "operations": ["GET"], "custOperations": [{ "commType": comm, "custOpName": "copy" }] }] })
    };
    let rich = json!({
        "apiName": "rich", "serviceAPICategory": "spatial", "apiProvName": "Example", "apiSuppFeats": "5",
        "netSliceInfo": [{ "snssai": { "sst": 1 } }], "supportedFeatures": "3ff", "vendorSpecific-urn:x": "blue",
        "aefProfiles": [
            { "aefId": a, "protocol": "HTTP_2", "dataFormat": "JSON", "domainName": "a.example", "grantTypes": ["CLIENT_CREDENTIALS"],
              "versions": [version("v1", "REQUEST_RESPONSE", "/one"), version("v2", "SUBSCRIBE_NOTIFY", "/two")],
              "serviceKpis": { "maxReqRate": 10 }, "aefLocation": { "dcId": "dc-1" },
              "ueIpRange": { "ueIpv4AddrRanges": [{ "start": "198.51.100.0", "end": "198.51.100.9" }] } },
            { "aefId": b, "protocol": "MQTT", "domainName": "b.example", "versions": [version("v2", "SUBSCRIBE_NOTIFY", "/two")],
              "aefLocation": { "dcId": "dc-2" } },
        ],
    });
    published(&ccf, &provider, &rich).await;
    published(
        &ccf,
        &provider,
        &json!({ "apiName": "plain", "apiStatus": { "aefIds": [c] },
        "aefProfiles": [{ "aefId": c, "domainName": "c.example", "versions": [{ "apiVersion": "v1" }] }] }),
    )
    .await;
    // Inactive, or nowhere exposed: never found.
    published(
        &ccf,
        &provider,
        &json!({ "apiName": "off", "apiStatus": { "aefIds": [] },
        "aefProfiles": [{ "aefId": c, "domainName": "c.example", "versions": [{ "apiVersion": "v1" }] }] }),
    )
    .await;
    published(&ccf, &provider, &json!({ "apiName": "draft" })).await;
    let over = api_types::DateTime::from_unix(NOW);
    published(&ccf, &provider, &json!({ "apiName": "over",
        "aefProfiles": [{ "aefId": c, "domainName": "c.example", "versions": [{ "apiVersion": "v1", "expiry": over }] }] })).await;
    let found = |answer: Answer| {
        let body = answer.expect(200);
        let mut found: Vec<String> = Vec::new();
        for api in body["serviceAPIDescriptions"].as_array().into_iter().flatten() {
            for profile in api["aefProfiles"].as_array().unwrap() {
                let place =
                    [&a, &b, &c].iter().position(|id| *id == profile["aefId"].as_str().unwrap()).unwrap();
                let versions = profile["versions"].as_array().unwrap().iter();
                let versions: Vec<_> =
                    versions.map(|version| version["apiVersion"].as_str().unwrap()).collect();
                found.push(format!("{}:{}", ["a", "b", "c"][place], versions.join("+")));
            }
        }
        found.sort();
        found.join(" ")
    };
    let aef_id = format!("aef-id={b}");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("", "a:v1+v2 b:v2 c:v1"),
        ("api-name=rich", "a:v1+v2 b:v2"), ("api-name=off", ""), ("api-name=draft", ""), ("api-name=over", ""),
        ("api-version=v1", "a:v1 c:v1"), ("api-version=v3", ""),
        ("comm-type=SUBSCRIBE_NOTIFY", "a:v2 b:v2"), ("comm-type=REQUEST_RESPONSE", "a:v1"),
        ("protocol=MQTT", "b:v2"), ("protocol=HTTP_1_1", ""), (aef_id.as_str(), "b:v2"), ("aef-id=AEF00", ""),
        ("data-format=JSON", "a:v1+v2"), ("data-format=XML", ""),
        ("api-cat=spatial", "a:v1+v2 b:v2"), ("api-cat=other", ""),
        ("req-api-prov-name=Example", "a:v1+v2 b:v2"), ("req-api-prov-name=Other", ""),
        ("api-name=rich&api-supported-features=4", "a:v1+v2 b:v2"), ("api-name=rich&api-supported-features=2", ""),
        (r#"ue-ip-addr={"ipv4Addr":"198.51.100.9"}"#, "a:v1+v2 b:v2 c:v1"),
        (r#"ue-ip-addr={"ipv4Addr":"198.51.100.10"}"#, "b:v2 c:v1"),
        (r#"service-kpis={"maxReqRate":10}"#, "a:v1+v2"), (r#"service-kpis={"maxReqRate":11}"#, ""),
        (r#"net-slice-info=[{"snssai":{"sst":1}}]"#, "a:v1+v2 b:v2 c:v1"), (r#"net-slice-info=[{"snssai":{"sst":2}}]"#, "c:v1"),
        (r#"grant-types=["CLIENT_CREDENTIALS"]"#, "a:v1+v2"), (r#"grant-types=["AUTHORIZATION_CODE"]"#, ""),
        (r#"res-ops=[{"resource":"/one","operations":["GET"]}]"#, "a:v1"), (r#"res-ops=[{"operations":["PUT"]}]"#, ""),
        (r#"res-ops=[{"customServOpers":["copy"]}]"#, "a:v1+v2 b:v2"),
        ("supported-features=2&vendorSpecific-urn%3Ax=blue", "a:v1+v2 b:v2"), ("supported-features=2&vendorSpecific-urn%3Ax=red", ""),
        (r#"preferred-aef-loc={"dcId":"dc-3"}"#, "a:v1+v2 b:v2 c:v1"),
        ("api-version=v2&protocol=HTTP_2", "a:v2"), ("unknown-filter=1", "a:v1+v2 b:v2 c:v1"),
    ];
    for (query, expected) in rows {
        let query = match query.split_once('=') {
            Some((name, value)) if value.starts_with(['{', '[']) => format!("{name}={}", escaped(value)),
            _ => query.to_owned(),
        };
        assert_eq!(found(ask(&ccf, &invoker, &query).await), expected, "{query}");
    }
    // A wish orders: what is there comes first, profiles and service APIs.
    for (centre, first) in [("dc-1", &a), ("dc-2", &b)] {
        let query = format!("preferred-aef-loc={}", escaped(&format!("{{\"dcId\":\"{centre}\"}}")));
        let body = ask(&ccf, &invoker, &query).await.expect(200);
        assert_eq!(body["serviceAPIDescriptions"][0]["aefProfiles"][0]["aefId"], **first, "{centre}");
    }
}

#[tokio::test]
async fn a_query_that_is_wrong_is_refused() {
    let ccf = ccf().await;
    let invoker = ccf.invoker(&[]).await;
    let own = format!("api-invoker-id={}", invoker.id);
    let rows = [
        ("api-name=x".to_owned(), "api-invoker-id"),
        ("api-invoker-id=a-b".to_owned(), "api-invoker-id"),
        (format!("{own}&{own}"), "api-invoker-id"),
        (format!("{own}&api-ids=API1&api-name=x"), "api-ids"),
        (format!("{own}&api-ids=API1&vendorSpecific-x=1"), "api-ids"),
        (format!("{own}&api-ids="), "api-ids"),
        (format!("{own}&api-supported-features=1"), "api-supported-features"),
        (format!("{own}&api-name=a%2Fb"), "api-name"),
        (format!("{own}&ue-ip-addr={}", escaped("{\"ipv4Addr\":\"x\"}")), "ue-ip-addr/ipv4Addr"),
        (format!("{own}&service-kpis={}", escaped("{")), "service-kpis"),
        (format!("{own}&grant-types={}", escaped("[]")), "grant-types"),
        (format!("{own}&net-slice-info={}", escaped("[{}]")), "net-slice-info/0"),
        (format!("{own}&res-ops={}", escaped("[{}]")), "res-ops/0"),
        (format!("{own}&supported-features=xyz"), "supported-features"),
    ];
    for (query, at) in rows {
        let answer = ccf.get(&format!("/service-apis/v1/allServiceAPIs?{query}"), Some(&invoker)).await;
        assert_eq!((answer.status, answer.cause().as_str()), (400, "INVALID_QUERY_PARAM"), "{query}");
        assert_eq!(answer.faults(), [at], "{query}");
    }
    ask(&ccf, &invoker, "api-ids=API1&supported-features=1").await.expect(200);
}

#[tokio::test]
async fn a_change_is_seen_at_once_on_every_node() {
    let ccf = ccf().await;
    let (provider, invoker) = (ccf.provider(1, &[]).await, ccf.invoker(&[]).await);
    let other_node = ccf.beside().await;
    let apf = Some(&provider.apf);
    let both = async |expected: &str, what: &str| {
        assert_eq!(names(&ask(&ccf, &invoker, "").await), expected, "{what}");
        assert_eq!(names(&ask_at(&other_node, &invoker, "").await), expected, "{what}, at the other node");
    };
    both("", "nothing").await;
    let one = published(&ccf, &provider, &api("things", &[&provider.aefs[0]])).await;
    both("things", "published").await;
    let two = published(&ccf, &provider, &api("others", &[&provider.aefs[0]])).await;
    both("others things", "another one").await;
    ccf.put(&one, apf, &api("stuff", &[&provider.aefs[0]])).await.expect(200);
    both("others stuff", "renamed").await;
    ccf.patch(&one, apf, &json!({ "apiStatus": { "aefIds": [] } })).await.expect(200);
    both("others", "switched off").await;
    ccf.patch(&one, apf, &json!({ "apiStatus": null })).await.expect(200);
    both("others stuff", "switched on").await;
    ccf.delete(&two, apf).await.expect(204);
    both("stuff", "unpublished").await;
    ccf.put(&one, apf, &api("stuff", &[])).await.status.eq(&400).then_some(()).expect("a list is not empty");
    both("stuff", "a change that was refused").await;
    let registration = format!("/api-provider-management/v1/registrations/{}", provider.registration);
    ccf.delete(&registration, Some(&provider.amf)).await.expect(204);
    both("", "deregistered").await;
}

/// More than one page of the store, more than one piece of an answer.
#[tokio::test]
async fn many_are_searched_in_memory() {
    const MANY: usize = 2_000;
    let ccf = ccf().await;
    let (provider, invoker) = (ccf.provider(1, &[]).await, ccf.invoker(&[]).await);
    let few = ccf.invoker(&["api-7", "api-1999"]).await;
    let (apf, registration) = (provider.apf.id.clone(), provider.registration.clone());
    let profile = crate::publish::profile(&provider.aefs[0]);
    let aef = provider.aefs[0].id.clone();
    ccf.write(move |tx| {
        Box::pin(async move {
            for number in 0..MANY {
                let (id, name) = (format!("API{number:05}"), format!("api-{number}"));
                let body = json!({ "apiName": name, "apiId": id, "serviceAPICategory": format!("c{}", number % 10),
                    "aefProfiles": [profile] });
                let row = store::capif::service_apis::ServiceApiRow {
                    api_id: id,
                    apf_id: apf.clone(),
                    registration_id: registration.clone(),
                    api_name: name,
                    body: body.to_string(),
                    version: 1,
                    created_s: NOW,
                };
                store::capif::service_apis::insert(tx, &row, std::slice::from_ref(&aef)).await?;
            }
            Ok(())
        })
    })
    .await;
    let count = |answer: Answer| answer.expect(200)["serviceAPIDescriptions"].as_array().map_or(0, Vec::len);
    assert_eq!(count(ask(&ccf, &invoker, "").await), MANY);
    assert_eq!(count(ask(&ccf, &invoker, "api-cat=c3").await), MANY / 10);
    assert_eq!(count(ask(&ccf, &invoker, "api-name=api-1234").await), 1);
    assert_eq!(count(ask(&ccf, &invoker, "protocol=MQTT").await), 0);
    assert_eq!(names(&ask(&ccf, &few, "").await), "api-1999 api-7");
    let listed = ccf.get(&path(&provider), Some(&provider.apf)).await.expect(200);
    assert_eq!(listed.as_array().unwrap().len(), MANY);
    ccf.clock.advance(Duration::from_secs(1));
    let one = format!("{}/API00007", path(&provider));
    let changed: Value =
        ccf.patch(&one, Some(&provider.apf), &json!({ "serviceAPICategory": "c3" })).await.expect(200);
    assert_eq!(changed["serviceAPICategory"], "c3");
    assert_eq!(count(ask(&ccf, &invoker, "api-cat=c3").await), MANY / 10 + 1);
}
