//! E2E-14: charging totals are what was delivered, by true consumer.

use std::collections::BTreeMap;
use std::time::Duration;

use sdk::admin::RecordFilter;
use sdk::{AnchorQuery, SanClient, SdkError};
use tempfile::TempDir;

use crate::harness::{Launch, Site, TestTime, parsed, port_base, val_server_list};

const SCOPE: &str = "3gpp:seal:san.read 3gpp:seal:san.discover";

/// What a consumer was given, and what it may have been given without being told.
#[derive(Default, Debug)]
struct Bill {
    delivered: u64,
    perhaps: u64,
}

/// Five consumers, retries, aborts and refusals; the server is killed twice.
#[tokio::test(flavor = "multi_thread")]
async fn charging_totals_are_what_was_delivered() {
    const OPERATIONS: usize = 150;
    let dir = TempDir::new().expect("a temporary directory");
    let launch = Launch::new(dir.path(), "serve", &["serve", "--data", "data", "--port-base"])
        .arg(port_base(&TestTime::new()).to_string());
    let mut program = launch.start();
    let mut site = Site::of(&program);
    site.register().await;
    site.register_val_server("vs-3", "asset-tracking").await;
    let owner = site.san("vs-1", "3gpp:seal:san").await;
    let mut lists = Vec::new();
    for number in 0..5 {
        let body = val_server_list("museum-guide", &format!("list {number}"));
        lists.push(owner.create_list(&parsed(body)).await.expect("created").id);
    }
    let consumers = ["vs-2", "vs-3", "alice@campus.example", "bob@campus.example"];
    let mut bills: BTreeMap<String, Bill> =
        consumers.iter().map(|name| ((*name).to_owned(), Bill::default())).collect();
    // The owner is the fifth: five lists of two anchors.
    bills.insert("vs-1".into(), Bill { delivered: 10, perhaps: 0 });
    for kills in 0..3 {
        let mut work = tokio::task::JoinSet::new();
        for client in ["vs-2", "vs-3"] {
            work.spawn(consume(
                client.to_owned(),
                site.san(client, "3gpp:seal:san").await,
                lists.clone(),
                OPERATIONS,
            ));
        }
        for user in ["alice", "bob"] {
            let session = site.session(user, "ue-1").await.expect("a login");
            let credential = session.credential(site.at("san"), SCOPE).await.expect("a token");
            let san = SanClient::new(site.link("ue-1"), site.at("san"), credential).expect("a client");
            work.spawn(consume(format!("{user}@campus.example"), san, lists.clone(), OPERATIONS));
        }
        if kills < 2 {
            tokio::time::sleep(Duration::from_millis(300 + site.time.draw(300))).await;
            program.kill();
        }
        while let Some(done) = work.join_next().await {
            let (name, bill) = done.expect("a consumer");
            let known = bills.get_mut(&name).expect("a consumer");
            known.delivered += bill.delivered;
            known.perhaps += bill.perhaps;
        }
        if kills < 2 {
            program = launch.start();
            site.update(&program);
        }
    }
    for (name, bill) in &bills {
        let (mut units, mut cursor) = (0, None);
        loop {
            let filter = RecordFilter {
                consumer: Some(name.clone()),
                limit: Some(1_000),
                cursor,
                ..Default::default()
            };
            let page = site.operator().charging(&filter).await.expect("charging");
            units += page.items.iter().map(|item| item.units).sum::<u64>();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(
            (bill.delivered..=bill.delivered + bill.perhaps).contains(&units),
            "{name}: {units} units charged, {bill:?}"
        );
        assert!(bill.delivered > 0, "{name} was given nothing");
    }
    assert!(site.operator().verify_audit().await.expect("chains").intact);
}

/// Reads, searches, tries what it may not, and gives up now and then.
async fn consume(
    name: String,
    san: SanClient,
    lists: Vec<api_types::ids::AnchorsListId>,
    operations: usize,
) -> (String, Bill) {
    let mut bill = Bill::default();
    for number in 0..operations {
        let list = &lists[number % lists.len()];
        let found = match number % 5 {
            // One of the two anchors of a list is for everybody.
            0 | 1 => san.list(list, true).await.map(|list| list.value.anchors.len() as u64),
            2 => {
                let query = AnchorQuery { limit: Some(3), ..Default::default() };
                san.discover(&query).await.map(|page| page.found.results.len() as u64)
            }
            // Refused, and not charged: for want of the scope or of the right.
            3 => match san.delete_list(list, None).await {
                Err(SdkError::Problem { status: 403, .. }) => continue,
                Err(error) => Err(error),
                Ok(()) => panic!("{name} deleted a list of vs-1"),
            },
            // Given up: whether it was served is not known.
            _ => {
                let asked = san.list(list, true);
                match tokio::time::timeout(Duration::from_millis(number as u64 % 7), asked).await {
                    Ok(answer) => answer.map(|list| list.value.anchors.len() as u64),
                    Err(_) => {
                        bill.perhaps += 1;
                        continue;
                    }
                }
            }
        };
        match found {
            Ok(units) => bill.delivered += units.max(1),
            Err(SdkError::Transport { .. }) => {
                bill.perhaps += 3;
                break;
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    (name, bill)
}
