//! Pushed authorization requests.

use std::time::Duration;

use http::header::HeaderName;

use crate::harness::{Answer, ISSUER, Params, Sim, asks, redeems, sim};

async fn push(sim: &Sim, client: &str, form: &Params) -> Answer {
    sim.post("/par", &[sim.basic(client)], form).await
}

fn with_uri(uri: &str, client: &str) -> String {
    let query = Params::of(&[("client_id", client), ("request_uri", uri)]);
    format!("/authorize?{}", query.text())
}

/// A39: a reference is good once, for its client, for its time; nothing else is ever fetched.
#[tokio::test]
async fn a39_a_reference_is_good_once_for_its_client_and_time() {
    let sim = sim().await;
    let pushed = push(&sim, "ue-1", &asks()).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    assert_eq!(pushed.json()["expires_in"], 90);
    let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    let refused = |page: Answer, what: &str| {
        assert_eq!((page.status, page.location()), (400, None), "{what}");
        assert!(page.body.contains("invalid_request_uri"), "{what}");
    };
    refused(sim.get(&with_uri(&uri, "ue-2"), &[]).await, "foreign client");
    assert_eq!(sim.get(&with_uri(&uri, "ue-1"), &[]).await.status, 200);
    refused(sim.get(&with_uri(&uri, "ue-1"), &[]).await, "second use");
    let late = push(&sim, "ue-1", &asks()).await.json()["request_uri"].as_str().unwrap().to_owned();
    sim.clock.advance(Duration::from_secs(90));
    refused(sim.get(&with_uri(&late, "ue-1"), &[]).await, "expired");
    for uri in ["https://evil.example/request", "urn:ietf:params:oauth:request_uri:x", "file:///etc/passwd"] {
        refused(sim.get(&with_uri(uri, "ue-1"), &[]).await, uri);
    }
}

#[tokio::test]
async fn the_request_that_was_pushed_counts() {
    let sim = sim().await;
    let proof = sim.proof(&sim.key, &format!("{ISSUER}/par"));
    let headers = [sim.basic("ue-1"), (HeaderName::from_static("dpop"), proof)];
    let uri = sim.post("/par", &headers, &asks()).await.json()["request_uri"].as_str().unwrap().to_owned();
    // What the browser carries beside the reference changes nothing.
    let page = sim.get(&format!("{}&scope=openid&state=other", with_uri(&uri, "ue-1")), &[]).await;
    let answer = sim.answer_form(&page, "alice", crate::harness::PASSWORD).await;
    assert_eq!(answer.query("state").as_deref(), Some("state-1"));
    let code = answer.query("code").unwrap();
    // RFC 9449 10.1: the proof of the push binds the code.
    let other = service_http::testkit::key(&sim.ambient);
    let proof = sim.proof(&other, &format!("{ISSUER}/token"));
    let headers = [sim.basic("ue-1"), (HeaderName::from_static("dpop"), proof)];
    let refused = sim.post("/token", &headers, &redeems(&code)).await;
    assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_grant"));
    assert_eq!(sim.token_of("ue-1", &redeems(&code)).await.status, 200);
}

#[tokio::test]
async fn a_push_is_refused_as_json() {
    let sim = sim().await;
    assert_eq!(push(&sim, "ue-1", &asks()).await.status, 201);
    type Spoil = fn(Params) -> Params;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str); 6] = [
        ("redirect", |p| p.with("redirect_uri", "https://evil.example/"), "invalid_request"),
        ("reference inside", |p| p.with("request_uri", "urn:x"), "invalid_request"),
        ("no state", |p| p.without("state"), "invalid_request"),
        ("plain", |p| p.with("code_challenge_method", "plain"), "invalid_request"),
        ("scope", |p| p.with("scope", "openid x"), "invalid_scope"),
        ("resource", |p| p.with("resource", "https://evil.example"), "invalid_target"),
    ];
    for (what, spoil, error) in rows {
        let answer = push(&sim, "ue-1", &spoil(asks())).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{what}");
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    }
    let stranger = sim.post("/par", &[], &asks()).await;
    assert_eq!((stranger.status, stranger.error().as_str()), (401, "invalid_client"));
    let of_another = push(&sim, "ue-2", &asks()).await;
    assert_eq!((of_another.status, of_another.error().as_str()), (401, "invalid_client"));
}
