//! The newest records, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::TraceRecord;

/// Records that stay in memory. Own value.
const KEPT: usize = 2_048;

#[derive(Default)]
pub(super) struct Ring {
    records: VecDeque<Arc<TraceRecord>>,
}

impl Ring {
    pub(super) fn push(&mut self, record: Arc<TraceRecord>) {
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }

    /// Records of `trace`, or linked to it, the oldest first.
    pub(super) fn of(&self, trace: &str) -> Vec<Arc<TraceRecord>> {
        let meant =
            |record: &&Arc<TraceRecord>| record.trace == trace || record.link.as_deref() == Some(trace);
        self.records.iter().filter(meant).cloned().collect()
    }

    /// The newest first.
    pub(super) fn newest(&self, limit: usize) -> Vec<Arc<TraceRecord>> {
        self.records.iter().rev().take(limit).cloned().collect()
    }
}
