//! Jobs, savepoints and the commit that they share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use store::{Limits, Store, StoreError, params};
use tokio::task::JoinHandle;

use crate::bench::{Bench, note, notes, write};

on_both!(
    a_job_rolls_back_alone,
    answers_come_after_the_commit,
    a_failed_commit_fails_every_job,
    a_failed_statement_spoils_its_job,
    awaiting_outside_is_refused,
    a_panic_leaves_the_writer_alive,
    a_full_queue_is_overloaded,
    a_job_outlives_its_caller,
    a_read_cannot_write,
    a_read_sees_one_snapshot,
    a_dropped_read_leaves_the_pool_sound,
    what_was_written_is_there_after_reopening,
    concurrent_writers_lose_nothing,
    two_nodes_share_one_order,
);

/// An error of the caller's own.
#[derive(Debug, PartialEq)]
enum Refused {
    ByRule,
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Holds the writer until `send` or drop, so that what follows falls into one batch.
async fn hold(store: &Store) -> (mpsc::Sender<()>, JoinHandle<Result<(), StoreError>>) {
    let (release, held) = mpsc::channel();
    let running = Arc::new(AtomicBool::new(false));
    let (store, began) = (store.clone(), Arc::clone(&running));
    let holder = tokio::spawn(async move {
        write(&store, move |_| {
            Box::pin(async move {
                began.store(true, Ordering::SeqCst);
                // On PostgreSQL jobs run on the runtime's threads.
                let _ = tokio::task::block_in_place(|| held.recv());
                Ok(())
            })
        })
        .await
    });
    while !running.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (release, holder)
}

/// Waits until so many jobs are in the queue, behind the one that holds the writer.
async fn queued(store: &Store, jobs: usize) {
    while store.queued() != jobs {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn a_job_rolls_back_alone(bench: Bench) {
    let store = bench.open().await;
    let (release, holder) = hold(&store).await;
    let jobs: Vec<_> = (1..=6)
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .write(move |tx| {
                        Box::pin(async move {
                            note(tx, id).await?;
                            if id % 2 == 0 { Err(Refused::ByRule) } else { Ok(id) }
                        })
                    })
                    .await
            })
        })
        .collect();
    queued(&store, 6).await;
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    for (id, job) in (1..).zip(jobs) {
        let expected = if id % 2 == 0 { Err(Refused::ByRule) } else { Ok(id) };
        assert_eq!(job.await.unwrap(), expected);
    }
    assert_eq!(notes(&store).await, [1, 3, 5]);
}

async fn answers_come_after_the_commit(bench: Bench) {
    let store = bench.open().await;
    let (release, holder) = hold(&store).await;
    let answered = Arc::new(AtomicBool::new(false));
    let first = tokio::spawn({
        let (store, answered) = (store.clone(), Arc::clone(&answered));
        async move {
            write(&store, |tx| Box::pin(note(tx, 1))).await.unwrap();
            answered.store(true, Ordering::SeqCst);
        }
    });
    queued(&store, 1).await;
    let second = tokio::spawn({
        let (store, answered) = (store.clone(), Arc::clone(&answered));
        async move {
            write(&store, move |tx| {
                Box::pin(async move {
                    let seen = tx.query("SELECT id FROM note", &[]).await?.len();
                    tokio::task::block_in_place(|| std::thread::sleep(Duration::from_millis(100)));
                    Ok((seen, answered.load(Ordering::SeqCst)))
                })
            })
            .await
        }
    });
    queued(&store, 2).await;
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    // The second job ran after the first in the same batch, and the first was not answered yet.
    assert_eq!(second.await.unwrap(), Ok((1, false)));
    first.await.unwrap();
    // Once answered, another opening of the database sees it.
    assert_eq!(notes(&bench.open().await).await, [1]);
}

async fn a_failed_commit_fails_every_job(bench: Bench) {
    let store = bench.open().await;
    let (release, holder) = hold(&store).await;
    let innocent = tokio::spawn({
        let store = store.clone();
        async move { write(&store, |tx| Box::pin(note(tx, 1))).await }
    });
    queued(&store, 1).await;
    let guilty = tokio::spawn({
        let store = store.clone();
        async move {
            // The constraint is looked at when the transaction commits.
            write(&store, |tx| {
                Box::pin(async move {
                    tx.execute("INSERT INTO note (id, parent) VALUES ($1, $2)", &params![2_i64, 99_i64]).await
                })
            })
            .await
        }
    });
    queued(&store, 2).await;
    let refused = tokio::spawn({
        let store = store.clone();
        async move { store.write(|_| Box::pin(async { Err::<(), _>(Refused::ByRule) })).await }
    });
    queued(&store, 3).await;
    release.send(()).unwrap();
    // The holder was alone in its batch.
    holder.await.unwrap().unwrap();
    assert!(matches!(innocent.await.unwrap(), Err(StoreError::Constraint(_))));
    assert!(matches!(guilty.await.unwrap(), Err(StoreError::Constraint(_))));
    assert!(matches!(refused.await.unwrap(), Err(Refused::Store(StoreError::Constraint(_)))));
    assert_eq!(notes(&store).await, [0_i64; 0]);
    // The writer goes on.
    write(&store, |tx| Box::pin(note(tx, 3))).await.unwrap();
    assert_eq!(notes(&store).await, [3]);
}

async fn a_failed_statement_spoils_its_job(bench: Bench) {
    let store = bench.open().await;
    write(&store, |tx| Box::pin(note(tx, 1))).await.unwrap();
    let swallowed = write(&store, |tx| {
        Box::pin(async move {
            note(tx, 2).await?;
            let again = note(tx, 1).await;
            assert!(matches!(again, Err(StoreError::Constraint(_))));
            Ok(())
        })
    });
    assert_eq!(swallowed.await, Err(StoreError::Spoiled));
    assert!(matches!(write(&store, |tx| Box::pin(note(tx, 1))).await, Err(StoreError::Constraint(_))));
    assert_eq!(notes(&store).await, [1]);
}

async fn awaiting_outside_is_refused(bench: Bench) {
    let store = bench.open().await;
    let outside = write(&store, |tx| {
        Box::pin(async move {
            note(tx, 1).await?;
            tokio::task::yield_now().await;
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    assert_eq!(outside.await, Err(StoreError::AwaitedOutside));
    write(&store, |tx| Box::pin(note(tx, 2))).await.unwrap();
    assert_eq!(notes(&store).await, [2]);
}

async fn a_panic_leaves_the_writer_alive(bench: Bench) {
    let store = bench.open().await;
    let panicked = write::<(), _>(&store, |tx| {
        Box::pin(async move {
            note(tx, 1).await?;
            panic!("a job of the suite panics");
        })
    });
    assert_eq!(panicked.await, Err(StoreError::JobPanicked));
    let at_once = write::<(), _>(&store, |_| panic!("before its future"));
    assert_eq!(at_once.await, Err(StoreError::JobPanicked));
    write(&store, |tx| Box::pin(note(tx, 2))).await.unwrap();
    assert_eq!(notes(&store).await, [2]);
}

async fn a_full_queue_is_overloaded(bench: Bench) {
    let store = bench.open_with(Limits { queue: 2, ..Limits::default() }).await;
    let (release, holder) = hold(&store).await;
    let waiting: Vec<_> = (1..=2)
        .map(|id| {
            let store = store.clone();
            tokio::spawn(async move { write(&store, move |tx| Box::pin(note(tx, id))).await })
        })
        .collect();
    queued(&store, 2).await;
    assert_eq!(write(&store, |tx| Box::pin(note(tx, 3))).await, Err(StoreError::Overloaded));
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    for job in waiting {
        job.await.unwrap().unwrap();
    }
    assert_eq!(notes(&store).await, [1, 2]);
    write(&store, |tx| Box::pin(note(tx, 4))).await.unwrap();
}

async fn a_job_outlives_its_caller(bench: Bench) {
    let store = bench.open().await;
    let (release, holder) = hold(&store).await;
    let caller = tokio::spawn({
        let store = store.clone();
        async move { write(&store, |tx| Box::pin(note(tx, 1))).await }
    });
    queued(&store, 1).await;
    caller.abort();
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    write(&store, |tx| Box::pin(note(tx, 2))).await.unwrap();
    assert_eq!(notes(&store).await, [1, 2]);
}

async fn a_read_cannot_write(bench: Bench) {
    let store = bench.open().await;
    let wrote = store.read(|sql| Box::pin(note(sql, 1))).await;
    assert!(matches!(wrote, Err(StoreError::Engine(_))), "{wrote:?}");
    assert_eq!(notes(&store).await, [0_i64; 0]);
}

async fn a_read_sees_one_snapshot(bench: Bench) {
    let store = bench.open().await;
    write(&store, |tx| Box::pin(note(tx, 1))).await.unwrap();
    let writer = store.clone();
    let counts = store.read(move |sql| {
        Box::pin(async move {
            let before = sql.query("SELECT id FROM note", &[]).await?.len();
            write(&writer, |tx| Box::pin(note(tx, 2))).await?;
            Ok((before, sql.query("SELECT id FROM note", &[]).await?.len()))
        })
    });
    assert_eq!(counts.await, Ok((1, 1)));
    assert_eq!(notes(&store).await, [1, 2]);
}

async fn a_dropped_read_leaves_the_pool_sound(bench: Bench) {
    let store = bench.open_with(Limits { readers: 2, ..Limits::default() }).await;
    for _ in 0..8 {
        let stuck = store.read::<(), _>(|sql| {
            Box::pin(async move {
                sql.query("SELECT id FROM note", &[]).await?;
                std::future::pending().await
            })
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), stuck).await.is_err());
    }
    write(&store, |tx| Box::pin(note(tx, 1))).await.unwrap();
    assert_eq!(notes(&store).await, [1]);
}

async fn what_was_written_is_there_after_reopening(bench: Bench) {
    for id in 1..=3 {
        let store = bench.open().await;
        write(&store, move |tx| Box::pin(note(tx, id))).await.unwrap();
    }
    assert_eq!(notes(&bench.open().await).await, [1, 2, 3]);
}

async fn concurrent_writers_lose_nothing(bench: Bench) {
    let store = bench.open().await;
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for i in 0..20 {
                    write(&store, move |tx| Box::pin(note(tx, writer * 20 + i))).await.unwrap();
                    assert!(!notes(&store).await.is_empty());
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(notes(&store).await, (0..640).collect::<Vec<_>>());
}

/// Reading the greatest number and writing the next one is safe on any node: jobs follow one another.
async fn two_nodes_share_one_order(bench: Bench) {
    let nodes = [bench.open().await, bench.open().await];
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let store = nodes[writer % 2].clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let next = write(&store, |tx| {
                        Box::pin(async move {
                            let last: Option<i64> =
                                tx.query_one("SELECT MAX(id) FROM note", &[]).await?.get(0)?;
                            note(tx, last.unwrap_or(0) + 1).await
                        })
                    });
                    next.await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(notes(&nodes[0]).await, (1..=160).collect::<Vec<_>>());
}
