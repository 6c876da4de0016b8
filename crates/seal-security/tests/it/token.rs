//! Codes become tokens.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderName};
use service_http::peer::CertRole;
use service_http::testkit;

use crate::harness::{
    CHALLENGE, ISSUER, NOW, Params, REDIRECT, SAN, SM, VERIFIER, asks, claims, header, redeems, sim,
    sim_with, text,
};

/// S1-P1, S1-A1, S1-A2b: what the tokens of a login say.
#[tokio::test]
async fn s1_a2b_the_tokens_of_a_login() {
    let sim = sim().await;
    let code = sim.code("alice", &asks()).await;
    let answer = sim.token_of("ue-1", &redeems(&code)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(tokens["scope"], "3gpp:seal:san.discover 3gpp:seal:san.read openid");
    let kid = sim.server.keys()[0].kid.clone();
    let head = header(&tokens["access_token"]);
    assert_eq!(
        (text(&head["typ"]), text(&head["alg"]), text(&head["kid"])),
        ("at+jwt", "ES256", kid.as_str())
    );
    let access = claims(&tokens["access_token"]);
    for (claim, value) in [
        ("iss", ISSUER),
        ("sub", "alice"),
        ("aud", SAN),
        ("client_id", "ue-1"),
        ("sub_type", "user"),
        ("val_user_id", "val-alice"),
        ("val_ue_id", "ue-alice"),
        ("gpsi", "msisdn-alice"),
    ] {
        assert_eq!(access[claim], value, "{claim}");
    }
    assert_eq!((access["iat"].as_i64(), access["exp"].as_i64()), (Some(NOW), Some(NOW + 300)));
    assert_eq!(access["val_service_id"], serde_json::json!(["vs-a"]), "the client's and the user's");
    assert_eq!(access["rev"], 0);
    assert_eq!(text(&access["jti"]).len(), 22);
    let jkt = jose::Signer::public_jwk(&sim.key).thumbprint();
    assert_eq!(access["cnf"], serde_json::json!({ "jkt": jkt }));
    let id = claims(&tokens["id_token"]);
    assert_eq!(header(&tokens["id_token"])["typ"], "JWT");
    for (claim, value) in [
        ("iss", ISSUER),
        ("sub", "alice"),
        ("aud", "ue-1"),
        ("nonce", "nonce-1"),
        ("acr", "3gpp:acr:password"),
        ("val_user_id", "val-alice"),
    ] {
        assert_eq!(id[claim], value, "{claim}");
    }
    assert_eq!((id["auth_time"].as_i64(), id["exp"].as_i64()), (Some(NOW), Some(NOW + 600)));
    assert_eq!(id["val_service_id"], serde_json::json!(["vs-a"]));
    assert!(id["at_hash"].is_string() && tokens["refresh_token"].is_string());
}

/// B3, B10, B11, A21, A22: one spoiled thing per row; the code is good for the right request afterwards.
#[tokio::test]
async fn b3_b11_a21_a_code_is_bound_to_client_redirect_uri_and_verifier() {
    let sim = sim().await;
    let code = sim.code("alice", &asks()).await;
    type Spoil = fn(Params) -> Params;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, Spoil, &str, &str); 10] = [
        ("other client", "ue-2", |p| p, "invalid_grant", "GRANT_WRONG"),
        ("other redirect URI", "ue-1", |p| p.with("redirect_uri", "http://127.0.0.1:1/cb"), "invalid_grant", "REDIRECT_WRONG"),
        ("no redirect URI", "ue-1", |p| p.without("redirect_uri"), "invalid_request", "REQUEST_MALFORMED"),
        ("other verifier", "ue-1", |p| p.with("code_verifier", &"x".repeat(43)), "invalid_grant", "PKCE_WRONG"),
        ("challenge as verifier", "ue-1", |p| p.with("code_verifier", CHALLENGE), "invalid_grant", "PKCE_WRONG"),
        ("no verifier", "ue-1", |p| p.without("code_verifier"), "invalid_request", "PKCE_WRONG"),
        ("verifier of 42", "ue-1", |p| p.with("code_verifier", &VERIFIER[..42]), "invalid_request", "PKCE_WRONG"),
        ("verifier of 129", "ue-1", |p| p.with("code_verifier", &"x".repeat(129)), "invalid_request", "PKCE_WRONG"),
        ("forged code", "ue-1", |p| p.with("code", "forged"), "invalid_grant", "GRANT_WRONG"),
        ("no code", "ue-1", |p| p.without("code"), "invalid_request", "REQUEST_MALFORMED"),
    ];
    for (what, client, spoil, error, reason) in rows {
        let answer = sim.token_of(client, &spoil(redeems(&code))).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{what}");
        assert_eq!(sim.last_reason().await, reason, "{what}");
    }
    assert_eq!(sim.token_of("ue-1", &redeems(&code)).await.status, 200);
}

/// B10: the second use revokes what came of the first.
#[tokio::test]
async fn b10_a_code_is_good_once() {
    let sim = sim().await;
    let code = sim.code("alice", &asks()).await;
    let tokens = sim.token_of("ue-1", &redeems(&code)).await.json();
    let access = text(&tokens["access_token"]);
    assert!(sim.is_active("ue-1", access).await);
    let again = sim.token_of("ue-1", &redeems(&code)).await;
    assert_eq!((again.status, again.error().as_str()), (400, "invalid_grant"));
    assert_eq!(sim.last_reason().await, "REPLAYED");
    assert!(!sim.is_active("ue-1", access).await);
    let refresh =
        Params::of(&[("grant_type", "refresh_token"), ("refresh_token", text(&tokens["refresh_token"]))]);
    assert_eq!(sim.token_of("ue-1", &refresh).await.error(), "invalid_grant");
}

/// B10: of many at once, one wins, and what it won is gone again, for the others were a second use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b10_of_many_at_once_one_wins() {
    let sim = std::sync::Arc::new(sim().await);
    let code = sim.code("alice", &asks()).await;
    let tries = (0..8).map(|_| {
        let (sim, form) = (sim.clone(), redeems(&code));
        tokio::spawn(async move { sim.token_of("ue-1", &form).await })
    });
    let mut won = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        let answer = one.await.unwrap();
        match answer.status {
            200 => won.push(answer.json()),
            _ => assert_eq!(answer.error(), "invalid_grant"),
        }
    }
    assert_eq!(won.len(), 1);
    assert!(!sim.is_active("ue-1", text(&won[0]["access_token"])).await);
}

/// A backward step of the clock revives nothing.
#[tokio::test]
async fn an_expired_code_stays_expired() {
    let sim = sim().await;
    let code = sim.code("alice", &asks()).await;
    sim.clock.advance(Duration::from_secs(61));
    sim.server.maintain().await.unwrap();
    sim.clock.set_s(NOW);
    assert_eq!(sim.token_of("ue-1", &redeems(&code)).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_code_has_its_time() {
    let sim = sim().await;
    let (in_time, late) = (sim.code("alice", &asks()).await, sim.code("alice", &asks()).await);
    sim.clock.advance(Duration::from_secs(59));
    assert_eq!(sim.token_of("ue-1", &redeems(&in_time)).await.status, 200);
    sim.clock.advance(Duration::from_secs(1));
    assert_eq!(sim.token_of("ue-1", &redeems(&late)).await.error(), "invalid_grant");
}

/// B4, A51: other grants, other forms.
#[tokio::test]
async fn b4_a51_what_is_no_token_request() {
    let sim = sim().await;
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"] {
        let answer = sim.token_of("ue-1", &Params::of(&[("grant_type", grant), ("username", "alice")])).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "unsupported_grant_type"), "{grant}");
    }
    let code = sim.code("alice", &asks()).await;
    let good = redeems(&code);
    let kind = |text: &str| (CONTENT_TYPE, text.to_owned());
    let form = "application/x-www-form-urlencoded";
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, Vec<u8>); 6] = [
        ("repeated", form, format!("{}&code=x", good.text()).into_bytes()),
        ("NUL", form, format!("{}&x=%00", good.text()).into_bytes()),
        ("not UTF-8", form, format!("{}&x=%ff", good.text()).into_bytes()),
        ("JSON", "application/json", b"{}".to_vec()),
        ("other media type", "text/plain", good.text().into_bytes()),
        ("no grant type", form, good.clone().without("grant_type").text().into_bytes()),
    ];
    for (what, media_type, body) in rows {
        let answer = sim.post_raw("/token", &[sim.basic("ue-1"), kind(media_type)], body).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{what}");
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert!(!answer.header("traceparent").is_empty(), "{what}");
    }
    assert_eq!(sim.token_of("ue-1", &good).await.status, 200);
}

/// A30: proofs at the token endpoint.
#[tokio::test]
async fn a30_one_spoiled_proof_is_refused() {
    let sim = sim().await;
    let code = sim.code("alice", &asks()).await;
    let url = format!("{ISSUER}/token");
    let dpop = HeaderName::from_static("dpop");
    let used = sim.proof(&sim.key, &url);
    let seen = [sim.basic("ue-1"), (dpop.clone(), used.clone())];
    assert_eq!(sim.post("/token", &seen, &redeems("forged")).await.error(), "invalid_grant");
    let refused_grant_keeps_nothing = sim.post("/token", &seen, &redeems("forged")).await;
    assert_eq!(refused_grant_keeps_nothing.error(), "invalid_grant");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("other method", sim.proof_with(&sim.key, "GET", &url, None, None), "invalid_dpop_proof"),
        ("other target", sim.proof(&sim.key, &format!("{ISSUER}/par")), "invalid_dpop_proof"),
        ("other server", sim.proof(&sim.key, "https://evil.example/token"), "invalid_dpop_proof"),
        ("forged nonce", sim.proof_with(&sim.key, "POST", &url, None, Some("x")), "use_dpop_nonce"),
        ("no proof", "x".to_owned(), "invalid_dpop_proof"),
    ];
    for (what, proof, error) in rows {
        let answer = sim.post("/token", &[sim.basic("ue-1"), (dpop.clone(), proof)], &redeems(&code)).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{what}");
    }
    let old = sim.proof(&sim.key, &url);
    sim.clock.advance(Duration::from_secs(30));
    let two = [
        sim.basic("ue-1"),
        (dpop.clone(), sim.proof(&sim.key, &url)),
        (dpop.clone(), sim.proof(&sim.key, &url)),
    ];
    assert_eq!(sim.post("/token", &two, &redeems(&code)).await.error(), "invalid_dpop_proof");
    let none = sim.bearer_token_of("ue-1", &redeems(&code)).await;
    assert_eq!(none.error(), "invalid_dpop_proof", "a client that must bind its tokens");
    let good = [sim.basic("ue-1"), (dpop.clone(), sim.proof(&sim.key, &url))];
    assert_eq!(sim.post("/token", &good, &redeems(&code)).await.status, 200);
    let second = sim.code("alice", &asks()).await;
    let replayed = sim.post("/token", &good, &redeems(&second)).await;
    assert_eq!(
        (replayed.error().as_str(), sim.last_reason().await.as_str()),
        ("invalid_dpop_proof", "REPLAYED")
    );
    sim.clock.advance(Duration::from_secs(31));
    let stale = sim.post("/token", &[sim.basic("ue-1"), (dpop, old)], &redeems(&second)).await;
    assert_eq!(stale.error(), "invalid_dpop_proof");
}

/// RFC 9449 8: nonce wanted, given, used, and old.
#[tokio::test]
async fn a30_a_nonce_of_the_server() {
    let sim = sim_with(|config| config.dpop_nonce_required = true).await;
    let code = sim.code("alice", &asks()).await;
    let url = format!("{ISSUER}/token");
    let dpop = HeaderName::from_static("dpop");
    let without = sim.token_of("ue-1", &redeems(&code)).await;
    assert_eq!((without.status, without.error().as_str()), (400, "use_dpop_nonce"));
    let nonce = without.header("dpop-nonce").to_owned();
    let with = sim.proof_with(&sim.key, "POST", &url, None, Some(&nonce));
    let answer = sim.post("/token", &[sim.basic("ue-1"), (dpop.clone(), with)], &redeems(&code)).await;
    assert_eq!((answer.status, answer.header("dpop-nonce")), (200, nonce.as_str()));
    sim.clock.advance(Duration::from_secs(180));
    let old = sim.proof_with(&sim.key, "POST", &url, None, Some(&nonce));
    let refused = sim.post("/token", &[sim.basic("ue-1"), (dpop, old)], &redeems(&code)).await;
    assert_eq!(refused.error(), "use_dpop_nonce");
}

/// B6: an unbound token for who is registered for it, and no longer than 300 s.
#[tokio::test]
async fn b6_bearer_tokens_are_the_exception() {
    let sim = sim_with(|config| config.access_token_s = 600).await;
    let asks = asks().with("client_id", "ue-bearer");
    let code = sim.code("alice", &asks).await;
    let tokens = sim.bearer_token_of("ue-bearer", &redeems(&code)).await.json();
    assert_eq!((text(&tokens["token_type"]), tokens["expires_in"].as_i64()), ("Bearer", Some(300)));
    assert_eq!(claims(&tokens["access_token"])["cnf"], serde_json::Value::Null);
    let code = sim.code("alice", &asks).await;
    let bound = sim.token_of("ue-bearer", &redeems(&code)).await.json();
    assert_eq!((text(&bound["token_type"]), bound["expires_in"].as_i64()), ("DPoP", Some(600)));
}

/// B8: several servers at the login, one at the token (contract, section 4).
#[tokio::test]
async fn one_token_is_for_one_server() {
    let sim = sim().await;
    let both = asks().with("scope", "openid 3gpp:seal:san.read 3gpp:seal:sm.read").and("resource", SM);
    let code = sim.code("alice", &both).await;
    let none = sim.token_of("ue-1", &redeems(&code)).await;
    assert_eq!((none.status, none.error().as_str()), (400, "invalid_target"));
    let two = sim.token_of("ue-1", &redeems(&code).and("resource", SM).and("resource", SAN)).await;
    assert_eq!(two.error(), "invalid_target");
    let one = sim.token_of("ue-1", &redeems(&code).and("resource", SM)).await.json();
    assert_eq!(claims(&one["access_token"])["aud"], SM);
    assert_eq!(text(&one["scope"]), "3gpp:seal:sm.read openid");
    let login = asks().with("scope", "openid").without("resource");
    let code = sim.code("alice", &login).await;
    let alone = sim.token_of("ue-1", &redeems(&code)).await.json();
    assert_eq!(claims(&alone["access_token"])["aud"], ISSUER);
}

fn machine(client: &str, scope: &str) -> Params {
    Params::of(&[
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("scope", scope),
        ("resource", SAN),
    ])
}

/// A VAL server for itself, over mutual TLS.
#[tokio::test]
async fn a_val_server_gets_a_token_bound_to_its_certificate() {
    let sim = sim().await;
    let good = machine("vs-1", "3gpp:seal:san.write");
    let answer = sim.post_mtls("/token", CertRole::Client, "vs-1", &good).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.json();
    assert_eq!((text(&token["token_type"]), text(&token["scope"])), ("Bearer", "3gpp:seal:san.write"));
    assert!(token.get("refresh_token").is_none() && token.get("id_token").is_none());
    let access = claims(&token["access_token"]);
    assert_eq!(
        (text(&access["sub"]), text(&access["sub_type"]), text(&access["aud"])),
        ("vs-1", "client", SAN)
    );
    let x5t = testkit::certificate(CertRole::Client, "vs-1").x5t_s256;
    assert_eq!(access["cnf"], serde_json::json!({ "x5t#S256": x5t }));
    assert_eq!(access["val_service_id"], serde_json::json!(["vs-a"]));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("scope of two servers", "vs-1", machine("vs-1", "3gpp:seal:san.write 3gpp:seal:sm.read"), 400, "invalid_target"),
        ("other resource", "vs-1", good.clone().with("resource", SM), 400, "invalid_target"),
        ("unknown resource", "vs-1", good.clone().with("resource", "https://evil.example"), 400, "invalid_target"),
        ("two resources", "vs-1", good.clone().and("resource", SM), 400, "invalid_target"),
        ("unknown scope", "vs-1", machine("vs-1", "3gpp:seal:xy"), 400, "invalid_scope"),
        ("no scope", "vs-1", good.clone().without("scope"), 400, "invalid_scope"),
        ("login", "vs-1", machine("vs-1", "openid"), 400, "invalid_scope"),
        ("scope not registered", "vs-2", machine("vs-2", "3gpp:seal:san.write"), 400, "invalid_scope"),
        ("other certificate", "vs-2", good.clone(), 401, "invalid_client"),
        ("unknown client", "vs-9", machine("vs-9", "3gpp:seal:san.write"), 401, "invalid_client"),
    ];
    for (what, certificate, form, status, error) in rows {
        let answer = sim.post_mtls("/token", CertRole::Client, certificate, &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (status, error), "{what}");
    }
    for role in [CertRole::Admin, CertRole::Notifier, CertRole::Operator] {
        let answer = sim.post_mtls("/token", role, "vs-1", &good).await;
        assert_eq!(answer.error(), "invalid_client", "{role}");
    }
    let user_client = sim.token_of("ue-1", &machine("ue-1", "3gpp:seal:san.read")).await;
    assert_eq!(user_client.error(), "unauthorized_client");
    // A bare name gives its whole row.
    let row =
        sim.post_mtls("/token", CertRole::Client, "vs-1", &machine("vs-1", "3gpp:seal:san")).await.json();
    assert_eq!(text(&row["scope"]), "3gpp:seal:san.discover 3gpp:seal:san.read 3gpp:seal:san.write");
}

#[tokio::test]
async fn a_policy_denies_a_val_server() {
    let sim = sim().await;
    let form = machine("vs-1", "3gpp:seal:san.read");
    let token = sim.post_mtls("/token", CertRole::Client, "vs-1", &form).await.json();
    let deny = serde_json::json!({ "class": "local", "effect": "DENY", "subjects": ["vs-1"] });
    sim.put_policy("d-vs", deny).await;
    let answer = sim.post_mtls("/token", CertRole::Client, "vs-1", &form).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "access_denied"));
    // What is out already ends with the change.
    let asks = Params::of(&[("client_id", "vs-1"), ("token", text(&token["access_token"]))]);
    let active = sim.post_mtls("/introspect", CertRole::Client, "vs-1", &asks).await;
    assert_eq!(active.json(), serde_json::json!({ "active": false }));
}

/// A20, A40: exchange is for functions, for tokens of their own, and never a way back.
#[tokio::test]
async fn a40_a_function_exchanges_a_token_that_was_issued_for_it() {
    let sim = sim().await;
    let both = asks().with("scope", "openid 3gpp:seal:san.read 3gpp:seal:sm.read").and("resource", SM);
    let code = sim.code("alice", &both).await;
    let tokens = sim.token_of("ue-1", &redeems(&code).with("resource", SM)).await.json();
    let good = Params::of(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", text(&tokens["access_token"])),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("resource", SAN),
        ("scope", "3gpp:seal:san.read"),
    ]);
    let answer = sim.post_mtls("/token", CertRole::Function, "sm", &good).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let exchanged = answer.json();
    assert_eq!(exchanged["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    let access = claims(&exchanged["access_token"]);
    assert_eq!(
        (text(&access["sub"]), text(&access["client_id"]), text(&access["aud"])),
        ("alice", "sm", SAN)
    );
    assert_eq!(
        (&access["act"], &access["by_client"]),
        (&serde_json::json!({ "sub": "sm" }), &serde_json::json!("ue-1"))
    );
    assert_eq!(access["val_ue_id"], "ue-alice");
    let x5t = testkit::certificate(CertRole::Function, "sm").x5t_s256;
    assert_eq!(access["cnf"], serde_json::json!({ "x5t#S256": x5t }));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("own server again", "sm", good.clone().with("resource", SM).with("scope", "3gpp:seal:sm.read"), "invalid_target"),
        ("no resource", "sm", good.clone().without("resource"), "invalid_target"),
        ("token of another function", "san", good.clone(), "invalid_request"),
        ("more than the user may", "sm", good.clone().with("scope", "3gpp:seal:xy"), "invalid_scope"),
        ("more than the client may", "sm", good.clone().with("scope", "3gpp:seal:san.write"), "invalid_scope"),
        ("ID token", "sm", good.clone().with("subject_token", text(&tokens["id_token"])), "invalid_request"),
        ("actor token", "sm", good.clone().and("actor_token", "x"), "invalid_request"),
        ("other type", "sm", good.clone().with("subject_token_type", "x"), "invalid_request"),
        ("no token", "sm", good.clone().without("subject_token"), "invalid_request"),
    ];
    for (what, function, form, error) in rows {
        let answer = sim.post_mtls("/token", CertRole::Function, function, &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{what}");
    }
    let client =
        sim.post_mtls("/token", CertRole::Client, "vs-1", &good.clone().and("client_id", "vs-1")).await;
    assert_eq!(client.error(), "unauthorized_client");
    let chain = good.clone().with("subject_token", text(&exchanged["access_token"])).with("resource", SM);
    let chain = chain.with("scope", "3gpp:seal:sm.read");
    let second = sim.post_mtls("/token", CertRole::Function, "san", &chain).await;
    assert_eq!(second.error(), "invalid_request", "only behind the facade: {}", second.body);
}

/// FFS-20: behind the facade a server goes on once more, for the same user and with the rights of the same client.
#[tokio::test]
async fn ffs_20_a_server_behind_the_facade_exchanges_once_more() {
    const LM: &str = "https://lm.example:8459";
    let sim = sim_with(|config| config.servers.push((api_types::Function::Lm, LM.to_owned()))).await;
    let asked = asks().with("scope", "openid 3gpp:seal:sm.read").with("resource", LM);
    let code = sim.code("alice", &asked).await;
    let tokens = sim.token_of("ue-1", &redeems(&code).with("resource", LM)).await.json();
    let form = |token: &serde_json::Value, resource: &str, scope: &str| {
        Params::of(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", text(token)),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("resource", resource),
            ("scope", scope),
        ])
    };
    let exchange = async |function: &str, form: &Params| {
        sim.post_mtls("/token", CertRole::Function, function, form).await
    };
    let first = exchange("lm", &form(&tokens["access_token"], SM, "3gpp:seal:sm.read")).await.json();
    let onward = form(&first["access_token"], SAN, "3gpp:seal:san.discover");
    let second = exchange("sm", &onward).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let second = second.json();
    let access = claims(&second["access_token"]);
    assert_eq!(access["act"], serde_json::json!({ "sub": "sm", "act": { "sub": "lm" } }));
    assert_eq!(
        (text(&access["sub"]), text(&access["client_id"]), text(&access["by_client"])),
        ("alice", "sm", "ue-1")
    );
    let more = onward.clone().with("scope", "3gpp:seal:san.write");
    assert_eq!(exchange("sm", &more).await.error(), "invalid_scope", "more than the client may");
    let third = form(&second["access_token"], SM, "3gpp:seal:sm.read");
    assert_eq!(exchange("san", &third).await.error(), "invalid_request", "a third function");
    // The rights end with the client that the user has logged in by.
    assert_eq!(exchange("sm", &onward).await.status, 200);
    sim.server.delete_client(&"ue-1".try_into().unwrap()).await.unwrap();
    assert_eq!(exchange("sm", &onward).await.error(), "invalid_request");
}

/// The trace of a login carries the steps of the procedure.
#[tokio::test]
async fn the_steps_of_the_procedure_are_in_the_traces() {
    let sim = sim().await;
    let code = sim.code("alice", &asks()).await;
    let answer = sim.token_of("ue-1", &redeems(&code)).await;
    let trace = answer.header("traceparent").split('-').nth(1).unwrap().to_owned();
    sim.kit.flush().await;
    let steps =
        sim.kit.store.read(|tx| Box::pin(async move { store::traces::by_trace(tx, &trace, 10).await }));
    let text: String = steps.await.unwrap().into_iter().map(|row| row.batch.steps).collect();
    assert!(
        text.contains("TR33.721-S1") && text.contains("token request") && text.contains("access token"),
        "{text}"
    );
    assert!(!text.contains("alice") && !text.contains(VERIFIER) && !text.contains(&code));
    assert!(REDIRECT.starts_with("http"));
}

/// B7, B10, A34: who revokes or redeems the same thing again and again makes the log of revocations no longer.
#[tokio::test]
async fn b10_a34_the_log_grows_by_what_is_new() {
    let sim = sim().await;
    let epoch = || sim.kit.store.read(|tx| Box::pin(store::revocations::epoch(tx)));
    let code = sim.code("alice", &asks()).await;
    let tokens = sim.token_of("ue-1", &redeems(&code)).await.json();
    let refresh =
        Params::of(&[("grant_type", "refresh_token"), ("refresh_token", text(&tokens["refresh_token"]))]);
    let second = sim.token_of("ue-1", &refresh).await.json();
    let revoke = Params::of(&[("token", text(&second["access_token"]))]);
    let before = epoch().await.unwrap();
    for _ in 0..3 {
        assert_eq!(sim.post("/revoke", &[sim.basic("ue-1")], &revoke).await.status, 200);
        assert_eq!(epoch().await.unwrap(), before + 1, "the token");
    }
    for _ in 0..3 {
        assert_eq!(sim.token_of("ue-1", &redeems(&code)).await.error(), "invalid_grant");
        assert_eq!(epoch().await.unwrap(), before + 2, "the other token of the grant");
    }
    for _ in 0..3 {
        sim.put_policy("a-deny", serde_json::json!({ "class": "local", "effect": "DENY" })).await;
        assert_eq!(epoch().await.unwrap(), before + 2, "nothing was left to revoke");
    }
}
