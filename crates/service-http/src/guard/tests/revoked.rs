//! Lease and revocations at the guard.

use std::time::Duration;

use authorization::revocation::{Entry, Kind};
use http::Method;
use jose::Signer as _;
use serde_json::json;

use super::{PATH, READ, SAN, World};
use crate::peer::CertRole;
use crate::testkit::{self, SIM, bind_certificate, certificate, peer};

fn entry(kind: Kind, value: &str, epoch: u64) -> Entry {
    Entry { kind, value: value.to_owned(), epoch, issuer: SIM.to_owned(), expires_s: None }
}

#[tokio::test]
async fn without_a_lease_nothing_is_accepted() {
    let world = World::new().await;
    let claims = world.claims();
    assert_eq!(world.outcome_of(&claims).await, "OK");
    world.clock.advance(Duration::from_millis(999));
    assert_eq!(world.outcome_of(&claims).await, "OK");
    world.clock.advance(Duration::from_millis(1));
    let request = world.with_token(&world.sim.token(&claims));
    assert_eq!(world.outcome(request).await, ("LEASE_EXPIRED", 503));
    // Only who holds the token learns of it: a bad signature is refused before.
    let mut forged = world.sim.token(&claims);
    forged.replace_range(forged.len() - 6..forged.len() - 2, "AAAA");
    assert_eq!(world.outcome(world.with_token(&forged)).await, ("SIGNATURE_WRONG", 401));
    world.clock.set_s(super::NOW - 100);
    assert_eq!(world.outcome_of(&claims).await, "NOT_YET_VALID", "the wall clock is no lease");
    world.clock.set_s(super::NOW);
    assert_eq!(world.outcome_of(&claims).await, "LEASE_EXPIRED");
    world.sim.renew();
    assert_eq!(world.outcome_of(&claims).await, "OK");
    world.sim.state.end_lease();
    assert_eq!(world.outcome_of(&claims).await, "LEASE_EXPIRED");
}

#[tokio::test]
async fn each_kind_of_revocation_has_its_reason() {
    let world = World::new().await;
    let own = certificate(CertRole::Client, "vs-1");
    let mut claims = world.sim.claims_of_server(SAN, "vs-1", READ);
    bind_certificate(&mut claims, &own);
    claims["rev"] = json!(4);
    let jti = claims["jti"].as_str().unwrap().to_owned();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another token",               entry(Kind::Token, "other", 5),                    "OK"),
        ("another issuer's subject",    Entry { issuer: "https://evil.example".into(), ..entry(Kind::Subject, "vs-1", 5) }, "OK"),
        ("the client, before",          entry(Kind::Client, "vs-1", 4),                    "OK"),
        ("the client",                  entry(Kind::Client, "vs-1", 5),                    "REVOKED_CLIENT"),
        ("the subject",                 entry(Kind::Subject, "vs-1", 5),                   "REVOKED_SUBJECT"),
        ("the token",                   entry(Kind::Token, &jti, 1),                       "REVOKED_TOKEN"),
        ("the certificate",             entry(Kind::Certificate, &own.x5t_s256, 1),        "REVOKED_KEY"),
        ("the signing key",             entry(Kind::Key, world.sim.key.kid(), 1),          "REVOKED_KEY"),
    ];
    for (what, entry, reason) in rows {
        let world = World::new().await;
        let epoch = entry.epoch;
        world.sim.state.apply(vec![entry], epoch);
        let mut request = testkit::request(Method::GET, PATH, peer(Some(own.clone())));
        // The same key: the worlds are made of one seed.
        testkit::bearer(&mut request, &world.sim.token(&claims));
        assert_eq!(world.outcome(request).await.0, reason, "{what}");
    }
}

#[tokio::test]
async fn a_new_token_of_a_revoked_client_is_good_again() {
    let world = World::new().await;
    let old = world.claims();
    world.sim.state.apply(vec![entry(Kind::Client, "ue-1", 1)], 1);
    assert_eq!(world.outcome_of(&old).await, "REVOKED_CLIENT");
    assert_eq!(world.outcome_of(&world.claims()).await, "OK", "rev is the new epoch");
}
