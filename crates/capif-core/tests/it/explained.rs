//! What an operator is told of a decision is what the token endpoint decides.

use api_types::admin::{CapifExplained, CapifOutcome, CheckVerdict};
use serde_json::{Value, json};
use service_http::refusal::Refusal;

use crate::harness::Holder;
use crate::resource_auth::{Scene, policy, scene};

async fn explain(at: &Scene, who: &str, resource: &str, more: Value) -> Result<CapifExplained, Refusal> {
    let mut asked =
        json!({ "aefId": at.aef().id, "resourceId": resource, "apiInvokerId": who, "action": "read" });
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    at.ccf.server.explain(&serde_json::from_value(asked).unwrap()).await
}

/// Who failed, of those who have a say.
fn failed(told: &CapifExplained) -> Vec<&str> {
    let failed = told.checks.iter().filter(|check| check.verdict == CheckVerdict::Fail);
    failed.map(|check| check.check.as_str()).collect()
}

#[tokio::test]
async fn it_says_what_the_token_endpoint_does() {
    let at = scene().await;
    let deny = policy("not-vs3", json!({ "apiInvokerId": at.vs3.id }), &["update"], "DENY");
    let anchor =
        at.anchor(1, &[at.permit(&at.vs2, &["read"]), at.permit(&at.vs3, &["read", "update"]), deny]);
    at.tell(&anchor).await.expect(201);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &Holder, &str, Option<&str>); 7] = [
        ("the owner",            &at.vs1, "delete",   None),
        ("whom a policy names",  &at.vs2, "read",     None),
        ("another action",       &at.vs2, "update",   Some("NOT_ALLOWED_ENTITY")),
        ("the other one",        &at.vs3, "read",     None),
        ("a denial overrides",   &at.vs3, "update",   Some("OWNER_DENIED")),
        ("nobody names it",      &at.vs3, "delete",   Some("NOT_ALLOWED_ENTITY")),
        ("it is not visible",    &at.vs3, "discover", Some("NOT_ALLOWED_ENTITY")),
    ];
    for (what, who, action, reason) in rows {
        let told = explain(&at, &who.id, "list/7", json!({ "action": action })).await.unwrap();
        let outcome = if reason.is_none() { CapifOutcome::Permit } else { CapifOutcome::Deny };
        assert_eq!((told.decision, told.reason.as_deref()), (outcome, reason), "{what}");
        assert_eq!(told.remedy.is_some(), reason.is_some(), "{what}");
        assert_eq!(
            failed(&told),
            if reason.is_none() { vec![] } else { vec!["policy of the owner"] },
            "{what}"
        );
        // And so it is.
        let answer = at.token(who, &[action]).await;
        assert_eq!(answer.status, if reason.is_none() { 200 } else { 400 }, "{what}: {}", answer.body);
        if let Some(reason) = reason {
            assert_eq!(at.ccf.last_reason().await, reason, "{what}");
        }
    }
}

#[tokio::test]
async fn parts_are_told_and_owners_are_not_asked() {
    let at = scene().await;
    let mut parts = at.permit(&at.vs2, &["read"]);
    parts["servInfoIds"] = json!(["tour", "menu"]);
    let mut anchor = at.anchor(1, &[parts]);
    anchor["defaultDecision"] = "ASK_OWNER".into();
    at.tell(&anchor).await.expect(201);
    let asked = json!({ "servInfoIds": ["tour", "price"] });
    let told = explain(&at, &at.vs2.id, "list/7", asked).await.unwrap();
    assert_eq!((told.decision, told.serv_info_ids), (CapifOutcome::Permit, Some(vec!["tour".to_owned()])));
    let told = explain(&at, &at.vs3.id, "list/7", json!({})).await.unwrap();
    assert_eq!((told.decision, told.reason.as_deref()), (CapifOutcome::Ask, Some("OWNER_REQUIRED")));
    let part = capif_core::ccf::Part { cursor: "", limit: 9 };
    assert!(at.ccf.server.asks(part, false).await.unwrap().items.is_empty(), "nobody is asked");
}

#[tokio::test]
async fn a_question_about_nothing_is_none() {
    let at = scene().await;
    at.tell(&at.anchor(1, &[at.permit(&at.vs2, &["read"])])).await.expect(201);
    let stranger = at.ccf.invoker(&[]).await;
    let told = explain(&at, &stranger.id, "list/7", json!({})).await.unwrap();
    assert_eq!(told.reason.as_deref(), Some("METHOD_NOT_NEGOTIATED"), "it has no context");
    let wire = |refusal: Refusal| refusal.on_the_wire().0;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another resource",  explain(&at, &at.vs2.id, "list/8", json!({})).await, 404),
        ("another function",  explain(&at, &at.vs2.id, "list/7", json!({ "aefId": at.provider.aefs[1].id })).await, 404),
        ("another invoker",   explain(&at, "INV0", "list/7", json!({})).await, 400),
        ("another action",    explain(&at, &at.vs2.id, "list/7", json!({ "action": "localize" })).await, 400),
        ("no part",           explain(&at, &at.vs2.id, "list/7", json!({ "servInfoIds": [""] })).await, 400),
    ];
    for (what, told, status) in rows {
        assert_eq!(told.map_err(wire).err(), Some(status), "{what}");
    }
}
