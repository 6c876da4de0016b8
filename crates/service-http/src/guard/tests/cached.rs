//! The cache of verified tokens is no way around a check (attacks A42, A43).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use authorization::revocation::{Entry, Kind};
use authorization::{IssuerRow, Reason};
use jose::{Jwks, Signer as _};
use serde_json::json;

use super::{NOW, SAN, World};
use crate::ambient::{Ambient, Clock, OffsetClock, TestClock, TestEntropy};
use crate::testkit::{self, SIM};
use crate::verifier::{FetchedKeys, Following, IssuerState, KeyError, KeySource, Verifier};

#[tokio::test]
async fn every_check_is_made_of_a_known_token_as_well() {
    let world = World::new().await;
    let claims = world.claims();
    let token = world.sim.token(&claims);
    let verifier = world.kit.verifier.clone().unwrap();
    let good = || world.with_token(&token);
    assert_eq!(world.outcome(good()).await.0, "OK");
    assert_eq!(world.outcome(good()).await.0, "OK", "from the cache");
    assert_eq!(verifier.cached_tokens(), 1);

    // holder
    let thief = testkit::key(&world.ambient);
    let mut stolen = world.request();
    testkit::dpop(&mut stolen, &token, &thief, SAN, &world.ambient);
    assert_eq!(world.outcome(stolen).await.0, "HOLDER_WRONG");
    // a token that differs in its last bit is another token
    let mut other = token.clone();
    let last = if token.ends_with('A') { "B" } else { "A" };
    other.replace_range(token.len() - 1.., last);
    assert_ne!(world.outcome(world.with_token(&other)).await.0, "OK");
    // key
    world.sim.publish(&[&thief]);
    assert_eq!(world.outcome(good()).await.0, "KEY_UNKNOWN");
    world.sim.publish(&[&world.sim.key]);
    assert_eq!(world.outcome(good()).await.0, "OK");
    // lease
    world.sim.state.end_lease();
    assert_eq!(world.outcome(good()).await.0, "LEASE_EXPIRED");
    world.sim.renew();
    // revocation
    let entry =
        Entry { kind: Kind::Subject, value: "alice".into(), epoch: 1, issuer: SIM.into(), expires_s: None };
    world.sim.state.apply(vec![entry], 1);
    assert_eq!(world.outcome(good()).await.0, "REVOKED_SUBJECT");
    // expiry
    world.clock.set_s(NOW + 300 + 30);
    assert_eq!(world.outcome(good()).await.0, "EXPIRED");
}

#[tokio::test]
async fn a_key_replaced_under_its_kid_vouches_for_nothing() {
    let world = World::new().await;
    let token = world.sim.token(&world.claims());
    assert_eq!(world.outcome(world.with_token(&token)).await.0, "OK");
    let other = testkit::key(&world.ambient).public_jwk().with_kid(world.sim.key.kid());
    world.sim.state.set_keys(&Jwks::new([other]).unwrap());
    assert_eq!(world.outcome(world.with_token(&token)).await.0, "SIGNATURE_WRONG");
}

/// B8, at the resource server.
#[tokio::test]
async fn another_audience_is_refused_by_a_verifier_that_knows_the_token() {
    let (ambient, _) = Ambient::for_test(NOW, 5);
    let sim = testkit::TestIssuer::sim(&ambient);
    let token = sim.token(&sim.claims_of_server(SAN, "vs-1", "3gpp:seal:san"));
    let here = Verifier::new(SAN, ambient.clone(), vec![sim.state.clone()]);
    let there = Verifier::new("https://sm.example:8447", ambient.clone(), vec![sim.state.clone()]);
    for _ in 0..2 {
        assert!(here.verify(&token, |_| ()).await.is_ok());
        assert_eq!(there.verify(&token, |_| ()).await.err(), Some(Reason::AudienceWrong));
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_revives_no_token() {
    let clock = Arc::new(OffsetClock::over(Arc::new(TestClock::at(NOW))));
    let ambient = Ambient::new(clock.clone(), Arc::new(TestEntropy::seeded(1)));
    let sim = testkit::TestIssuer::sim(&ambient);
    let verifier = Verifier::new(SAN, ambient.clone(), vec![sim.state.clone()]);
    let token = sim.token(&sim.claims_of_server(SAN, "vs-1", "3gpp:seal:san"));
    assert!(verifier.verify(&token, |_| ()).await.is_ok());
    clock.set_offset_s(1_000);
    assert_eq!(verifier.verify(&token, |_| ()).await.err(), Some(Reason::Expired));
    clock.set_offset_s(1);
    assert_eq!(verifier.verify(&token, |_| ()).await.err(), Some(Reason::Expired), "once lapsed, for ever");
    assert_eq!(clock.now_s(), NOW + 1);
}

/// A key set that is counted when it is fetched.
struct Counted {
    fetches: AtomicU32,
    keys: std::sync::Mutex<Option<Jwks>>,
}

#[async_trait]
impl KeySource for Counted {
    async fn fetch(&self) -> Result<FetchedKeys, KeyError> {
        self.fetches.fetch_add(1, Ordering::AcqRel);
        tokio::task::yield_now().await;
        let jwks = self.keys.lock().unwrap().clone().ok_or(KeyError::Unreachable)?;
        Ok(FetchedKeys { jwks, max_age: Duration::from_secs(60) })
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_a_minute() {
    let (ambient, clock) = Ambient::for_test(NOW, 5);
    let source = Arc::new(Counted { fetches: AtomicU32::new(0), keys: std::sync::Mutex::new(None) });
    let state = IssuerState::new(IssuerRow::sim(SIM, "x"), Following::Local, Some(source.clone()));
    let verifier = Verifier::new(SAN, ambient.clone(), vec![state.clone()]);
    let (one, two) = (testkit::key(&ambient), testkit::key(&ambient));
    let claims = json!({
        "iss": SIM, "sub": "vs-1", "aud": SAN, "iat": NOW, "exp": NOW + 3_600, "jti": "j", "client_id": "vs-1", "scope": "",
        "sub_type": "client", "rev": 0,
    });
    let of = |key: &jose::EcKey| jose::jwt::sign(key, "at+jwt", &claims).unwrap();
    let (first, second) = (of(&one), of(&two));
    assert_eq!(verifier.verify(&first, |_| ()).await.err(), Some(Reason::IssuerUnreachable), "no key at all");
    assert_eq!(source.fetches.load(Ordering::Acquire), 1);

    clock.advance(Duration::from_secs(60));
    *source.keys.lock().unwrap() = Some(Jwks::new([one.public_jwk()]).unwrap());
    let many = (0..50).map(|_| verifier.verify(&first, |_| ()));
    assert!(futures::future::join_all(many).await.iter().all(Result::is_ok));
    assert_eq!(source.fetches.load(Ordering::Acquire), 2, "single flight");

    let many = (0..50).map(|_| verifier.verify(&second, |_| ()));
    let refused = futures::future::join_all(many).await;
    assert!(refused.iter().all(|refused| refused.as_ref().err() == Some(&Reason::KeyUnknown)));
    assert_eq!(source.fetches.load(Ordering::Acquire), 2, "not again within the minute");

    *source.keys.lock().unwrap() = Some(Jwks::new([one.public_jwk(), two.public_jwk()]).unwrap());
    clock.advance(Duration::from_secs(59));
    assert!(verifier.verify(&second, |_| ()).await.is_err());
    clock.advance(Duration::from_secs(1));
    assert!(verifier.verify(&second, |_| ()).await.is_ok(), "both keys are good while one retires");
    assert!(verifier.verify(&first, |_| ()).await.is_ok());
    assert_eq!(source.fetches.load(Ordering::Acquire), 3);
}
