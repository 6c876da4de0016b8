//! Who takes part in a VAL service, on both engines.

use api_types::function::Function;
use store::val_services::{self, Config, Member, MemberKind};
use store::{Migrations, Store};

use crate::bench::{Bench, write};

on_both!(members_come_and_go_with_their_configuration, two_writers_do_not_undo_each_other);

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::Sim, Migrations::of(Function::Sim)).await.unwrap()
}

fn config(conf_id: &str, body: &str) -> Config {
    Config { conf_id: conf_id.to_owned(), val_server: "vs-1".to_owned(), body: body.to_owned() }
}

fn member(val_service: &str, kind: MemberKind, member: &str) -> Member {
    Member { val_service: val_service.to_owned(), kind, member: member.to_owned() }
}

async fn members_come_and_go_with_their_configuration(bench: Bench) {
    let store = open(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            let both = [member("game", MemberKind::User, "u-1"), member("tour", MemberKind::Ue, "ue-1")];
            val_services::put(tx, &config("c-1", "1"), &both).await?;
            val_services::put(tx, &config("c-2", "2"), &[member("chat", MemberKind::User, "u-1")]).await?;
            assert_eq!(val_services::of_member(tx, MemberKind::User, "u-1").await?, ["chat", "game"]);
            assert_eq!(val_services::of_member(tx, MemberKind::Ue, "ue-1").await?, ["tour"]);
            // A user and a UE of one name are two.
            assert!(val_services::of_member(tx, MemberKind::Ue, "u-1").await?.is_empty());
            assert_eq!(val_services::members(tx, "c-1").await?, both);

            val_services::put(tx, &config("c-1", "1b"), &both[1..]).await?;
            assert_eq!(val_services::find(tx, "c-1").await?, Some(config("c-1", "1b")));
            assert_eq!(val_services::of_member(tx, MemberKind::User, "u-1").await?, ["chat"]);
            let ids = |found: Vec<Config>| found.into_iter().map(|one| one.conf_id).collect::<Vec<_>>();
            assert_eq!(ids(val_services::of_server(tx, "vs-1", 10).await?), ["c-1", "c-2"]);
            assert_eq!(ids(val_services::of_server(tx, "vs-1", 1).await?), ["c-1"]);
            assert!(val_services::of_server(tx, "vs-2", 10).await?.is_empty());

            assert!(val_services::delete(tx, "c-2").await?);
            assert!(!val_services::delete(tx, "c-2").await?);
            assert!(val_services::of_member(tx, MemberKind::User, "u-1").await?.is_empty());
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn two_writers_do_not_undo_each_other(bench: Bench) {
    const EACH: usize = 20;
    let first = open(&bench).await;
    // PostgreSQL may have a second process; SQLite is one process's own.
    let second = if bench.is_sqlite() { first.clone() } else { open(&bench).await };
    write(&first, |tx| Box::pin(async move { val_services::put(tx, &config("c", ""), &[]).await }))
        .await
        .unwrap();
    let appends = |store: Store| async move {
        for _ in 0..EACH {
            let append = write(&store, |tx| {
                Box::pin(async move {
                    let Config { body, .. } = val_services::find(tx, "c").await?.unwrap();
                    val_services::put(tx, &config("c", &format!("{body}x")), &[]).await
                })
            });
            append.await.unwrap();
        }
    };
    tokio::join!(appends(first.clone()), appends(second));
    let found = write(&first, |tx| Box::pin(async move { val_services::find(tx, "c").await })).await.unwrap();
    assert_eq!(found.unwrap().body.len(), 2 * EACH);
}
