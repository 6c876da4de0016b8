//! Domains of API providers come, change and go (sheet 1.1).

use serde_json::{Value, json};

use crate::harness::{Provider, ccf, csr, holder, text};
use crate::publish::{api, published};

const PATH: &str = "/api-provider-management/v1/registrations";

fn function(role: &str) -> Value {
    json!({ "regInfo": { "apiProvPubKey": csr() }, "apiProvFuncRole": role })
}

fn at(provider: &Provider) -> String {
    format!("{PATH}/{}", provider.registration)
}

#[tokio::test]
async fn one_spoiled_thing_registers_nobody() {
    let ccf = ccf().await;
    let secret = ccf.enrol("api_provider", &[]).await;
    let of_invoker = ccf.enrol("api_invoker", &[]).await;
    let good =
        json!({ "regSec": secret, "apiProvFuncs": [function("AMF"), function("AEF")], "suppFeat": "7" });
    type Spoil<'a> = Box<dyn Fn(&mut Value) + 'a>;
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Spoil<'_>, u16)> = vec![
        ("no secret", Box::new(|b| { b.as_object_mut().unwrap().remove("regSec"); }), 400),
        ("an unknown secret", Box::new(|b| b["regSec"] = "x".into()), 401),
        ("the secret of an API invoker", Box::new(|b| b["regSec"] = of_invoker.clone().into()), 401),
        ("no management function", Box::new(|b| b["apiProvFuncs"] = json!([function("AEF")])), 400),
        ("no function", Box::new(|b| b["apiProvFuncs"] = json!([])), 400),
        ("a key that is none", Box::new(|b| b["apiProvFuncs"][1]["regInfo"]["apiProvPubKey"] = "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n".into()), 400),
        ("an identifier of another", Box::new(|b| b["apiProvFuncs"][1]["apiProvFuncId"] = "AEF0".into()), 400),
    ];
    for (what, spoil, status) in rows {
        let mut body = good.clone();
        spoil(&mut body);
        let answer = ccf.post(PATH, None, &body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
    }
    let made = ccf.post(PATH, None, &good).await.expect(201);
    assert_eq!(made["suppFeat"], "1", "the features of both");
    let roles: Vec<_> =
        made["apiProvFuncs"].as_array().unwrap().iter().map(|f| text(&f["apiProvFuncRole"])).collect();
    assert_eq!(roles, ["AMF", "AEF"], "in the order of the request");
    assert_eq!(ccf.post(PATH, None, &good).await.status, 401, "a secret is good once");
}

#[tokio::test]
async fn a_role_of_a_later_release_leaves_the_others() {
    let ccf = ccf().await;
    let secret = ccf.enrol("api_provider", &[]).await;
    let body = json!({ "regSec": secret, "apiProvFuncs": [function("XYZ"), function("AMF")] });
    let made = ccf.post(PATH, None, &body).await.expect(201);
    assert!(made["failReason"].is_string());
    assert_eq!(made["apiProvFuncs"][0].get("apiProvFuncId"), None);
    assert!(made["apiProvFuncs"][1]["regInfo"]["apiProvCert"].is_string());
}

#[tokio::test]
async fn its_management_function_alone_changes_a_domain() {
    let ccf = ccf().await;
    let (one, two) = (ccf.provider(2, &[]).await, ccf.provider(1, &[]).await);
    let patch = json!({ "apiProvDomInfo": "the campus" });
    let before = ccf.patch(&at(&one), Some(&one.amf), &patch).await.expect(200);
    for (what, by, status) in [
        ("another domain's", Some(&two.amf), 404),
        ("its publishing function", Some(&one.apf), 403),
        ("its exposing function", Some(&one.aefs[0]), 403),
        ("nobody", None, 403),
    ] {
        assert_eq!(ccf.patch(&at(&one), by, &patch).await.status, status, "{what}");
    }
    published(&ccf, &one, &api("things", &[&one.aefs[0]])).await;

    // One function gets another key, one goes, one comes; what is not named stays who it is.
    let mut next = before.clone();
    let functions = next["apiProvFuncs"].as_array_mut().unwrap();
    functions[1]["regInfo"]["apiProvPubKey"] = csr().into();
    functions.remove(2);
    functions.push(function("AEF"));
    let after = ccf.put(&at(&one), Some(&one.amf), &next).await.expect(200);
    let ids = |domain: &Value| -> Vec<String> {
        domain["apiProvFuncs"].as_array().unwrap().iter().map(|f| text(&f["apiProvFuncId"])).collect()
    };
    assert_eq!(ids(&after)[..3], [ids(&before)[0].clone(), ids(&before)[1].clone(), ids(&before)[3].clone()]);
    let apis = format!("/published-apis/v1/{}/service-apis", one.apf.id);
    assert_eq!(ccf.get(&apis, Some(&one.apf)).await.status, 403, "the certificate of before");
    let renewed = holder(&one.apf.id, &text(&after["apiProvFuncs"][1]["regInfo"]["apiProvCert"]));
    assert_eq!(ccf.get(&apis, Some(&renewed)).await.expect(200), json!([]), "its API went with the function");
    let mut locked_out = after.clone();
    locked_out["apiProvFuncs"].as_array_mut().unwrap().remove(0);
    assert_eq!(ccf.put(&at(&one), Some(&one.amf), &locked_out).await.status, 400);
    let mut stolen = after.clone();
    stolen["apiProvFuncs"][0]["apiProvFuncId"] = two.amf.id.clone().into();
    assert_eq!(ccf.put(&at(&one), Some(&one.amf), &stolen).await.status, 400, "a function of another domain");

    assert_eq!(ccf.delete(&at(&one), Some(&two.amf)).await.status, 404);
    assert_eq!(ccf.delete(&at(&one), Some(&one.amf)).await.status, 204);
    assert_eq!(ccf.get(&apis, Some(&renewed)).await.status, 403, "all its certificates end");
    assert_eq!(ccf.patch(&at(&two), Some(&two.amf), &patch).await.status, 200);
}
