//! The audit chain and the charging records.

use api_types::function::Function;
use store::audit::{self, AuditFilter, AuditRow, GENESIS, Verification};
use store::charging::{self, ChargingRow};
use store::{Store, StoreError, params};

use crate::bench::{Bench, write};

on_both!(
    every_tampering_is_found,
    the_chain_is_one_for_all_nodes,
    a_rolled_back_decision_leaves_no_gap,
    pages_are_filtered,
    a_long_chain_is_streamed,
    charging_has_no_gap_and_no_double,
);

fn decision(i: u64) -> AuditRow {
    AuditRow {
        at_ms: 1_800_000_000_000,
        function: Function::San,
        actor: format!("client-{}", i % 3),
        owner: i.is_multiple_of(2).then(|| "vs-1".to_owned()),
        action: "ssan-disc".to_owned(),
        object: Some(format!("list-{}", i % 5)),
        verdict: "DENY".to_owned(),
        reason: Some("NOT_VISIBLE".to_owned()),
        cause: Some("RESOURCE_NOT_FOUND".to_owned()),
        status: Some(404),
        policy_version: Some(i),
        consent_version: None,
        trace: Some(format!("trace-{i}")),
    }
}

async fn append(store: &Store, numbers: std::ops::RangeInclusive<u64>) -> u64 {
    let rows: Vec<_> = numbers.map(decision).collect();
    write(store, move |tx| Box::pin(async move { audit::append_many(tx, &rows).await })).await.unwrap()
}

async fn verify(store: &Store) -> Verification {
    store.read(|sql| Box::pin(audit::verify(sql))).await.unwrap()
}

async fn execute(store: &Store, statements: &'static [&'static str]) {
    let ran = write(store, move |tx| {
        Box::pin(async move {
            for sql in statements {
                tx.execute(sql, &[]).await?;
            }
            Ok(())
        })
    });
    ran.await.unwrap();
}

/// Whoever can write to the database spoils one thing; the verification names the first place that is wrong.
async fn every_tampering_is_found(bench: Bench) {
    let store = bench.open().await;
    assert!(verify(&store).await.intact(), "an empty chain");
    assert_eq!(append(&store, 1..=10).await, 10);
    let sound = verify(&store).await;
    assert_eq!((sound.checked, sound.broken, sound.head.seq), (10, None, 10));
    execute(
        &store,
        &["CREATE TABLE kept AS SELECT * FROM audit", "CREATE TABLE kept_head AS SELECT * FROM audit_head"],
    )
    .await;
    const FORGED: &str = "INSERT INTO audit (seq, at_ms, function, actor, action, verdict, prev, hash) \
                          SELECT 11, at_ms, function, actor, action, verdict, hash, prev FROM audit WHERE seq = 10";
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &'static [&'static str], u64); 19] = [
        ("actor edited", &["UPDATE audit SET actor = 'eve' WHERE seq = 4"], 4),
        ("time edited", &["UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 1"], 1),
        ("verdict edited", &["UPDATE audit SET verdict = 'PERMIT' WHERE seq = 10"], 10),
        ("reason dropped", &["UPDATE audit SET reason = NULL WHERE seq = 3"], 3),
        ("empty instead of absent", &["UPDATE audit SET owner = '' WHERE seq = 3"], 3),
        ("member moved to its neighbour", &["UPDATE audit SET reason = cause, cause = reason WHERE seq = 2"], 2),
        ("status edited", &["UPDATE audit SET status = 403 WHERE seq = 6"], 6),
        ("status out of range", &["UPDATE audit SET status = 70000 WHERE seq = 6"], 6),
        ("policy version edited", &["UPDATE audit SET policy_version = 0 WHERE seq = 6"], 6),
        ("consent version added", &["UPDATE audit SET consent_version = 1 WHERE seq = 6"], 6),
        ("unknown function", &["UPDATE audit SET function = 'nobody' WHERE seq = 6"], 6),
        ("hash edited", &["UPDATE audit SET hash = prev WHERE seq = 7"], 7),
        ("prev edited", &["UPDATE audit SET prev = hash WHERE seq = 7"], 7),
        ("first removed", &["DELETE FROM audit WHERE seq = 1"], 1),
        ("one removed", &["DELETE FROM audit WHERE seq = 5"], 5),
        ("one removed and the rest moved up",
         &["DELETE FROM audit WHERE seq = 5", "UPDATE audit SET seq = -seq WHERE seq > 5",
           "UPDATE audit SET seq = -seq - 1 WHERE seq < 0"], 5),
        ("two exchanged",
         &["UPDATE audit SET seq = 99 WHERE seq = 8", "UPDATE audit SET seq = 8 WHERE seq = 9",
           "UPDATE audit SET seq = 9 WHERE seq = 99"], 8),
        ("one inserted before the first", &["UPDATE audit SET seq = 0 WHERE seq = 10"], 1),
        ("one inserted behind the head", &[FORGED], 11),
    ];
    let cuts: [(&str, &'static [&'static str], u64); 4] = [
        ("tail cut", &["DELETE FROM audit WHERE seq > 8"], 9),
        ("all cut", &["DELETE FROM audit"], 1),
        ("head set back", &["UPDATE audit_head SET seq = 9"], 10),
        ("head of another chain", &["UPDATE audit_head SET hash = 'x'"], 11),
    ];
    for (what, statements, broken) in rows.into_iter().chain(cuts) {
        execute(&store, statements).await;
        let found = verify(&store).await;
        assert_eq!(found.broken, Some(broken), "{what}");
        assert_eq!(found.checked, broken - 1, "{what}");
        assert!(!found.intact(), "{what}");
        execute(
            &store,
            &[
                "DELETE FROM audit",
                "INSERT INTO audit SELECT * FROM kept",
                "DELETE FROM audit_head",
                "INSERT INTO audit_head SELECT * FROM kept_head",
            ],
        )
        .await;
        assert!(verify(&store).await.intact(), "restored after: {what}");
    }
}

async fn the_chain_is_one_for_all_nodes(bench: Bench) {
    let nodes = [bench.open().await, bench.open().await];
    let writers: Vec<_> = (0..24_u64)
        .map(|i| {
            let store = nodes[usize::from(i.is_multiple_of(2))].clone();
            tokio::spawn(async move { append(&store, i * 5..=i * 5 + 4).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let found = verify(&nodes[0]).await;
    assert_eq!((found.checked, found.broken), (120, None));
    let again = verify(&bench.open().await).await;
    assert_eq!(again, found);
}

async fn a_rolled_back_decision_leaves_no_gap(bench: Bench) {
    let store = bench.open().await;
    append(&store, 1..=2).await;
    let undone = write::<(), _>(&store, |tx| {
        Box::pin(async move {
            assert_eq!(audit::append(tx, &decision(3)).await?, 3);
            Err(StoreError::Damaged("by the suite"))
        })
    });
    assert!(undone.await.is_err());
    assert_eq!(append(&store, 4..=4).await, 3);
    assert_eq!(verify(&store).await.checked, 3);
}

async fn pages_are_filtered(bench: Bench) {
    let store = bench.open().await;
    append(&store, 1..=30).await;
    let page = async |filter: AuditFilter, limit| {
        store.read(move |sql| Box::pin(async move { audit::page(sql, &filter, limit).await })).await.unwrap()
    };
    let all = page(AuditFilter::default(), 100).await;
    assert_eq!(all.len(), 30);
    assert_eq!(all[0].prev, GENESIS);
    assert!(all.windows(2).all(|pair| pair[1].prev == pair[0].hash && pair[1].seq == pair[0].seq + 1));
    assert_eq!(all[6].row, decision(7));
    let next = page(AuditFilter { after: 30, ..AuditFilter::default() }, 100).await;
    assert!(next.is_empty());
    let some = |text: &str| Some(text.to_owned());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("trace", AuditFilter { trace: some("trace-7"), ..AuditFilter::default() }, vec![7]),
        ("actor, from a place on", AuditFilter { actor: some("client-1"), after: 20, ..AuditFilter::default() }, vec![22, 25, 28]),
        ("object", AuditFilter { object: some("list-0"), after: 10, ..AuditFilter::default() }, vec![15, 20, 25, 30]),
        ("actor and object", AuditFilter { actor: some("client-0"), object: some("list-0"), ..AuditFilter::default() }, vec![15, 30]),
        ("nobody", AuditFilter { actor: some("client"), ..AuditFilter::default() }, vec![]),
    ];
    for (what, filter, expected) in rows {
        let found: Vec<_> = page(filter, 100).await.iter().map(|record| record.seq).collect();
        assert_eq!(found, expected, "{what}");
    }
    assert_eq!(page(AuditFilter::default(), 4).await.len(), 4);
}

async fn a_long_chain_is_streamed(bench: Bench) {
    let store = bench.open().await;
    append(&store, 1..=2000).await;
    let exact = verify(&store).await;
    assert_eq!((exact.checked, exact.broken), (2000, None));
    append(&store, 2001..=2001).await;
    assert_eq!(verify(&store).await.checked, 2001);
    execute(&store, &["UPDATE audit SET actor = 'eve' WHERE seq = 1001"]).await;
    assert_eq!(verify(&store).await.broken, Some(1001));
}

fn unit(id: &str) -> ChargingRow {
    ChargingRow {
        id: id.to_owned(),
        at_ms: 1_800_000_000_000,
        function: Function::Sm,
        consumer: "vs-2".to_owned(),
        client: "vs-2".to_owned(),
        owner: Some("vs-1".to_owned()),
        service: None,
        operation: "ssm-disc".to_owned(),
        resource: None,
        units: 3,
        bytes: 4096,
        outcome: "SERVED".to_owned(),
        trace: Some("t".to_owned()),
    }
}

async fn charging_has_no_gap_and_no_double(bench: Bench) {
    let nodes = [bench.open().await, bench.open().await];
    // Each id is sent twice, by two nodes at once; every fourth job is undone after it had a number.
    let senders: Vec<_> = (0..80_usize)
        .map(|i| {
            let store = nodes[i % 2].clone();
            tokio::spawn(async move {
                write(&store, move |tx| {
                    Box::pin(async move {
                        charging::append(tx, &unit(&format!("unit-{}", i / 2))).await?;
                        if i / 2 % 4 == 3 { Err(StoreError::Damaged("by the suite")) } else { Ok(()) }
                    })
                })
                .await
            })
        })
        .collect();
    for sender in senders {
        let _ = sender.await.unwrap();
    }
    let page = async |consumer: Option<&'static str>, after, limit| {
        nodes[0].read(move |sql| Box::pin(charging::page(sql, consumer, after, limit))).await.unwrap()
    };
    let all = page(None, 0, 100).await;
    assert_eq!(all.iter().map(|record| record.seq).collect::<Vec<_>>(), (1..=30).collect::<Vec<u64>>());
    assert_eq!(all[0].row, unit(&all[0].row.id));
    assert_eq!(page(Some("vs-2"), 28, 100).await.len(), 2);
    assert_eq!(page(Some("vs-3"), 0, 100).await.len(), 0);
    // A stream reserves, then settles once.
    let reserved =
        ChargingRow { outcome: charging::RESERVED.to_owned(), units: 0, bytes: 0, ..unit("stream") };
    let settle = async |id: &'static str, bytes| {
        write(&nodes[1], move |tx| Box::pin(charging::settle(tx, id, 1, bytes, "SERVED"))).await.unwrap()
    };
    let number = write(&nodes[0], move |tx| Box::pin(async move { charging::append(tx, &reserved).await }));
    assert_eq!(number.await, Ok(31));
    assert!(settle("stream", 77).await);
    assert!(!settle("stream", 78).await, "settled already");
    assert!(!settle("unit-0", 78).await, "never reserved");
    assert!(!settle("absent", 78).await);
    let row = &page(None, 30, 1).await[0].row;
    assert_eq!((row.units, row.bytes, row.outcome.as_str()), (1, 77, "SERVED"));
    // Many at once, one of them known.
    let rows = ["x", "stream", "y"].map(unit);
    let numbers = write(&nodes[0], move |tx| Box::pin(async move { charging::append_many(tx, &rows).await }));
    assert_eq!(numbers.await, Ok(vec![32, 31, 33]));
    // The rows cannot be numbered twice.
    let twice = write(&nodes[0], |tx| {
        Box::pin(async move {
            tx.execute("UPDATE charging SET seq = $1 WHERE seq = $2", &params![1_i64, 2_i64]).await
        })
    });
    assert!(matches!(twice.await, Err(StoreError::Constraint(_))));
}
