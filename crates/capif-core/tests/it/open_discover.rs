//! Discovery by anybody (sheet 1.5).

use std::num::NonZeroU32;
use std::time::Duration;

use http::header::RETRY_AFTER;
use serde_json::{Value, json};
use service_http::limits::RateSettings;

use crate::harness::{Ccf, Provider, ccf, ccf_limited, ccf_with};
use crate::publish::{api, path, published};

const TARGET: &str = "/open-api-disc/v1/service-apis";

async fn open_ccf() -> (Ccf, Provider) {
    let open = ["things", "others", "unpublished", "things"];
    let ccf = ccf_with(|config| config.open_apis = open.map(|name| name.parse().unwrap()).into()).await;
    let provider = ccf.provider(2, &[]).await;
    (ccf, provider)
}

#[tokio::test]
async fn nothing_is_open_unless_it_is_listed() {
    let ccf = ccf().await;
    let provider = ccf.provider(1, &[]).await;
    published(&ccf, &provider, &api("things", &[&provider.aefs[0]])).await;
    assert_eq!(ccf.get(TARGET, None).await.expect(200), json!({ "discApis": [] }));
    let features = ccf.get(&format!("{TARGET}?supported-features=f"), None).await.expect(200);
    assert_eq!(features, json!({ "discApis": [], "suppFeat": "0" }));
}

#[tokio::test]
async fn neither_interfaces_nor_methods_nor_ranges_leave() {
    let (ccf, provider) = open_ccf().await;
    let mut body = api("things", &[&provider.aefs[0], &provider.aefs[1]]);
    body["serviceAPICategory"] = "spatial".into();
    body["supportedFeatures"] = "3ff".into();
    body["vendorSpecific-urn:x"] = "blue".into();
    body["shareableInfo"] = json!({ "isShareable": true, "capifProvDoms": ["op-b"] });
    body["netSliceInfo"] = json!([{ "ensi": "museum" }]);
    body["apiStatus"] = json!({ "aefIds": [provider.aefs[0].id] });
    body["aefProfiles"][0]["grantTypes"] = json!(["CLIENT_CREDENTIALS"]);
    body["aefProfiles"][0]["aefLocation"] = json!({ "dcId": "dc-1" });
    body["aefProfiles"][0]["ueIpRange"] =
        json!({ "ueIpv4AddrRanges": [{ "start": "198.51.100.0", "end": "198.51.100.9" }] });
    let one = published(&ccf, &provider, &body).await;
    published(&ccf, &provider, &api("secret", &[&provider.aefs[0]])).await;
    let found = ccf.get(TARGET, None).await.expect(200);
    let id = one.rsplit('/').next().unwrap();
    let expected = json!({ "discApis": [{
        "apiName": "things", "apiId": id, "apiStatus": { "aefIds": [provider.aefs[0].id] }, "serviceAPICategory": "spatial",
        "aefProfiles": [{ "aefId": provider.aefs[0].id, "versions": [{ "apiVersion": "v1" }], "protocol": "HTTP_2",
            "dataFormat": "JSON", "aefLocation": { "dcId": "dc-1" } }],
    }] });
    assert_eq!(found, expected);
    // A change is seen at once; who has a certificate sees no more.
    ccf.patch(&one, Some(&provider.apf), &json!({ "apiStatus": { "aefIds": [] } })).await.expect(200);
    assert_eq!(ccf.get(TARGET, None).await.expect(200), json!({ "discApis": [] }));
    let invoker = ccf.invoker(&[]).await;
    assert_eq!(ccf.get(TARGET, Some(&invoker)).await.expect(200), json!({ "discApis": [] }));
}

#[tokio::test]
async fn filters_leave_what_fits_and_wrong_ones_are_refused() {
    let (ccf, provider) = open_ccf().await;
    for (name, category) in [("things", "spatial"), ("others", "other"), ("secret", "spatial")] {
        let mut body = api(name, &[&provider.aefs[0]]);
        body["serviceAPICategory"] = category.into();
        published(&ccf, &provider, &body).await;
    }
    let names = |body: Value| {
        let list = body["discApis"].as_array().unwrap().clone();
        list.iter().map(|api| api["apiName"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("", "others things"), ("api-names=things,secret", "things"), ("api-cats=spatial", "things"),
        ("api-names=secret", ""), ("protocols=MQTT", ""), ("unknown=1", "others things"),
    ];
    for (query, expected) in rows {
        assert_eq!(names(ccf.get(&format!("{TARGET}?{query}"), None).await.expect(200)), expected, "{query}");
    }
    for (query, at) in [
        ("api-names=a%2Fb", "api-names"),
        ("api-versions=x", "api-versions"),
        ("res-ops=%5B%7B%22resource%22:%22a%22%7D%5D", "res-ops"),
        ("api-names=things&api-names=others", "api-names"),
        ("supported-features=xyz", "supported-features"),
    ] {
        let answer = ccf.get(&format!("{TARGET}?{query}"), None).await;
        assert_eq!((answer.status, answer.cause().as_str()), (400, "INVALID_QUERY_PARAM"), "{query}");
        assert_eq!(answer.faults(), [at], "{query}");
    }
}

#[tokio::test]
async fn a_source_is_limited() {
    let units = |number| NonZeroU32::new(number).unwrap();
    // A look costs four units: two looks, and one more after four seconds.
    let limits = RateSettings { source_per_s: units(1), source_burst: units(8), ..RateSettings::demo() };
    let ccf = ccf_limited(limits, |_| {}).await;
    for _ in 0..2 {
        ccf.get(TARGET, None).await.expect(200);
    }
    let refused = ccf.get(TARGET, None).await;
    assert_eq!((refused.status, refused.cause().as_str()), (429, "TOO_MANY_REQUESTS"));
    assert_eq!(refused.headers[RETRY_AFTER], "4");
    ccf.clock.advance(Duration::from_secs(4));
    ccf.get(TARGET, None).await.expect(200);
    assert_eq!(ccf.get(TARGET, None).await.status, 429);
}

#[tokio::test]
async fn a_foreign_function_does_not_open_what_another_one_publishes() {
    let (ccf, provider) = open_ccf().await;
    let other = ccf.provider(1, &["others"]).await;
    published(&ccf, &other, &api("others", &[&other.aefs[0]])).await;
    let refused = ccf.post(&path(&other), Some(&other.apf), &api("things", &[&other.aefs[0]])).await;
    assert_eq!((refused.status, ccf.last_reason().await.as_str()), (403, "NOT_ENTITLED"));
    published(&ccf, &provider, &api("things", &[&provider.aefs[0]])).await;
    let found = ccf.get(TARGET, None).await.expect(200);
    assert_eq!(found["discApis"].as_array().unwrap().len(), 2);
}
