//! The user answers the form.

use std::time::Duration;

use http::header::COOKIE;
use serde_json::json;

use crate::harness::{PASSWORD, Params, asks, redeems, sim, sim_with, text};

/// KI4-N1, S1-A0, A35: wrong password and unknown user look alike.
#[tokio::test]
async fn a35_a_wrong_password_and_an_unknown_user_look_alike() {
    let sim = sim().await;
    let page = sim.form(&asks()).await;
    let strip = |answer: &crate::harness::Answer| {
        let nonce = answer.body.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        answer.body.replace(&nonce, "")
    };
    let wrong = sim.answer_form(&page, "alice", "correct horse batterz").await;
    let unknown = sim.answer_form(&page, "mallory", PASSWORD).await;
    let empty = sim.answer_form(&page, "alice", "").await;
    for answer in [&wrong, &unknown, &empty] {
        assert_eq!((answer.status, answer.location()), (401, None));
        assert_eq!(strip(answer), strip(&wrong));
        assert_eq!(answer.cookie(), None);
    }
    assert_eq!(sim.reasons().await, ["CREDENTIALS_WRONG"; 3]);
    // The same form still takes the right password.
    assert_eq!(sim.answer_form(&page, "alice", PASSWORD).await.status, 302);
}

/// A36: guessing is braked for this account and source; others go on, and so does this one after a while.
#[tokio::test]
async fn a36_guessing_is_braked() {
    let sim = sim_with(|config| config.logins.failed_per_minute = 5).await;
    let mut braked = None;
    for n in 0..8 {
        let page = sim.form(&asks()).await;
        let answer = sim.answer_form(&page, "alice", "wrong password").await;
        let want = if n < 5 { 401 } else { 429 };
        assert_eq!(answer.status, want, "{n}");
        braked = Some(answer);
    }
    assert_eq!(braked.unwrap().header("retry-after"), "12");
    assert_eq!(sim.last_reason().await, "LOGIN_THROTTLED");
    assert_eq!(sim.log_in("alice", &asks()).await.status, 429);
    let bob = asks()
        .with("scope", "openid 3gpp:seal:sm.read")
        .with("resource", crate::harness::SM)
        .without("val_ue_id");
    assert!(sim.log_in("bob", &bob).await.query("code").is_some());
    sim.clock.advance(Duration::from_secs(12));
    assert!(sim.log_in("alice", &asks()).await.query("code").is_some());
}

#[tokio::test]
async fn a_source_is_braked_as_a_whole() {
    let sim = sim_with(|config| config.logins.per_minute = 2).await;
    for _ in 0..2 {
        assert_eq!(sim.log_in("alice", &asks()).await.status, 302);
    }
    assert_eq!(sim.log_in("alice", &asks()).await.status, 429);
}

/// S1-A2a: default deny, and never more than the entitlement.
#[tokio::test]
async fn s1_a2a_only_what_the_user_is_entitled_to() {
    let sim = sim().await;
    let both = asks()
        .with("scope", "openid 3gpp:seal:san.read 3gpp:seal:sm.read")
        .and("resource", crate::harness::SM)
        .without("val_ue_id");
    let eve = sim.log_in("eve", &both).await;
    assert_eq!(eve.query("error").as_deref(), Some("access_denied"));
    assert_eq!(sim.last_reason().await, "NOT_ENTITLED");
    let bob = sim.tokens_for("bob", "ue-1", &both).await;
    assert_eq!(text(&bob["scope"]), "3gpp:seal:sm.read openid");
    let alice = sim.code("alice", &both).await;
    let chosen = redeems(&alice).with("resource", crate::harness::SAN);
    assert_eq!(text(&sim.token_of("ue-1", &chosen).await.json()["scope"]), "3gpp:seal:san.read openid");
    // A deny wins over a permit.
    let deny = json!({ "class": "local", "effect": "DENY", "subjects": ["val-alice"], "services": ["spatial-anchor-mgmt"] });
    sim.put_policy("z-deny", deny).await;
    let denied = sim.log_in("alice", &asks()).await;
    assert_eq!(denied.query("error").as_deref(), Some("access_denied"));
    // A rule of another class entitles nobody.
    sim.put_policy("o-eve", json!({ "class": "operator", "effect": "PERMIT", "subjects": ["val-eve"] }))
        .await;
    assert_eq!(sim.log_in("eve", &both).await.query("error").as_deref(), Some("access_denied"));
    // The login itself is nobody's service.
    let login = asks().with("scope", "openid").without("resource").without("val_ue_id");
    assert!(sim.log_in("eve", &login).await.query("code").is_some());
}

/// S1-A1: the UE of the request is one of the user's.
#[tokio::test]
async fn s1_a1_the_ue_is_the_users() {
    let sim = sim().await;
    assert!(sim.log_in("alice", &asks()).await.query("code").is_some());
    let other = sim.log_in("alice", &asks().with("val_ue_id", "ue-bob")).await;
    assert_eq!(other.query("error").as_deref(), Some("access_denied"));
    assert_eq!(sim.last_reason().await, "SUBJECT_WRONG");
}

#[tokio::test]
async fn the_user_may_say_no() {
    let sim = sim().await;
    let page = sim.form(&asks()).await;
    let form = Params::of(&[("interaction", &page.interaction()), ("cancel", "1")]);
    let answer = sim.post("/authorize", &[], &form).await;
    assert_eq!(answer.query("error").as_deref(), Some("access_denied"));
    assert_eq!(sim.answer_form(&page, "alice", PASSWORD).await.status, 400);
}

#[tokio::test]
async fn a_form_has_its_time() {
    let sim = sim().await;
    let page = sim.form(&asks()).await;
    sim.clock.advance(Duration::from_secs(600));
    assert_eq!(sim.answer_form(&page, "alice", PASSWORD).await.status, 400);
    let forged = Params::of(&[("interaction", "x"), ("username", "alice"), ("password", PASSWORD)]);
    assert_eq!(sim.post("/authorize", &[], &forged).await.status, 400);
}

/// A38: silent only for what the user has allowed before, in this browser.
#[tokio::test]
async fn a38_a_wider_scope_is_asked_for() {
    let sim = sim().await;
    let narrow = asks().with("scope", "openid 3gpp:seal:san.read");
    let cookie = sim.log_in("alice", &narrow).await.cookie().unwrap();
    let silently = |asks: Params, cookie: &str| {
        let (target, cookie) =
            (format!("/authorize?{}", asks.with("prompt", "none").text()), cookie.to_owned());
        let sim = &sim;
        async move { sim.get(&target, &[(COOKIE, cookie)]).await }
    };
    let same = silently(narrow.clone(), &cookie).await;
    let code = same.query("code").expect("a code");
    let tokens = sim.token_of("ue-1", &redeems(&code)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let wider = silently(asks(), &cookie).await;
    assert_eq!(wider.query("error").as_deref(), Some("interaction_required"));
    let other_client = silently(narrow.clone().with("client_id", "ue-2"), &cookie).await;
    assert_eq!(other_client.query("error").as_deref(), Some("interaction_required"));
    let other_browser = silently(narrow.clone(), "__Host-sim-login=other").await;
    assert_eq!(other_browser.query("error").as_deref(), Some("login_required"));
    // Without prompt=none the form is always shown, also to a browser that is logged in.
    let target = format!("/authorize?{}", narrow.text());
    assert_eq!(sim.get(&target, &[(COOKIE, cookie.clone())]).await.status, 200);
    sim.clock.advance(Duration::from_secs(100));
    let old = silently(narrow.clone().with("max_age", "99"), &cookie).await;
    assert_eq!(old.query("error").as_deref(), Some("login_required"));
    assert!(silently(narrow.clone().with("max_age", "100"), &cookie).await.query("code").is_some());
    sim.clock.advance(Duration::from_secs(28_700));
    assert_eq!(silently(narrow, &cookie).await.query("error").as_deref(), Some("login_required"));
}

/// A36: guesses that come at once get no further than guesses in a row; right passwords at once are not braked.
#[tokio::test(flavor = "multi_thread")]
async fn a36_guesses_at_once_are_counted_one_by_one() {
    let sim = sim_with(|config| config.logins.failed_per_minute = 5).await;
    let page = sim.form(&asks()).await;
    let guesses = (0..24).map(|_| sim.answer_form(&page, "alice", "wrong password"));
    let answers = futures::future::join_all(guesses).await;
    let tried = answers.iter().filter(|answer| answer.status == 401).count();
    let braked = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((tried, braked), (5, 19));
    sim.clock.advance(Duration::from_secs(60));
    let mut pages = Vec::new();
    for _ in 0..12 {
        pages.push(sim.form(&asks()).await);
    }
    let logins = pages.iter().map(|page| sim.answer_form(page, "alice", PASSWORD));
    for answer in futures::future::join_all(logins).await {
        assert!(answer.query("code").is_some(), "{} {}", answer.status, answer.body);
    }
}
