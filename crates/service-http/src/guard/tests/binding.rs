//! Bundle N-BIND: a good token in other hands.

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use jose::dpop::ProofFor;
use serde_json::{Value, json};

use super::{PATH, READ, SAN, World};
use crate::peer::CertRole;
use crate::testkit::{self, bind_certificate, bind_dpop, certificate, peer};

#[tokio::test]
async fn a_certificate_bound_token_is_good_with_that_certificate_only() {
    let world = World::new().await;
    let own = certificate(CertRole::Client, "vs-1");
    let renewed = crate::peer::PeerCertificate { x5t_s256: "another".into(), ..own.clone() };
    let mut claims = world.sim.claims_of_server(SAN, "vs-1", READ);
    bind_certificate(&mut claims, &own);
    let mut of_other = claims.clone();
    of_other["client_id"] = json!("vs-2");
    let mut unbound = world.sim.claims_of_server(SAN, "vs-1", READ);
    unbound["cnf"] = json!({});
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the holder",                    &claims,   Some(own.clone()),                                  "OK"),
        ("no certificate",                &claims,   None,                                               "HOLDER_WRONG"),
        ("another client's certificate",  &claims,   Some(certificate(CertRole::Client, "vs-2")),        "HOLDER_WRONG"),
        ("another certificate of its own", &claims,  Some(renewed),                                      "HOLDER_WRONG"),
        ("a function's certificate",      &claims,   Some(certificate(CertRole::Function, "vs-1")),      "HOLDER_WRONG"),
        ("a token of another client",     &of_other, Some(own.clone()),                                  "HOLDER_WRONG"),
        ("unbound, own certificate",      &unbound,  Some(own.clone()),                                  "OK"),
        ("unbound, another's certificate", &unbound, Some(certificate(CertRole::Client, "vs-2")),        "HOLDER_WRONG"),
        ("a notifier",                    &claims,   Some(certificate(CertRole::Notifier, "vs-1")),      "PEER_REFUSED"),
        ("an administrator",              &claims,   Some(certificate(CertRole::Admin, "vs-1")),         "PEER_REFUSED"),
    ];
    for (what, claims, certificate, reason) in rows {
        let mut request = testkit::request(Method::GET, PATH, peer(certificate));
        testkit::bearer(&mut request, &world.sim.token(claims));
        assert_eq!(world.outcome(request).await.0, reason, "{what}");
    }
}

#[tokio::test]
async fn a_dpop_bound_token_is_good_with_a_proof_for_this_request_only() {
    let world = World::new().await;
    let token = world.sim.token(&world.claims());
    let thief = testkit::key(&world.ambient);
    let now = world.ambient.now_s();
    let uri = format!("{SAN}{PATH}");
    let good =
        ProofFor { jti: "j", htm: "GET", htu: &uri, iat: now, access_token: Some(&token), nonce: None };
    let elsewhere = format!("https://san.evil.example{PATH}");
    let other_path = format!("{SAN}/ssan-sanm/v1/anchors-lists/al-2");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("the holder",          &world.ue_key, ProofFor { jti: "1", ..good },                                   "OK"),
        ("another key",         &thief,        ProofFor { jti: "2", ..good },                                   "HOLDER_WRONG"),
        ("another method",      &world.ue_key, ProofFor { jti: "3", htm: "PUT", ..good },                       "DPOP_INVALID"),
        ("another host",        &world.ue_key, ProofFor { jti: "4", htu: &elsewhere, ..good },                  "DPOP_INVALID"),
        ("what Host says",      &world.ue_key, ProofFor { jti: "5", htu: "https://localhost/", ..good },        "DPOP_INVALID"),
        ("another path",        &world.ue_key, ProofFor { jti: "6", htu: &other_path, ..good },                 "DPOP_INVALID"),
        ("another token",       &world.ue_key, ProofFor { jti: "7", access_token: Some("other"), ..good },      "DPOP_INVALID"),
        ("no token",            &world.ue_key, ProofFor { jti: "8", access_token: None, ..good },               "DPOP_INVALID"),
        ("just fresh",          &world.ue_key, ProofFor { jti: "9", iat: now - 60, ..good },                    "OK"),
        ("stale",               &world.ue_key, ProofFor { jti: "10", iat: now - 61, ..good },                   "DPOP_INVALID"),
        ("from the future",     &world.ue_key, ProofFor { jti: "11", iat: now + 6, ..good },                    "DPOP_INVALID"),
        ("no identifier",       &world.ue_key, ProofFor { jti: "", ..good },                                    "DPOP_INVALID"),
        ("used before",         &world.ue_key, ProofFor { jti: "1", ..good },                                   "REPLAYED"),
        ("another's, same jti", &thief,        ProofFor { jti: "1", ..good },                                   "HOLDER_WRONG"),
    ];
    for (what, key, proof, reason) in rows {
        let mut request = world.request();
        set(&mut request, &format!("DPoP {token}"), Some(&jose::dpop::sign(key, &proof).unwrap()));
        assert_eq!(world.outcome(request).await.0, reason, "{what}");
    }
}

#[tokio::test]
async fn a_scheme_is_not_exchanged() {
    let world = World::new().await;
    let bound = world.sim.token(&world.claims());
    let mut plain = world.sim.claims_of_user(SAN, "alice", "ue-bearer", READ);
    let unbound = world.sim.token(&plain);
    plain["exp"] = json!(plain["exp"].as_i64().unwrap() + 1);
    let long = world.sim.token(&plain);
    plain["exp"] = json!(plain["exp"].as_i64().unwrap() - 1);
    plain["authorization_details"] = json!([{"type": "3gpp_spatial_anchor", "level": "INSTANCE"}]);
    let instance = world.sim.token(&plain);
    let private = private_key_proof(&world, &bound);
    let proof =
        |token: &str| Some(testkit::proof(&world.request(), token, &world.ue_key, SAN, &world.ambient));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("bound as bearer",              format!("Bearer {bound}"),  None,                         "HOLDER_WRONG"),
        ("bound as bearer, with proof",  format!("Bearer {bound}"),  proof(&bound),                "HOLDER_WRONG"),
        ("bound without proof",          format!("DPoP {bound}"),    None,                         "DPOP_INVALID"),
        ("a private key in the proof",   format!("DPoP {bound}"),    Some(private),                "DPOP_INVALID"),
        ("garbage as proof",             format!("DPoP {bound}"),    Some("x".to_owned()),         "DPOP_INVALID"),
        ("the token as proof",           format!("DPoP {bound}"),    Some(bound.clone()),          "DPOP_INVALID"),
        ("unbound as DPoP",              format!("DPoP {unbound}"),  proof(&unbound),              "HOLDER_WRONG"),
        ("unbound for a service, short", format!("Bearer {unbound}"), None,                        "OK"),
        ("unbound, longer than 300 s",   format!("Bearer {long}"),   None,                         "HOLDER_WRONG"),
        ("unbound, single instance",     format!("Bearer {instance}"), None,                       "HOLDER_WRONG"),
    ];
    for (what, authorization, proof, reason) in rows {
        let mut request = world.request();
        set(&mut request, &authorization, proof.as_deref());
        assert_eq!(world.outcome(request).await.0, reason, "{what}");
    }
}

#[tokio::test]
async fn a_token_bound_twice_needs_both() {
    let world = World::new().await;
    let own = certificate(CertRole::Client, "vs-1");
    let mut claims = world.sim.claims_of_server(SAN, "vs-1", READ);
    bind_dpop(&mut claims, &world.ue_key);
    claims["cnf"]["x5t#S256"] = json!(own.x5t_s256);
    let token = world.sim.token(&claims);
    for (certificate, reason) in [(Some(own), "OK"), (None, "HOLDER_WRONG")] {
        let mut request = testkit::request(Method::GET, PATH, peer(certificate));
        testkit::dpop(&mut request, &token, &world.ue_key, SAN, &world.ambient);
        assert_eq!(world.outcome(request).await.0, reason);
    }
}

#[tokio::test]
async fn a_request_speaks_for_the_tokens_user_only() {
    let world = World::new().await;
    let claims = world.claims();
    let server = certificate(CertRole::Client, "vs-1");
    let mut of_server = world.sim.claims_of_server(SAN, "vs-1", READ);
    bind_certificate(&mut of_server, &server);
    for (ue_id, reason) in
        [("msisdn-alice", "OK"), ("alice", "OK"), ("msisdn-bob", "SUBJECT_WRONG"), ("ALICE", "SUBJECT_WRONG")]
    {
        let mut request = world.with_token(&world.sim.token(&claims));
        request.headers_mut().insert("ue-id", ue_id.parse().unwrap());
        assert_eq!(world.outcome(request).await.0, reason, "{ue_id}");
    }
    let mut request = testkit::request(Method::GET, PATH, peer(Some(server)));
    testkit::bearer(&mut request, &world.sim.token(&of_server));
    request.headers_mut().insert("ue-id", "msisdn-alice".parse().unwrap());
    assert_eq!(world.outcome(request).await, ("SUBJECT_WRONG", 403), "a VAL server speaks for nobody");
}

fn set(request: &mut Request<Body>, authorization: &str, proof: Option<&str>) {
    request.headers_mut().insert(AUTHORIZATION, authorization.parse().unwrap());
    if let Some(proof) = proof {
        request.headers_mut().insert("dpop", proof.parse().unwrap());
    }
}

/// A proof whose header shows the private key (RFC 9449 4.3, check 7).
fn private_key_proof(world: &World, token: &str) -> String {
    use jose::Signer as _;
    let mut jwk = world.ue_key.public_jwk().to_value();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk["d"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE");
    let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk});
    let claims: Value = json!({
        "jti": "p", "htm": "GET", "htu": format!("{SAN}{PATH}"), "iat": world.ambient.now_s(),
        "ath": jose::sha256_b64url(token),
    });
    jose::jwt::sign_with_header(&world.ue_key, &header, &claims).unwrap()
}
