//! The chain of invocations.

use store::StoreError;
use store::capif::invocations;
use store::capif::invocations::{InvocationFilter, InvocationRow};

use super::{another, open};
use crate::bench::Bench;

on_both!(invocations_are_a_chain, invocations_are_found_by_any_filter,);

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
