//! Audit and charging, held against what the clients were told.

use std::collections::HashMap;
use std::fmt;

use api_types::admin::{AuditItem, ChargingItem};
use sdk::admin::RecordFilter;

use super::book::Book;
use crate::harness::Site;

/// Functions whose served requests are charged.
const CHARGED: [&str; 2] = ["san", "sm"];
/// Functions with an audit chain.
const AUDITED: [&str; 4] = ["admin", "sim", "san", "sm"];
/// Items of a page.
const PAGE: u32 = 1_000;

/// What was read of the records so far.
#[derive(Default)]
pub(crate) struct Records {
    /// Place and hash of the last record of each chain.
    heads: HashMap<&'static str, (u64, String)>,
    /// Place of the last charging record of each function.
    charged: HashMap<&'static str, u64>,
    /// Permits by function and trace.
    permits: HashMap<(&'static str, String), usize>,
    /// Charging records by function and trace.
    charges: HashMap<(&'static str, String), usize>,
    /// Traces that a client was answered.
    answered: usize,
    unanswered: usize,
}

impl fmt::Display for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (permits, charges) = (self.permits.len(), self.charges.len());
        let (answered, unanswered) = (self.answered, self.unanswered);
        write!(f, "{permits} permits, {charges} charges ({answered} answered, {unanswered} cut off)")
    }
}

impl Records {
    /// Reads what is new, and compares.
    pub(crate) async fn reconcile(&mut self, site: &Site, book: &Book, whole: bool) {
        if whole {
            let found = site.operator().verify_audit().await.expect("the chains");
            if !found.intact {
                book.fault(format!("a chain is broken: {:?}", found.functions));
            }
        }
        for function in AUDITED {
            self.read_audit(site, book, function).await;
        }
        let mut fresh = 0;
        for function in CHARGED {
            fresh += self.read_charging(site, book, function).await;
        }
        let (served, asked) = (book.take_served(), book.take_asked());
        self.answered += served.len();
        for (function, trace) in &served {
            let key = (*function, trace.clone());
            let (charges, permits) = (self.charges.get(&key), self.permits.get(&key));
            if (charges, permits) != (Some(&1), Some(&1)) {
                book.fault(format!(
                    "{function} {trace} was served, with charges {charges:?} and permits {permits:?}"
                ));
            }
        }
        // What was charged and not answered was in hand when the program was killed.
        let extra = fresh.saturating_sub(served.len());
        self.unanswered += extra;
        if fresh < served.len() || fresh > asked {
            book.fault(format!("{fresh} charges for {} served of {asked} requests", served.len()));
        }
    }

    async fn read_audit(&mut self, site: &Site, book: &Book, function: &'static str) {
        let (mut seq, mut hash) = self.heads.remove(function).unwrap_or_default();
        for item in audit(site, function, seq).await {
            if seq > 0 && (item.prev != hash || item.seq != seq + 1) {
                book.fault(format!("the chain of {function} does not go on from {seq}: {item:?}"));
            }
            (seq, hash) = (item.seq, item.hash.clone());
            if item.verdict == "permit" {
                *self.permits.entry((function, item.trace.as_str().to_owned())).or_default() += 1;
            }
        }
        self.heads.insert(function, (seq, hash));
    }

    async fn read_charging(&mut self, site: &Site, book: &Book, function: &'static str) -> usize {
        let mut seq = self.charged.remove(function).unwrap_or_default();
        let items = charging(site, function, seq).await;
        for item in &items {
            seq = item.seq;
            let key = (function, item.trace.as_str().to_owned());
            if !self.permits.contains_key(&key) {
                book.fault(format!("a charge without a permit: {item:?}"));
            }
            *self.charges.entry(key).or_default() += 1;
        }
        self.charged.insert(function, seq);
        items.len()
    }
}

fn filter(function: &str, after: u64, cursor: Option<String>) -> RecordFilter {
    RecordFilter {
        function: Some(function.into()),
        after: Some(after),
        limit: Some(PAGE),
        cursor,
        ..RecordFilter::default()
    }
}

async fn audit(site: &Site, function: &str, after: u64) -> Vec<AuditItem> {
    let (admin, mut items, mut cursor) = (site.operator(), Vec::new(), None);
    loop {
        let page = admin.audit(&filter(function, after, cursor)).await.expect("audit");
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}

async fn charging(site: &Site, function: &str, after: u64) -> Vec<ChargingItem> {
    let (admin, mut items, mut cursor) = (site.operator(), Vec::new(), None);
    loop {
        let page = admin.charging(&filter(function, after, cursor)).await.expect("charging");
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}
