//! What the metadata says is so (B17).

use api_types::admin::Service;
use serde_json::json;

use crate::harness::{ISSUER, MTLS, Params, asks, sim};

#[tokio::test]
async fn b17_the_metadata_agrees_with_what_the_server_does() {
    let sim = sim().await;
    let answer = sim.get("/.well-known/openid-configuration", &[]).await;
    assert_eq!(answer.status, 200);
    let metadata = answer.json();
    let same = sim.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(metadata, same);
    assert_eq!(metadata["issuer"], ISSUER);
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("jwks_uri", "/jwks"),
        ("pushed_authorization_request_endpoint", "/par"),
        ("introspection_endpoint", "/introspect"),
        ("revocation_endpoint", "/revoke"),
        ("userinfo_endpoint", "/userinfo"),
    ] {
        assert_eq!(metadata[name], format!("{ISSUER}{path}"), "{name}");
        let alias = &metadata["mtls_endpoint_aliases"][name];
        if !matches!(name, "authorization_endpoint" | "jwks_uri") {
            assert_eq!(*alias, format!("{MTLS}{path}"), "{name}");
        }
        // No endpoint is a dead end.
        let post = sim.post(path, &[], &Params::of(&[])).await;
        assert_ne!(post.status, 404, "{name}");
    }
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(metadata["acr_values_supported"], json!(["3gpp:acr:password", "phr"]));
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    // Each scope that is listed can be asked for by a client that has it.
    let listed: Vec<&str> =
        metadata["scopes_supported"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    for scope in ["openid", "3gpp:seal:san.read", "3gpp:seal:sm.localize"] {
        assert!(listed.contains(&scope), "{scope}");
    }
}

/// S1-C1, S1-G1: a third service is data; when it goes, its tokens go.
#[tokio::test]
async fn s1_c1_a_service_is_data() {
    let mut sim = sim().await;
    let scope = "3gpp:seal:san.beacons";
    let asks = asks().with("scope", &format!("openid {scope}"));
    let before = sim.get(&format!("/authorize?{}", asks.text()), &[]).await;
    assert_eq!(before.query("error").as_deref(), Some("invalid_scope"));
    let id = "beacon-mgmt".try_into().unwrap();
    let body: Service = serde_json::from_value(json!({ "role": "san", "scopes": [scope] })).unwrap();
    assert!(sim.server.put_service(&id, body).await.unwrap().created);
    sim.put_client(
        "ue-1",
        json!({ "kind": "sim_c", "auth": "client_secret_basic", "redirectUris": ["http://127.0.0.1/cb"],
            "scopes": [scope, "3gpp:seal:san.read", "3gpp:seal:san.discover", "3gpp:seal:sm.read", "3gpp:seal:sm.localize"],
            "valServices": ["vs-a", "vs-b"] }),
    )
    .await;
    let listed = sim.get("/.well-known/openid-configuration", &[]).await.json();
    assert!(listed["scopes_supported"].as_array().unwrap().contains(&json!(scope)));
    let tokens = sim.tokens_for("alice", "ue-1", &asks).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert!(sim.is_active("ue-1", token).await);
    sim.server.delete_service(&id).await.unwrap();
    assert!(!sim.is_active("ue-1", token).await);
    let after = sim.get(&format!("/authorize?{}", asks.text()), &[]).await;
    assert_eq!(after.query("error").as_deref(), Some("invalid_scope"));
}

/// A service of a VAL service is for its users.
#[tokio::test]
async fn a_service_of_a_val_service_is_for_its_users() {
    let sim = sim().await;
    let put = |service: &'static str| {
        let body = json!({ "role": "san", "scopes": ["3gpp:seal:san.read"], "valServiceId": service });
        let body: Service = serde_json::from_value(body).unwrap();
        let id = "spatial-anchor-mgmt".try_into().unwrap();
        let sim = &sim;
        async move { sim.server.put_service(&id, body).await.unwrap() }
    };
    let asks = asks().with("scope", "openid 3gpp:seal:san.read");
    put("vs-a").await;
    assert!(sim.log_in("alice", &asks).await.query("code").is_some());
    put("vs-b").await;
    assert_eq!(sim.log_in("alice", &asks).await.query("error").as_deref(), Some("access_denied"));
}
