//! Outbox, revocation log and leases.

use store::leases::{self, LeaseRow};
use store::outbox::{self, Message, Retry};
use store::revocations::{self, Revocation};

use crate::bench::{Bench, write};

on_both!(
    a_message_goes_with_its_transaction,
    two_nodes_never_hold_one_message,
    a_message_dies_after_its_last_attempt,
    epochs_have_no_gap,
    what_expired_is_dropped_below_a_floor,
    a_lease_is_never_shortened,
);

fn message(id: &str, due_ms: i64) -> Message {
    Message {
        id: id.to_owned(),
        kind: "SPATIAL_MAP_READY".to_owned(),
        client: "vs-1".to_owned(),
        target: "https://callback.example/1".to_owned(),
        body: "{}".to_owned(),
        trace: None,
        queued_ms: 1,
        due_ms,
    }
}

async fn claim(store: &store::Store, node: &'static str, now_ms: i64, limit: u32) -> Vec<String> {
    let due =
        write(store, move |tx| Box::pin(outbox::due(tx, node, now_ms, now_ms + 100, limit))).await.unwrap();
    due.into_iter().map(|due| due.message.id).collect()
}

async fn a_message_goes_with_its_transaction(bench: Bench) {
    let store = bench.open().await;
    let undone = write::<(), _>(&store, |tx| {
        Box::pin(async move {
            outbox::queue(tx, &message("undone", 0)).await?;
            Err(store::StoreError::Damaged("by the suite"))
        })
    });
    assert!(undone.await.is_err());
    let queued = write(&store, |tx| {
        Box::pin(async move {
            let late = outbox::queue(tx, &message("late", 50)).await?;
            let first = outbox::queue(tx, &message("a", 10)).await?;
            let again = outbox::queue(tx, &message("a", 10)).await?;
            Ok((late, first, again))
        })
    });
    assert_eq!(queued.await, Ok((true, true, false)));
    assert_eq!(store.read(|sql| Box::pin(outbox::next_due_ms(sql))).await, Ok(Some(10)));
    assert_eq!(claim(&store, "n1", 9, 10).await, [""; 0]);
    assert_eq!(claim(&store, "n1", 10, 10).await, ["a"]);
    assert_eq!(store.read(|sql| Box::pin(outbox::next_due_ms(sql))).await, Ok(Some(50)));
    assert!(write(&store, |tx| Box::pin(outbox::done(tx, "a", "n1"))).await.unwrap());
    assert!(write(&store, |tx| Box::pin(outbox::cancel(tx, "late"))).await.unwrap());
    assert_eq!(store.read(|sql| Box::pin(outbox::next_due_ms(sql))).await, Ok(None));
}

async fn two_nodes_never_hold_one_message(bench: Bench) {
    let (one, two) = (bench.open().await, bench.open().await);
    write(&one, |tx| {
        Box::pin(async move {
            for i in 0..40 {
                outbox::queue(tx, &message(&format!("m{i:02}"), 0)).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    let drain = |store: store::Store, node: &'static str| {
        tokio::spawn(async move {
            let mut held = Vec::new();
            loop {
                let more = claim(&store, node, 10, 3).await;
                if more.is_empty() {
                    return held;
                }
                held.extend(more);
            }
        })
    };
    let (first, second) = (drain(one.clone(), "n1"), drain(two.clone(), "n2"));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let mut all: Vec<_> = first.iter().chain(&second).cloned().collect();
    all.sort();
    assert_eq!(all, (0..40).map(|i| format!("m{i:02}")).collect::<Vec<_>>());
    // The claim of the first node runs out at 110, that boundary included.
    assert_eq!(claim(&two, "n2", 109, 50).await, [""; 0]);
    assert_eq!(claim(&two, "n2", 110, 50).await.len(), 40);
    // Whoever lost its claim neither completes nor postpones what another node holds.
    let lost = write(&one, |tx| Box::pin(outbox::done(tx, "m00", "n1")));
    assert_eq!(lost.await, Ok(false));
    let lost = write(&one, |tx| Box::pin(outbox::retry(tx, "m00", "n1", 500, 3, "late")));
    assert_eq!(lost.await, Ok(Retry::NotOurs));
    assert_eq!(write(&two, |tx| Box::pin(outbox::done(tx, "m00", "n2"))).await, Ok(true));
}

async fn a_message_dies_after_its_last_attempt(bench: Bench) {
    let store = bench.open().await;
    write(&store, |tx| Box::pin(async move { outbox::queue(tx, &message("m", 0)).await })).await.unwrap();
    for (attempt, fate) in [(1_i64, Retry::Again), (2, Retry::Again), (3, Retry::Dead)] {
        let now = attempt * 1000;
        assert_eq!(claim(&store, "n1", now, 10).await, ["m"], "attempt {attempt}");
        let failed = write(&store, move |tx| {
            Box::pin(async move { outbox::retry(tx, "m", "n1", now + 500, 3, &"x".repeat(300)).await })
        });
        assert_eq!(failed.await, Ok(fate));
        assert_eq!(claim(&store, "n1", now + 499, 10).await, [""; 0], "before it is due");
    }
    assert_eq!(claim(&store, "n1", 1_000_000, 10).await, [""; 0]);
    let dead = store.read(|sql| Box::pin(outbox::dead(sql, "", 10))).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].attempts, dead[0].error.as_ref().map(String::len)), (3, Some(200)));
}

fn revocation(value: &str) -> Revocation {
    Revocation {
        kind: "token".to_owned(),
        value: value.to_owned(),
        issuer: "https://sim.example".to_owned(),
        at_ms: 7,
        expires_s: None,
    }
}

async fn what_expired_is_dropped_below_a_floor(bench: Bench) {
    let store = bench.open().await;
    let expiring = |value: &str, expires_s| Revocation { expires_s, ..revocation(value) };
    let entries = [
        expiring("a", Some(10)),
        expiring("for good", None),
        expiring("b", Some(20)),
        expiring("c", Some(30)),
        expiring("d", Some(10)),
        expiring("e", Some(30)),
    ];
    write(&store, move |tx| Box::pin(async move { revocations::append_many(tx, &entries).await }))
        .await
        .unwrap();
    let left = async || {
        let rows = store.read(|sql| Box::pin(revocations::after(sql, 0, 100))).await.unwrap();
        let floor = store.read(|sql| Box::pin(revocations::floor(sql))).await.unwrap();
        (floor, rows.into_iter().map(|row| row.epoch).collect::<Vec<_>>())
    };
    let purge = async |before_s, limit| {
        write(&store, move |tx| Box::pin(async move { revocations::purge(tx, before_s, limit).await }))
            .await
            .unwrap()
    };
    assert_eq!((purge(10, 9).await, left().await), (0, (0, vec![1, 2, 3, 4, 5, 6])));
    assert_eq!((purge(11, 1).await, left().await), (1, (1, vec![2, 3, 4, 5, 6])), "no more than asked for");
    assert_eq!((purge(21, 9).await, left().await), (2, (5, vec![2, 4, 6])));
    assert_eq!((purge(31, 9).await, left().await), (2, (6, vec![2])));
    assert_eq!((purge(i64::MAX, 9).await, left().await), (0, (6, vec![2])), "what is for good stays");
    let next = write(&store, |tx| Box::pin(async move { revocations::append(tx, &revocation("f")).await }));
    assert_eq!(next.await, Ok(7), "an epoch is never used twice");
}

async fn epochs_have_no_gap(bench: Bench) {
    let nodes = [bench.open().await, bench.open().await];
    assert_eq!(nodes[0].read(|sql| Box::pin(revocations::epoch(sql))).await, Ok(0));
    let revokers: Vec<_> = (0..20)
        .map(|i| {
            let store = nodes[i % 2].clone();
            tokio::spawn(async move {
                write(&store, move |tx| {
                    Box::pin(async move {
                        let entries = [revocation(&format!("a{i}")), revocation(&format!("b{i}"))];
                        revocations::append_many(tx, &entries).await
                    })
                })
                .await
                .unwrap()
            })
        })
        .collect();
    for revoker in revokers {
        assert_eq!(revoker.await.unwrap() % 2, 0, "the two of one job are neighbours");
    }
    let undone = write::<(), _>(&nodes[0], |tx| {
        Box::pin(async move {
            revocations::append(tx, &revocation("undone")).await?;
            Err(store::StoreError::Damaged("by the suite"))
        })
    });
    assert!(undone.await.is_err());
    let mut epochs = Vec::new();
    while let Some(last) = Some(epochs.last().copied().unwrap_or(0)) {
        let page = nodes[1].read(move |sql| Box::pin(revocations::after(sql, last, 7))).await.unwrap();
        if page.is_empty() {
            break;
        }
        epochs.extend(page.iter().map(|record| record.epoch));
    }
    assert_eq!(epochs, (1..=40).collect::<Vec<u64>>());
    let newest = async |value: &'static str| {
        let issuer = "https://sim.example";
        nodes[0].read(move |sql| Box::pin(revocations::newest(sql, "token", value, issuer))).await.unwrap()
    };
    assert!(newest("a3").await.is_some());
    assert_eq!(newest("undone").await, None);
    assert_eq!(
        write(&nodes[0], |tx| Box::pin(async move { revocations::append_many(tx, &[]).await })).await,
        Ok(40)
    );
}

async fn a_lease_is_never_shortened(bench: Bench) {
    let store = bench.open().await;
    let renew = async |verifier: &str, confirmed, lease_until_ms| {
        let lease = LeaseRow {
            issuer: "https://sim.example".to_owned(),
            verifier: verifier.to_owned(),
            node: "n1".to_owned(),
            confirmed,
            lease_until_ms,
        };
        write(&store, move |tx| Box::pin(async move { leases::renew(tx, &lease).await })).await.unwrap();
    };
    let held = async |issuer: &'static str| {
        let rows = store.read(move |sql| Box::pin(leases::holders(sql, issuer))).await.unwrap();
        rows.into_iter().map(|row| (row.verifier, row.confirmed, row.lease_until_ms)).collect::<Vec<_>>()
    };
    renew("san", 5, 2000).await;
    renew("sm", 5, 1500).await;
    renew("san", 3, 1000).await;
    let expected = [("san".to_owned(), 3, 2000), ("sm".to_owned(), 5, 1500)];
    assert_eq!(held("https://sim.example").await, expected);
    assert_eq!(held("https://other.example").await, []);
    assert_eq!(write(&store, |tx| Box::pin(leases::purge(tx, 2000, 10))).await, Ok(1));
    assert_eq!(held("https://sim.example").await, expected[..1]);
}
