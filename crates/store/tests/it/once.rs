//! Once-only rows.

use store::once;

use crate::bench::{Bench, write};

on_both!(one_of_64_consumers_wins, purging_is_bounded_and_spares_the_living);

async fn one_of_64_consumers_wins(bench: Bench) {
    let nodes = [bench.open().await, bench.open().await];
    let consumers: Vec<_> = (0..64)
        .map(|i| {
            let store = nodes[i % 2].clone();
            tokio::spawn(async move {
                write(&store, |tx| Box::pin(once::consume(tx, "code", "the only one", 100))).await.unwrap()
            })
        })
        .collect();
    let mut winners = 0;
    for consumer in consumers {
        winners += usize::from(consumer.await.unwrap());
    }
    assert_eq!(winners, 1);
    drop(nodes);
    // Also after a restart; another kind is another value.
    let store = bench.open().await;
    let again = write(&store, |tx| Box::pin(once::consume(tx, "code", "the only one", 100)));
    assert_eq!(again.await, Ok(false));
    let other = write(&store, |tx| Box::pin(once::consume(tx, "jti", "the only one", 100)));
    assert_eq!(other.await, Ok(true));
}

async fn purging_is_bounded_and_spares_the_living(bench: Bench) {
    let store = bench.open().await;
    let purge = async |before, limit| {
        write(&store, move |tx| Box::pin(once::purge(tx, before, limit))).await.unwrap()
    };
    let fill = write(&store, |tx| {
        Box::pin(async move {
            for expires in 1..=10 {
                assert!(once::consume(tx, "jti", &format!("value {expires}"), expires).await?);
            }
            Ok(())
        })
    });
    fill.await.unwrap();
    assert_eq!(purge(6, 3).await, 3);
    assert_eq!(purge(6, 3).await, 2);
    assert_eq!(purge(6, 3).await, 0);
    for (value, fresh) in [(5, true), (6, false), (10, false)] {
        let used = write(&store, move |tx| {
            Box::pin(async move { once::consume(tx, "jti", &format!("value {value}"), 50).await })
        });
        assert_eq!(used.await, Ok(fresh), "{value}");
    }
}
