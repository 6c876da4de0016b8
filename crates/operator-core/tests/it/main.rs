//! The UDM behind its router, over a SQLite store of the test's own: each refusal beside its good case.

mod harness;

use api_types::nudm_sdm::{UcPurpose, UserConsent};
use harness::{ALICE, At, BOB, SAN, SUPI_ALICE, SUPI_BOB, udm};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use service_http::peer::CertRole;

const LOCATION: &str = "METAVERSE_LOCATION";

fn uc_data(supi: &str) -> String {
    format!("/nudm-sdm/v2/{supi}/uc-data")
}

fn subscription(supi: &str) -> Value {
    json!({
        "nfInstanceId": "4e1b1b5a-3e5b-4a55-8a37-0a5b2f6d1c11",
        "callbackReference": "https://san.example:9443/nudm",
        "monitoredResourceUris": [uc_data(supi)],
    })
}

#[tokio::test]
async fn an_identifier_is_translated_for_functions_of_the_core_alone() {
    let at = udm().await;
    let path = |id: &str| format!("/nudm-sdm/v2/{id}/id-translation-result");
    for id in [ALICE, SUPI_ALICE, "extid-alice@op-a.example"] {
        let answer = at.get(&path(id), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{id}");
        let expected = json!({
            "supi": SUPI_ALICE, "gpsi": ALICE, "additionalGpsis": ["extid-alice@op-a.example"]
        });
        assert_eq!(answer.body, expected, "{id}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(at.get(&path("msisdn-1234567"), &[]).await.status, StatusCode::NOT_FOUND);
    for (role, name) in [(CertRole::Client, "vs-1"), (CertRole::Notifier, "san"), (CertRole::Invoker, "INV1")]
    {
        let answer = at.send_as(Some((role, name)), Method::GET, &path(ALICE), &[], None).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        assert!(!answer.body.to_string().contains(SUPI_ALICE));
    }
    assert_eq!(at.send_as(None, Method::GET, &path(ALICE), &[], None).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn consent_is_read_by_purpose_and_again_only_when_it_has_changed() {
    let at = udm().await;
    assert_eq!(at.get(&uc_data(SUPI_ALICE), &[]).await.status, StatusCode::NOT_FOUND, "nothing was said");
    at.says(ALICE, LOCATION, UserConsent::Given).await;
    at.says(ALICE, "METAVERSE_IDENTITY", UserConsent::NotGiven).await;

    let all = at.get(&uc_data(SUPI_ALICE), &[]).await;
    let expected = json!({ "userConsentPerPurposeList": {
        LOCATION: "CONSENT_GIVEN", "METAVERSE_IDENTITY": "CONSENT_NOT_GIVEN"
    }});
    assert_eq!((all.status, &all.body), (StatusCode::OK, &expected));
    assert_eq!(all.header("cache-control"), "private, no-cache");
    let one = at.get(&format!("{}?uc-purpose={LOCATION}", uc_data(SUPI_ALICE)), &[]).await;
    assert_eq!(one.body, json!({ "userConsentPerPurposeList": { LOCATION: "CONSENT_GIVEN" } }));

    let tag = all.header("etag").to_owned();
    let again = at.get(&uc_data(SUPI_ALICE), &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, &*tag));
    at.says(ALICE, LOCATION, UserConsent::NotGiven).await;
    let changed = at.get(&uc_data(SUPI_ALICE), &[("if-none-match", &tag)]).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(changed.body["userConsentPerPurposeList"][LOCATION], "CONSENT_NOT_GIVEN");

    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another subscriber",      uc_data(SUPI_BOB),                                            404),
        ("nobody",                  uc_data("imsi-001019999999999"),                              404),
        ("a GPSI, which is no key", uc_data(ALICE),                                               404),
        ("a purpose not spoken of", format!("{}?uc-purpose=ANALYTICS", uc_data(SUPI_ALICE)),      404),
        ("no purpose",              format!("{}?uc-purpose=", uc_data(SUPI_ALICE)),               400),
        ("two purposes",            format!("{}?uc-purpose=A&uc-purpose=B", uc_data(SUPI_ALICE)), 400),
    ];
    for (what, path, status) in rows {
        assert_eq!(at.get(&path, &[]).await.status.as_u16(), status, "{what}");
    }
    let hidden = at.get(&uc_data("imsi-001019999999999"), &[]).await;
    assert_eq!(
        hidden.body,
        at.get(&uc_data(SUPI_BOB), &[]).await.body,
        "nobody and nothing said are the same"
    );
}

#[tokio::test]
async fn a_subscription_is_of_one_function_and_one_subscriber() {
    let at = udm().await;
    at.says(ALICE, LOCATION, UserConsent::Given).await;
    let path = format!("/nudm-sdm/v2/{SUPI_ALICE}/sdm-subscriptions");
    let mut body = subscription(SUPI_ALICE);
    body["immediateReport"] = true.into();
    let made = at.send(Method::POST, &path, &[], Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.body["report"]["ucData"]["userConsentPerPurposeList"][LOCATION], "CONSENT_GIVEN");
    assert!(made.body["expires"].is_string());
    let location = made.header("location").to_owned();
    let one = location.strip_prefix(harness::ORIGIN).unwrap().to_owned();

    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, Value); 6] = [
        ("data of another subscriber", "/monitoredResourceUris/0", json!(uc_data(SUPI_BOB))),
        ("another data set",           "/monitoredResourceUris/0", json!(format!("/nudm-sdm/v2/{SUPI_ALICE}/am-data"))),
        ("another server",             "/monitoredResourceUris/0", json!(format!("https://evil.example{}", uc_data(SUPI_ALICE)))),
        ("no TLS",                     "/callbackReference",       json!("http://san.example/n")),
        ("no instance",                "/nfInstanceId",            json!("san")),
        ("over already",               "/expires",                 json!("2020-01-01T00:00:00Z")),
    ];
    for (what, member, value) in rows {
        let mut body = subscription(SUPI_ALICE);
        body["expires"] = json!("2099-01-01T00:00:00Z");
        *body.pointer_mut(member).unwrap() = value;
        let answer = at.send(Method::POST, &path, &[], Some(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}");
        assert_eq!(answer.body["invalidParams"][0]["param"], member, "{what}");
    }
    let nobody = "/nudm-sdm/v2/imsi-001019999999999/sdm-subscriptions";
    let answer = at.send(Method::POST, nobody, &[], Some(subscription(SUPI_ALICE))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);

    // Not another function's, and not under another subscriber.
    let patch = || Some(json!({ "expires": "2099-01-01T00:00:00Z" }));
    let merge = [("content-type", "application/merge-patch+json")];
    let other = Some((CertRole::Function, "sm"));
    assert_eq!(at.send_as(other, Method::PATCH, &one, &merge, patch()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(at.send_as(other, Method::DELETE, &one, &[], None).await.status, StatusCode::NOT_FOUND);
    let elsewhere = one.replace(SUPI_ALICE, SUPI_BOB);
    assert_eq!(at.send(Method::DELETE, &elsewhere, &[], None).await.status, StatusCode::NOT_FOUND);

    // No longer than a week, whatever is asked for.
    let longer = at.send(Method::PATCH, &one, &merge, patch()).await;
    assert_eq!(longer.status, StatusCode::OK);
    assert!(longer.body["expires"].as_str().unwrap() < "2099");
    assert_eq!(at.send(Method::DELETE, &one, &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(at.send(Method::DELETE, &one, &[], None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_change_is_queued_for_who_has_subscribed_and_is_not_over() {
    let at = udm().await;
    let path = |id: &str| format!("/nudm-sdm/v2/{id}/sdm-subscriptions");
    // By the GPSI as well (TS 29.571 VarUeId).
    let made = at.send(Method::POST, &path(ALICE), &[], Some(subscription(SUPI_ALICE))).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = at.send(Method::POST, &path(SUPI_BOB), &[], Some(subscription(SUPI_BOB))).await;
    assert_eq!(made.status, StatusCode::CREATED);

    at.says(ALICE, LOCATION, UserConsent::Given).await;
    assert_eq!(at.queued().await.len(), 1, "Bob's is not told of Alice");
    at.says(ALICE, LOCATION, UserConsent::Given).await;
    assert_eq!(at.queued().await.len(), 1, "nothing changed");
    at.says(ALICE, LOCATION, UserConsent::NotGiven).await;
    let gpsi = ALICE.try_into().unwrap();
    at.udm.delete_consent(&gpsi, &UcPurpose::from(LOCATION)).await.unwrap();
    let queued = at.queued().await;
    assert_eq!(queued.len(), 3);
    assert!(queued.iter().all(|message| message.client == SAN && message.target.contains("san.example")));
    // Neither SUPI nor GPSI waits in the outbox.
    assert!(
        queued.iter().all(|message| !message.body.contains("imsi-") && !message.body.contains("msisdn-"))
    );
    assert!(at.udm.delete_consent(&gpsi, &UcPurpose::from(LOCATION)).await.is_err());
}

#[tokio::test]
async fn operators_keep_identities_purposes_and_privacy() {
    let at: At = udm().await;
    let (alice, bob) = (ALICE.try_into().unwrap(), BOB.try_into().unwrap());
    let body = |supi: &str| serde_json::from_value(json!({ "supi": supi })).unwrap();
    assert!(!at.udm.put_subscriber(&bob, body(SUPI_BOB)).await.unwrap().created);
    assert!(at.udm.put_subscriber(&bob, body(SUPI_ALICE)).await.is_err(), "Alice's SUPI");
    let first = at.udm.subscribers("", 1).await.unwrap();
    assert_eq!((first.items.len(), first.next.is_some()), (1, true));
    assert_eq!(at.udm.subscribers(&first.next.unwrap(), 10).await.unwrap().items.len(), 1);

    let purpose = UcPurpose::SpatialDiscovery;
    let described = serde_json::from_value(json!({ "categories": ["location"] })).unwrap();
    assert!(at.udm.put_purpose(&purpose, described).await.unwrap().created);
    assert_eq!(at.udm.purpose(&purpose).await.unwrap().version, 1);
    at.udm.delete_purpose(&purpose).await.unwrap();
    assert!(at.udm.purpose(&purpose).await.is_err());

    let privacy: api_types::admin::Privacy =
        serde_json::from_value(json!({ "hide": ["identity"], "coarsen": ["location"] })).unwrap();
    assert_eq!(at.udm.put_privacy(&alice, privacy.clone()).await.unwrap().version, 1);
    assert_eq!(at.udm.privacy(&alice).await.unwrap().body, privacy);
    assert!(at.udm.put_privacy(&"msisdn-1234567".try_into().unwrap(), privacy).await.is_err());
}
