//! Acts of operators that have begun, on both engines.

use api_types::function::Function;
use store::acts::{self, Act};
use store::{Migrations, Store, StoreError};

use crate::bench::{Bench, write};

on_both!(what_has_begun_and_not_ended_is_found,);

fn act(id: &str, at_ms: i64) -> Act {
    Act {
        id: id.to_owned(),
        at_ms,
        actor: "admin:operator".to_owned(),
        action: "admin.user.put".to_owned(),
        object: "users/p".to_owned(),
        trace: "0af7651916cd43dd8448eb211c80319c".to_owned(),
    }
}

async fn what_has_begun_and_not_ended_is_found(bench: Bench) {
    let store = Store::open(&bench.cfg, Function::Admin, Migrations::of(Function::Admin)).await.unwrap();
    write(&store, |tx| {
        Box::pin(async move {
            for (id, at_ms) in [("late", 30), ("ended", 10), ("second", 20), ("first", 10)] {
                acts::begin(tx, &act(id, at_ms)).await?;
            }
            assert!(acts::end(tx, "ended").await?);
            assert!(!acts::end(tx, "ended").await?, "once");
            Ok::<_, StoreError>(())
        })
    })
    .await
    .unwrap();
    let found = async |at_ms, limit| {
        store.read(move |sql| Box::pin(acts::begun_before(sql, at_ms, limit))).await.unwrap()
    };
    assert_eq!(found(30, 9).await, [act("first", 10), act("second", 20)]);
    assert_eq!(found(31, 1).await, [act("first", 10)], "no more than asked for");
    assert_eq!(found(10, 9).await, []);
}
