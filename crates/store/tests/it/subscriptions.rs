//! Subscriptions, what happened and was not yet told, registrations, ranges and usage, on both engines.

use api_types::function::Function;
use store::anchors::in_range::{self, Part};
use store::anchors::positions::{self, UePosition};
use store::anchors::usage::{self, Usage};
use store::happenings::{self, Happening};
use store::registrations::{self, RegistrationRow};
use store::spatial_index::GeoBox;
use store::subscriptions::{self, SubscriptionRow};
use store::{Migrations, Store};

use crate::bench::{Bench, write};

on_both!(
    a_subscription_lives_until_its_end_or_its_last_report,
    what_happened_is_taken_once,
    a_registration_ends,
    a_range_is_remembered_for_its_subscription,
    usage_is_counted,
    ues_are_found_by_their_place,
);

const NOW: i64 = 1_800_000_000;

async fn open(bench: &Bench, function: Function) -> Store {
    Store::open(&bench.cfg, function, Migrations::of(function)).await.unwrap()
}

fn subscription(sub_id: &str) -> SubscriptionRow {
    SubscriptionRow {
        sub_id: sub_id.to_owned(),
        family: "anchors".to_owned(),
        owner_issuer: "https://sim.example".to_owned(),
        owner_subject: "vs-1".to_owned(),
        owner_name: "vs-1".to_owned(),
        client: "vs-1".to_owned(),
        standing: "{}".to_owned(),
        body: "{}".to_owned(),
        version: 1,
        state: "{}".to_owned(),
        reports: 0,
        reports_max: None,
        ends_s: None,
        next_s: None,
        ended_s: None,
        trace: None,
        created_s: NOW,
    }
}

fn names(rows: Vec<SubscriptionRow>) -> Vec<String> {
    rows.into_iter().map(|row| row.sub_id).collect()
}

async fn a_subscription_lives_until_its_end_or_its_last_report(bench: Bench) {
    for function in [Function::San, Function::Sm] {
        let store = open(&bench, function).await;
        let seen = write(&store, |tx| {
            Box::pin(async move {
                assert!(!subscriptions::any(tx, "anchors").await?);
                subscriptions::insert(tx, &subscription("a")).await?;
                let ending = SubscriptionRow { ends_s: Some(NOW + 10), ..subscription("b") };
                subscriptions::insert(tx, &ending).await?;
                let periodic = SubscriptionRow { next_s: Some(NOW + 5), ..subscription("c") };
                subscriptions::insert(tx, &periodic).await?;
                let other = SubscriptionRow { family: "usage".to_owned(), ..subscription("d") };
                subscriptions::insert(tx, &other).await?;
                assert!(subscriptions::any(tx, "anchors").await?);
                assert_eq!(subscriptions::count(tx, "https://sim.example", "vs-1").await?, 4);
                let whose = ("https://sim.example", "vs-1");
                assert_eq!(names(subscriptions::of_owner(tx, "usage", whose, NOW).await?), ["d"]);
                assert!(subscriptions::of_owner(tx, "usage", ("", "vs-1"), NOW).await?.is_empty());

                assert_eq!(names(subscriptions::page(tx, "anchors", "", NOW + 9, 9).await?), ["a", "b", "c"]);
                assert_eq!(names(subscriptions::page(tx, "anchors", "a", NOW + 10, 9).await?), ["c"]);
                assert_eq!(subscriptions::live(tx, "anchors", "b", NOW + 10).await?, None);
                assert_eq!(subscriptions::live(tx, "usage", "a", NOW).await?, None, "of another kind");
                assert_eq!(names(subscriptions::due(tx, NOW + 4, 9).await?), [""; 0]);
                assert_eq!(names(subscriptions::due(tx, NOW + 5, 9).await?), ["c"]);

                let a = subscriptions::live(tx, "anchors", "a", NOW).await?.unwrap();
                assert_eq!(a, subscription("a"));
                let changed = SubscriptionRow { body: "{\"x\":1}".to_owned(), ..a.clone() };
                assert!(subscriptions::update(tx, &changed).await?);
                assert!(!subscriptions::update(tx, &changed).await?, "of a version that is gone");
                let last = SubscriptionRow { reports: 1, ended_s: Some(NOW), ..changed };
                subscriptions::reported(tx, &last).await?;
                assert_eq!(subscriptions::live(tx, "anchors", "a", NOW).await?, None);
                let told = subscriptions::told(tx, "a", NOW).await?.unwrap();
                assert_eq!((told.reports, told.version), (1, 2));

                assert_eq!(subscriptions::sweep(tx, NOW + 9, NOW - 1).await?, 0);
                assert_eq!(
                    subscriptions::sweep(tx, NOW + 10, NOW).await?,
                    2,
                    "the end of one, the last report of one"
                );
                assert!(subscriptions::remove(tx, "c").await?);
                assert!(!subscriptions::remove(tx, "c").await?);
                subscriptions::count(tx, "https://sim.example", "vs-1").await
            })
        });
        assert_eq!(seen.await, Ok(1), "{}", function.as_str());
    }
}

async fn what_happened_is_taken_once(bench: Bench) {
    let store = open(&bench, Function::San).await;
    let happening =
        |kind: &str| Happening { kind: kind.to_owned(), body: "{}".to_owned(), at_ms: 7, trace: None };
    for kind in ["one", "two", "three"] {
        let noted = happening(kind);
        write(&store, move |tx| Box::pin(async move { happenings::note(tx, &noted).await })).await.unwrap();
    }
    // What is undone was not taken.
    let undone = write::<(), _>(&store, |tx| {
        Box::pin(async move {
            assert_eq!(happenings::take(tx, 9).await?.len(), 3);
            Err(store::StoreError::Damaged("by the suite"))
        })
    });
    assert!(undone.await.is_err());
    let taken = write(&store, |tx| Box::pin(happenings::take(tx, 2))).await.unwrap();
    assert_eq!(taken, [happening("one"), happening("two")]);
    let rest = write(&store, |tx| Box::pin(happenings::take(tx, 2))).await.unwrap();
    assert_eq!(rest, [happening("three")]);
    assert_eq!(write(&store, |tx| Box::pin(happenings::take(tx, 2))).await, Ok(vec![]));
}

async fn a_registration_ends(bench: Bench) {
    let store = open(&bench, Function::Sm).await;
    let one = |reg_id: &str, ends_s| RegistrationRow {
        reg_id: reg_id.to_owned(),
        family: "smas".to_owned(),
        owner_issuer: "https://sim.example".to_owned(),
        owner_subject: "vs-1".to_owned(),
        owner_name: "vs-1".to_owned(),
        client: "vs-1".to_owned(),
        body: "{}".to_owned(),
        version: 1,
        ends_s,
        created_s: NOW,
    };
    let (always, ending) = (one("a", None), one("b", Some(NOW + 10)));
    let done = write(&store, |tx| {
        Box::pin(async move {
            registrations::insert(tx, &always).await?;
            registrations::insert(tx, &ending).await?;
            assert_eq!(registrations::page(tx, "smas", "", NOW + 9, 9).await?.len(), 2);
            assert_eq!(registrations::page(tx, "smas", "", NOW + 10, 9).await?, [always]);
            assert_eq!(registrations::live(tx, "smas", "b", NOW + 10).await?, None);
            assert_eq!(registrations::live(tx, "other", "b", NOW).await?, None);
            let owner = ("https://sim.example", "vs-1");
            assert_eq!(registrations::count(tx, "smas", owner.0, owner.1).await?, 2);
            let of_owner = registrations::of_owner(tx, "smas", owner, NOW + 9, 1).await?;
            assert_eq!(of_owner.iter().map(|row| row.reg_id.as_str()).collect::<Vec<_>>(), ["a"]);
            assert_eq!(registrations::of_owner(tx, "smas", owner, NOW + 9, 9).await?.len(), 2);
            assert_eq!(registrations::of_owner(tx, "smas", owner, NOW + 10, 9).await?.len(), 1);
            assert_eq!(registrations::of_owner(tx, "smas", (owner.0, "vs-2"), NOW, 9).await?, []);
            let renewed = RegistrationRow { ends_s: Some(NOW + 20), ..ending };
            assert!(registrations::update(tx, &renewed).await?);
            assert!(!registrations::update(tx, &renewed).await?, "of a version that is gone");
            assert_eq!(registrations::sweep(tx, NOW + 10).await?, 0);
            assert_eq!(registrations::sweep(tx, NOW + 20).await?, 1);
            assert!(registrations::remove(tx, "a").await?);
            registrations::remove(tx, "a").await
        })
    });
    assert_eq!(done.await, Ok(false));
}

async fn a_range_is_remembered_for_its_subscription(bench: Bench) {
    let store = open(&bench, Function::San).await;
    let done = write(&store, |tx| {
        Box::pin(async move {
            subscriptions::insert(tx, &subscription("a")).await?;
            let (first, second) = (Part { sub_id: "a", part: 0 }, Part { sub_id: "a", part: 1 });
            for (part, ue, anchor_id) in
                [(first, "ue-1", 7), (first, "ue-1", 8), (first, "ue-2", 7), (second, "", 7)]
            {
                in_range::enter(tx, part, ue, anchor_id).await?;
                in_range::enter(tx, part, ue, anchor_id).await?;
            }
            assert_eq!(in_range::of_ue(tx, first, "ue-1").await?, [7, 8].into());
            assert_eq!(
                in_range::of_anchor(tx, first, 7).await?,
                ["ue-1".to_owned(), "ue-2".to_owned()].into()
            );
            in_range::leave(tx, first, "ue-1", 7).await?;
            assert_eq!(in_range::of_ue(tx, first, "ue-1").await?, [8].into());
            assert_eq!(in_range::of_ue(tx, second, "").await?, [7].into());
            in_range::clear(tx, "a").await?;
            assert!(in_range::of_ue(tx, first, "ue-2").await?.is_empty());
            in_range::enter(tx, first, "ue-1", 7).await?;
            subscriptions::remove(tx, "a").await?;
            in_range::of_ue(tx, first, "ue-1").await
        })
    });
    assert!(done.await.unwrap().is_empty(), "gone with its subscription");
}

async fn usage_is_counted(bench: Bench) {
    let store = open(&bench, Function::San).await;
    let done = write(&store, |tx| {
        Box::pin(async move {
            let one = |discovered, accessed| Usage { discovered, accessed };
            usage::add(tx, &[(7, one(2, 0)), (8, one(1, 0)), (7, one(0, 5))]).await?;
            usage::add(tx, &[(7, one(1, 1))]).await?;
            Ok((
                usage::of_anchor(tx, 7).await?,
                usage::of_anchor(tx, 8).await?,
                usage::of_anchor(tx, 9).await?,
            ))
        })
    });
    let one = |discovered, accessed| Usage { discovered, accessed };
    assert_eq!(done.await, Ok((one(3, 6), one(1, 0), one(0, 0))));
}

async fn ues_are_found_by_their_place(bench: Bench) {
    let store = open(&bench, Function::Sm).await;
    let done = write(&store, |tx| {
        Box::pin(async move {
            for (ue, lon, lat) in [("ue-1", 2.0, 48.0), ("ue-2", 2.5, 48.5), ("ue-3", 3.5, 48.5)] {
                positions::put(tx, ue, &UePosition { lon, lat, alt: None, at_s: NOW }).await?;
            }
            let area = GeoBox { min_lon: 2.0, min_lat: 48.0, max_lon: 3.0, max_lat: 49.0 };
            let all = positions::within(tx, &area, "", 9).await?;
            let next = positions::within(tx, &area, "ue-1", 9).await?;
            let first = positions::within(tx, &area, "", 1).await?;
            let names =
                |found: Vec<(String, UePosition)>| found.into_iter().map(|(ue, _)| ue).collect::<Vec<_>>();
            Ok((names(all), names(next), names(first)))
        })
    });
    let (all, next, first) = done.await.unwrap();
    assert_eq!(
        (all, next, first),
        (vec!["ue-1".into(), "ue-2".into()], vec!["ue-2".into()], vec!["ue-1".to_owned()])
    );
}
