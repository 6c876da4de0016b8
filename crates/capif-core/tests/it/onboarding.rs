//! API invokers come, change and go (sheet 1.2).

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Ccf, Holder, ISSUER, NOW, ccf, csr, holder, json_request, text, with_bearer};

const PATH: &str = "/api-invoker-management/v1/onboardedInvokers";

fn body() -> Value {
    json!({
        "onboardingInformation": { "apiInvokerPublicKey": csr() },
        "notificationDestination": "https://invoker.example/notifications",
    })
}

fn at(invoker: &Holder) -> String {
    format!("{PATH}/{}", invoker.id)
}

async fn onboard(ccf: &Ccf, secret: &str, body: &Value) -> (u16, String) {
    let request = with_bearer(json_request(Method::POST, PATH, body), secret);
    let status = ccf.send(request, None).await.status;
    (status, if status == 201 { String::new() } else { ccf.last_reason().await })
}

#[tokio::test]
async fn a_credential_onboards_once() {
    let ccf = ccf().await;
    let secret = ccf.enrol("api_invoker", &[]).await;
    let request = with_bearer(json_request(Method::POST, PATH, &body()), &secret);
    let answer = ccf.send(request, None).await;
    let made = answer.expect(201);
    let id = answer.id();
    assert_eq!(text(&made["apiInvokerId"]), id);
    assert_eq!(answer.headers["location"], format!("{ISSUER}{PATH}/{id}"));
    assert!(!text(&made["onboardingInformation"]["onboardingSecret"]).is_empty(), "told once");
    let invoker = holder(&id, &text(&made["onboardingInformation"]["apiInvokerCertificate"]));
    let mut same = made.clone();
    same["onboardingInformation"].as_object_mut().unwrap().remove("onboardingSecret");
    let read = ccf.put(&at(&invoker), Some(&invoker), &same).await.expect(200);
    assert_eq!(read["onboardingInformation"].get("onboardingSecret"), None, "and never again");
    assert_eq!(onboard(&ccf, &secret, &body()).await, (401, "CREDENTIALS_WRONG".to_owned()));
}

#[tokio::test]
async fn a_wrong_credential_onboards_nobody() {
    let ccf = ccf().await;
    let good = ccf.enrol("api_invoker", &[]).await;
    let of_provider = ccf.enrol("api_provider", &[]).await;
    let late = ccf.enrol("api_invoker", &[]).await;
    for (what, secret) in [("unknown", "nothing"), ("of a provider", of_provider.as_str())] {
        assert_eq!(onboard(&ccf, secret, &body()).await, (401, "CREDENTIALS_WRONG".to_owned()), "{what}");
    }
    let none = ccf.post(PATH, None, &body()).await;
    assert_eq!((none.status, none.cause()), (401, "TOKEN_MISSING".to_owned()));
    let mut two = with_bearer(json_request(Method::POST, PATH, &body()), &good);
    two.headers_mut().append("authorization", "Bearer x".parse().unwrap());
    assert_eq!(ccf.send(two, None).await.status, 401, "two credentials");
    ccf.clock.set_s(NOW + 3_600);
    assert_eq!(onboard(&ccf, &late, &body()).await, (401, "CREDENTIALS_WRONG".to_owned()), "expired");
    ccf.clock.set_s(NOW + 3_599);
    assert_eq!(onboard(&ccf, &late, &body()).await.0, 201, "the last second");
}

#[tokio::test]
async fn one_spoiled_member_onboards_nobody_and_leaves_the_credential() {
    let ccf = ccf().await;
    let secret = ccf.enrol("api_invoker", &[]).await;
    let key = "/onboardingInformation/apiInvokerPublicKey";
    // The last octets are the signature: without it nobody has shown that the key is his.
    let foreign = {
        let good = csr();
        let at = good.find("\n-----END").unwrap() - 8;
        let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &good[..at], &good[at + 1..])
    };
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Value)> = vec![
        (key, json!("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")), (key, json!(foreign)),
        ("/notificationDestination", json!("nowhere")), ("/expTime", json!("2001-01-01T00:00:00Z")),
    ];
    for (member, value) in rows {
        let mut spoilt = body();
        match member == key {
            true => spoilt["onboardingInformation"]["apiInvokerPublicKey"] = value,
            false => spoilt[&member[1..]] = value,
        }
        let answer = ccf.send(with_bearer(json_request(Method::POST, PATH, &spoilt), &secret), None).await;
        assert_eq!((answer.status, answer.faults()), (400, vec![member.to_owned()]), "{}", answer.body);
    }
    let one = body();
    assert_eq!(onboard(&ccf, &secret, &one).await.0, 201, "the credential was not used up");
    let again = ccf.enrol("api_invoker", &[]).await;
    assert_eq!(onboard(&ccf, &again, &one).await, (409, "ID_TAKEN".to_owned()), "one key, one API invoker");
}

#[tokio::test]
async fn who_asks_is_told_by_the_record_of_the_certificate() {
    let ccf = ccf().await;
    let (one, two) = (ccf.invoker(&[]).await, ccf.invoker(&[]).await);
    let patch = json!({ "apiInvokerInformation": "a guide" });
    assert_eq!(ccf.patch(&at(&one), Some(&one), &patch).await.status, 200);
    assert_eq!(ccf.patch(&at(&one), Some(&two), &patch).await.status, 404, "another one's");
    assert_eq!(ccf.last_reason().await, "NOT_OWNER");
    assert_eq!(ccf.patch(&format!("{PATH}/INV0"), Some(&two), &patch).await.status, 404, "nobody's");
    assert_eq!(ccf.patch(&at(&one), None, &patch).await.status, 403, "no certificate");
    let provider = ccf.provider(1, &[]).await;
    assert_eq!(ccf.patch(&at(&one), Some(&provider.amf), &patch).await.status, 403, "another role");

    // A new key: the certificate of before ends with the answer.
    let renewed = ccf
        .patch(&at(&one), Some(&one), &json!({ "onboardingInformation": { "apiInvokerPublicKey": csr() } }))
        .await
        .expect(200);
    let new = holder(&one.id, &text(&renewed["onboardingInformation"]["apiInvokerCertificate"]));
    assert_eq!(ccf.patch(&at(&one), Some(&one), &patch).await.status, 403);
    assert_eq!(ccf.last_reason().await, "PEER_REFUSED");
    assert_eq!(ccf.patch(&at(&one), Some(&new), &patch).await.status, 200);
    let mut by_put = renewed.clone();
    by_put["onboardingInformation"]["apiInvokerPublicKey"] = csr().into();
    assert_eq!(ccf.put(&at(&one), Some(&new), &by_put).await.status, 400, "PUT changes no key");

    assert_eq!(ccf.delete(&at(&one), Some(&two)).await.status, 404);
    assert_eq!(ccf.delete(&at(&one), Some(&new)).await.status, 204);
    assert_eq!(ccf.patch(&at(&one), Some(&new), &patch).await.status, 403, "offboarded");
    assert_eq!(ccf.patch(&at(&two), Some(&two), &patch).await.status, 200, "the other one stays");
}

#[tokio::test]
async fn an_onboarding_ends_when_it_was_to_end() {
    let ccf = ccf().await;
    let lasting = ccf.invoker(&[]).await;
    let brief = ccf.invoker_with(&[], json!({ "expTime": "2027-01-15T09:00:00Z" })).await;
    let patch = json!({ "apiInvokerInformation": "a guide" });
    ccf.clock.set_s(NOW + 3_599);
    ccf.server.maintain().await.unwrap();
    assert_eq!(ccf.patch(&at(&brief), Some(&brief), &patch).await.status, 200);
    ccf.clock.set_s(NOW + 3_600);
    ccf.server.maintain().await.unwrap();
    assert_eq!(ccf.patch(&at(&brief), Some(&brief), &patch).await.status, 403);
    assert_eq!(ccf.last_reason().await, "PEER_REFUSED");
    assert_eq!(ccf.patch(&at(&lasting), Some(&lasting), &patch).await.status, 200);
    // What bounds the rights of who is there is not forgotten with time.
    ccf.clock.set_s(NOW + 3 * 24 * 3_600);
    ccf.server.maintain().await.unwrap();
    assert_eq!(ccf.patch(&at(&lasting), Some(&lasting), &patch).await.status, 200);
}
