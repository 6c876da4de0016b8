//! Rules of the operator: what they would say, and that a change holds at once.

use api_types::admin::{Policy, PolicyExplain, PolicyOutcome};
use sdk::{AnchorQuery, SanClient, SdkError};
use serde_json::{Value, json};

use crate::harness::{Program, Site, parsed};

const SCOPE: &str = "3gpp:seal:san.read 3gpp:seal:san.discover";

async fn put(site: &Site, id: &str, body: Value) {
    site.operator().put_policy(id, &parsed::<Policy>(body)).await.expect("a rule");
}

/// A user at the anchor server.
async fn user(site: &Site, name: &str) -> Result<(sdk::UserSession, SanClient), SdkError> {
    let session = site.session(name, "ue-1").await?;
    let credential = session.credential(site.at("san"), SCOPE).await?;
    Ok((session, SanClient::new(site.link("ue-1"), site.at("san"), credential).expect("a client")))
}

async fn searches(san: &SanClient) -> Result<usize, SdkError> {
    san.discover(&AnchorQuery { limit: Some(1), ..Default::default() })
        .await
        .map(|page| page.found.results.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_what_the_rules_say() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    put(
        &site,
        "night",
        json!({
            "class": "local", "effect": "DENY", "actions": ["read"],
            "period": { "startTime": "2031-01-01T00:00:00Z", "stopTime": "2031-01-02T00:00:00Z" },
        }),
    )
    .await;
    put(&site, "hall", json!({
        "class": "operator", "effect": "DENY", "subjects": ["bob@campus.example"], "resources": ["hall"],
        "area": { "geoServAr": { "geoArs": [{ "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": 2.35, "lat": 48.85 }, "uncertainty": 100.0 }] } },
    })).await;
    put(
        &site,
        "law",
        json!({ "class": "regulatory", "effect": "DENY", "subjects": ["carol@campus.example"] }),
    )
    .await;
    let bob = |place: Value| json!({ "subjects": ["ue-1", "bob@campus.example"], "service": "spatial-anchor-mgmt", "resource": "hall", "position": place });
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Value, PolicyOutcome, Option<&str>); 8] = [
        ("everybody",         json!({ "subjects": ["ue-1", "alice@campus.example"] }),                     PolicyOutcome::Permit, Some("campus-everybody")),
        ("but eve",           json!({ "subjects": ["ue-1", "eve@campus.example"] }),                       PolicyOutcome::Deny,   Some("campus-not-eve")),
        ("nobody named",      json!({}),                                                                   PolicyOutcome::Permit, Some("campus-everybody")),
        ("in the period",     json!({ "subjects": ["x"], "action": "read", "at": "2031-01-01T12:00:00Z" }), PolicyOutcome::Deny,  Some("night")),
        ("after the period",  json!({ "subjects": ["x"], "action": "read", "at": "2031-01-03T12:00:00Z" }), PolicyOutcome::Permit, Some("campus-everybody")),
        ("inside the area",   bob(json!({ "lon": 2.35, "lat": 48.85 })),                                   PolicyOutcome::Deny,   Some("hall")),
        ("outside the area",  bob(json!({ "lon": 2.45, "lat": 48.85 })),                                   PolicyOutcome::Permit, Some("campus-everybody")),
        ("the law",           json!({ "subjects": ["carol@campus.example"] }),                             PolicyOutcome::Deny,   Some("law")),
    ];
    for (what, ask, decision, by) in rows {
        let explained = admin.explain(&parsed::<PolicyExplain>(ask)).await.expect("explained");
        let named = explained.policy_id.as_ref().map(|id| id.as_str());
        assert_eq!((explained.decision, named), (decision, by), "{what}: {explained:?}");
        assert!(explained.version > 0 && !explained.matched.is_empty(), "{what}");
    }
    // A rule that is no rule is not taken.
    for body in [
        json!({ "class": "local", "effect": "MAYBE" }),
        json!({ "class": "divine", "effect": "DENY" }),
        json!({ "class": "local", "effect": "DENY", "subjects": [""] }),
        json!({ "class": "local", "effect": "DENY", "period": { "startTime": "2031-01-02T00:00:00Z", "stopTime": "2031-01-01T00:00:00Z" } }),
    ] {
        let url = admin.url(&["policies", "bad"]).expect("a url");
        let answer = admin.send(sdk::Request::put(url).json(&body)).await.expect("an answer");
        assert_eq!(answer.status, 400, "{body}");
    }
    assert!(
        admin
            .policies()
            .await
            .expect("rules")
            .iter()
            .all(|rule| rule.policy_id.as_ref().is_some_and(|id| id.as_str() != "bad"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_holds_when_it_is_answered() {
    let program = Program::demo();
    let site = Site::of(&program);
    let (alice, alice_san) = user(&site, "alice").await.expect("alice");
    let (_, bob_san) = user(&site, "bob").await.expect("bob");
    assert_eq!(
        (searches(&alice_san).await.expect("found"), searches(&bob_san).await.expect("found")),
        (1, 1)
    );
    // Who may use nothing gets no token for it.
    let denied = user(&site, "eve").await.expect_err("eve");
    assert!(
        matches!(&denied, SdkError::OAuth { error, .. } if error == "access_denied" || error == "invalid_scope"),
        "{denied:?}"
    );

    // A local rule: no new token, and the live one is void.
    put(
        &site,
        "not-alice",
        json!({ "class": "local", "effect": "DENY", "subjects": ["alice@campus.example"] }),
    )
    .await;
    let refused = searches(&alice_san).await.expect_err("her live token is void");
    assert_eq!(refused.status(), Some(401));
    let reason = site.reason(refused.trace().map(str::to_owned)).await;
    assert!(reason.starts_with("REVOKED_"), "{reason}");
    alice.sim().forget().await;
    assert!(alice.token(site.at("sm"), "3gpp:seal:sm.read").await.is_err(), "no other token");
    assert!(user(&site, "alice").await.is_err(), "no new token");
    assert_eq!(searches(&bob_san).await.expect("bob is somebody else"), 1);
    site.operator().delete_policy("not-alice").await.expect("deleted");
    assert!(searches(&alice_san).await.is_err(), "what was revoked stays revoked");
    let (_, alice_san) = user(&site, "alice").await.expect("alice may again");
    assert_eq!(searches(&alice_san).await.expect("found"), 1);

    // Without any PERMIT there is nothing for users; machines do as they are registered.
    site.operator().delete_policy("campus-everybody").await.expect("deleted");
    assert!(searches(&alice_san).await.is_err() && user(&site, "bob").await.is_err());
    let server = site.san("vs-1", "3gpp:seal:san").await;
    assert_eq!(searches(&server).await.expect("a machine"), 1);
    put(&site, "campus-everybody", json!({ "class": "local", "effect": "PERMIT" })).await;
    let (_, alice_san) = user(&site, "alice").await.expect("alice may again");

    // Rules of operator and regulator are asked at the server, for tokens that live.
    for (class, reason) in [("operator", "OPERATOR_RULE"), ("regulatory", "REGULATORY_RULE")] {
        put(
            &site,
            "stop",
            json!({ "class": class, "effect": "DENY", "subjects": ["ue-1"], "actions": ["discover"] }),
        )
        .await;
        let refused = searches(&alice_san).await.expect_err("stopped");
        assert_eq!(
            (refused.status(), refused.cause().map(|cause| cause.as_str())),
            (Some(403), Some("UNAUTHORIZED_OPERATION"))
        );
        assert_eq!(site.reason(refused.trace().map(str::to_owned)).await, reason);
        assert_eq!(searches(&server).await.expect("not meant"), 1);
        site.operator().delete_policy("stop").await.expect("deleted");
        assert_eq!(searches(&alice_san).await.expect("as before"), 1);
    }

    // Where a UE is decides, once the operator has seen it there.
    put(&site, "not-there", json!({
        "class": "operator", "effect": "DENY", "subjects": ["ue-1"],
        "area": { "geoServAr": { "geoArs": [{ "shape": "POINT_UNCERTAINTY_CIRCLE", "point": { "lon": 10.0, "lat": 50.0 }, "uncertainty": 1000.0 }] } },
    })).await;
    let ue = site.users["alice"]["valUeId"].as_str().expect("a UE").to_owned();
    let at = async |lon: f64| {
        site.operator()
            .put_position(&ue, &parsed(json!({ "lon": lon, "lat": 50.0 })))
            .await
            .expect("a position")
    };
    at(20.0).await;
    assert_eq!(searches(&alice_san).await.expect("outside"), 1);
    at(10.0).await;
    assert_eq!(searches(&alice_san).await.expect_err("inside").status(), Some(403));
}
