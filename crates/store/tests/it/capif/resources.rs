//! Resources, the policies of their owners, and questions to them.

use store::StoreError;
use store::capif::asks::{AskRow, AskState};
use store::capif::resources::{Owner, OwnerKind, ResourceFilter, ResourceRow, Told};
use store::capif::{asks, owner_policies, resources};

use super::{NOW, another, open};
use crate::bench::Bench;

on_both!(
    a_policy_never_gets_older,
    an_owner_sees_what_is_his,
    one_question_is_open_for_each_requester,
    a_question_is_answered_once_and_in_time,
);

pub(super) fn owner(name: &str) -> Owner {
    Owner { kind: OwnerKind::ApiInvoker, name: name.into() }
}

pub(super) fn resource(aef: &str, id: &str, whose: &str, policy_version: u64) -> ResourceRow {
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
        assert_eq!(resources::hold_owner(tx, &person).await?, 1);
        assert_eq!(names(resources::delete_owner(tx, &person, 9).await?), ["aef2:17"]);
        assert!(resources::delete_owner(tx, &person, 9).await?.is_empty());
        assert!(resources::find(tx, "aef2", "l/1").await?.is_some(), "of another kind of owner");
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
        let open = asks::open_of(tx, ("aef1", "l/1"), "i2", NOW).await?;
        assert_eq!(open.map(|row| row.ask_id), Some("q1".to_owned()));
        assert_eq!(asks::open_of(tx, ("aef1", "l/1"), "i2", NOW + 300).await?, None);
        assert_eq!(asks::open_of(tx, ("aef1", "l/1"), "i3", NOW).await?, None);
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
        assert!(asks::decide(tx, "no", &[7; 32], (false, Some(NOW + 900)), NOW).await?);

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
