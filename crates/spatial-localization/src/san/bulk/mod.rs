//! Anchors in bulk, for operators: lines of GeoJSON in and out (decision 0041).
//!
//! These are no routes of this server's own listener: the admin interface calls them, which knows the operator by a
//! certificate and has the act on record. Whatever comes in obeys the limits that the interface of TS 29.437 has, so that
//! what was imported can be read, changed and discovered like anything else.

mod export;
mod lines;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use export::ExportPage;
pub use lines::{Line, Lines};

use std::sync::Arc;

use api_types::bulk::{BadLine, ImportBegin, ImportRun};
use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use bytes::Bytes;
use service_http::refusal::Refusal;
use store::StoreError;
use store::anchors::imports::{self, ImportRow};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use super::SanServer;

/// Lines of an import, as they arrive.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The import.
    pub import_id: String,
    /// Number of the first line, from 1.
    pub first: u64,
    /// Whether no line comes after these.
    pub last: bool,
    /// Whether bad lines are left out, instead of stopping the import.
    pub skip_bad: bool,
    /// The lines.
    pub lines: Bytes,
}

/// A place in the order of requests that keep lines.
#[derive(Debug)]
pub struct Turn(JoinHandle<OwnedMutexGuard<()>>);

impl SanServer {
    /// Begins an import, or tells how far it is.
    ///
    /// # Errors
    /// A demo made the file and this is none; the import was begun on other terms; the store failed.
    pub async fn begin_import(&self, id: &str, begin: &ImportBegin) -> Result<(ImportRun, bool), Refusal> {
        if begin.demo && !self.kit().settings.demo {
            return Err(refused("/demo", "was made by a demo, whose owners and rules are worth nothing"));
        }
        let terms = super::stored::written(begin)?;
        let (import_id, said, now_s) = (id.to_owned(), terms.clone(), self.kit().ambient.now_s());
        let begun = self.kit().store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let created = imports::begin(tx, &import_id, &said, now_s).await?;
                Ok((imports::find(tx, &import_id).await?, created))
            })
        });
        let (row, created) = begun.await?;
        let row = row.ok_or(StoreError::Damaged("an import that was begun is missing"))?;
        if row.terms != terms {
            return Err(refused("", "is not how this import began"));
        }
        Ok((shown(&row, Vec::new()), created))
    }

    /// How far an import is.
    ///
    /// # Errors
    /// There is none; the store failed.
    pub async fn import_run(&self, id: &str) -> Result<ImportRun, Refusal> {
        Ok(shown(&self.import_row(id).await?, Vec::new()))
    }

    /// Keeps lines. What was kept before is passed over, so that a request whose answer was lost may be sent again.
    ///
    /// # Errors
    /// There is no such import; lines are missing before these (412); a line is bad and bad lines are not left out:
    /// nothing of the batch is kept then.
    pub async fn import_lines(&self, batch: Batch, turn: Turn) -> Result<ImportRun, Refusal> {
        let row = self.import_row(&batch.import_id).await?;
        let (server, reading) = (self.clone(), batch.clone());
        let read =
            tokio::task::spawn_blocking(move || read::batch(server.kit(), server.core(), &row, &reading))
                .await;
        let read = read.map_err(|_| Refusal::open(Reason::StoreFailed))??;
        let _turn = turn.0.await;
        let server = self.clone();
        self.kit().store.write_alone(move |tx| Box::pin(write::keep(server, tx, batch, read))).await
    }

    /// The turn of a request in the order in which requests began: while the lines of one are kept, those of the next
    /// are read.
    pub fn import_turn(&self) -> Turn {
        Turn(tokio::spawn(Arc::clone(&self.0.import_turns).lock_owned()))
    }

    async fn import_row(&self, id: &str) -> Result<ImportRow, Refusal> {
        let id = id.to_owned();
        let found = self.kit().store.read(move |tx| Box::pin(async move { imports::find(tx, &id).await }));
        found.await?.ok_or_else(|| Refusal::open(Reason::NotFound))
    }
}

fn shown(row: &ImportRow, bad: Vec<BadLine>) -> ImportRun {
    ImportRun {
        import_id: row.import_id.clone(),
        next_line: row.next_line,
        imported: row.imported,
        renumbered: row.renumbered,
        skipped: row.skipped,
        keeps_ids: row.keeps_ids,
        done: row.done,
        bad,
    }
}

/// 400 by a member of the request.
fn refused(param: &str, reason: &'static str) -> Refusal {
    Refusal::input(Cause::MandatoryIeIncorrect, vec![InvalidParam::new(param, reason)])
}

/// 400 by the bad lines of a batch, by their numbers.
fn refused_lines(bad: &[BadLine]) -> Refusal {
    let fault = |bad: &BadLine| InvalidParam {
        param: format!("/{}{}", bad.line, bad.param),
        reason: Some(bad.reason.clone()),
    };
    let most = api_types::validate::MAX_INVALID_PARAMS;
    Refusal::input(Cause::MandatoryIeIncorrect, bad.iter().take(most).map(fault).collect())
}
