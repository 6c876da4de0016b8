//! Whether what was read of a function's records still stands, without asking the engine.
//!
//! SQLite has one writer, in this process, whose lock on the data directory keeps other processes out. It counts up
//! before and after each commit that changes anything but records of what was done: an odd number is a commit under way.
//! What was read in a snapshot that began while the number was even stands for as long as the number is the same.
//!
//! PostgreSQL has writers on other machines: nothing is known to stand there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tables of which nothing is kept in memory to decide by: records of what was done, and what waits to be done.
/// Whatever else a statement writes, and every statement of another form, counts as a change.
const RECORDS: [&str; 13] = [
    "anchor_usage",
    "audit",
    "audit_head",
    "charging",
    "charging_head",
    "happening",
    "leases",
    "once",
    "outbox",
    "publication",
    "publication_gone",
    "tokens",
    "traces",
];

/// Counts commits that change something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settled(Arc<AtomicU64>);

impl Settled {
    /// The number; `None` while a commit is under way.
    pub(crate) fn number(&self) -> Option<u64> {
        let number = self.0.load(Ordering::SeqCst);
        number.is_multiple_of(2).then_some(number)
    }

    /// A commit begins, or has ended. Should one end without being told, nothing stands any more.
    pub(crate) fn turn(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// What the statements of a batch may have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Something that somebody decides by.
    pub(crate) anything: bool,
    /// Classes were removed, so that their numbers may come again.
    pub(crate) classes: bool,
}

impl Changed {
    /// A statement is run.
    pub(crate) fn note(&mut self, sql: &str) {
        if changes(sql) {
            self.anything = true;
            self.classes |= !adds(sql);
        }
    }
}

/// Whether a statement that changes something only adds rows, or has nothing to do with classes.
fn adds(sql: &str) -> bool {
    sql.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("insert into ")) || !sql.contains("class")
}

/// Whether a statement may change what somebody decides by.
fn changes(sql: &str) -> bool {
    let mut words = sql.split(|c: char| c.is_ascii_whitespace() || c == '(').filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default();
    let first = next();
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    if is(first, "select") {
        return false;
    }
    let writes_to_a_table = is(first, "update")
        || is(first, "insert") && is(next(), "into")
        || is(first, "delete") && is(next(), "from");
    if !writes_to_a_table {
        return true;
    }
    let table = next();
    !RECORDS.iter().any(|record| is(table, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_of_what_was_done_leave_the_rest_as_it_was() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("select * from anchor",                                         false),
            ("INSERT INTO audit (seq) VALUES ($1)",                          false),
            ("insert into once (kind, value) values ($1, $2) on conflict do nothing", false),
            ("INSERT INTO traces(trace) VALUES ($1)",                        false),
            ("UPDATE charging SET units = $1 WHERE id = $2",                 false),
            ("delete from leases where issuer = $1",                         false),
            ("insert into anchor (anchor_id) values ($1)",                   true),
            ("insert or replace into audit (seq) values ($1)",               true),
            ("INSERT INTO auditors (name) VALUES ($1)",                      true),
            ("update anchors_list set version = version + 1",                true),
            ("delete from class_match where class_id = $1",                  true),
            ("with gone as (select 1) delete from traces",                   true),
            ("replace into traces (trace) values ($1)",                      true),
            ("create table x (y integer)",                                   true),
            ("",                                                             true),
        ];
        for (sql, expected) in rows {
            assert_eq!(changes(sql), expected, "{sql}");
        }
    }

    #[test]
    fn classes_are_removed_by_whatever_may_do_so() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("select class_id from class_match",                                  false, false),
            ("insert into class_match (match_key, class_id) values ($1, $2)",     true,  false),
            ("update anchors_list set version = version + 1",                     true,  false),
            ("delete from class_match where class_id = $1",                       true,  true),
            ("delete from visibility_class where class_id = $1",                  true,  true),
            ("update anchor set class_id = $1",                                   true,  true),
            ("insert or replace into visibility_class (class_id) values ($1)",    true,  true),
        ];
        for (sql, anything, classes) in rows {
            let mut changed = Changed::default();
            changed.note(sql);
            assert_eq!(changed, Changed { anything, classes }, "{sql}");
        }
    }

    #[test]
    fn nothing_stands_while_a_commit_is_under_way() {
        let settled = Settled::default();
        let before = settled.number();
        settled.turn();
        assert_eq!(settled.number(), None);
        settled.turn();
        assert!(before.is_some() && settled.number().is_some() && settled.number() != before);
    }
}
