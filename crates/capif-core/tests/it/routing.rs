//! `CAPIF_Routing_Info`: the function at which invocations arrive reads where they go.

use api_types::capif::routing::RoutingInfo;
use api_types::capif::{AefId, ServiceApiId};
use serde_json::{Value, json};

use crate::harness::{Ccf, Holder, Provider, ccf};

fn profile(aef: &str) -> Value {
    let interface = json!({ "fqdn": "aef.example", "port": 443, "securityMethods": ["OAUTH"] });
    json!({ "aefId": aef, "versions": [{ "apiVersion": "v1" }], "interfaceDescriptions": [interface] })
}

async fn publish(ccf: &Ccf, provider: &Provider, name: &str, aef: &Holder) -> ServiceApiId {
    let api = json!({ "apiName": name, "aefProfiles": [profile(&aef.id)] });
    let target = format!("/published-apis/v1/{}/service-apis", provider.apf.id);
    let answer = ccf.post(&target, Some(&provider.apf), &api).await;
    answer.expect(201);
    answer.id().try_into().unwrap()
}

fn rules(inner: &Holder) -> Value {
    let range = json!([{ "start": "192.0.2.0", "end": "192.0.2.127" }]);
    json!({ "routingRules": [{ "ipv4AddrRanges": range, "aefProfile": profile(&inner.id) }] })
}

fn info(body: &Value) -> RoutingInfo {
    serde_json::from_value(body.clone()).unwrap()
}

fn target(api: &ServiceApiId, query: &str) -> String {
    format!("/capif-routing-info/v1/service-apis/{}?{query}", api.as_str())
}

#[tokio::test]
async fn the_entry_reads_where_invocations_go_and_nobody_else() {
    let ccf = ccf().await;
    let provider = ccf.provider(2, &[]).await;
    let foreign = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let (entry, inner) = (&provider.aefs[0], &provider.aefs[1]);
    let api = publish(&ccf, &provider, "things", entry).await;
    let bare = publish(&ccf, &provider, "others", entry).await;
    let wanted = rules(inner);
    let aef: AefId = entry.id.as_str().try_into().unwrap();
    assert_eq!(ccf.server.put_routing(&api, &aef, info(&wanted)).await, Ok(true), "made");
    assert_eq!(ccf.server.put_routing(&api, &aef, info(&wanted)).await, Ok(false), "replaced");
    let of = |holder: &Holder| format!("aef-id={}", holder.id);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Option<&Holder>, String, u16, &str)> = vec![
        ("no certificate",            None,                    target(&api, &of(entry)),  403, "PEER_REFUSED"),
        ("an API invoker",            Some(&invoker),          target(&api, &of(entry)),  403, "PEER_REFUSED"),
        ("the management function",   Some(&provider.amf),     target(&api, &of(entry)),  403, "PEER_REFUSED"),
        ("another names it",          Some(inner),             target(&api, &of(entry)),  403, "NOT_OWNER"),
        ("it names another",          Some(entry),             target(&api, &of(inner)),  403, "NOT_OWNER"),
        ("the function behind",       Some(inner),             target(&api, &of(inner)),  404, "NOT_FOUND"),
        ("one of another domain",     Some(&foreign.aefs[0]),  target(&api, &of(&foreign.aefs[0])), 404, "NOT_FOUND"),
        ("no rules",                  Some(entry),             target(&bare, &of(entry)), 404, "NOT_FOUND"),
        ("no function named",         Some(entry),             target(&api, ""),          400, "QUERY_WRONG"),
    ];
    for (what, by, target, status, reason) in rows {
        let answer = ccf.get(&target, by).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(ccf.last_reason().await, reason, "{what}");
    }
    assert_eq!(ccf.get(&target(&api, &of(entry)), Some(entry)).await.expect(200), wanted);
    assert_eq!(ccf.server.routing(&api, &aef).await, Ok(Some(info(&wanted))));

    let elsewhere: AefId = inner.id.as_str().try_into().unwrap();
    let refused = ccf.server.put_routing(&api, &elsewhere, info(&wanted)).await.unwrap_err();
    assert_eq!(refused.on_the_wire().0, 404, "not exposed there");
    let none =
        ccf.server.put_routing(&api, &aef, RoutingInfo { routing_rules: Vec::new() }).await.unwrap_err();
    assert_eq!(none.on_the_wire().0, 400, "no rule at all");
    assert_eq!(ccf.server.delete_routing(&api, &aef).await, Ok(true));
    assert_eq!(ccf.server.delete_routing(&api, &aef).await, Ok(false));
    assert_eq!(ccf.get(&target(&api, &of(entry)), Some(entry)).await.status, 404);
}
