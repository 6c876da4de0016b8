//! What the CAPIF core function keeps, on both engines.

use api_types::function::Function;
use store::capif::asks::{AskRow, AskState};
use store::capif::certificates::CertificateRow;
use store::capif::contexts::{ContextEntry, ContextRow};
use store::capif::enrolments::EnrolmentRow;
use store::capif::invocations::{InvocationFilter, InvocationRow};
use store::capif::invokers::{InvokerRow, InvokerState};
use store::capif::providers::{FunctionRow, ProviderRow};
use store::capif::resources::{Owner, OwnerKind, ResourceFilter, ResourceRow, Told};
use store::capif::service_apis::ServiceApiRow;
use store::capif::tokens::TokenRow;
use store::capif::{
    Write, access_control, asks, certificates, contexts, enrolments, invocations, invokers, owner_policies,
    providers, resources, routing, service_apis, tokens,
};
use store::{Migrations, Store, StoreError, happenings, keys, subscriptions};

use crate::bench::Bench;

on_both!(
    an_enrolment_is_used_by_one_of_many,
    a_certificate_is_whose_its_row_says,
    a_domain_goes_with_its_functions,
    one_key_is_one_invoker,
    a_name_is_published_once_at_a_function,
    publishers_take_turns,
    one_entry_of_three_leaves_two,
    a_policy_for_one_comes_before_that_for_all,
    invocations_are_a_chain,
    invocations_are_found_by_any_filter,
    routing_is_replaced_and_dropped,
    a_policy_never_gets_older,
    an_owner_sees_what_is_his,
    one_question_is_open_for_each_requester,
    a_question_is_answered_once_and_in_time,
    a_withdrawal_finds_its_tokens,
    the_records_of_every_issuer_are_there,
);

const NOW: i64 = 1_800_000_000;

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::Ccf, Migrations::of(Function::Ccf)).await.unwrap()
}

/// A second node, where the engine can have one.
async fn another(bench: &Bench, store: &Store) -> Store {
    if bench.is_sqlite() { store.clone() } else { open(bench).await }
}

/// Runs statements in one job.
macro_rules! job {
    ($store:expr, |$tx:ident| $body:block) => {{
        let done: Result<_, StoreError> = $store
            .write(move |$tx| {
                Box::pin(async move {
                    let value = $body;
                    Ok(value)
                })
            })
            .await;
        done.unwrap()
    }};
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

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
        assert_eq!(enrolments::purge(tx, NOW + 100).await?, 0);
        assert_eq!(enrolments::purge(tx, NOW + 101).await?, 2);
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

fn api(id: &str, name: &str) -> ServiceApiRow {
    ServiceApiRow {
        api_id: id.into(),
        apf_id: "apf1".into(),
        registration_id: "r1".into(),
        api_name: name.into(),
        body: "{}".into(),
        version: 1,
        created_s: NOW,
    }
}

async fn a_name_is_published_once_at_a_function(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let both = strings(&["aef1", "aef2"]);
        assert_eq!(service_apis::version(tx).await?, 0);
        assert_eq!(service_apis::insert(tx, &api("a1", "san"), &both).await?, Write::Done);
        assert_eq!(service_apis::version(tx).await?, 1);
        assert_eq!(service_apis::insert(tx, &api("a2", "san"), &both[1..]).await?, Write::Taken);
        assert_eq!(service_apis::insert(tx, &api("a2", "san"), &strings(&["aef3"])).await?, Write::Done);
        assert_eq!(service_apis::insert(tx, &api("a3", "sm"), &both[..1]).await?, Write::Done);
        // A description may have no profile yet.
        assert_eq!(service_apis::insert(tx, &api("a4", "loc"), &[]).await?, Write::Done);

        let ids = |rows: Vec<ServiceApiRow>| rows.into_iter().map(|row| row.api_id).collect::<Vec<_>>();
        assert_eq!(service_apis::find(tx, "a1").await?, Some(api("a1", "san")));
        assert_eq!(service_apis::named(tx, "aef2", "san").await?, Some(api("a1", "san")));
        assert_eq!(service_apis::named(tx, "aef2", "sm").await?, None);
        assert_eq!(ids(service_apis::of_name(tx, "san").await?), ["a1", "a2"]);
        assert_eq!(ids(service_apis::of_aef(tx, "aef1").await?), ["a1", "a3"]);
        assert_eq!(ids(service_apis::of_apf(tx, "apf1", 3).await?), ["a1", "a2", "a3"]);
        assert_eq!(ids(service_apis::of_registration(tx, "r1").await?), ["a1", "a2", "a3", "a4"]);
        assert_eq!(ids(service_apis::page(tx, "a1", 2).await?), ["a2", "a3"]);
        assert_eq!(ids(service_apis::all(tx).await?), ["a1", "a2", "a3", "a4"]);
        assert_eq!(service_apis::count(tx, "r1").await?, 4);
        assert_eq!(service_apis::count(tx, "r2").await?, 0);

        // A change may leave a function, and not take the name of another there.
        let before = service_apis::version(tx).await?;
        let changed = ServiceApiRow { body: "{\"x\":1}".into(), ..api("a1", "san") };
        assert_eq!(service_apis::update(tx, &changed, &strings(&["aef1", "aef3"])).await?, Write::Taken);
        assert_eq!(service_apis::update(tx, &changed, &both[..1]).await?, Write::Done);
        assert_eq!(service_apis::update(tx, &changed, &both[..1]).await?, Write::Stale);
        assert_eq!(service_apis::find(tx, "a1").await?, Some(ServiceApiRow { version: 2, ..changed }));
        assert!(ids(service_apis::of_aef(tx, "aef2").await?).is_empty());
        assert!(service_apis::version(tx).await? > before);

        let before = service_apis::version(tx).await?;
        assert!(service_apis::delete(tx, "a1").await?);
        assert!(service_apis::version(tx).await? > before);
        let before = service_apis::version(tx).await?;
        assert!(!service_apis::delete(tx, "a1").await?);
        assert_eq!(service_apis::version(tx).await?, before);
        assert_eq!(service_apis::named(tx, "aef1", "san").await?, None);
    });
}

async fn publishers_take_turns(bench: Bench) {
    let store = open(&bench).await;
    let other = another(&bench, &store).await;
    let tries = (0..12).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        tokio::spawn(async move {
            job!(store, |tx| {
                service_apis::insert(tx, &api(&format!("a{n}"), "san"), &strings(&["aef1"])).await?
            })
        })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Write::Done => won += 1,
            Write::Taken => {}
            Write::Stale => panic!("nothing was changed"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(job!(store, |tx| { service_apis::all(tx).await?.len() }), 1);
}

fn entry(aef: &str, api: &str) -> ContextEntry {
    ContextEntry {
        aef_id: aef.into(),
        api_id: api.into(),
        api_name: format!("name-{api}"),
        method: "OAUTH".into(),
    }
}

fn context(invoker: &str) -> ContextRow {
    ContextRow { invoker_id: invoker.into(), body: "{}".into(), version: 0 }
}

async fn one_entry_of_three_leaves_two(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let all = [entry("aef1", "a1"), entry("aef1", "a2"), entry("aef1", "a3"), entry("aef2", "a1")];
        assert_eq!(contexts::put(tx, &context("i1"), &all, NOW).await?, 1);
        assert_eq!(contexts::put(tx, &context("i2"), &all[..1], NOW).await?, 1);
        assert_eq!(contexts::entries(tx, "i1").await?, all);
        assert_eq!(contexts::entries_at(tx, "i1", "aef2").await?, all[3..]);
        assert_eq!(contexts::held(tx, "i1").await?, contexts::find(tx, "i1").await?);

        assert!(contexts::remove_entry(tx, "i1", "aef1", "a2").await?);
        assert!(!contexts::remove_entry(tx, "i1", "aef1", "a2").await?);
        assert!(!contexts::remove_entry(tx, "i1", "aef2", "a3").await?);
        assert_eq!(contexts::entries_at(tx, "i1", "aef1").await?, [all[0].clone(), all[2].clone()]);
        assert_eq!(contexts::entries(tx, "i2").await?, all[..1], "that of another");
        assert_eq!(contexts::find(tx, "i1").await?.unwrap().version, 2);

        let gone = contexts::remove_entries(tx, "i1", "aef1", &strings(&["a3", "a9"])).await?;
        assert_eq!(gone, all[2..3]);
        assert!(contexts::remove_entries(tx, "i1", "aef1", &[]).await?.is_empty());
        let gone = contexts::remove_api(tx, "a1").await?;
        let whose: Vec<_> = gone.iter().map(|gone| (&*gone.invoker_id, &*gone.entry.aef_id)).collect();
        assert_eq!(whose, [("i1", "aef1"), ("i1", "aef2"), ("i2", "aef1")]);
        // Two entries of one context in one job are one change.
        assert_eq!(contexts::find(tx, "i1").await?.unwrap().version, 4);

        // Written anew: what was there before is not there any more.
        assert_eq!(contexts::put(tx, &context("i1"), &all[1..3], NOW).await?, 5);
        assert_eq!(contexts::entries(tx, "i1").await?, all[1..3]);
        assert!(contexts::put_body(tx, "i1", "{\"x\":1}", NOW).await?);
        assert!(!contexts::put_body(tx, "i9", "{}", NOW).await?);
        assert_eq!(contexts::find(tx, "i1").await?.unwrap().body, "{\"x\":1}");
        assert_eq!(contexts::remove_at(tx, "i1", "aef1").await?.len(), 2);
        assert!(contexts::remove_at(tx, "i1", "aef1").await?.is_empty());
        contexts::put(tx, &context("i1"), &all, NOW).await?;
        assert_eq!(contexts::remove_aef(tx, "aef2").await?.len(), 1);
        assert!(contexts::delete(tx, "i1").await?);
        assert!(!contexts::delete(tx, "i1").await?);
        assert!(contexts::entries(tx, "i1").await?.is_empty());
    });
}

async fn a_policy_for_one_comes_before_that_for_all(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let at = ("a1", "aef1");
        assert_eq!(access_control::version(tx).await?, 0);
        assert_eq!(access_control::put(tx, at, Some("i1"), "1").await?, 1);
        assert_eq!(access_control::put(tx, at, None, "all").await?, 2);
        assert_eq!(access_control::put(tx, at, Some("i1"), "2").await?, 3);
        access_control::put(tx, ("a2", "aef1"), Some("i1"), "3").await?;
        access_control::put(tx, ("a1", "aef2"), Some("i2"), "4").await?;
        let one = access_control::find(tx, at, Some("i1")).await?.unwrap();
        assert_eq!((one.body.as_str(), one.version, one.invoker_id.as_deref()), ("2", 3, Some("i1")));
        assert_eq!(access_control::find(tx, at, None).await?.unwrap().invoker_id, None);
        assert_eq!(access_control::find(tx, at, Some("i2")).await?, None);
        let bodies: Vec<_> = access_control::list(tx, at).await?.into_iter().map(|row| row.body).collect();
        assert_eq!(bodies, ["all", "2"]);
        assert!(access_control::delete(tx, at, None).await?);
        assert!(!access_control::delete(tx, at, None).await?);
        assert_eq!(access_control::version(tx).await?, 6);
        assert_eq!(access_control::delete_invoker(tx, "i1").await?, 2);
        assert_eq!(access_control::delete_api(tx, "a1").await?, 1);
        assert_eq!(access_control::delete_api(tx, "a1").await?, 0);
        assert_eq!(access_control::version(tx).await?, 8);
    });
}

fn invocation(invoker: &str, api: &str, at_ms: i64) -> InvocationRow {
    InvocationRow {
        log_id: "l1".into(),
        at_ms,
        aef_id: "aef1".into(),
        invoker_id: invoker.into(),
        api_id: api.into(),
        api_name: "san".into(),
        api_version: "v1".into(),
        resource_name: "lists".into(),
        protocol: "HTTP_2".into(),
        operation: Some("GET".into()),
        result: "200".into(),
        body: "{}".into(),
    }
}

async fn invocations_are_a_chain(bench: Bench) {
    let store = open(&bench).await;
    let other = another(&bench, &store).await;
    let writers = (0..8).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        tokio::spawn(async move {
            job!(store, |tx| {
                invocations::append_many(tx, vec![invocation("i1", "a1", n), invocation("i2", "a1", n)])
                    .await?
            })
        })
    });
    for one in writers.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    let whole = job!(store, |tx| { invocations::verify(tx).await? });
    assert_eq!((whole.checked, whole.intact()), (16, true));
    assert_eq!(job!(store, |tx| { invocations::append_many(tx, vec![]).await? }), 16);
    assert_eq!(job!(store, |tx| { invocations::head(tx).await? }), whole.head);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &'static str, u64); 6] = [
        ("edited", "UPDATE capif_invocation SET result = '500' WHERE seq = 3", 3),
        ("of another", "UPDATE capif_invocation SET invoker_id = 'i9' WHERE seq = 4", 4),
        ("without its method", "UPDATE capif_invocation SET operation = NULL WHERE seq = 5", 5),
        ("removed", "DELETE FROM capif_invocation WHERE seq = 6", 6),
        ("cut", "DELETE FROM capif_invocation WHERE seq = 16", 16),
        ("head set back", "UPDATE capif_invocation_head SET seq = 15", 16),
    ];
    for (what, spoil, broken) in rows {
        // What was spoilt to be looked at is rolled back.
        let found = store
            .write(move |tx| {
                Box::pin(async move {
                    tx.execute(spoil, &[]).await?;
                    Err::<(), _>(Outcome::Seen(invocations::verify(tx).await?.broken))
                })
            })
            .await;
        assert_eq!(found, Err(Outcome::Seen(Some(broken))), "{what}");
    }
    assert!(job!(store, |tx| { invocations::verify(tx).await?.intact() }));
}

/// Why a job was rolled back.
#[derive(Debug, PartialEq)]
enum Outcome {
    Seen(Option<u64>),
    Store(StoreError),
}

impl From<StoreError> for Outcome {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn invocations_are_found_by_any_filter(bench: Bench) {
    let store = open(&bench).await;
    type Spoil = fn(&mut InvocationFilter);
    job!(store, |tx| {
        let odd = InvocationRow {
            aef_id: "aef2".into(),
            api_name: "sm".into(),
            api_version: "v2".into(),
            resource_name: "maps".into(),
            protocol: "HTTP_1_1".into(),
            operation: None,
            result: "403".into(),
            ..invocation("i2", "a2", 20)
        };
        invocations::append_many(tx, vec![invocation("i1", "a1", 10), odd, invocation("i1", "a3", 30)])
            .await?;
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &[u64]); 14] = [
            ("all", |_| (), &[1, 2, 3]),
            ("aef", |f| f.aef_id = Some("aef2".into()), &[2]),
            ("invoker", |f| f.invoker_id = Some("i1".into()), &[1, 3]),
            ("from", |f| f.from_ms = Some(20), &[2, 3]),
            ("to", |f| f.to_ms = Some(20), &[1, 2]),
            ("from and to", |f| (f.from_ms, f.to_ms) = (Some(11), Some(29)), &[2]),
            ("api", |f| f.api_id = Some("a3".into()), &[3]),
            ("name", |f| f.api_name = Some("sm".into()), &[2]),
            ("version", |f| f.api_version = Some("v2".into()), &[2]),
            ("resource", |f| f.resource_name = Some("maps".into()), &[2]),
            ("protocol", |f| f.protocol = Some("HTTP_2".into()), &[1, 3]),
            ("method", |f| f.operation = Some("GET".into()), &[1, 3]),
            ("result", |f| f.result = Some("403".into()), &[2]),
            ("behind", |f| f.after = 1, &[2, 3]),
        ];
        for (what, spoil, seqs) in rows {
            let mut filter = InvocationFilter::default();
            spoil(&mut filter);
            let found = invocations::page(tx, &filter, 10).await?;
            assert_eq!(found.iter().map(|record| record.seq).collect::<Vec<_>>(), seqs, "{what}");
            assert_eq!(invocations::count(tx, &filter).await?, seqs.len() as u64, "{what}");
        }
        assert_eq!(invocations::page(tx, &InvocationFilter::default(), 2).await?.len(), 2);
    });
}

async fn routing_is_replaced_and_dropped(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        assert_eq!(routing::put(tx, "a1", "aef1", "x").await?, 1);
        assert_eq!(routing::put(tx, "a1", "aef1", "y").await?, 2);
        assert_eq!(routing::put(tx, "a1", "aef2", "z").await?, 1);
        assert_eq!(routing::find(tx, "a1", "aef1").await?.unwrap().body, "y");
        assert_eq!(routing::find(tx, "a2", "aef1").await?, None);
        assert!(routing::delete(tx, "a1", "aef1").await?);
        assert!(!routing::delete(tx, "a1", "aef1").await?);
        assert_eq!(routing::delete_api(tx, "a1").await?, 1);
    });
}

fn owner(name: &str) -> Owner {
    Owner { kind: OwnerKind::ApiInvoker, name: name.into() }
}

fn resource(aef: &str, id: &str, whose: &str, policy_version: u64) -> ResourceRow {
    ResourceRow {
        aef_id: aef.into(),
        resource_id: id.into(),
        resource_type: "3gpp_spatial_anchor".into(),
        api_id: "a1".into(),
        owner: owner(whose),
        policy_version,
        body: format!("{{\"v\":{policy_version}}}"),
        expires_s: Some(NOW + 10),
        changed_ms: NOW * 1000,
    }
}

async fn a_policy_never_gets_older(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let first = resource("aef1", "l/1", "i1", 5);
        assert_eq!(resources::put(tx, &first).await?, Told::Created);
        assert_eq!(resources::put(tx, &first).await?, Told::Same);
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("older", resource("aef1", "l/1", "i1", 4), Told::Stale),
            ("of another owner", resource("aef1", "l/1", "i2", 5), Told::Stale),
            ("other body", ResourceRow { body: "{}".into(), ..first.clone() }, Told::Stale),
        ];
        for (what, row, told) in rows {
            assert_eq!(resources::put(tx, &row).await?, told, "{what}");
            assert_eq!(resources::find(tx, "aef1", "l/1").await?, Some(first.clone()), "{what}");
        }
        assert_eq!(resources::put(tx, &resource("aef1", "l/1", "i1", 6)).await?, Told::Replaced);
        assert_eq!(resources::held(tx, "aef1", "l/1").await?.unwrap().policy_version, 6);
    });
    // Of many at once the newest remains, in whatever order they come.
    let other = another(&bench, &store).await;
    let writers = (7..31).map(|version| {
        let store = if version % 2 == 0 { store.clone() } else { other.clone() };
        tokio::spawn(async move {
            job!(store, |tx| { resources::put(tx, &resource("aef1", "l/1", "i1", version)).await? })
        })
    });
    for one in writers.collect::<Vec<_>>() {
        assert_ne!(one.await.unwrap(), Told::Created);
    }
    let last = job!(store, |tx| { resources::find(tx, "aef1", "l/1").await? });
    assert_eq!(last, Some(resource("aef1", "l/1", "i1", 30)));
}

async fn an_owner_sees_what_is_his(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        for (aef, id, whose) in
            [("aef1", "l/1", "i1"), ("aef1", "l/2", "i2"), ("aef1", "l/3", "i1"), ("aef2", "l/1", "i1")]
        {
            resources::put(tx, &resource(aef, id, whose, 1)).await?;
        }
        // A subscriber of the same name is somebody else.
        let person = Owner { kind: OwnerKind::Gpsi, name: "i1".into() };
        let map = ResourceRow {
            owner: person.clone(),
            resource_type: "3gpp_spatial_map".into(),
            expires_s: None,
            ..resource("aef2", "17", "", 1)
        };
        resources::put(tx, &map).await?;
        assert!(!format!("{map:?}").contains("i1"));
        let names = |rows: Vec<ResourceRow>| {
            rows.into_iter().map(|row| format!("{}:{}", row.aef_id, row.resource_id)).collect::<Vec<_>>()
        };
        let mine = resources::of_owner(tx, &owner("i1"), ("", ""), 2).await?;
        assert_eq!(names(mine), ["aef1:l/1", "aef1:l/3"]);
        let rest = resources::of_owner(tx, &owner("i1"), ("aef1", "l/3"), 2).await?;
        assert_eq!(names(rest), ["aef2:l/1"]);
        assert_eq!(names(resources::of_owner(tx, &person, ("", ""), 9).await?), ["aef2:17"]);

        let mut filter = ResourceFilter::default();
        assert_eq!(names(resources::page(tx, "aef1", &filter, "l/1", 9).await?), ["aef1:l/2", "aef1:l/3"]);
        filter.owner = Some(owner("i1"));
        assert_eq!(names(resources::page(tx, "aef1", &filter, "", 9).await?), ["aef1:l/1", "aef1:l/3"]);
        filter = ResourceFilter { owner: None, resource_type: Some("3gpp_spatial_map".into()) };
        assert_eq!(names(resources::page(tx, "aef2", &filter, "", 9).await?), ["aef2:17"]);

        let at = ("aef1", "l/1");
        assert_eq!(owner_policies::find(tx, at).await?, None);
        assert_eq!(owner_policies::put(tx, at, &owner("i1"), "[1]").await?, 1);
        assert_eq!(owner_policies::put(tx, at, &owner("i1"), "[2]").await?, 2);
        let kept = owner_policies::find(tx, at).await?.unwrap();
        assert_eq!((kept.owner, kept.body.as_str(), kept.version), (owner("i1"), "[2]", 2));
        // A policy that is told anew leaves the owner's own.
        resources::put(tx, &resource("aef1", "l/1", "i1", 2)).await?;
        assert!(owner_policies::find(tx, at).await?.is_some());
        assert!(owner_policies::delete(tx, at).await?);
        owner_policies::put(tx, at, &owner("i1"), "[3]").await?;

        assert_eq!(names(resources::over(tx, NOW + 10, 9).await?).len(), 4);
        assert!(resources::over(tx, NOW + 9, 9).await?.is_empty());
        assert!(resources::delete(tx, "aef1", "l/1").await?);
        assert!(!resources::delete(tx, "aef1", "l/1").await?);
        assert_eq!(owner_policies::find(tx, at).await?, None);
        assert_eq!(resources::delete_aef(tx, "aef1").await?.len(), 2);
    });
    let nowhere: Result<u64, StoreError> = store
        .write(|tx| Box::pin(async move { owner_policies::put(tx, ("aef9", "x"), &owner("i1"), "[]").await }))
        .await;
    assert!(matches!(nowhere, Err(StoreError::Constraint(_))), "{nowhere:?}");
}

fn ask(id: &str, resource: &str, invoker: &str) -> AskRow {
    AskRow {
        ask_id: id.into(),
        aef_id: "aef1".into(),
        resource_id: resource.into(),
        invoker_id: invoker.into(),
        actions: "[\"read\"]".into(),
        nonce_sha256: [7; 32],
        state: AskState::Open,
        expires_s: NOW + 300,
        until_s: None,
        decided_s: None,
        created_s: NOW,
    }
}

async fn one_question_is_open_for_each_requester(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        resources::put(tx, &resource("aef1", "l/1", "i1", 1)).await?;
        resources::put(tx, &resource("aef1", "l/2", "i1", 1)).await?;
        assert!(asks::open(tx, &ask("q1", "l/1", "i2")).await?);
        assert!(!asks::open(tx, &ask("q2", "l/1", "i2")).await?, "one is open");
        assert!(asks::open(tx, &ask("q3", "l/2", "i2")).await?, "another resource");
        assert!(asks::open(tx, &ask("q4", "l/1", "i3")).await?, "another requester");
        // In the second of its expiry the first is over, and a new one may be asked.
        let later = AskRow { created_s: NOW + 300, expires_s: NOW + 600, ..ask("q5", "l/1", "i2") };
        assert!(asks::open(tx, &later).await?);
        assert_eq!(asks::find(tx, "q1").await?.unwrap().state, AskState::Expired);
        let names = |rows: Vec<AskRow>| rows.into_iter().map(|row| row.ask_id).collect::<Vec<_>>();
        assert_eq!(names(asks::open_of_owner(tx, &owner("i1"), NOW, 9).await?), ["q3", "q4", "q5"]);
        assert_eq!(names(asks::open_of_owner(tx, &owner("i1"), NOW + 300, 9).await?), ["q5"]);
        assert!(asks::open_of_owner(tx, &owner("i2"), NOW, 9).await?.is_empty());
        assert_eq!(asks::count_since(tx, "i2", NOW).await?, 3);
        assert_eq!(asks::count_since(tx, "i2", NOW + 1).await?, 1);
        // A resource goes with the questions about it.
        resources::delete(tx, "aef1", "l/2").await?;
        assert_eq!(asks::find(tx, "q3").await?, None);
        assert_eq!(asks::delete_invoker(tx, "i2").await?, 2);
    });
    let other = another(&bench, &store).await;
    let tries = (0..8).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        tokio::spawn(async move {
            job!(store, |tx| { asks::open(tx, &ask(&format!("n{n}"), "l/1", "i9")).await? })
        })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
}

async fn a_question_is_answered_once_and_in_time(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        resources::put(tx, &resource("aef1", "l/1", "i1", 1)).await?;
        for (id, invoker) in [("once", "i2"), ("until", "i3"), ("no", "i4")] {
            assert!(asks::open(tx, &ask(id, "l/1", invoker)).await?);
        }
        let at = ("aef1", "l/1");
        assert!(!asks::decide(tx, "once", &[8; 32], (true, None), NOW).await?, "another nonce");
        assert!(!asks::decide(tx, "nobody", &[7; 32], (true, None), NOW).await?);
        assert!(!asks::decide(tx, "once", &[7; 32], (true, None), NOW + 300).await?, "too late");
        assert!(asks::decisions(tx, at, "i2", NOW).await?.is_empty());
        assert!(asks::decide(tx, "once", &[7; 32], (true, None), NOW + 299).await?);
        assert!(!asks::decide(tx, "once", &[7; 32], (false, None), NOW + 299).await?, "answered");
        assert!(asks::decide(tx, "until", &[7; 32], (true, Some(NOW + 900)), NOW).await?);
        assert!(asks::decide(tx, "no", &[7; 32], (false, None), NOW).await?);

        let states = |rows: Vec<AskRow>| rows.into_iter().map(|row| row.state).collect::<Vec<_>>();
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, i64, &[AskState]); 7] = [
            ("once", "i2", NOW + 299, &[AskState::Permitted]), ("once, over", "i2", NOW + 300, &[]),
            ("until", "i3", NOW + 899, &[AskState::Permitted]), ("until, over", "i3", NOW + 900, &[]),
            ("no", "i4", NOW + 299, &[AskState::Denied]), ("no, over", "i4", NOW + 300, &[]),
            ("another", "i5", NOW, &[]),
        ];
        for (what, invoker, now_s, expected) in rows {
            assert_eq!(states(asks::decisions(tx, at, invoker, now_s).await?), expected, "{what}");
        }
        assert!(asks::take(tx, "once").await?);
        assert!(!asks::take(tx, "once").await?);
        assert!(!asks::take(tx, "until").await?, "it counts for a time");
        assert!(!asks::take(tx, "no").await?);
        assert!(asks::decisions(tx, at, "i2", NOW).await?.is_empty());
        // A yes that still counts is kept.
        assert_eq!(asks::purge(tx, NOW + 301).await?, 2);
        assert_eq!(asks::purge(tx, NOW + 901).await?, 1);
    });
}

fn token(jti: &str, invoker: &str, aef: &str, apis: &[&str], resources: &[&str]) -> TokenRow {
    TokenRow {
        jti: jti.into(),
        invoker_id: invoker.into(),
        aef_id: aef.into(),
        apis: strings(apis),
        resources: strings(resources),
        permission: None,
        expires_s: NOW + 300,
    }
}

async fn a_withdrawal_finds_its_tokens(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        tokens::insert(tx, &token("t1", "i1", "aef1", &["san", "disc"], &["l/1", "l/2"])).await?;
        tokens::insert(tx, &token("t2", "i1", "aef2", &["san"], &["l/1"])).await?;
        let old = TokenRow { expires_s: NOW, ..token("t3", "i1", "aef1", &["san"], &["l/1"]) };
        tokens::insert(tx, &old).await?;
        let bound =
            TokenRow { permission: Some("p1".into()), ..token("t4", "i2", "aef1", &["san"], &["l/2"]) };
        tokens::insert(tx, &bound).await?;
        tokens::add_apis(tx, "t4", "aef3", &strings(&["sm"])).await?;

        assert_eq!(tokens::of_invoker(tx, "i1", NOW).await?, ["t1", "t2"]);
        assert_eq!(tokens::of_invoker(tx, "i1", NOW - 1).await?, ["t1", "t2", "t3"]);
        assert_eq!(tokens::of_invoker_at(tx, "i1", "aef1", NOW).await?, ["t1"]);
        assert_eq!(tokens::of_api(tx, "i1", "aef1", "disc", NOW).await?, ["t1"]);
        assert!(tokens::of_api(tx, "i1", "aef2", "disc", NOW).await?.is_empty());
        assert!(tokens::of_api(tx, "i2", "aef1", "disc", NOW).await?.is_empty());
        assert_eq!(tokens::of_any(tx, "aef1", "san", NOW).await?, ["t1", "t4"]);
        assert_eq!(tokens::of_any(tx, "aef3", "sm", NOW).await?, ["t4"]);
        assert_eq!(tokens::of_aef(tx, "aef1", NOW).await?, ["t1", "t4"]);
        assert_eq!(tokens::of_resource(tx, "aef1", "l/1", NOW).await?, ["t1"]);
        assert_eq!(tokens::of_resource(tx, "aef1", "l/2", NOW).await?, ["t1", "t4"]);
        assert!(tokens::of_resource(tx, "aef1", "l", NOW).await?.is_empty());
        assert_eq!(tokens::of_permission(tx, "p1", NOW).await?, ["t4"]);

        assert!(tokens::delete(tx, "t1").await?);
        assert!(!tokens::delete(tx, "t1").await?);
        assert!(tokens::of_resource(tx, "aef1", "l/1", NOW).await?.is_empty());
        assert_eq!(tokens::purge(tx, NOW, 10).await?, 0);
        assert_eq!(tokens::purge(tx, NOW + 301, 1).await?, 1);
        assert_eq!(tokens::purge(tx, NOW + 301, 10).await?, 2);
    });
}

/// Keys, subscriptions and what happened are kept by the functions of every other schema.
async fn the_records_of_every_issuer_are_there(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        assert!(keys::all(tx).await?.is_empty());
        assert_eq!(keys::secret_or(tx, "pairwise", &[1]).await?, [1]);
        assert!(!subscriptions::any(tx, "capif-events").await?);
        let note = happenings::Happening {
            kind: "SERVICE_API_AVAILABLE".into(),
            body: "{}".into(),
            at_ms: NOW * 1000,
            trace: None,
        };
        happenings::note(tx, &note).await?;
        assert_eq!(happenings::take(tx, 10).await?, [note]);
    });
}
