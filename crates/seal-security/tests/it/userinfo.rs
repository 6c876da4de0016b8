//! Userinfo.

use http::header::{AUTHORIZATION, HeaderName};
use serde_json::Value;

use crate::harness::{Answer, ISSUER, Sim, asks, claims, redeems, sim, text};

async fn login_token(sim: &Sim, client: &str) -> Value {
    let asks = asks().with("scope", "openid").without("resource");
    sim.tokens_for("alice", client, &asks).await
}

async fn ask(sim: &Sim, token: &str, scheme: &str, query: &str) -> Answer {
    let proof = sim.proof_with(&sim.key, "GET", &format!("{ISSUER}/userinfo"), Some(token), None);
    let headers = [(AUTHORIZATION, format!("{scheme} {token}")), (HeaderName::from_static("dpop"), proof)];
    sim.get(&format!("/userinfo{query}"), &headers).await
}

/// B16, A16, A31: the token of the login, in the header, under its own scheme.
#[tokio::test]
async fn b16_a16_a31_userinfo_takes_the_token_of_the_login() {
    let sim = sim().await;
    let tokens = login_token(&sim, "ue-1").await;
    let token = text(&tokens["access_token"]);
    let info = ask(&sim, token, "DPoP", "").await;
    assert_eq!(info.status, 200, "{}", info.body);
    assert_eq!(info.json()["sub"], claims(&tokens["id_token"])["sub"]);
    assert_eq!(info.json()["val_user_id"], "val-alice");
    let for_server = sim.tokens().await;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("as bearer", token.to_owned(), "Bearer", "HOLDER_WRONG"),
        ("ID token", text(&tokens["id_token"]).to_owned(), "DPoP", "TYP_REFUSED"),
        ("token of a server", text(&for_server["access_token"]).to_owned(), "DPoP", "AUDIENCE_WRONG"),
        ("forged", format!("{}AAAA", &token[..token.len() - 4]), "DPoP", "SIGNATURE_WRONG"),
    ];
    for (what, token, scheme, reason) in rows {
        let answer = ask(&sim, &token, scheme, "").await;
        assert_eq!(answer.status, 401, "{what}");
        assert!(!answer.header("www-authenticate").is_empty(), "{what}");
        assert_eq!(sim.last_reason().await, reason, "{what}");
    }
    assert_eq!(sim.get("/userinfo", &[]).await.status, 401);
    let in_query = ask(&sim, token, "DPoP", &format!("?access_token={token}")).await;
    assert_eq!((in_query.status, in_query.error().as_str()), (400, "invalid_request"));
    let without_proof = sim.get("/userinfo", &[(AUTHORIZATION, format!("DPoP {token}"))]).await;
    assert_eq!(without_proof.status, 401);
    let proof = sim.proof_with(&sim.key, "GET", &format!("{ISSUER}/userinfo"), Some(token), None);
    let headers = [(AUTHORIZATION, format!("DPoP {token}")), (HeaderName::from_static("dpop"), proof)];
    assert_eq!(sim.get("/userinfo", &headers).await.status, 200);
    assert_eq!(sim.get("/userinfo", &headers).await.status, 401, "the proof is good once");
    assert_eq!(sim.last_reason().await, "REPLAYED");
}

#[tokio::test]
async fn a_pairwise_client_sees_a_pseudonym() {
    let sim = sim().await;
    let tokens = login_token(&sim, "ue-pairwise").await;
    let id = claims(&tokens["id_token"]);
    assert_ne!(id["sub"], "alice");
    assert!(id.get("val_user_id").is_none());
    let info = ask(&sim, text(&tokens["access_token"]), "DPoP", "").await.json();
    assert_eq!((&info["sub"], info.get("val_user_id")), (&id["sub"], None));
    let code = sim.code("alice", &asks().with("client_id", "ue-pairwise")).await;
    let again = sim.token_of("ue-pairwise", &redeems(&code)).await.json();
    assert_eq!(claims(&again["id_token"])["sub"], id["sub"]);
}
