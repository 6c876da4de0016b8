//! Refresh tokens.

use std::time::Duration;

use http::header::HeaderName;
use serde_json::{Value, json};
use service_http::testkit;

use crate::harness::{ISSUER, Params, SAN, SM, Sim, asks, claims, redeems, sim, text};

fn refresh(token: &str) -> Params {
    Params::of(&[("grant_type", "refresh_token"), ("refresh_token", token)])
}

async fn bearer_tokens(sim: &Sim) -> Value {
    let code = sim.code("alice", &asks().with("client_id", "ue-bearer")).await;
    sim.bearer_token_of("ue-bearer", &redeems(&code)).await.json()
}

/// B7, A20, A32: a bound refresh token stays, and is good for its client and key only.
#[tokio::test]
async fn b7_a20_a32_a_bound_refresh_token() {
    let sim = sim().await;
    let both = asks().with("scope", "openid 3gpp:seal:san.read 3gpp:seal:sm.read").and("resource", SM);
    let code = sim.code("alice", &both).await;
    let tokens = sim.token_of("ue-1", &redeems(&code).and("resource", SAN)).await.json();
    let token = text(&tokens["refresh_token"]).to_owned();
    // Another service of the same login (contract, section 4).
    let maps = sim
        .token_of("ue-1", &refresh(&token).and("resource", SM).and("scope", "3gpp:seal:sm.read"))
        .await
        .json();
    assert_eq!(claims(&maps["access_token"])["aud"], SM);
    assert_eq!((text(&maps["scope"]), text(&maps["refresh_token"])), ("3gpp:seal:sm.read", token.as_str()));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("wider scope", "ue-1", refresh(&token).and("scope", "3gpp:seal:san.discover").and("resource", SAN), "invalid_scope"),
        ("scope of another server", "ue-1", refresh(&token).and("scope", "3gpp:seal:sm.read").and("resource", SAN), "invalid_target"),
        ("no resource of two", "ue-1", refresh(&token), "invalid_target"),
        ("two resources", "ue-1", refresh(&token).and("resource", SAN).and("resource", SM), "invalid_target"),
        ("unknown resource", "ue-1", refresh(&token).and("resource", "https://evil.example"), "invalid_target"),
        ("another client", "ue-2", refresh(&token).and("resource", SAN), "invalid_grant"),
        ("forged", "ue-1", refresh("x").and("resource", SAN), "invalid_grant"),
        ("none", "ue-1", refresh("").and("resource", SAN), "invalid_request"),
    ];
    for (what, client, form, error) in rows {
        let answer = sim.token_of(client, &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{what}");
    }
    let form = refresh(&token).and("resource", SAN);
    let proof = sim.proof(&testkit::key(&sim.ambient), &format!("{ISSUER}/token"));
    let other_key =
        sim.post("/token", &[sim.basic("ue-1"), (HeaderName::from_static("dpop"), proof)], &form).await;
    assert_eq!(
        (other_key.error().as_str(), sim.last_reason().await.as_str()),
        ("invalid_grant", "HOLDER_WRONG")
    );
    let stranger = sim.post("/token", &[], &form).await;
    assert_eq!((stranger.status, stranger.error().as_str()), (401, "invalid_client"));
    assert_eq!(sim.token_of("ue-1", &form).await.status, 200);
}

/// B7, F7, IMP-13: an unbound one is replaced by each use; a repeat in time gets the same, a late one ends all.
#[tokio::test]
async fn b7_f7_an_unbound_refresh_token_is_rotated() {
    let sim = sim().await;
    let first = text(&bearer_tokens(&sim).await["refresh_token"]).to_owned();
    let use_it = |token: String| {
        let sim = &sim;
        async move { sim.bearer_token_of("ue-bearer", &refresh(&token)).await }
    };
    let answer = use_it(first.clone()).await.json();
    let second = text(&answer["refresh_token"]).to_owned();
    assert_ne!(second, first);
    sim.clock.advance(Duration::from_secs(10));
    assert_eq!(use_it(first.clone()).await.json()["refresh_token"], second, "a repeat in time");
    let third = text(&use_it(second.clone()).await.json()["refresh_token"]).to_owned();
    let access = text(&use_it(third.clone()).await.json()["access_token"]).to_owned();
    assert!(sim.is_active("ue-bearer", &access).await);
    // The first one again: its successor was used, so somebody else has it.
    let reused = use_it(first).await;
    assert_eq!((reused.error().as_str(), sim.last_reason().await.as_str()), ("invalid_grant", "REPLAYED"));
    assert!(!sim.is_active("ue-bearer", &access).await);
    assert_eq!(use_it(third).await.error(), "invalid_grant", "the family is gone");
}

#[tokio::test]
async fn b7_a_late_repeat_ends_the_family() {
    let sim = sim().await;
    let first = text(&bearer_tokens(&sim).await["refresh_token"]).to_owned();
    let second = sim.bearer_token_of("ue-bearer", &refresh(&first)).await.json();
    sim.clock.advance(Duration::from_secs(11));
    assert_eq!(sim.bearer_token_of("ue-bearer", &refresh(&first)).await.error(), "invalid_grant");
    let second = refresh(text(&second["refresh_token"]));
    assert_eq!(sim.bearer_token_of("ue-bearer", &second).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_has_its_time() {
    let sim = sim().await;
    let token = text(&sim.tokens().await["refresh_token"]).to_owned();
    // An hour without use, eight hours in all.
    for _ in 0..8 {
        sim.clock.advance(Duration::from_secs(3_599));
        assert_eq!(sim.token_of("ue-1", &refresh(&token)).await.status, 200);
    }
    sim.clock.advance(Duration::from_secs(8));
    assert_eq!(sim.token_of("ue-1", &refresh(&token)).await.error(), "invalid_grant");
    let idle = text(&sim.tokens().await["refresh_token"]).to_owned();
    sim.clock.advance(Duration::from_secs(3_600));
    assert_eq!(sim.token_of("ue-1", &refresh(&idle)).await.error(), "invalid_grant");
}

/// TS 33.434 A.5.3: account and rules are looked at again.
#[tokio::test]
async fn a_refresh_asks_account_and_policy_again() {
    let sim = sim().await;
    let token = text(&sim.tokens().await["refresh_token"]).to_owned();
    assert_eq!(sim.token_of("ue-1", &refresh(&token)).await.status, 200);
    sim.delete_policy("p-alice").await;
    let refused = sim.token_of("ue-1", &refresh(&token)).await;
    assert_eq!(
        (refused.error().as_str(), sim.last_reason().await.as_str()),
        ("invalid_grant", "NOT_ENTITLED")
    );
    sim.put_policy("p-alice", json!({ "class": "local", "effect": "PERMIT", "actions": ["read"] })).await;
    let narrower = sim.token_of("ue-1", &refresh(&token)).await.json();
    assert_eq!(text(&narrower["scope"]), "3gpp:seal:san.read openid");
    sim.server.delete_user(&"alice".try_into().unwrap()).await.unwrap();
    assert_eq!(sim.token_of("ue-1", &refresh(&token)).await.error(), "invalid_grant");
}

/// S1-A1: a grant of before names no UE that was taken from the user since, whichever way its tokens are fetched.
#[tokio::test]
async fn s1_a1_a_ue_that_was_taken_away_is_in_no_new_token() {
    let sim = sim().await;
    let tokens = sim.tokens().await;
    let token = text(&tokens["refresh_token"]).to_owned();
    let pending = sim.code("alice", &asks()).await;
    let elsewhere = sim.code("alice", &asks().without("val_ue_id")).await;
    let account = |ues: Value| {
        let body = serde_json::json!({ "valUserId": "val-alice", "valUeIds": ues, "gpsi": "msisdn-alice" });
        serde_json::from_value(body).unwrap()
    };
    let alice = "alice".try_into().unwrap();
    sim.server.put_user(&alice, account(serde_json::json!(["ue-other"]))).await.unwrap();
    for form in [refresh(&token), redeems(&pending)] {
        let answer = sim.token_of("ue-1", &form).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"));
        assert_eq!(sim.last_reason().await, "SUBJECT_WRONG");
    }
    assert_eq!(sim.token_of("ue-1", &redeems(&elsewhere)).await.status, 200, "without a UE");
    sim.server.put_user(&alice, account(serde_json::json!(["ue-alice"]))).await.unwrap();
    let again = sim.token_of("ue-1", &refresh(&token)).await.json();
    assert_eq!(claims(&again["access_token"])["val_ue_id"], "ue-alice", "given back");
}

/// A30: a proof that was used stays used, whatever the wall clock does in between.
#[tokio::test]
async fn a30_a_step_of_the_clock_makes_no_proof_fresh() {
    let sim = sim().await;
    let tokens = sim.tokens().await;
    let form = refresh(text(&tokens["refresh_token"]));
    let proof = (HeaderName::from_static("dpop"), sim.proof(&sim.key, &format!("{ISSUER}/token")));
    let headers = [sim.basic("ue-1"), proof];
    assert_eq!(sim.post("/token", &headers, &form).await.status, 200);
    let now_s = sim.ambient.now_s();
    // Not so far that the grant ends.
    for step_s in [3_000, 20_000, 0] {
        sim.clock.set_s(now_s + step_s);
        sim.server.maintain().await.unwrap();
    }
    let tokens = sim.tokens().await;
    let form = refresh(text(&tokens["refresh_token"]));
    let replayed = sim.post("/token", &headers, &form).await;
    assert_eq!((replayed.status, replayed.error().as_str()), (400, "invalid_dpop_proof"));
    assert_eq!(sim.last_reason().await, "REPLAYED");
}
