//! Service APIs, security contexts, access control, routing.

use store::capif::contexts::{ContextEntry, ContextRow};
use store::capif::service_apis::ServiceApiRow;
use store::capif::{Write, access_control, contexts, routing, service_apis};

use super::{NOW, another, open, strings};
use crate::bench::Bench;

on_both!(
    a_name_is_published_once_at_a_function,
    publishers_take_turns,
    one_entry_of_three_leaves_two,
    a_policy_for_one_comes_before_that_for_all,
    routing_is_replaced_and_dropped,
);

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
        let heads =
            [("a1", 2), ("a2", 1), ("a3", 1), ("a4", 1)].map(|(id, version)| (id.to_owned(), version));
        assert_eq!(service_apis::heads(tx).await?, heads);

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

        contexts::put(tx, &context("i2"), &all, NOW).await?;
        let gone = contexts::remove_api_at(tx, "aef1", "a1").await?;
        assert_eq!(gone.iter().map(|gone| &gone.entry).collect::<Vec<_>>(), [&all[0]]);
        assert_eq!(contexts::entries_at(tx, "i2", "aef2").await?, all[3..]);

        // Written anew: what was there before is not there any more.
        assert_eq!(contexts::put(tx, &context("i1"), &all[1..3], NOW).await?, 5);
        assert_eq!(contexts::entries(tx, "i1").await?, all[1..3]);
        assert!(contexts::put_body(tx, "i1", "{\"x\":1}", NOW).await?);
        assert!(!contexts::put_body(tx, "i9", "{}", NOW).await?);
        assert_eq!(contexts::find(tx, "i1").await?.unwrap().body, "{\"x\":1}");
        assert_eq!(contexts::remove_at(tx, "i1", "aef1").await?.len(), 2);
        assert!(contexts::remove_at(tx, "i1", "aef1").await?.is_empty());
        contexts::put(tx, &context("i1"), &all, NOW).await?;
        assert_eq!(contexts::remove_aef(tx, "aef2").await?.len(), 2);
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
