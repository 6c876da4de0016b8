//! What is over: API invokers whose onboarding has ended go as if they had left; what no handshake and no token needs any
//! more is forgotten.

use store::StoreError;
use store::capif::{asks, certificates, enrolments, invokers, tokens};

use super::CcfServer;

/// Records that are seen to at once. Own value.
const AT_ONCE: u32 = 1_000;

/// How long what is over stays on record, in seconds. Own value: so that an operator still finds why it was refused.
const KEPT_S: i64 = 24 * 3_600;

impl CcfServer {
    /// Ends and forgets what is over.
    ///
    /// # Errors
    /// The store fails; the next call tries again.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        let (server, now_s) = (self.clone(), self.now_s());
        let epoch: Option<u64> = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut entries = Vec::new();
                    for row in invokers::over(tx, now_s, AT_ONCE).await? {
                        entries.extend(server.remove_invoker(tx, &row.invoker_id).await?);
                    }
                    let before_s = now_s.saturating_sub(KEPT_S);
                    tokens::purge(tx, now_s, AT_ONCE).await?;
                    certificates::purge(tx, before_s).await?;
                    enrolments::purge(tx, before_s).await?;
                    asks::purge(tx, before_s).await?;
                    server.note(tx, entries).await
                })
            })
            .await?;
        self.acknowledge(epoch).await
    }
}
