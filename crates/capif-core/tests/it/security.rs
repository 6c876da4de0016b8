//! Security contexts (sheet 1.6, 2.1 and 2.2): negotiated by the API invoker, seen and withdrawn by the function.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{Ccf, Holder, Provider, ccf, text};
use crate::publish::{api, published};

pub(crate) fn context(invoker: &Holder) -> String {
    format!("/capif-security/v1/trustedInvokers/{}", invoker.id)
}

pub(crate) fn asking(entries: &Value) -> Value {
    json!({ "securityInfo": entries, "notificationDestination": "https://invoker.example/notifications" })
}

pub(crate) fn entry(aef: &Holder) -> Value {
    json!({ "aefId": aef.id, "prefSecurityMethods": ["PSK", "PKI", "OAUTH"] })
}

/// A provider with two functions, each with one API, and an API invoker with a context for both.
pub(crate) async fn campus(ccf: &Ccf) -> (Provider, Holder, Vec<String>) {
    let provider = ccf.provider(2, &[]).await;
    let mut apis = Vec::new();
    for (name, aef) in [("ssan-sanm", 0), ("ssan-disc", 0), ("ssm-smm", 1)] {
        let at = published(ccf, &provider, &api(name, &[&provider.aefs[aef]])).await;
        apis.push(at.rsplit('/').next().unwrap().to_owned());
    }
    let invoker = ccf.invoker(&[]).await;
    let body = asking(&json!([entry(&provider.aefs[0]), entry(&provider.aefs[1])]));
    ccf.put(&context(&invoker), Some(&invoker), &body).await.expect(201);
    (provider, invoker, apis)
}

#[tokio::test]
async fn a_context_is_negotiated_updated_and_seen_by_its_functions() {
    let ccf = ccf().await;
    let (provider, invoker, _) = campus(&ccf).await;
    let lone = ccf.invoker(&[]).await;
    let body = asking(&json!([entry(&provider.aefs[0])]));
    let update = format!("{}/update", context(&lone));
    assert_eq!(ccf.post(&update, Some(&lone), &body).await.status, 404, "clients of others rely on it");
    let made = ccf.put(&context(&lone), Some(&lone), &body).await.expect(201);
    assert_eq!(made["securityInfo"][0]["selSecurityMethod"], "OAUTH");
    assert_eq!(ccf.post(&update, Some(&lone), &body).await.status, 200);

    let both = "?authenticationInfo=True&authorizationInfo=true";
    let seen = ccf.get(&format!("{}{both}", context(&invoker)), Some(&provider.aefs[0])).await.expect(200);
    assert_eq!(seen["securityInfo"].as_array().unwrap().len(), 1, "its own entry and no other");
    let info = |name: &str| -> Value {
        let text = text(&seen["securityInfo"][0][name]);
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(info("authenticationInfo")["x5t#S256"], json!([invoker.certificate.x5t_s256]));
    let scope = text(&info("authorizationInfo")["scope"]);
    assert!(scope.starts_with(&format!("3gpp#{}:", provider.aefs[0].id)) && !scope.contains("ssm-smm"));
    let plain = ccf.get(&context(&invoker), Some(&provider.aefs[0])).await.expect(200);
    assert_eq!(plain["securityInfo"][0].get("authenticationInfo"), None);
    let of_lone = ccf.get(&context(&lone), Some(&provider.aefs[1])).await;
    assert_eq!(of_lone.status, 404, "no entry of this function");
    let absent = ccf.get("/capif-security/v1/trustedInvokers/INV0", Some(&provider.aefs[1])).await;
    assert_eq!(of_lone.body, absent.body, "and no context at all is the same answer");
}

#[tokio::test]
async fn a_context_belongs_to_its_invoker() {
    let ccf = ccf().await;
    let (provider, invoker, _) = campus(&ccf).await;
    let (other, bounded) = (ccf.invoker(&[]).await, ccf.invoker(&["ssm-smm"]).await);
    let body = asking(&json!([entry(&provider.aefs[0])]));
    for (what, by, status) in [
        ("another invoker", Some(&other), 403),
        ("a function", Some(&provider.aefs[0]), 403),
        ("nobody", None, 403),
    ] {
        assert_eq!(ccf.put(&context(&invoker), by, &body).await.status, status, "{what}");
    }
    for by in [&invoker, &provider.apf, &provider.amf] {
        assert_eq!(ccf.get(&context(&invoker), Some(by)).await.status, 403, "{:?} is no function", by.id);
    }
    // What an enrolment does not name is as if it were not published.
    let made = ccf.put(&context(&bounded), Some(&bounded), &body).await.expect(201);
    assert_eq!(made["securityInfo"][0].get("selSecurityMethod"), None);
}

#[tokio::test]
async fn revoking_one_of_three_leaves_two() {
    let ccf = ccf().await;
    let (provider, invoker, apis) = campus(&ccf).await;
    let revoke = format!("{}/delete", context(&invoker));
    let notice =
        |apis: &[&String]| json!({ "apiInvokerId": invoker.id, "apiIds": apis, "cause": "OVERLIMIT_USAGE" });
    let aef = |index: usize| Some(&provider.aefs[index]);
    assert_eq!(
        ccf.post(&revoke, aef(1), &notice(&[&apis[0]])).await.status,
        404,
        "an API of another function"
    );
    let mut foreign = notice(&[&apis[0]]);
    foreign["aefId"] = provider.aefs[0].id.clone().into();
    assert_eq!(ccf.post(&revoke, aef(1), &foreign).await.status, 403, "in the name of another function");
    let mut other = notice(&[&apis[0]]);
    other["apiInvokerId"] = "INV0".into();
    assert_eq!(ccf.post(&revoke, aef(0), &other).await.status, 400, "path and body differ");
    assert_eq!(ccf.post(&revoke, Some(&invoker), &notice(&[&apis[0]])).await.status, 403);

    assert_eq!(ccf.post(&revoke, aef(0), &notice(&[&apis[0]])).await.status, 204);
    let left = |answer: Value| {
        let text = text(&answer["securityInfo"][0]["authorizationInfo"]);
        let info: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        info["apiIds"].clone()
    };
    let seen = format!("{}?authorizationInfo=true", context(&invoker));
    assert_eq!(left(ccf.get(&seen, aef(0)).await.expect(200)), json!([apis[1]]));
    assert_eq!(left(ccf.get(&seen, aef(1)).await.expect(200)), json!([apis[2]]));
    assert_eq!(ccf.delete(&context(&invoker), aef(0)).await.status, 204);
    assert_eq!(ccf.get(&seen, aef(0)).await.status, 404);
    assert_eq!(
        left(ccf.get(&seen, aef(1)).await.expect(200)),
        json!([apis[2]]),
        "the other function's stays"
    );
    assert_eq!(ccf.delete(&context(&invoker), aef(0)).await.status, 404, "nothing is left to withdraw");
}
