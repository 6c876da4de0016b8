//! A write acknowledged is a write kept: across SIGKILL of the process, and across a crash of the database server.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api_types::function::Function;
use store::audit::{self, AuditRow};
use store::charging::{self, ChargingRow};
use store::testkit::Postgres;
use store::{Migrations, Store, StoreConfig, StoreError};

use crate::bench::{Bench, SUITE, bounded, note, notes, write};

/// Where the child writes: a directory or a url. Without it the child's test does nothing.
const TARGET: &str = "METASEAL_STORE_KILL";
const ROUNDS: usize = 8;
const WRITERS: i64 = 8;
/// Ids of one round begin here.
const ROUND: i64 = 1_000_000;

/// The child: writes a note, its decision and its unit in one job, then says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let (round, target) = target.split_once(' ').unwrap();
    let round: i64 = round.parse().unwrap();
    let cfg = if target.starts_with("postgres://") {
        StoreConfig::Postgres { url: target.to_owned() }
    } else {
        StoreConfig::Sqlite { dir: target.into() }
    };
    let store = Store::open(&cfg, Function::San, Migrations::common().with(SUITE)).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                // The parent kills long before the end; the bound is for a parent that is gone.
                for i in 0..20_000 {
                    let id = round * ROUND + i * WRITERS + writer;
                    write(&store, move |tx| Box::pin(served(tx, id))).await.unwrap();
                    println!("ack {id} ");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn served(tx: &mut dyn store::Sql, id: i64) -> Result<(), StoreError> {
    note(tx, id).await?;
    let row = AuditRow {
        at_ms: id,
        function: Function::San,
        actor: "vs-1".to_owned(),
        owner: None,
        action: "ssan-disc".to_owned(),
        object: Some(id.to_string()),
        verdict: "PERMIT".to_owned(),
        reason: None,
        cause: None,
        status: Some(200),
        policy_version: None,
        consent_version: None,
        trace: None,
    };
    audit::append(tx, &row).await?;
    let unit = ChargingRow {
        id: id.to_string(),
        at_ms: id,
        function: Function::San,
        consumer: "vs-1".to_owned(),
        client: "vs-1".to_owned(),
        owner: None,
        service: None,
        operation: "ssan-disc".to_owned(),
        resource: None,
        units: 1,
        bytes: 0,
        outcome: "SERVED".to_owned(),
        trace: None,
    };
    charging::append(tx, &unit).await?;
    Ok(())
}

/// Starts the child, kills it after some acknowledgements, and returns every one that it made.
fn killed_halfway(target: &str, round: usize) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(TARGET, format!("{round} {target}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    let until = 40 + 37 * round;
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        // The last line may be cut: its number ends with a space.
        if let Some((id, _)) = line.split_once("ack ").and_then(|(_, rest)| rest.split_once(' ')) {
            acknowledged.push(id.parse().unwrap());
        }
        if acknowledged.len() >= until && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed, "the child ended by itself");
    acknowledged
}

/// Notes, decisions and units are the same set, the chain is whole, and nothing acknowledged is missing.
async fn reconcile(store: &Store, acknowledged: &[i64]) {
    let kept = notes(store).await;
    for id in acknowledged {
        assert!(kept.binary_search(id).is_ok(), "{id} was acknowledged and is gone");
    }
    let chain = store.read(|sql| Box::pin(audit::verify(sql))).await.unwrap();
    assert_eq!((chain.broken, chain.checked), (None, kept.len() as u64));
    let units = store.read(|sql| Box::pin(charging::page(sql, None, 0, 1_000_000))).await.unwrap();
    assert!(units.iter().zip(1..).all(|(unit, seq)| unit.seq == seq));
    let mut charged: Vec<i64> = units.iter().map(|unit| unit.row.id.parse().unwrap()).collect();
    charged.sort_unstable();
    assert_eq!(charged, kept);
    assert_eq!(store.check().await, Ok(vec![]));
}

async fn nothing_acknowledged_is_lost(bench: Bench) {
    let target = match &bench.cfg {
        StoreConfig::Sqlite { dir } => dir.to_str().unwrap().to_owned(),
        StoreConfig::Postgres { url } => url.clone(),
    };
    let mut acknowledged = Vec::new();
    for round in 1..=ROUNDS {
        let target = target.clone();
        let round = tokio::task::spawn_blocking(move || killed_halfway(&target, round)).await.unwrap();
        acknowledged.extend(round);
        reconcile(&bench.open().await, &acknowledged).await;
    }
}

on_both!(nothing_acknowledged_is_lost);

/// The server crashes under load and comes back: jobs in flight fail, none hangs, the store goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_outlives_a_crash_of_its_server() {
    let mut server = Postgres::start();
    let bench = Bench::postgres(&server);
    let store = bench.open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut acknowledged, mut failed) = (Vec::new(), 0_u32);
                for i in 0.. {
                    let id = i * WRITERS + writer;
                    match write(&store, move |tx| Box::pin(served(tx, id))).await {
                        Ok(()) => acknowledged.push(id),
                        Err(StoreError::Unavailable(_)) => {
                            failed += 1;
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        Err(error) => panic!("{error:?}"),
                    }
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                }
                (acknowledged, failed)
            })
        })
        .collect();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.crash();
        let reading = bounded(store.read(|sql| Box::pin(audit::head(sql)))).await;
        assert!(matches!(reading, Err(StoreError::Unavailable(_))), "{reading:?}");
        server.restart();
    }
    // It is back without being told: at most the longest back-off later.
    bounded(async {
        while write(&store, |_| Box::pin(async { Ok(()) })).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::SeqCst);
    let (mut all, mut failures) = (Vec::new(), 0);
    for writer in writers {
        let (acknowledged, failed) = bounded(writer).await.unwrap();
        failures += failed;
        all.extend(acknowledged);
    }
    assert!(failures > 0, "the crash was felt");
    reconcile(&store, &all).await;
}
