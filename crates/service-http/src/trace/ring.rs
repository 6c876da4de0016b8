//! The newest records, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Written;

/// Records that stay in memory. Own value.
const KEPT: usize = 2_048;

#[derive(Default)]
pub(super) struct Ring {
    records: VecDeque<Arc<Written>>,
}

impl Ring {
    pub(super) fn push(&mut self, record: Arc<Written>) {
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    /// Records of `trace`, or linked to it, the oldest first.
    pub(super) fn of(&self, trace: &str) -> Vec<Arc<Written>> {
        let meant = |record: &&Arc<Written>| record.trace == trace || record.link.as_deref() == Some(trace);
        self.records.iter().filter(meant).cloned().collect()
    }

    /// The newest first.
    pub(super) fn newest(&self, limit: usize) -> Vec<Arc<Written>> {
        self.records.iter().rev().take(limit).cloned().collect()
    }
}
