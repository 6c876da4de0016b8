//! World links, on both engines.

use api_types::function::Function;
use store::world_links::{self, LinkRow};
use store::{Migrations, Store};

use crate::bench::{Bench, write};

on_both!(a_link_is_kept_changed_and_dropped, an_older_database_gets_the_table);

const SIM: &str = "https://sim.example";

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::Sm, Migrations::of(Function::Sm)).await.unwrap()
}

fn link(link_id: u32, owner: &str) -> LinkRow {
    LinkRow {
        link_id,
        life: -7,
        owner_issuer: SIM.to_owned(),
        owner_subject: owner.to_owned(),
        owner_name: format!("u_{owner}"),
        body: "{}".to_owned(),
    }
}

async fn a_link_is_kept_changed_and_dropped(bench: Bench) {
    let store = open(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            for (id, owner) in [(0, "vs-1"), (17, "vs-1"), (0x7fff_ffff, "vs-2")] {
                assert!(world_links::insert(tx, &link(id, owner), 1).await?);
            }
            assert!(!world_links::insert(tx, &link(17, "vs-2"), 2).await?, "a number is one link's");
            assert_eq!(world_links::find(tx, 17).await?, Some(link(17, "vs-1")));
            assert_eq!(world_links::find(tx, 18).await?, None);
            let ids = |rows: Vec<LinkRow>| rows.into_iter().map(|row| row.link_id).collect::<Vec<_>>();
            assert_eq!(ids(world_links::page(tx, None, 2).await?), [0, 17]);
            assert_eq!(ids(world_links::page(tx, Some(0), 9).await?), [17, 0x7fff_ffff]);
            assert_eq!(world_links::count(tx, SIM, "vs-1").await?, 2);
            assert_eq!(world_links::count(tx, SIM, "vs-3").await?, 0);

            assert!(world_links::replace(tx, 17, "{\"a\":1}").await?);
            assert!(!world_links::replace(tx, 18, "{}").await?);
            let changed = LinkRow { body: "{\"a\":1}".to_owned(), ..link(17, "vs-1") };
            assert_eq!(world_links::locked(tx, 17).await?, Some(changed));
            assert!(world_links::delete(tx, 17).await?);
            assert!(!world_links::delete(tx, 17).await?);
            assert_eq!(ids(world_links::page(tx, None, 9).await?), [0, 0x7fff_ffff]);
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn an_older_database_gets_the_table(bench: Bench) {
    let all = Migrations::of(Function::Sm);
    let before = all.iter().take_while(|one| one.name != "sm/0004_world_links").count();
    let old =
        Store::open(&bench.cfg, Function::Sm, Migrations::of(Function::Sm).first(before)).await.unwrap();
    assert!(write(&old, |tx| Box::pin(async move { world_links::find(tx, 1).await })).await.is_err());
    drop(old);
    let store = open(&bench).await;
    assert!(
        write(&store, |tx| Box::pin(async move { world_links::insert(tx, &link(1, "a"), 1).await }))
            .await
            .unwrap()
    );
}
