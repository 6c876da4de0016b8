//! What an API exposing function keeps, on both engines.

use api_types::function::Function;
use store::aef::{self, Block, WithdrawnRow};
use store::{Migrations, Store};

use crate::bench::{Bench, write};

on_both!(
    a_block_is_reserved_once_and_no_more_than_is_left,
    logs_are_claimed_once_and_come_again,
    what_was_withdrawn_is_known_as_long_as_a_token_is
);

async fn opened(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::San, Migrations::of(Function::San)).await.unwrap()
}

async fn reserved(store: &Store, more: i64, most: u64, limit: u64) -> Block {
    write(store, move |tx| {
        Box::pin(async move {
            aef::reserve(tx, "INV1", "things", more, |made| limit.saturating_sub(made).min(most)).await
        })
    })
    .await
    .unwrap()
}

async fn a_block_is_reserved_once_and_no_more_than_is_left(bench: Bench) {
    let store = opened(&bench).await;
    let rows = [
        ("the first", 0, 3, Block { from: 0, count: 3 }),
        ("the next, with two that were not counted", 2, 3, Block { from: 5, count: 3 }),
        ("what is left", 0, 3, Block { from: 8, count: 2 }),
        ("nothing is left", 0, 3, Block { from: 10, count: 0 }),
        ("one is given back", -1, 3, Block { from: 9, count: 1 }),
        ("more than there are is given back", -100, 4, Block { from: 0, count: 4 }),
    ];
    for (what, more, most, expected) in rows {
        assert_eq!(reserved(&store, more, most, 10).await, expected, "{what}");
    }
    // Many at once never get more than there is.
    let all = futures::future::join_all((0..20).map(|_| reserved(&store, 0, 1, 10))).await;
    assert_eq!(all.iter().map(|block| block.count).sum::<u64>(), 6);
}

async fn logs_are_claimed_once_and_come_again(bench: Bench) {
    let store = opened(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            for (id, kept) in [("a", true), ("b", true), ("c", false)] {
                assert_eq!(aef::queue_log(tx, id, "{}", 5, 2).await?, kept, "{id}");
            }
            let ids =
                |logs: &[aef::WaitingLog]| -> Vec<String> { logs.iter().map(|log| log.id.clone()).collect() };
            assert_eq!(ids(&aef::claim_logs(tx, 4, 9, 10).await?), [""; 0], "not due yet");
            assert_eq!(ids(&aef::claim_logs(tx, 5, 9, 1).await?), ["a"]);
            assert_eq!(ids(&aef::claim_logs(tx, 5, 9, 10).await?), ["b"], "the other is somebody's");
            aef::drop_log(tx, "a").await?;
            aef::retry_log(tx, "b", 20).await?;
            assert_eq!(ids(&aef::claim_logs(tx, 19, 30, 10).await?), [""; 0]);
            let again = aef::claim_logs(tx, 20, 30, 10).await?;
            assert_eq!((ids(&again), again[0].attempts), (vec!["b".to_owned()], 1));
            Ok(())
        })
    })
    .await
    .unwrap()
}

async fn what_was_withdrawn_is_known_as_long_as_a_token_is(bench: Bench) {
    let store = opened(&bench).await;
    let row = |until_s| WithdrawnRow {
        invoker_id: "INV1".into(),
        api_name: "things".into(),
        until_s,
        forget_s: until_s + 300,
    };
    write(&store, move |tx| {
        Box::pin(async move {
            aef::withdraw(tx, &row(100)).await?;
            aef::withdraw(tx, &row(200)).await?;
            assert_eq!(aef::withdrawn(tx, 500).await?, [row(200)], "the last one");
            assert_eq!(aef::withdrawn(tx, 501).await?, []);
            Ok(())
        })
    })
    .await
    .unwrap()
}
