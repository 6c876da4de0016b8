//! `kill -9` in the middle of writes, again and again on one data directory (issue: 100 times).
//!
//! Whatever was acknowledged is there after the restart: lists, maps and payloads; each served request has exactly one
//! charging record, and no charge is without its permit in the audit; the chains go on where they were; what is good
//! once and was used stays used, and what was revoked stays revoked.

mod after;
mod book;
mod records;
mod tokens;
mod work;

use std::time::Duration;

use tempfile::TempDir;

use crate::harness::{Launch, Program, Site, TestTime, port_base};
use book::Book;
use records::Records;

/// Kills, unless `METASEAL_KILLS` says otherwise.
const KILLS: usize = 100;
/// When a slow machine has not come to the end by then, the rounds that were played count. Own value.
const LONGEST: Duration = Duration::from_secs(240);
/// Fewest rounds that count.
const FEWEST: usize = 20;
/// Every so many rounds something is revoked, which takes a new issuer the length of a lease.
const REVOKE_EACH: usize = 10;
/// Every so many rounds the chains are computed anew from their first record; in between, what is new must go on where
/// the last round ended.
const VERIFY_EACH: usize = 25;
/// Objects that are read again after each round beside those that changed; after the last one, all.
const AGAIN: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let kills = std::env::var("METASEAL_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let dir = TempDir::new().expect("a temporary directory");
    let time = TestTime::new();
    let began = time.monotonic();
    let launch = Launch::new(dir.path(), "serve", &["serve", "--data", "data"])
        .arg("--port-base")
        .arg(port_base(&time).to_string())
        .env("METASEAL_SIM_LOGINS_PER_MINUTE", "100000")
        .env("METASEAL_LIMITS_REQUESTS_PER_SOURCE", "1000000")
        .env("METASEAL_LIMITS_REQUESTS_PER_CLIENT", "1000000");
    let mut program = launch.start();
    let mut site = Site::with_time(&program, time.clone());
    site.register().await;
    let book = Book::new(time.ambient());
    let mut records = Records::default();
    let mut played = 0;
    loop {
        played += 1;
        let late = played >= FEWEST && time.monotonic() - began > LONGEST;
        let last = played == kills || late;
        let revoke = played % REVOKE_EACH == 0;
        round(&site, &book, &mut program, played, revoke).await;
        program = launch.start();
        site.update(&program);
        after::acknowledged_is_there(&site, &book, if last { usize::MAX } else { AGAIN }).await;
        after::used_stays_used(&site, &book).await;
        records.reconcile(&site, &book, last || played % VERIFY_EACH == 0).await;
        assert!(book.faults().is_empty(), "round {played}:\n{}", book.faults().join("\n"));
        if last {
            break;
        }
    }
    let seconds = (time.monotonic() - began).as_secs_f64();
    println!("{played} kills in {seconds:.1} s: {}", book.summary(&records));
    book.was_not_idle(played);
}

/// Lets everybody work, and kills the program while they do.
async fn round(site: &Site, book: &Book, program: &mut Program, number: usize, revoke: bool) {
    let mut workers = tokio::task::JoinSet::new();
    for (client, service) in [("vs-1", "museum-guide"), ("vs-2", "campus-navigation")] {
        let lists = work::Lists::new(site, book, client, service, number).await;
        workers.spawn(lists.work());
    }
    workers.spawn(work::Maps::new(site, book, "vs-1", "museum-guide", number).await.work());
    workers.spawn(work::reads(work::Lists::new(site, book, "vs-2", "campus-navigation", number).await));
    let client = if revoke || number.is_multiple_of(2) { "ue-1" } else { "ue-bearer" };
    let tokens = tokens::Tokens::new(site, book, client, revoke).await;
    let tokens = tokio::spawn(tokens.work());
    if revoke {
        let _ = tokio::time::timeout(Duration::from_secs(10), tokens).await;
    } else {
        tokio::time::sleep(Duration::from_millis(120 + site.time.draw(280))).await;
        drop(tokens);
    }
    program.kill();
    // Every request in hand fails now.
    while workers.join_next().await.is_some() {}
}
