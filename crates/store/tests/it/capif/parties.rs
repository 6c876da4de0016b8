//! Enrolments, certificates, domains of API providers, API invokers.

use store::StoreError;
use store::capif::certificates::CertificateRow;
use store::capif::enrolments::EnrolmentRow;
use store::capif::invokers::{InvokerRow, InvokerState};
use store::capif::providers::{FunctionRow, ProviderRow};
use store::capif::{Write, certificates, enrolments, invokers, providers};

use super::{NOW, another, open, strings};
use crate::bench::Bench;

on_both!(
    an_enrolment_is_used_by_one_of_many,
    a_certificate_is_whose_its_row_says,
    a_domain_goes_with_its_functions,
    one_key_is_one_invoker,
);

fn enrolment(id: &str, secret: u8) -> EnrolmentRow {
    EnrolmentRow {
        enrolment_id: id.into(),
        secret_sha256: vec![secret; 32],
        kind: "api_invoker".into(),
        name: "VAL server 1".into(),
        apis: strings(&["ssan-sanm", "ssan-disc"]),
        expires_s: NOW + 100,
        used_s: None,
    }
}

async fn an_enrolment_is_used_by_one_of_many(bench: Bench) {
    let store = open(&bench).await;
    let other = another(&bench, &store).await;
    job!(store, |tx| { enrolments::insert(tx, &enrolment("e1", 1)).await? });
    let tries = (0..16).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        tokio::spawn(async move { job!(store, |tx| { enrolments::consume(tx, "e1", NOW).await? }) })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
    let used = EnrolmentRow { used_s: Some(NOW), ..enrolment("e1", 1) };
    assert_eq!(job!(store, |tx| { enrolments::by_secret(tx, &[1; 32]).await? }), Some(used.clone()));
    assert_eq!(job!(store, |tx| { enrolments::find(tx, "e1").await? }), Some(used.clone()));
    assert_eq!(job!(store, |tx| { enrolments::by_secret(tx, &[2; 32]).await? }), None);
    assert!(!format!("{used:?}").contains("secret"));
    job!(store, |tx| {
        enrolments::insert(tx, &enrolment("e2", 2)).await?;
        // The second of its expiry is past it.
        assert!(!enrolments::consume(tx, "e2", NOW + 100).await?);
        assert!(enrolments::consume(tx, "e2", NOW + 99).await?);
        enrolments::insert(tx, &enrolment("e3", 3)).await?;
        assert_eq!(enrolments::page(tx, "e1", 10).await?.len(), 2);
        assert_eq!(enrolments::page(tx, "", 1).await?[0].enrolment_id, "e1");
        assert!(!enrolments::withdraw(tx, "e2").await?, "used");
        assert!(enrolments::withdraw(tx, "e3").await?);
        assert!(!enrolments::withdraw(tx, "e3").await?);
        enrolments::insert(tx, &enrolment("e4", 4)).await?;
        assert_eq!(enrolments::purge(tx, NOW + 100).await?, 0);
        assert_eq!(enrolments::purge(tx, NOW + 101).await?, 1);
        assert!(enrolments::find(tx, "e2").await?.is_some(), "a used one bounds rights");
    });
}

fn certificate(x5t: &str, principal: &str, registration: &str) -> CertificateRow {
    CertificateRow {
        x5t_s256: x5t.into(),
        role: "aef".into(),
        principal: principal.into(),
        registration: registration.into(),
        not_after_s: NOW + 50,
        revoked_s: None,
    }
}

async fn a_certificate_is_whose_its_row_says(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        for (x5t, principal, registration) in
            [("a", "aef1", "r1"), ("b", "aef1", "r1"), ("c", "apf1", "r1"), ("d", "aef2", "r2")]
        {
            certificates::insert(tx, &certificate(x5t, principal, registration)).await?;
        }
        let found = certificates::find(tx, "a").await?.unwrap();
        assert_eq!(found, certificate("a", "aef1", "r1"));
        for (now_s, counts) in [(NOW, true), (NOW + 50, true), (NOW + 51, false)] {
            assert_eq!(found.counts(now_s), counts, "{now_s}");
        }
        assert_eq!(certificates::find(tx, "z").await?, None);
        assert_eq!(certificates::of_principal(tx, "aef1").await?.len(), 2);
        assert_eq!(certificates::of_registration(tx, "r1").await?.len(), 3);
        assert_eq!(certificates::live_of(tx, "aef1", NOW).await?, ["a", "b"]);
        assert!(certificates::live_of(tx, "aef1", NOW + 51).await?.is_empty());

        assert!(certificates::revoke(tx, "a", NOW).await?);
        assert!(!certificates::revoke(tx, "a", NOW + 1).await?, "the first time stays");
        assert!(!certificates::find(tx, "a").await?.unwrap().counts(NOW));
        assert_eq!(certificates::find(tx, "a").await?.unwrap().revoked_s, Some(NOW));
        assert_eq!(certificates::live_of(tx, "aef1", NOW).await?, ["b"]);
        assert_eq!(certificates::revoke_of(tx, "aef1", NOW).await?, ["b"]);
        assert_eq!(certificates::revoke_registration(tx, "r1", NOW).await?, ["c"]);
        assert!(certificates::revoke_registration(tx, "r1", NOW).await?.is_empty());
        assert!(certificates::find(tx, "d").await?.unwrap().counts(NOW));
        assert_eq!(certificates::purge(tx, NOW + 50).await?, 0);
        assert_eq!(certificates::purge(tx, NOW + 51).await?, 4);
    });
}

fn provider(registration: &str, domain: &str) -> ProviderRow {
    ProviderRow {
        registration_id: registration.into(),
        domain_id: domain.into(),
        enrolment_id: "e1".into(),
        body: "{}".into(),
        version: 1,
    }
}

fn function(id: &str, registration: &str, role: &str) -> FunctionRow {
    FunctionRow { function_id: id.into(), registration_id: registration.into(), role: role.into() }
}

async fn a_domain_goes_with_its_functions(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        providers::insert(tx, &provider("r1", "d1"), NOW).await?;
        providers::insert(tx, &provider("r2", "d2"), NOW).await?;
        for (id, registration, role) in
            [("amf1", "r1", "amf"), ("aef1", "r1", "aef"), ("apf1", "r1", "apf"), ("aef2", "r2", "aef")]
        {
            providers::insert_function(tx, &function(id, registration, role)).await?;
        }
        let ids: Vec<_> =
            providers::functions(tx, "r1").await?.into_iter().map(|row| row.function_id).collect();
        assert_eq!(ids, ["aef1", "amf1", "apf1"]);
        assert_eq!(providers::function(tx, "aef2").await?, Some(function("aef2", "r2", "aef")));
        let changed = ProviderRow { body: "{\"x\":1}".into(), ..provider("r1", "d1") };
        assert!(providers::update(tx, &changed, 1, NOW).await?);
        assert!(!providers::update(tx, &changed, 1, NOW).await?, "somebody was first");
        assert_eq!(providers::find(tx, "r1").await?, Some(ProviderRow { version: 2, ..changed }));
        assert_eq!(providers::page(tx, "", 10).await?.len(), 2);
        assert_eq!(providers::page(tx, "r1", 10).await?[0].registration_id, "r2");
        assert!(providers::delete_function(tx, "apf1").await?);
        assert!(!providers::delete_function(tx, "apf1").await?);
        assert!(providers::delete(tx, "r1").await?);
        assert!(!providers::delete(tx, "r1").await?);
        assert_eq!(providers::find(tx, "r1").await?, None);
        assert_eq!(providers::function(tx, "aef1").await?, None);
        assert!(providers::function(tx, "aef2").await?.is_some());
    });
    // A domain or a function of one name is one.
    let twice: Result<(), StoreError> = store
        .write(|tx| Box::pin(async move { providers::insert(tx, &provider("r3", "d2"), NOW).await }))
        .await;
    assert!(matches!(twice, Err(StoreError::Constraint(_))), "{twice:?}");
}

fn invoker(id: &str, key: u8) -> InvokerRow {
    InvokerRow {
        invoker_id: id.into(),
        enrolment_id: "e1".into(),
        body: "{}".into(),
        key_sha256: vec![key; 32],
        secret_sha256: Some(vec![9; 32]),
        expires_s: Some(NOW + 10),
        state: InvokerState::Onboarded,
        version: 1,
    }
}

async fn one_key_is_one_invoker(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        assert!(invokers::insert(tx, &invoker("i1", 1), NOW).await?);
        assert!(!invokers::insert(tx, &invoker("i2", 1), NOW).await?, "the key of another");
        assert!(invokers::insert(tx, &invoker("i2", 2), NOW).await?);
        assert_eq!(invokers::find(tx, "i1").await?, Some(invoker("i1", 1)));
        assert_eq!(invokers::held(tx, "i1").await?, Some(invoker("i1", 1)));
        assert_eq!(invokers::find_by_key(tx, &[2; 32]).await?, Some(invoker("i2", 2)));
        assert!(!format!("{:?}", invoker("i1", 1)).contains("secret"));

        let mut changed = InvokerRow { state: InvokerState::Refused, expires_s: None, ..invoker("i1", 3) };
        assert_eq!(invokers::update(tx, &invoker("i1", 2), 1, NOW).await?, Write::Taken);
        assert_eq!(invokers::update(tx, &changed, 1, NOW).await?, Write::Done);
        assert_eq!(invokers::update(tx, &changed, 1, NOW).await?, Write::Stale);
        assert_eq!(invokers::update(tx, &invoker("i9", 9), 1, NOW).await?, Write::Stale);
        changed.version = 2;
        assert_eq!(invokers::find(tx, "i1").await?, Some(changed));
        let names = |rows: Vec<InvokerRow>| rows.into_iter().map(|row| row.invoker_id).collect::<Vec<_>>();
        assert_eq!(names(invokers::page(tx, "", 10).await?), ["i1", "i2"]);
        assert!(invokers::over(tx, NOW + 9, 10).await?.is_empty());
        assert_eq!(names(invokers::over(tx, NOW + 10, 10).await?), ["i2"]);
        assert!(invokers::delete(tx, "i1").await?);
        assert!(!invokers::delete(tx, "i1").await?);
    });
    // The key that the first had is free; of several who take it one gets it.
    let other = another(&bench, &store).await;
    let tries = (0..8).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        tokio::spawn(async move {
            job!(store, |tx| { invokers::insert(tx, &invoker(&format!("n{n}"), 3), NOW).await? })
        })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
}
