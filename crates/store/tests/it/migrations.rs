//! Opening databases of other versions.

use api_types::function::Function;
use store::audit::{self, AuditRow};
use store::{Migration, Migrations, Store, StoreError, meta, policies};

use crate::bench::{Bench, SUITE, write};

on_both!(
    an_old_database_is_upgraded,
    an_edited_migration_is_refused,
    a_newer_database_is_refused,
    a_failing_migration_changes_nothing,
    nodes_may_start_together,
    functions_are_apart,
    every_function_opens,
);

async fn open(bench: &Bench, migrations: Migrations) -> Result<Store, StoreError> {
    Store::open(&bench.cfg, Function::San, migrations).await
}

async fn applied(store: &Store) -> Vec<String> {
    let rows = store
        .read(|sql| {
            Box::pin(async move { sql.query("SELECT name FROM schema_migrations ORDER BY name", &[]).await })
        })
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0).unwrap()).collect()
}

fn decision() -> AuditRow {
    AuditRow {
        at_ms: 1,
        function: Function::San,
        actor: "vs-1".to_owned(),
        owner: None,
        action: "ssan-sanm".to_owned(),
        object: None,
        verdict: "PERMIT".to_owned(),
        reason: None,
        cause: None,
        status: Some(201),
        policy_version: None,
        consent_version: None,
        trace: None,
    }
}

async fn an_old_database_is_upgraded(bench: Bench) {
    let old = open(&bench, Migrations::common().first(1)).await.unwrap();
    assert_eq!(applied(&old).await, ["common/0001_chains"]);
    write(&old, |tx| {
        Box::pin(async move {
            meta::put(tx, "made", "before").await?;
            audit::append(tx, &decision()).await
        })
    })
    .await
    .unwrap();
    let without = write(&old, |tx| Box::pin(policies::put(tx, "p", "{}", 1)));
    assert!(matches!(without.await, Err(StoreError::Engine(_))));
    drop(old);
    let new = open(&bench, Migrations::common().with(SUITE)).await.unwrap();
    assert_eq!(applied(&new).await.len(), Migrations::common().iter().count() + 1);
    assert_eq!(new.read(|sql| Box::pin(meta::find(sql, "made"))).await, Ok(Some("before".to_owned())));
    assert!(write(&new, |tx| Box::pin(policies::put(tx, "p", "{}", 1))).await.is_ok());
    write(&new, |tx| Box::pin(async move { audit::append(tx, &decision()).await })).await.unwrap();
    let chain = new.read(|sql| Box::pin(audit::verify(sql))).await.unwrap();
    assert_eq!((chain.checked, chain.broken), (2, None));
    // Again: nothing is left to do.
    let names = applied(&new).await;
    assert_eq!(applied(&open(&bench, Migrations::common().with(SUITE)).await.unwrap()).await, names);
}

async fn an_edited_migration_is_refused(bench: Bench) {
    drop(open(&bench, Migrations::common().with(SUITE)).await.unwrap());
    let edited = Migration {
        name: SUITE[0].name,
        sqlite: "CREATE TABLE parent (id BIGINT PRIMARY KEY)",
        postgres: "CREATE TABLE parent (id BIGINT PRIMARY KEY)",
    };
    let refused = open(&bench, Migrations::common().with(&[edited])).await.err();
    assert_eq!(refused, Some(StoreError::MigrationEdited("suite/0001_tables".to_owned())));
    assert!(open(&bench, Migrations::common().with(SUITE)).await.is_ok());
}

async fn a_newer_database_is_refused(bench: Bench) {
    drop(open(&bench, Migrations::common().with(SUITE)).await.unwrap());
    let refused = open(&bench, Migrations::common()).await.err();
    assert_eq!(refused, Some(StoreError::MigrationUnknown("suite/0001_tables".to_owned())));
}

async fn a_failing_migration_changes_nothing(bench: Bench) {
    let sql = "CREATE TABLE made_halfway (id BIGINT); CREATE TABLE broken (";
    let broken = Migration { name: "suite/0002_broken", sqlite: sql, postgres: sql };
    let failed = open(&bench, Migrations::common().with(SUITE).with(&[broken])).await.err();
    assert!(matches!(failed, Some(StoreError::Engine(_))), "{failed:?}");
    let store = open(&bench, Migrations::common()).await.unwrap();
    assert_eq!(applied(&store).await.len(), Migrations::common().iter().count());
}

async fn nodes_may_start_together(bench: Bench) {
    let nodes: Vec<_> = (0..6)
        .map(|_| {
            let cfg = bench.cfg.clone();
            tokio::spawn(async move { Store::open(&cfg, Function::San, Migrations::common()).await })
        })
        .collect();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
}

async fn functions_are_apart(bench: Bench) {
    let sim = Store::open(&bench.cfg, Function::Sim, Migrations::common()).await.unwrap();
    let sm = Store::open(&bench.cfg, Function::Sm, Migrations::common()).await.unwrap();
    write(&sim, |tx| Box::pin(meta::put(tx, "demo", "1"))).await.unwrap();
    assert_eq!(sim.read(|sql| Box::pin(meta::find(sql, "demo"))).await, Ok(Some("1".to_owned())));
    assert_eq!(sm.read(|sql| Box::pin(meta::find(sql, "demo"))).await, Ok(None));
}

async fn every_function_opens(bench: Bench) {
    for function in Function::ALL {
        let store = Store::open(&bench.cfg, *function, Migrations::of(*function)).await.unwrap();
        assert_eq!(store.check().await, Ok(vec![]), "{}", function.as_str());
    }
}
