//! Introspection and revocation by clients.

use serde_json::json;
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
