//! `/capif/asks` of `admin`: questions to owners, and what became of them.

use api_types::DateTime;
use api_types::admin::{CapifAsk, Page};
use service_http::refusal::Refusal;
use store::StoreError;
use store::capif::asks::{self, AskRow, AskState};

use super::Part;
use crate::ccf::CcfServer;

impl CcfServer {
    /// Questions, by name; only those that can be answered now, where `open` says so. Never their nonces.
    ///
    /// # Errors
    /// The store fails.
    pub async fn asks(&self, part: Part<'_>, open: bool) -> Result<Page<CapifAsk>, Refusal> {
        let (after, now_s) = (part.cursor.to_owned(), self.now_s());
        let most = part.with_one_more();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move { asks::page(tx, &after, open.then_some(now_s), most).await })
        });
        Ok(part.page(read.await?, |row| row.ask_id.clone(), |row| show(row, now_s))?)
    }
}

fn show(row: AskRow, now_s: i64) -> Result<CapifAsk, StoreError> {
    // One that is over is written so only when the next one is asked.
    let state = match row.state {
        AskState::Open if row.expires_s <= now_s => AskState::Expired,
        state => state,
    };
    Ok(CapifAsk {
        ask_id: row.ask_id,
        aef_id: row.aef_id,
        resource_id: row.resource_id,
        api_invoker_id: row.invoker_id,
        actions: serde_json::from_str(&row.actions).map_err(|_| StoreError::Damaged("a question"))?,
        state: state.as_str().to_owned(),
        created_at: DateTime::from_unix(row.created_s),
        expires_at: DateTime::from_unix(row.expires_s),
        decided_at: row.decided_s.map(DateTime::from_unix),
        until: row.until_s.map(DateTime::from_unix),
    })
}
