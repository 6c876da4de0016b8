//! Scopes of services that the operator added at run time.

use serde_json::json;
use store::services;

use super::World;
use crate::kit::FunctionKit;

const ADDED: &str = "3gpp:seal:ar-tours";

async fn add(kit: &FunctionKit, body: serde_json::Value) {
    let text = body.to_string();
    let put =
        kit.store.write(move |tx| Box::pin(async move { services::put(tx, "ar-tours", &text, 1).await }));
    put.await.unwrap_or_else(|error: store::StoreError| panic!("{error}"));
}

#[tokio::test]
async fn a_scope_that_was_added_opens_what_reads_and_nothing_before() {
    let world = World::new().await;
    let mut claims = world.claims();
    claims["scope"] = json!(ADDED);
    claims["val_service_id"] = json!(["museum-guide"]);
    assert_eq!(world.outcome_of(&claims).await, "SCOPE_NARROW", "nobody has added it");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the service of this server",   json!({ "role": "san", "scopes": [ADDED], "valServiceId": "museum-guide" }), "OK"),
        ("for every VAL service",        json!({ "role": "san", "scopes": [ADDED] }),                                 "OK"),
        ("of another server",            json!({ "role": "sm", "scopes": [ADDED] }),                                  "SCOPE_NARROW"),
        ("of another VAL service",       json!({ "role": "san", "scopes": [ADDED], "valServiceId": "other" }),        "SCOPE_NARROW"),
        ("with another scope",           json!({ "role": "san", "scopes": ["3gpp:seal:other"] }),                     "SCOPE_NARROW"),
    ];
    for (what, service, expected) in rows {
        add(&world.kit, service).await;
        assert_eq!(world.outcome_of(&claims).await, expected, "{what}");
    }
    // A scope that is known keeps its own meaning, whatever service names it.
    add(&world.kit, json!({ "role": "san", "scopes": ["3gpp:seal:san.write"] })).await;
    claims["scope"] = json!("3gpp:seal:san.write");
    assert_eq!(world.outcome_of(&claims).await, "SCOPE_NARROW");
}
