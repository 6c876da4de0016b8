//! What the jobs of a batch leave to be written together, right before its commit.
//!
//! The chains of audit and charging have one head each, that every decision reads and writes. Of the jobs that share a
//! commit only the last head is ever seen by anybody: it is read and written once for all of them.

use crate::audit::{self, AuditRow};
use crate::charging::{self, ChargingRow};
use crate::{Sql, StoreError};

/// Records that wait for the end of the batch, in the order of the jobs.
#[derive(Debug, Default)]
pub struct Tail {
    pub(crate) audit: Vec<AuditRow>,
    pub(crate) charging: Vec<ChargingRow>,
}

/// How much waited at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize, usize);

impl Tail {
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.audit.len(), self.charging.len())
    }

    /// Forgets what was left since: the job is rolled back.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.audit.truncate(mark.0);
        self.charging.truncate(mark.1);
    }

    pub(crate) fn clear(&mut self) {
        self.audit.clear();
        self.charging.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.audit.is_empty() && self.charging.is_empty()
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// The engine's: the batch cannot be kept.
    pub(crate) async fn write(&mut self, tx: &mut dyn Sql) -> Result<(), StoreError> {
        if !self.audit.is_empty() {
            audit::append_all(tx, std::mem::take(&mut self.audit)).await?;
        }
        if !self.charging.is_empty() {
            charging::append_new(tx, &std::mem::take(&mut self.charging)).await?;
        }
        Ok(())
    }
}
