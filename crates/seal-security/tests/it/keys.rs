//! Keys come and go.

use std::time::Duration;

use api_types::admin::{KeyStatus, RevocationKind, RevocationRequest};
use serde_json::Value;

use crate::harness::{Sim, header, sim, text};

async fn kids(sim: &Sim) -> Vec<String> {
    let keys = sim.get("/jwks", &[]).await.json()["keys"].clone();
    keys.as_array().unwrap().iter().map(|key| text(&key["kid"]).to_owned()).collect()
}

fn kid(tokens: &Value) -> String {
    text(&header(&tokens["access_token"])["kid"]).to_owned()
}

#[tokio::test]
async fn the_key_set_is_public_and_can_be_kept() {
    let sim = sim().await;
    let answer = sim.get("/jwks", &[]).await;
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let key = answer.json()["keys"][0].clone();
    assert!(key.get("d").is_none() && key["kty"] == "EC" && key["use"] == "sig" && key["alg"] == "ES256");
    let tag = (http::header::IF_NONE_MATCH, answer.header("etag").to_owned());
    assert_eq!(sim.get("/jwks", &[tag]).await.status, 304);
}

/// A43: tokens of the old key stay good while the new one signs; it is published before.
#[tokio::test]
async fn a43_a_scheduled_rotation_disturbs_nobody() {
    let sim = sim().await;
    let before = sim.tokens().await;
    let old = kid(&before);
    let rotated = sim.server.rotate(false).await.unwrap();
    assert_eq!(rotated.active_from.unix(), crate::harness::NOW + 60);
    assert_eq!(kids(&sim).await.len(), 2);
    assert_eq!(kid(&sim.tokens().await), old, "verifiers may not know the new one yet");
    sim.clock.advance(Duration::from_secs(60));
    let after = sim.tokens().await;
    assert_eq!(kid(&after), rotated.kid);
    assert!(sim.is_active("ue-1", text(&before["access_token"])).await);
    assert!(sim.is_active("ue-1", text(&after["access_token"])).await);
    sim.clock.advance(Duration::from_secs(1_200));
    sim.server.maintain().await.unwrap();
    assert_eq!(kids(&sim).await, [rotated.kid]);
}

#[tokio::test]
async fn an_emergency_rotation_takes_effect_at_once() {
    let sim = sim().await;
    let before = sim.tokens().await;
    let rotated = sim.server.rotate(true).await.unwrap();
    assert_eq!(kids(&sim).await, std::slice::from_ref(&rotated.kid));
    assert!(!sim.is_active("ue-1", text(&before["access_token"])).await);
    let after = sim.tokens().await;
    assert_eq!(kid(&after), rotated.kid);
    assert!(sim.is_active("ue-1", text(&after["access_token"])).await);
    let status = |kid: &str| sim.server.keys().into_iter().find(|key| key.kid == kid).unwrap().status;
    assert_eq!((status(&kid(&before)), status(&rotated.kid)), (KeyStatus::Revoked, KeyStatus::Active));
}

/// A42, contract 5: after the revocation of the signing key nothing of it is taken, and the next one signs.
#[tokio::test]
async fn a42_a_revoked_key_verifies_nothing() {
    let sim = sim().await;
    let before = sim.tokens().await;
    assert!(sim.is_active("ue-1", text(&before["access_token"])).await);
    let request = RevocationRequest { kind: RevocationKind::Key, value: kid(&before), issuer: None };
    assert!(sim.server.revoke(&request).await.unwrap().epoch >= 1);
    assert!(!sim.is_active("ue-1", text(&before["access_token"])).await);
    let after = sim.tokens().await;
    assert_ne!(kid(&after), kid(&before));
    assert!(sim.is_active("ue-1", text(&after["access_token"])).await);
}

/// A second start, and a second process, have the same keys.
#[tokio::test]
async fn keys_survive_a_restart_sealed() {
    let sim = sim().await;
    let tokens = sim.tokens().await;
    sim.server.start().await.unwrap();
    assert_eq!(kids(&sim).await, [kid(&tokens)]);
    assert_eq!(kid(&sim.tokens().await), kid(&tokens));
    let rows = sim.kit.store.read(|tx| Box::pin(store::keys::all(tx))).await.unwrap();
    assert!(!rows[0].sealed.windows(5).any(|window| window == [0x30, 0x81, 0x87, 0x02, 0x01]));
}

#[tokio::test]
async fn a_key_is_replaced_when_its_time_has_come() {
    let sim = sim().await;
    sim.server.maintain().await.unwrap();
    assert_eq!(kids(&sim).await.len(), 1);
    sim.clock.advance(Duration::from_secs(30 * 24 * 3_600));
    sim.server.maintain().await.unwrap();
    assert_eq!(kids(&sim).await.len(), 2);
    sim.server.maintain().await.unwrap();
    assert_eq!(kids(&sim).await.len(), 2, "one successor is enough");
}
