//! Introspection and revocation by clients.

use api_types::ids::ClientId;
use serde_json::json;
use service_http::limits::RateSettings;
use service_http::peer::CertRole;

use crate::harness::{Params, SAN, sim, text};

/// A33: the audience and the owner are told, nobody else.
#[tokio::test]
async fn a33_a_stranger_learns_nothing() {
    let sim = sim().await;
    let tokens = sim.tokens().await;
    let access = text(&tokens["access_token"]);
    let form = Params::of(&[("token", access)]);
    let owner = sim.post("/introspect", &[sim.basic("ue-1")], &form).await.json();
    assert_eq!(
        (&owner["active"], &owner["sub"], &owner["aud"]),
        (&json!(true), &json!("alice"), &json!(SAN))
    );
    assert_eq!(owner["token_type"], "DPoP");
    let audience = sim.post_mtls("/introspect", CertRole::Function, "san", &form).await.json();
    assert_eq!(audience["active"], true);
    let inactive = json!({ "active": false });
    assert_eq!(
        sim.post_mtls("/introspect", CertRole::Function, "sm", &form).await.json(),
        inactive,
        "other server"
    );
    assert_eq!(sim.post("/introspect", &[sim.basic("ue-2")], &form).await.json(), inactive, "other client");
    let nobody = sim.post("/introspect", &[], &form).await;
    assert_eq!((nobody.status, nobody.error().as_str()), (401, "invalid_client"));
    for (what, token) in [
        ("forged", format!("{access}x")),
        ("no token", "x".to_owned()),
        ("ID token", text(&tokens["id_token"]).to_owned()),
    ] {
        let answer = sim.post("/introspect", &[sim.basic("ue-1")], &Params::of(&[("token", &token)])).await;
        assert_eq!(answer.json(), inactive, "{what}");
    }
    let refresh = Params::of(&[("token", text(&tokens["refresh_token"]))]);
    assert_eq!(sim.post("/introspect", &[sim.basic("ue-1")], &refresh).await.json()["active"], true);
    assert_eq!(sim.post("/introspect", &[sim.basic("ue-2")], &refresh).await.json(), inactive);
    sim.clock.advance(std::time::Duration::from_secs(331));
    assert_eq!(sim.post("/introspect", &[sim.basic("ue-1")], &form).await.json(), inactive, "expired");
}

/// A34: a client ends its own tokens and nobody else's; both look alike.
#[tokio::test]
async fn a34_a_client_revokes_its_own_only() {
    let sim = sim().await;
    let tokens = sim.tokens().await;
    let access = text(&tokens["access_token"]);
    let form = Params::of(&[("token", access)]);
    let stranger = sim.post("/revoke", &[sim.basic("ue-2")], &form).await;
    assert_eq!((stranger.status, stranger.body.as_str()), (200, ""));
    assert!(sim.is_active("ue-1", access).await);
    assert_eq!(sim.post("/revoke", &[], &form).await.status, 401);
    let unknown = sim.post("/revoke", &[sim.basic("ue-1")], &Params::of(&[("token", "x")])).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (200, ""));
    let owner = sim.post("/revoke", &[sim.basic("ue-1")], &form).await;
    assert_eq!((owner.status, owner.body.as_str()), (200, ""));
    assert!(!sim.is_active("ue-1", access).await);
}

/// A32: a refresh token takes its whole family along.
#[tokio::test]
async fn a32_revoking_the_refresh_token_ends_the_family() {
    let sim = sim().await;
    let tokens = sim.tokens().await;
    let (access, refresh) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    let form = Params::of(&[("token", refresh), ("token_type_hint", "refresh_token")]);
    assert_eq!(sim.post("/revoke", &[sim.basic("ue-2")], &form).await.status, 200);
    let use_it = Params::of(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
    assert_eq!(sim.token_of("ue-1", &use_it).await.status, 200);
    assert_eq!(sim.post("/revoke", &[sim.basic("ue-1")], &form).await.status, 200);
    assert!(!sim.is_active("ue-1", access).await);
    assert_eq!(sim.token_of("ue-1", &use_it).await.error(), "invalid_grant");
}

/// IMP-20: what one client may ask for has an end, and others are not touched by it.
#[tokio::test]
async fn a_client_that_revokes_too_often_is_slowed_alone() {
    let sim = sim().await;
    let form = Params::of(&[("token", "x")]);
    let client = ClientId::try_from("ue-1").unwrap();
    let burst = RateSettings::demo().client_burst.get();
    assert!(sim.kit.limits.admit_client(&client, burst - 1).is_ok(), "as if it had asked so often");
    assert_eq!(sim.post("/revoke", &[sim.basic("ue-1")], &form).await.status, 200, "the last of the burst");
    let slowed = sim.post("/revoke", &[sim.basic("ue-1")], &form).await;
    assert_eq!((slowed.status, slowed.error().as_str()), (429, "temporarily_unavailable"));
    assert!(slowed.headers.contains_key(http::header::RETRY_AFTER));
    assert_eq!(sim.post("/revoke", &[sim.basic("ue-2")], &form).await.status, 200, "another client");
    sim.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(sim.post("/revoke", &[sim.basic("ue-1")], &form).await.status, 200, "a second later");
}

/// IMP-14: a revocation is kept as long as any token that it may end, and then it may go.
#[tokio::test]
async fn a_revocation_knows_when_it_may_go() {
    let sim = sim().await;
    let tokens = sim.tokens().await;
    let form = Params::of(&[("token", text(&tokens["access_token"]))]);
    sim.post("/revoke", &[sim.basic("ue-1")], &form).await;
    for kind in ["subject", "key"] {
        let request = serde_json::from_value(json!({ "kind": kind, "value": "somebody" })).unwrap();
        sim.server.revoke(&request).await.unwrap();
    }
    let kept = sim.kit.store.read(|tx| Box::pin(store::revocations::after(tx, 0, 100))).await.unwrap();
    let kept: Vec<_> = kept.into_iter().map(|row| (row.revocation.kind, row.revocation.expires_s)).collect();
    // The token was issued now and lives 300 s; 30 s of leeway.
    let last = Some(crate::harness::NOW + 330);
    assert_eq!(kept, [("token".to_owned(), last), ("subject".to_owned(), last), ("key".to_owned(), None)]);
}
