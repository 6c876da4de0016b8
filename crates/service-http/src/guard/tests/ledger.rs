//! What is recorded of permits and refusals, and that nothing is granted without its record.

use std::time::Duration;

use http::Method;
use store::audit::{AuditFilter, AuditRecord};
use store::{audit, charging};

use super::World;
use crate::audit_sink::SINGLE;
use crate::testkit;

async fn audited(world: &World) -> Vec<AuditRecord> {
    world.kit.flush().await;
    world
        .kit
        .store
        .read(|tx| Box::pin(async move { audit::page(tx, &AuditFilter::default(), 1_000).await }))
        .await
        .unwrap()
}

async fn charged(world: &World) -> usize {
    let rows =
        world.kit.store.read(|tx| Box::pin(async move { charging::page(tx, None, 0, 1_000).await })).await;
    rows.unwrap().len()
}

#[tokio::test]
async fn a_permit_is_one_audit_and_one_charging_record_of_the_tokens_subject() {
    let world = World::new().await;
    let response = world.send(world.with_token(&world.sim.token(&world.claims()))).await;
    let trace = response.headers()["traceparent"].to_str().unwrap().split('-').nth(1).unwrap().to_owned();
    let rows = audited(&world).await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0].row;
    assert_eq!(row.verdict, "permit");
    assert_eq!(row.actor, world.kit.pseudonym("alice"));
    assert!(!format!("{row:?}").contains("alice"), "people are pseudonyms");
    assert_eq!(row.trace.as_deref(), Some(trace.as_str()));
    assert_eq!(charged(&world).await, 1);
    let steps = world.kit.traces.steps(&trace).await.unwrap();
    assert_eq!((steps[0].procedure.as_str(), steps[0].step.as_str()), ("TR33.721-S1", "1"));
    assert_eq!((steps[0].from.as_str(), steps[0].to.as_str()), ("SAn-C", "SAn-S"));
    assert_eq!(world.kit.traces.why(&trace).await.unwrap().unwrap().verdict, "permit");
}

#[tokio::test]
async fn a_refusal_is_one_audit_record_and_no_charge() {
    let world = World::new().await;
    let mut claims = world.claims();
    claims["scope"] = serde_json::json!("3gpp:seal:sm.read");
    let mut request = world.with_token(&world.sim.token(&claims));
    let outside = "4bf92f3577b34da6a3ce929d0e0e4736";
    request.headers_mut().insert("traceparent", format!("00-{outside}-00f067aa0ba902b7-01").parse().unwrap());
    let response = world.send(request).await;
    let trace = response.headers()["traceparent"].to_str().unwrap().split('-').nth(1).unwrap().to_owned();
    assert_ne!(trace, outside, "a new trace begins");
    let rows = audited(&world).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].row.reason.as_deref(), Some("SCOPE_NARROW"));
    assert_eq!(rows[0].row.cause.as_deref(), Some("INSUFFICIENT_SCOPE"));
    assert_eq!(charged(&world).await, 0);
    for name in [trace.as_str(), outside] {
        let why = world.kit.traces.why(name).await.unwrap().unwrap();
        assert_eq!((why.verdict.as_str(), why.status), ("deny", 403));
        assert_eq!(why.operation, "GetAnchorsList");
        let failed = why.checks.last().unwrap();
        assert_eq!(failed.check, "operation");
        assert!(failed.remedy.as_deref().unwrap().contains("scope"));
        assert!(why.checks.len() >= 5, "the stages before are there as well");
    }
}

#[tokio::test]
async fn what_no_route_answers_has_its_trace_and_record_as_well() {
    let world = World::new().await;
    for path in ["/absent", "/a/../b"] {
        let response = world.send(testkit::request(Method::GET, path, testkit::peer(None))).await;
        let trace = response.headers()["traceparent"].to_str().unwrap().split('-').nth(1).unwrap().to_owned();
        assert!(world.kit.traces.why(&trace).await.unwrap().is_some(), "{path}");
    }
    assert_eq!(audited(&world).await.len(), 2);
}

/// A trace id is no secret: a request that names somebody else's changes nothing about how that one was decided.
#[tokio::test]
async fn a_link_does_not_stand_before_the_decision_of_the_trace() {
    let world = World::new().await;
    let response = world.send(world.with_token(&world.sim.token(&world.claims()))).await;
    let trace = response.headers()["traceparent"].to_str().unwrap().split('-').nth(1).unwrap().to_owned();
    let mut request = testkit::request(Method::GET, super::PATH, testkit::peer(None));
    request.headers_mut().insert("traceparent", format!("00-{trace}-00f067aa0ba902b7-01").parse().unwrap());
    assert_eq!(world.send(request).await.status(), 401);
    let why = world.kit.traces.why(&trace).await.unwrap().unwrap();
    assert_eq!((why.verdict.as_str(), why.trace.as_str()), ("permit", trace.as_str()));
}

#[tokio::test]
async fn a_panic_of_a_handler_is_a_recorded_500_without_details() {
    let world = World::new().await;
    let response = world.send(testkit::request(Method::GET, "/panics", testkit::peer(None))).await;
    assert_eq!(response.status(), 500);
    let trace = response.headers()["traceparent"].to_str().unwrap().split('-').nth(1).unwrap().to_owned();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("planted"));
    let why = world.kit.traces.why(&trace).await.unwrap().unwrap();
    assert_eq!((why.status, why.operation.as_str()), (500, "Panics"));
    assert_eq!(audited(&world).await.len(), 1);
}

#[tokio::test]
async fn a_function_carries_its_trace_on_and_a_client_does_not() {
    use crate::peer::CertRole;

    let world = World::new().await;
    let named = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (role, carried_on) in [(CertRole::Function, true), (CertRole::Client, false)] {
        let peer = testkit::peer(Some(testkit::certificate(role, "sm")));
        let mut request = testkit::request(Method::GET, super::PATH, peer);
        request
            .headers_mut()
            .insert("traceparent", format!("00-{named}-00f067aa0ba902b7-01").parse().unwrap());
        let response = world.send(request).await;
        let answered = response.headers()["traceparent"].to_str().unwrap();
        assert_eq!(answered.contains(named), carried_on, "{role}");
    }
    assert_eq!(
        world.kit.traces.records(named).await.unwrap().len(),
        2,
        "itself, and the one that links to it"
    );
}

#[tokio::test]
async fn a_flood_without_tokens_is_counted() {
    let world = World::new().await;
    for _ in 0..100 {
        world.send(world.request()).await;
    }
    let rows = audited(&world).await;
    assert!(rows.len() as u64 <= 2 * (SINGLE + 1), "{} records", rows.len());
    assert!(rows.last().unwrap().row.object.as_deref().unwrap().contains(" requests of s_"));
}

#[tokio::test]
async fn a_secret_or_a_person_is_in_no_record() {
    let world = World::new().await;
    let mut claims = world.claims();
    claims["aud"] = serde_json::json!("https://sm.example:8447");
    let token = world.sim.token(&claims);
    let response = world.send(world.with_token(&token)).await;
    let trace = response.headers()["traceparent"].to_str().unwrap().split('-').nth(1).unwrap().to_owned();
    let records = serde_json::to_string(&world.kit.traces.records(&trace).await.unwrap()).unwrap();
    for planted in ["alice", token.as_str(), claims["jti"].as_str().unwrap()] {
        assert!(!records.contains(planted), "{planted}");
    }
}

#[tokio::test]
async fn a_revocation_between_check_and_commit_undoes_the_write() {
    use authorization::revocation::{Entry, Kind};
    use authorization::{Caller, Reason};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    let world = World::new().await;
    let claims = world.claims();
    let token = world.kit.verifier.as_ref().unwrap().verify(&world.sim.token(&claims), |_| ()).await.unwrap();
    let caller = Arc::new(Caller::from_claims(token.claims(), token.kid(), None));
    let trace = crate::response::TraceContext::fresh(&world.ambient);
    let ctx = crate::call::Ctx::new(world.kit.clone(), trace, None);
    let session = crate::call::Session {
        token,
        presented: api_types::Secret::new("token"),
        x5t: None,
        proof: None,
        proof_spent: AtomicBool::new(false),
    };
    let call = crate::call::Call::new(caller, ctx, session);
    let write = || {
        let call = call.clone();
        world.kit.store.write(move |tx| {
            Box::pin(async move {
                store::meta::put(tx, "planted", "x").await?;
                crate::ledger::permit(tx, &call, &crate::ledger::Permit::new("Put")).await
            })
        })
    };
    let planted = || async {
        let read =
            world.kit.store.read(|tx| Box::pin(async move { store::meta::find(tx, "planted").await })).await;
        read.unwrap()
    };
    world.clock.advance(Duration::from_secs(2));
    let refused: crate::refusal::Refusal = write().await.unwrap_err();
    assert_eq!(refused.reason, Reason::LeaseExpired);
    world.sim.renew();
    let entry = Entry {
        kind: Kind::Client,
        value: "ue-1".into(),
        epoch: 1,
        issuer: testkit::SIM.into(),
        expires_s: None,
    };
    world.sim.state.apply(vec![entry], 1);
    assert_eq!(write().await.unwrap_err().reason, Reason::RevokedClient);
    assert_eq!(planted().await, None, "the write is undone with its permit");
    assert_eq!(charged(&world).await, 0);
}
