//! `CAPIF_Access_Control_Policy`: an AEF reads what the operator wrote about its own service APIs.

use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::{AefId, ServiceApiId};
use capif_core::ccf::EVERY_INVOKER;
use serde_json::{Value, json};

use crate::harness::{Ccf, Holder, Provider, ccf};

async fn publish(ccf: &Ccf, provider: &Provider, name: &str, aefs: &[&Holder]) -> ServiceApiId {
    let profile = |aef: &&Holder| {
        let interface = json!({ "fqdn": "aef.example", "port": 443, "securityMethods": ["OAUTH"] });
        json!({ "aefId": aef.id, "versions": [{ "apiVersion": "v1" }], "interfaceDescriptions": [interface] })
    };
    let profiles: Vec<_> = aefs.iter().map(profile).collect();
    let api = json!({ "apiName": name, "aefProfiles": profiles });
    let target = format!("/published-apis/v1/{}/service-apis", provider.apf.id);
    let answer = ccf.post(&target, Some(&provider.apf), &api).await;
    answer.expect(201);
    answer.id().try_into().unwrap()
}

fn policy(invoker: &str, most: u64) -> ApiInvokerPolicy {
    serde_json::from_value(json!({ "apiInvokerId": invoker, "allowedTotalInvocations": most })).unwrap()
}

fn aef_id(aef: &Holder) -> AefId {
    aef.id.as_str().try_into().unwrap()
}

fn target(api: &ServiceApiId, query: &str) -> String {
    format!("/access-control-policy/v1/accessControlPolicyList/{}?{query}", api.as_str())
}

/// API invokers and their bounds.
fn seen(answer: &Value) -> Vec<(String, u64)> {
    let policies = answer["apiInvokerPolicies"].as_array().unwrap();
    let one = |policy: &Value| {
        let id = policy["apiInvokerId"].as_str().unwrap().to_owned();
        (id, policy["allowedTotalInvocations"].as_u64().unwrap())
    };
    policies.iter().map(one).collect()
}

#[tokio::test]
async fn a_function_reads_the_policies_of_what_it_exposes() {
    let ccf = ccf().await;
    let provider = ccf.provider(2, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let (first, second) = (&provider.aefs[0], &provider.aefs[1]);
    let both = publish(&ccf, &provider, "both", &[first, second]).await;
    let of = |query: &str| target(&both, &format!("aef-id={}{query}", first.id));
    assert!(seen(&ccf.get(&of(""), Some(first)).await.expect(200)).is_empty(), "no policy yet");

    let server = &ccf.server;
    let put =
        async |most, name: &str| server.put_access_control(&both, &aef_id(first), policy(name, most)).await;
    assert_eq!(put(5, &invoker.id).await, Ok(true), "made");
    assert_eq!(put(6, &invoker.id).await, Ok(false), "replaced");
    assert_eq!(put(9, EVERY_INVOKER).await, Ok(true));
    let own = vec![(invoker.id.clone(), 6)];
    assert_eq!(
        seen(&ccf.get(&of(""), Some(first)).await.expect(200)),
        own,
        "that of all others has no place"
    );
    let query = format!("&api-invoker-id={}", invoker.id);
    assert_eq!(seen(&ccf.get(&of(&query), Some(first)).await.expect(200)), own);
    let others = ccf.get(&of("&api-invoker-id=INV2"), Some(first)).await.expect(200);
    assert_eq!(seen(&others), [("INV2".to_owned(), 9)]);
    let elsewhere = target(&both, &format!("aef-id={}", second.id));
    assert!(
        seen(&ccf.get(&elsewhere, Some(second)).await.expect(200)).is_empty(),
        "a policy is of one function"
    );

    let listed = server.list_access_control(&both, &aef_id(first)).await.unwrap();
    let names: Vec<_> = listed.iter().map(|policy| policy.api_invoker_id.as_str().to_owned()).collect();
    assert_eq!(names, [EVERY_INVOKER.to_owned(), invoker.id.clone()]);
    let id = |name: &str| name.try_into().unwrap();
    assert_eq!(server.delete_access_control(&both, &aef_id(first), &id(EVERY_INVOKER)).await, Ok(true));
    assert_eq!(server.delete_access_control(&both, &aef_id(first), &id(EVERY_INVOKER)).await, Ok(false));
    assert_eq!(server.delete_access_control(&both, &aef_id(first), &id(&invoker.id)).await, Ok(true));
    assert!(seen(&ccf.get(&of(&query), Some(first)).await.expect(200)).is_empty());
}

#[tokio::test]
async fn one_spoiled_thing_reads_nothing() {
    let ccf = ccf().await;
    let provider = ccf.provider(2, &[]).await;
    let foreign = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let (aef, other) = (&provider.aefs[0], &provider.aefs[1]);
    let api = publish(&ccf, &provider, "things", &[aef]).await;
    let elsewhere = publish(&ccf, &foreign, "things", &[&foreign.aefs[0]]).await;
    let nowhere: ServiceApiId = "API0".try_into().unwrap();
    let of = |holder: &Holder| format!("aef-id={}", holder.id);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Option<&Holder>, String, u16, &str)> = vec![
        ("good",                       Some(aef),                 target(&api, &of(aef)),        200, ""),
        ("no certificate",             None,                      target(&api, &of(aef)),        403, "PEER_REFUSED"),
        ("an API invoker",             Some(&invoker),            target(&api, &of(aef)),        403, "PEER_REFUSED"),
        ("the publishing function",    Some(&provider.apf),       target(&api, &of(aef)),        403, "PEER_REFUSED"),
        ("another function names it",  Some(other),               target(&api, &of(aef)),        403, "NOT_OWNER"),
        ("it names another function",  Some(aef),                 target(&api, &of(other)),      403, "NOT_OWNER"),
        ("it does not expose it",      Some(other),               target(&api, &of(other)),      404, "NOT_FOUND"),
        ("another domain's API",       Some(aef),                 target(&elsewhere, &of(aef)),  404, "NOT_FOUND"),
        ("no such API",                Some(aef),                 target(&nowhere, &of(aef)),    404, "NOT_FOUND"),
        ("no function named",          Some(aef),                 target(&api, ""),              400, "QUERY_WRONG"),
        ("an API invoker misspelt",    Some(aef),                 target(&api, &format!("{}&api-invoker-id=a%20b", of(aef))), 400, "QUERY_WRONG"),
    ];
    let mut hidden = Vec::new();
    for (what, by, target, status, reason) in rows {
        let answer = ccf.get(&target, by).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        if !reason.is_empty() {
            assert_eq!(ccf.last_reason().await, reason, "{what}");
        }
        if status == 404 {
            hidden.push(answer.body);
        }
    }
    hidden.dedup();
    assert_eq!(hidden.len(), 1, "hidden and absent are alike");

    let server = &ccf.server;
    let put = async |api: &ServiceApiId, aef: &Holder, name: &str| {
        let put = server.put_access_control(api, &aef_id(aef), policy(name, 1)).await;
        put.map_err(|refusal| refusal.on_the_wire().0)
    };
    assert_eq!(put(&api, aef, &invoker.id).await, Ok(true));
    assert_eq!(put(&api, other, &invoker.id).await, Err(404), "not exposed there");
    assert_eq!(put(&nowhere, aef, &invoker.id).await, Err(404));
    assert_eq!(put(&api, aef, "INV0").await, Err(400), "nobody was onboarded so");
    let backwards = json!({ "apiInvokerId": EVERY_INVOKER, "allowedInvocationTimeRangeList":
        [{ "startTime": "2027-01-02T00:00:00Z", "stopTime": "2027-01-01T00:00:00Z" }] });
    let backwards = serde_json::from_value(backwards).unwrap();
    let refused = server.put_access_control(&api, &aef_id(aef), backwards).await.unwrap_err();
    assert_eq!(refused.on_the_wire().0, 400);
}
