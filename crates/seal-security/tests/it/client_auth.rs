//! Clients prove who they are.

use http::header::{AUTHORIZATION, HeaderName};
use serde_json::{Value, json};
use service_http::peer::CertRole;

use crate::harness::{Params, SAN, Sim, asks, redeems, sim};

fn assertion_form(sim: &Sim, jwt: &str) -> Params {
    let _ = sim;
    Params::of(&[
        ("token", "x"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", jwt),
    ])
}

/// B9, A26, A27: the assertion is for this issuer and good once.
#[tokio::test]
async fn a26_a27_one_spoiled_assertion_is_refused() {
    let sim = sim().await;
    let good = sim.assertion(|_| {});
    let accepted = sim.post("/introspect", &[], &assertion_form(&sim, &good)).await;
    assert_eq!((accepted.status, accepted.body.as_str()), (200, "{\"active\":false}"));
    let replayed = sim.post("/introspect", &[], &assertion_form(&sim, &good)).await;
    assert_eq!((replayed.status, replayed.error().as_str()), (401, "invalid_client"), "replayed");
    assert_eq!(sim.last_reason().await, "REPLAYED");
    let now = crate::harness::NOW;
    type Spoil = fn(&mut Value, i64);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil); 15] = [
        ("token endpoint as audience", |c, _| c["aud"] = json!("https://sim.example/token")),
        ("audience in an array", |c, _| c["aud"] = json!(["https://sim.example"])),
        ("two audiences", |c, _| c["aud"] = json!(["https://sim.example", "https://evil.example"])),
        ("audience with slash", |c, _| c["aud"] = json!("https://sim.example/")),
        ("other issuer", |c, _| c["aud"] = json!("https://evil.example")),
        ("no audience", |c, _| { c.as_object_mut().unwrap().remove("aud"); }),
        ("iss of another", |c, _| c["iss"] = json!("ue-1")),
        ("sub of another", |c, _| c["sub"] = json!("ue-1")),
        ("no jti", |c, _| { c.as_object_mut().unwrap().remove("jti"); }),
        ("empty jti", |c, _| c["jti"] = json!("")),
        ("no exp", |c, _| { c.as_object_mut().unwrap().remove("exp"); }),
        ("more than 5 minutes", |c, now| c["exp"] = json!(now + 301)),
        ("expired", |c, now| c["exp"] = json!(now - 30)),
        ("not yet", |c, now| c["nbf"] = json!(now + 31)),
        ("exp a text", |c, now| c["exp"] = json!((now + 60).to_string())),
    ];
    for (what, spoil) in rows {
        let jwt = sim.assertion(|claims| spoil(claims, now));
        let answer = sim.post("/introspect", &[], &assertion_form(&sim, &jwt)).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{what}");
    }
    let edge = sim.assertion(|claims| claims["exp"] = json!(now + 300));
    assert_eq!(sim.post("/introspect", &[], &assertion_form(&sim, &edge)).await.status, 200);
    let other_key = service_http::testkit::key(&sim.ambient);
    let claims = json!({ "iss": "ue-jwt", "sub": "ue-jwt", "aud": "https://sim.example", "jti": "j", "exp": now + 60 });
    let forged = jose::jwt::sign(&other_key, "JWT", &claims).unwrap();
    assert_eq!(sim.post("/introspect", &[], &assertion_form(&sim, &forged)).await.error(), "invalid_client");
    let cross = jose::jwt::sign(&sim.assertion_key, "at+jwt", &claims).unwrap();
    assert_eq!(sim.post("/introspect", &[], &assertion_form(&sim, &cross)).await.error(), "invalid_client");
}

/// A28: one client, one method.
#[tokio::test]
async fn a28_two_names_or_two_methods_are_refused() {
    let sim = sim().await;
    let jwt = || sim.assertion(|_| {});
    let of_another = assertion_form(&sim, &jwt()).and("client_id", "ue-1");
    assert_eq!(sim.post("/introspect", &[], &of_another).await.error(), "invalid_client");
    let secret = sim.secret("ue-1").to_owned();
    let token = Params::of(&[("token", "x")]);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("header and body", vec![sim.basic("ue-1")], token.clone().and("client_id", "ue-1").and("client_secret", &secret), "invalid_request"),
        ("header and assertion", vec![sim.basic("ue-1")], assertion_form(&sim, &jwt()), "invalid_request"),
        ("body and assertion", vec![], assertion_form(&sim, &jwt()).and("client_secret", &secret), "invalid_request"),
        ("two headers", vec![sim.basic("ue-1"), sim.basic("ue-1")], token.clone(), "invalid_request"),
        ("header and other name", vec![sim.basic("ue-1")], token.clone().and("client_id", "ue-2"), "invalid_client"),
        ("secret of another", vec![], token.clone().and("client_id", "ue-2").and("client_secret", &secret), "invalid_client"),
        ("no secret", vec![], token.clone().and("client_id", "ue-1"), "invalid_client"),
        ("nothing", vec![], token.clone(), "invalid_client"),
        ("unknown client", vec![], token.clone().and("client_id", "x").and("client_secret", "y"), "invalid_client"),
        ("other scheme", vec![(AUTHORIZATION, "Bearer x".to_owned())], token.clone(), "invalid_client"),
        ("malformed", vec![(AUTHORIZATION, "Basic !!!".to_owned())], token.clone(), "invalid_client"),
        ("assertion of unknown type", vec![], assertion_form(&sim, &jwt()).with("client_assertion_type", "x"), "invalid_request"),
    ];
    for (what, headers, form, error) in rows {
        let answer = sim.post("/introspect", &headers, &form).await;
        let status = if error == "invalid_client" { 401 } else { 400 };
        assert_eq!((answer.status, answer.error().as_str()), (status, error), "{what}");
        assert_eq!(answer.header("www-authenticate").starts_with("Basic"), status == 401, "{what}");
    }
    // Secrets travel either way; the other methods are not open to a client with a secret, nor the reverse.
    let body = token.clone().and("client_id", "ue-1").and("client_secret", &secret);
    assert_eq!(sim.post("/introspect", &[], &body).await.status, 200);
    assert_eq!(sim.post("/introspect", &[sim.basic("ue-2")], &token).await.status, 200);
    let by_certificate = token.clone().and("client_id", "vs-secret");
    let answer = sim.post_mtls("/introspect", CertRole::Client, "vs-secret", &by_certificate).await;
    assert_eq!(answer.error(), "invalid_client");
    // With a secret over mutual TLS the certificate still has to be the client's own (design, section 3).
    let both = |name: &str| token.clone().and("client_id", name).and("client_secret", sim.secret(name));
    assert_eq!(
        sim.post_mtls("/introspect", CertRole::Client, "vs-secret", &both("vs-secret")).await.status,
        200
    );
    let answer = sim.post_mtls("/introspect", CertRole::Client, "vs-1", &both("vs-secret")).await;
    assert_eq!(answer.error(), "invalid_client");
}

/// A whole flow by assertion.
#[tokio::test]
async fn b9_a_login_by_private_key_jwt() {
    let sim = sim().await;
    let pushed = {
        let mut form = asks().with("client_id", "ue-jwt");
        form.0.extend(assertion_form(&sim, &sim.assertion(|_| {})).without("token").0);
        sim.post("/par", &[], &form).await
    };
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let code = sim.code("alice", &asks().with("client_id", "ue-jwt")).await;
    let mut form = redeems(&code);
    form.0.extend(assertion_form(&sim, &sim.assertion(|_| {})).without("token").0);
    let proof = sim.proof(&sim.key, "https://sim.example/token");
    let answer = sim.post("/token", &[(HeaderName::from_static("dpop"), proof)], &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(crate::harness::claims(&answer.json()["access_token"])["aud"], SAN);
}

/// B18: headers that speak of certificates or identities are nobody's proof.
#[tokio::test]
async fn b18_headers_that_a_proxy_would_set_are_not_believed() {
    let sim = sim().await;
    let form = Params::of(&[
        ("grant_type", "client_credentials"),
        ("client_id", "vs-1"),
        ("scope", "3gpp:seal:san.write"),
        ("resource", SAN),
    ]);
    for name in ["x-ssl-cert", "x-forwarded-client-cert", "client-cert"] {
        let answer = sim.post("/token", &[(HeaderName::from_static(name), "vs-1".to_owned())], &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{name}");
    }
    let asserted = HeaderName::from_static("x-3gpp-asserted-identity");
    let answer = sim.post("/token", &[(asserted, "alice".to_owned())], &form).await;
    assert!(matches!(answer.status, 401 | 403), "{}", answer.status);
}
