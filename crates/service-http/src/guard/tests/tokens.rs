//! Bundle N-TOK: what is no good token here and now.

use authorization::revocation::{Entry, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use jose::Signer;
use serde_json::{Value, json};

use super::{NOW, SAN, World};
use crate::testkit::{self, SIM};

/// A token with a header of the attacker's, signed by a key of his choice.
fn forged(signer: &dyn Signer, header: &Value, claims: &Value) -> String {
    jose::jwt::sign_with_header(signer, header, claims).unwrap()
}

#[tokio::test]
async fn a_good_token_opens_the_route() {
    let world = World::new().await;
    assert_eq!(world.outcome_of(&world.claims()).await, "OK");
    let mut one = world.claims();
    one["aud"] = json!([SAN]);
    assert_eq!(world.outcome_of(&one).await, "OK", "an array of exactly this server");
}

#[tokio::test]
async fn each_spoiled_claim_has_its_own_reason() {
    let world = World::new().await;
    type Row = (&'static str, fn(&mut Value), &'static str);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 31] = [
        ("expired, inside the leeway",    |c| c["exp"] = json!(NOW - 29),                 "OK"),
        ("expired, at the leeway",        |c| c["exp"] = json!(NOW - 30),                 "EXPIRED"),
        ("expired",                       |c| c["exp"] = json!(NOW - 31),                 "EXPIRED"),
        ("nbf inside the leeway",         |c| c["nbf"] = json!(NOW + 30),                 "OK"),
        ("nbf beyond",                    |c| c["nbf"] = json!(NOW + 31),                 "NOT_YET_VALID"),
        ("iat inside the leeway",         |c| c["iat"] = json!(NOW + 60),                 "OK"),
        ("iat beyond",                    |c| c["iat"] = json!(NOW + 61),                 "NOT_YET_VALID"),
        ("another issuer",                |c| c["iss"] = json!("https://evil.example"),   "ISSUER_WRONG"),
        ("issuer with a slash",           |c| c["iss"] = json!(format!("{SIM}/")),        "ISSUER_WRONG"),
        ("another audience",              |c| c["aud"] = json!("https://sm.example:8447"), "AUDIENCE_WRONG"),
        ("two audiences",                 |c| c["aud"] = json!([SAN, "https://evil.example"]), "AUDIENCE_WRONG"),
        ("no audience in the array",      |c| c["aud"] = json!([]),                       "AUDIENCE_WRONG"),
        ("audience with a slash",         |c| c["aud"] = json!(format!("{SAN}/")),        "AUDIENCE_WRONG"),
        ("a claim of another issuer",     |c| c["resOwnerId"] = json!("owner"),           "CLAIM_NOT_ITS_ISSUERS"),
        ("details of another issuer",     |c| c["authorization_details"] = json!([{"type": "3gpp_avatar"}]), "CLAIM_NOT_ITS_ISSUERS"),
        ("exp is a float",                |c| c["exp"] = json!(1.5e9),                    "TOKEN_MALFORMED"),
        ("exp is text",                   |c| c["exp"] = json!("1900000000"),             "TOKEN_MALFORMED"),
        ("exp is negative",               |c| c["exp"] = json!(-1),                       "TOKEN_MALFORMED"),
        ("exp is 2^63",                   |c| c["exp"] = json!(9_223_372_036_854_775_808_u64), "TOKEN_MALFORMED"),
        ("an unknown confirmation",       |c| c["cnf"] = json!({"kid": "x"}),             "TOKEN_MALFORMED"),
        ("a confirmation of null",        |c| c["cnf"] = Value::Null,                     "TOKEN_MALFORMED"),
        ("scope too narrow",              |c| c["scope"] = json!("3gpp:seal:sm.read"),    "SCOPE_NARROW"),
        ("scope of another method",       |c| c["scope"] = json!("3gpp:seal:san.write"),  "SCOPE_NARROW"),
        ("scope by its bare name",        |c| c["scope"] = json!("3gpp:seal:san"),        "OK"),
        ("scope is a prefix",             |c| c["scope"] = json!("3gpp:seal:san.rea"),    "SCOPE_NARROW"),
        ("no scope at all",               |c| c["scope"] = json!(""),                     "SCOPE_NARROW"),
        ("sub is a number",               |c| c["sub"] = json!(7),                        "TOKEN_MALFORMED"),
        ("client is a path",              |c| c["client_id"] = json!("../x"),             "TOKEN_MALFORMED"),
        ("sub_type unknown",              |c| c["sub_type"] = json!("admin"),             "TOKEN_MALFORMED"),
        ("rev is text",                   |c| c["rev"] = json!("0"),                      "TOKEN_MALFORMED"),
        ("a claim that nobody reads",     |c| c["nonce"] = json!("n"),                    "OK"),
    ];
    for (what, spoil, reason) in rows {
        let mut claims = world.claims();
        spoil(&mut claims);
        assert_eq!(world.outcome_of(&claims).await, reason, "{what}");
    }
    for mandatory in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "sub_type", "rev"] {
        let mut claims = world.claims();
        claims.as_object_mut().unwrap().remove(mandatory);
        let reason = if mandatory == "iss" { "ISSUER_WRONG" } else { "TOKEN_MALFORMED" };
        assert_eq!(world.outcome_of(&claims).await, reason, "without {mandatory}");
    }
}

#[tokio::test]
async fn each_spoiled_token_has_its_own_reason() {
    let world = World::new().await;
    let claims = world.claims();
    let good = world.sim.token(&claims);
    let kid = world.sim.key.kid().to_owned();
    let stranger = testkit::key(&world.ambient);
    let jwk = stranger.public_jwk().to_value();
    let parts: Vec<&str> = good.split('.').collect();
    let (head, payload, signature) = (parts[0], parts[1], parts[2]);
    let b64 = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = |more: Value| {
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
        for (name, value) in more.as_object().unwrap() {
            header[name] = value.clone();
        }
        header
    };
    let with = |more: Value| forged(&world.sim.key, &header(more), &claims);
    let zero = URL_SAFE_NO_PAD.encode([0; 64]);
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[40] ^= 1;
    let changed = {
        let mut claims = claims.clone();
        claims["client_id"] = json!("ue-2");
        format!("{head}.{}.{signature}", b64(&claims))
    };
    let duplicate = {
        let text = claims.to_string().replacen('{', r#"{"aud":"https://evil.example","#, 1);
        format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(text))
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("garbage",                  "garbage".to_owned(),                                          "TOKEN_MALFORMED"),
        ("truncated",                good[..good.len() - 10].to_owned(),                            "SIGNATURE_WRONG"),
        ("two parts",                format!("{head}.{payload}"),                                   "TOKEN_MALFORMED"),
        ("four parts",               format!("{good}.x"),                                           "TOKEN_MALFORMED"),
        ("padding",                  format!("{head}=.{payload}.{signature}"),                      "TOKEN_MALFORMED"),
        ("a bit of the signature",   format!("{head}.{payload}.{}", URL_SAFE_NO_PAD.encode(flipped)), "SIGNATURE_WRONG"),
        ("a claim changed",          changed,                                                       "SIGNATURE_WRONG"),
        ("signature of zeros",       format!("{head}.{payload}.{zero}"),                            "SIGNATURE_WRONG"),
        ("no signature",             format!("{head}.{payload}."),                                  "SIGNATURE_WRONG"),
        ("alg none",                 format!("{}.{payload}.", b64(&header(json!({"alg": "none"})))), "ALG_REFUSED"),
        ("alg nOnE",                 format!("{}.{payload}.{signature}", b64(&header(json!({"alg": "nOnE"})))), "ALG_REFUSED"),
        ("alg HS256",                format!("{}.{payload}.{signature}", b64(&header(json!({"alg": "HS256"})))), "ALG_REFUSED"),
        ("alg RS256",                format!("{}.{payload}.{signature}", b64(&header(json!({"alg": "RS256"})))), "ALG_REFUSED"),
        ("alg of another key",       format!("{}.{payload}.{signature}", b64(&header(json!({"alg": "Ed25519"})))), "ALG_REFUSED"),
        ("unknown kid",              with(json!({"kid": "nobody"})),                                "KEY_UNKNOWN"),
        ("kid is a path",            with(json!({"kid": "../../etc/passwd"})),                      "KEY_UNKNOWN"),
        ("kid is an object",         with(json!({"kid": {}})),                                      "TOKEN_MALFORMED"),
        ("kid is endless",           with(json!({"kid": "k".repeat(10_000)})),                      "TOKEN_MALFORMED"),
        ("another key's signature",  forged(&stranger, &header(json!({})), &claims),                "SIGNATURE_WRONG"),
        ("own key in jwk",           forged(&stranger, &header(json!({"jwk": jwk})), &claims),      "TOKEN_MALFORMED"),
        ("jku",                      with(json!({"jku": "https://127.0.0.1:1/jwks"})),              "TOKEN_MALFORMED"),
        ("x5u",                      with(json!({"x5u": "https://127.0.0.1:1/c.pem"})),             "TOKEN_MALFORMED"),
        ("crit",                     with(json!({"crit": ["x"]})),                                  "TOKEN_MALFORMED"),
        ("b64",                      with(json!({"b64": false})),                                   "TOKEN_MALFORMED"),
        ("zip",                      with(json!({"zip": "DEF"})),                                   "TOKEN_MALFORMED"),
        ("duplicate claim",          duplicate,                                                     "TOKEN_MALFORMED"),
        ("oversized",                format!("{head}.{}.{signature}", "A".repeat(64 * 1024)),       "TOKEN_MALFORMED"),
        ("an ID token",              world.sim.token_typ("JWT", &claims),                           "TYP_REFUSED"),
        ("a client assertion",       world.sim.token_typ("client-authentication+jwt", &claims),     "TYP_REFUSED"),
        ("a manifest",               world.sim.token_typ("da-manifest+jwt", &claims),               "TYP_REFUSED"),
        ("a UE token",               world.sim.token_typ("ue-token+jwt", &claims),                  "TYP_REFUSED"),
        ("a DPoP proof",             testkit::proof(&world.request(), &good, &stranger, SAN, &world.ambient), "TOKEN_MALFORMED"),
        ("a refresh token",          world.ambient.random_secret(),                                 "TOKEN_MALFORMED"),
        ("nothing is left over",     good.clone(),                                                  "OK"),
    ];
    for (what, token, reason) in rows {
        let mut request = world.request();
        testkit::dpop(&mut request, &token, &world.ue_key, SAN, &world.ambient);
        let (got, status) = world.outcome(request).await;
        assert_eq!(got, reason, "{what}");
        assert_eq!(status, if reason == "OK" { 200 } else { 401 }, "{what}");
    }
}

#[tokio::test]
async fn a_token_stands_once_and_in_its_place() {
    let world = World::new().await;
    let token = world.sim.token(&world.claims());
    assert_eq!(world.outcome(world.request()).await, ("TOKEN_MISSING", 401));

    let mut two = world.with_token(&token);
    two.headers_mut().append(AUTHORIZATION, "Bearer other".parse().unwrap());
    assert_eq!(world.outcome(two).await, ("INPUT_REFUSED", 400));

    let mut query = world.with_token(&token);
    *query.uri_mut() = format!("{}?access_token={token}", super::PATH).parse().unwrap();
    assert_eq!(world.outcome(query).await, ("TOKEN_IN_QUERY", 400));

    let mut asserted = world.with_token(&token);
    asserted.headers_mut().insert("x-3gpp-asserted-identity", "sip:alice@op-a.example".parse().unwrap());
    assert_eq!(world.outcome(asserted).await, ("PEER_REFUSED", 403));
    let mut open = testkit::request(http::Method::GET, "/health", testkit::peer(None));
    open.headers_mut().insert("x-3gpp-asserted-identity", "sip:alice@op-a.example".parse().unwrap());
    assert_eq!(world.outcome(open).await, ("PEER_REFUSED", 403), "without a token as well");
}

#[tokio::test]
async fn a_revoked_token_is_refused() {
    let world = World::new().await;
    let claims = world.claims();
    let entry = Entry {
        kind: Kind::Token,
        value: claims["jti"].as_str().unwrap().to_owned(),
        epoch: 1,
        issuer: SIM.to_owned(),
        expires_s: None,
    };
    world.sim.state.apply(vec![entry], 1);
    assert_eq!(world.outcome_of(&claims).await, "REVOKED_TOKEN");
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_nothing_else() {
    let world = World::new().await;
    let mut narrow = world.claims();
    narrow["scope"] = json!("3gpp:seal:sm.read");
    let response = world.send(world.with_token(&world.sim.token(&narrow))).await;
    assert_eq!(response.status(), 403);
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.starts_with("DPoP ") && challenge.contains("insufficient_scope"), "{challenge}");
    assert!(
        challenge.contains(super::READ) && challenge.contains(crate::resource_metadata::PATH),
        "{challenge}"
    );

    let mut expired = world.claims();
    expired["exp"] = json!(NOW - 100);
    let response = world.send(world.with_token(&world.sim.token(&expired))).await;
    assert_eq!(response.status(), 401);
    assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().contains("invalid_token"));
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["cause"], "INVALID_TOKEN");
    assert!(!body.to_string().contains("EXPIRED"), "the fine reason stays here");
}
