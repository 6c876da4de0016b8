//! Issuer and verifier together: what is acknowledged is in force, whatever fails in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api_types::admin::Revoked;
use api_types::function::Function;
use async_trait::async_trait;
use authorization::revocation::{Kind, LEASE};
use authorization::{IssuerRow, Reason};
use store::{Migrations, Store, StoreConfig};
use tokio::time::timeout;

use super::{FeedAnswer, FeedError, Follow, NewEntry, RevocationFeed, RevocationLog, follow};
use crate::ambient::{Ambient, TestClock};
use crate::testkit::SIM;
use crate::verifier::{Following, IssuerState};

const NOW: i64 = 1_800_000_000;
/// Longest time that anything here may take; nothing waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    ambient: Ambient,
    clock: Arc<TestClock>,
    store: Store,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ambient, clock) = Ambient::for_test(NOW, 3);
        let config = StoreConfig::Sqlite { dir: dir.path().to_owned() };
        let store = Store::open(&config, Function::Sim, Migrations::of(Function::Sim)).await.unwrap();
        Self { ambient, clock, store, _dir: dir }
    }

    /// The log, one lease after its start.
    async fn log(&self) -> RevocationLog {
        let log = self.fresh_log().await;
        self.clock.advance(LEASE);
        log
    }

    async fn fresh_log(&self) -> RevocationLog {
        RevocationLog::open(self.store.clone(), self.ambient.clone(), SIM, None, vec!["foreign".into()])
            .await
            .unwrap()
    }
}

fn client(name: &str) -> Vec<NewEntry> {
    vec![NewEntry { kind: Kind::Client, value: name.to_owned(), expires_s: Some(NOW + 600) }]
}

/// Revokes in the background, and lets the test go on as soon as it waits for the holders of leases.
async fn begin(log: &RevocationLog, name: &str) -> tokio::task::JoinHandle<Revoked> {
    let (revoking, entries) = (log.clone(), client(name));
    let task = tokio::spawn(async move { revoking.revoke(entries).await.unwrap() });
    while log.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    task
}

async fn ends<T>(task: tokio::task::JoinHandle<T>) -> T {
    timeout(PATIENCE, task).await.expect("in time").unwrap()
}

#[tokio::test]
async fn nobody_listens_nothing_is_waited_for() {
    let world = World::new().await;
    let revoked = world.log().await.revoke(client("vs-1")).await.unwrap();
    assert_eq!(revoked.epoch, 1);
    assert!(revoked.confirmed.is_empty() && revoked.lapsed.is_empty());
    assert_eq!(revoked.unconfirmed, ["foreign"]);
}

#[tokio::test]
async fn a_holder_of_a_lease_is_waited_for_until_it_confirms() {
    let world = World::new().await;
    let log = world.log().await;
    log.poll("san", "n1", 0, Duration::ZERO).await.unwrap();
    let task = begin(&log, "vs-1").await;
    let answer = log.poll("san", "n1", 0, Duration::ZERO).await.unwrap();
    assert_eq!((answer.epoch, answer.head, answer.entries.len()), (1, 1, 1));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!task.is_finished(), "having been told is not having applied");
    log.poll("san", "n1", 1, Duration::ZERO).await.unwrap();
    let revoked = ends(task).await;
    assert_eq!(revoked.confirmed, ["san"]);
    assert!(revoked.lapsed.is_empty());
}

#[tokio::test]
async fn a_silent_holder_is_waited_for_until_its_lease_must_have_ended() {
    let world = World::new().await;
    let log = world.log().await;
    log.poll("san", "n1", 0, Duration::ZERO).await.unwrap();
    world.clock.advance(Duration::from_millis(400));
    let task = begin(&log, "vs-1").await;
    world.clock.advance(Duration::from_millis(599));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!task.is_finished(), "its lease is alive");
    world.clock.advance(Duration::from_millis(1));
    let revoked = ends(task).await;
    assert_eq!(revoked.lapsed, ["san"]);
    assert_eq!(revoked.ms, 600);
}

#[tokio::test]
async fn one_process_of_a_verifier_does_not_confirm_for_another() {
    let world = World::new().await;
    let log = world.log().await;
    for node in ["n1", "n2"] {
        log.poll("san", node, 0, Duration::ZERO).await.unwrap();
    }
    let task = begin(&log, "vs-1").await;
    log.poll("san", "n1", 1, Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!task.is_finished());
    world.clock.advance(LEASE);
    let revoked = ends(task).await;
    assert_eq!(
        (revoked.confirmed.as_slice(), revoked.lapsed.as_slice()),
        (&["san".into()][..], &["san".into()][..])
    );
}

#[tokio::test]
async fn a_restarted_issuer_waits_one_lease_before_it_acknowledges() {
    let world = World::new().await;
    world.log().await.poll("san", "n1", 0, Duration::ZERO).await.unwrap();
    // The wall clock is set forward: the rows of the process before look as if they had run out.
    world.clock.set_s(NOW + 3_600);
    let log = world.fresh_log().await;
    let task = begin(&log, "vs-1").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!task.is_finished());
    world.clock.advance(LEASE);
    assert_eq!(ends(task).await.epoch, 1);
}

#[tokio::test]
async fn leases_of_another_node_are_waited_for_by_their_rows() {
    let world = World::new().await;
    let (here, there) = (world.fresh_log().await, world.fresh_log().await);
    world.clock.advance(LEASE);
    there.poll("sm", "n1", 0, Duration::ZERO).await.unwrap();
    let task = begin(&here, "vs-1").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!task.is_finished());
    there.poll("sm", "n1", 1, Duration::ZERO).await.unwrap();
    assert_eq!(ends(task).await.confirmed, ["sm"]);
}

#[tokio::test]
async fn nobody_confirms_what_is_not_there_yet() {
    let world = World::new().await;
    let log = world.log().await;
    log.poll("san", "n1", 0, Duration::ZERO).await.unwrap();
    log.poll("san", "n1", 99, Duration::ZERO).await.unwrap();
    let task = begin(&log, "vs-1").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!task.is_finished(), "an epoch of the future confirms nothing");
    world.clock.advance(LEASE);
    assert_eq!(ends(task).await.lapsed, ["san"]);
}

#[tokio::test]
async fn the_issuers_own_verifier_is_up_to_date_at_once_and_after_a_restart() {
    let world = World::new().await;
    let own = || IssuerState::new(IssuerRow::sim(SIM, "x"), Following::Local, None);
    let local = own();
    let open = |local: &Arc<IssuerState>| {
        RevocationLog::open(world.store.clone(), world.ambient.clone(), SIM, Some(local.clone()), Vec::new())
    };
    let log = open(&local).await.unwrap();
    world.clock.advance(LEASE);
    log.revoke(client("vs-1")).await.unwrap();
    assert_eq!(local.epoch(), 1);
    let restarted = own();
    open(&restarted).await.unwrap();
    assert_eq!(restarted.epoch(), 1);
}

/// The log itself as the feed of a verifier; can be cut.
struct Direct {
    log: RevocationLog,
    cut: AtomicBool,
}

#[async_trait]
impl RevocationFeed for Direct {
    async fn poll(&self, after: u64, wait: Duration) -> Result<FeedAnswer, FeedError> {
        if self.cut.load(Ordering::Acquire) {
            return Err(FeedError::Unreachable);
        }
        self.log
            .poll("san", "n1", after, wait.min(Duration::from_millis(20)))
            .await
            .map_err(|_| FeedError::Unreachable)
    }
}

#[tokio::test]
async fn a_follower_applies_before_it_confirms_and_lapses_when_it_is_cut() {
    let world = World::new().await;
    let log = world.log().await;
    log.revoke(client("before")).await.unwrap();
    let state = IssuerState::new(IssuerRow::sim(SIM, "x"), Following::Feed, None);
    assert!(!state.is_ready());
    let feed = Arc::new(Direct { log: log.clone(), cut: AtomicBool::new(false) });
    let mut follower =
        follow(Follow { issuer: state.clone(), feed: feed.clone(), ambient: world.ambient.clone() });
    timeout(PATIENCE, follower.ready()).await.unwrap();
    assert_eq!(state.epoch(), 1, "the snapshot comes first");
    assert!(state.check_lease(world.ambient.monotonic()).is_ok());

    let revoked = timeout(PATIENCE, log.revoke(client("vs-1"))).await.unwrap().unwrap();
    assert_eq!(revoked.confirmed, ["san"]);
    assert_eq!(state.epoch(), 2, "acknowledged is applied");
    let verifiers = log.verifiers().await.unwrap();
    assert!(verifiers[0].alive && verifiers[0].verifier == "san");

    let changed = timeout(PATIENCE, log.keys_changed()).await.unwrap().unwrap();
    assert_eq!((changed.epoch, changed.confirmed), (3, vec!["san".to_owned()]));

    feed.cut.store(true, Ordering::Release);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let task = begin(&log, "vs-2").await;
    world.clock.advance(LEASE);
    let revoked = ends(task).await;
    assert_eq!(revoked.lapsed, ["san"]);
    assert_eq!(
        state.check_lease(world.ambient.monotonic()),
        Err(Reason::LeaseExpired),
        "no grant after the answer"
    );

    feed.cut.store(false, Ordering::Release);
    let healed = async {
        while state.epoch() < 4 || state.check_lease(world.ambient.monotonic()).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, healed).await.unwrap();
}

/// Answers as a script says, then not at all.
struct Scripted(std::sync::Mutex<Vec<FeedAnswer>>);

#[async_trait]
impl RevocationFeed for Scripted {
    async fn poll(&self, _: u64, _: Duration) -> Result<FeedAnswer, FeedError> {
        let next = self.0.lock().unwrap().pop();
        next.ok_or(FeedError::Unreachable)
    }
}

#[tokio::test]
async fn an_answer_with_a_gap_or_of_another_history_grants_no_lease() {
    let entry = |epoch| super::FeedEntry {
        epoch,
        kind: "client".into(),
        value: "c".into(),
        issuer: SIM.into(),
        expires_s: None,
    };
    let thinned = |floor, epoch, head, entries: Vec<u64>| FeedAnswer {
        epoch,
        head,
        entries: entries.into_iter().map(entry).collect(),
        jwks_version: 0,
        floor,
    };
    let answer = |epoch, head, entries: Vec<u64>| thinned(0, epoch, head, entries);
    let rows = [
        ("the first is missing", answer(2, 2, vec![2]), 0, false),
        ("a gap", answer(3, 3, vec![1, 3]), 0, false),
        ("epoch beyond the entries", answer(5, 5, vec![1]), 0, false),
        ("epoch beyond the head", answer(1, 0, vec![1]), 0, false),
        ("out of order", answer(2, 2, vec![2, 1]), 0, false),
        ("not the whole of it", answer(2, 9, vec![1, 2]), 2, false),
        ("the whole of it", answer(2, 2, vec![1, 2]), 2, true),
        ("some are gone up to the floor", thinned(4, 6, 6, vec![2, 5, 6]), 6, true),
        ("the first after the floor is missing", thinned(4, 6, 6, vec![2, 6]), 0, false),
        ("a gap beyond the floor", thinned(2, 6, 6, vec![1, 3, 5, 6]), 0, false),
        ("all are gone", thinned(6, 6, 6, vec![]), 6, true),
        ("all are gone, and more than went", thinned(5, 6, 6, vec![]), 0, false),
        ("a floor beyond the head", thinned(7, 6, 6, vec![]), 0, false),
        ("back and forth below the floor", thinned(6, 4, 6, vec![4, 3, 4]), 0, false),
    ];
    for (what, answer, epoch, leased) in rows {
        let (ambient, _) = Ambient::for_test(NOW, 1);
        let state = IssuerState::new(IssuerRow::sim(SIM, "x"), Following::Feed, None);
        let feed = Arc::new(Scripted(std::sync::Mutex::new(vec![answer])));
        let _follower =
            follow(Follow { issuer: state.clone(), feed: feed.clone(), ambient: ambient.clone() });
        while !feed.0.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(state.epoch(), epoch, "{what}");
        assert_eq!(state.check_lease(ambient.monotonic()).is_ok(), leased, "{what}");
    }
}

#[tokio::test]
async fn a_verifier_that_comes_late_needs_nothing_of_what_is_gone() {
    let world = World::new().await;
    let log = world.log().await;
    let lasting = NewEntry { kind: Kind::Key, value: "kid".into(), expires_s: None };
    log.revoke([client("vs-1"), vec![lasting], client("vs-2")].concat()).await.unwrap();
    let dropped = world.store.write::<_, store::StoreError, _>(|tx| {
        Box::pin(async move { store::revocations::purge(tx, NOW + 601, 100).await })
    });
    assert_eq!(dropped.await.unwrap(), 2);
    let state = IssuerState::new(IssuerRow::sim(SIM, "x"), Following::Feed, None);
    let feed = Arc::new(Direct { log: log.clone(), cut: AtomicBool::new(false) });
    let mut follower = follow(Follow { issuer: state.clone(), feed, ambient: world.ambient.clone() });
    timeout(PATIENCE, follower.ready()).await.unwrap();
    assert_eq!(state.epoch(), 3);
    let revoked = timeout(PATIENCE, log.revoke(client("vs-3"))).await.unwrap().unwrap();
    assert_eq!((revoked.epoch, state.epoch()), (4, 4), "and follows on");
}

#[tokio::test]
async fn a_log_that_began_anew_ends_the_lease_and_is_loaded_again() {
    let (ambient, _) = Ambient::for_test(NOW, 1);
    let state = IssuerState::new(IssuerRow::sim(SIM, "x"), Following::Feed, None);
    state.apply(Vec::new(), 7);
    state.renew(ambient.monotonic());
    let empty = FeedAnswer { epoch: 0, head: 0, entries: Vec::new(), jwks_version: 0, floor: 0 };
    let feed = Arc::new(Scripted(std::sync::Mutex::new(vec![empty])));
    let _follower = follow(Follow { issuer: state.clone(), feed: feed.clone(), ambient: ambient.clone() });
    while !feed.0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(state.epoch(), 0);
    assert!(state.check_lease(ambient.monotonic()).is_err());
}
