//! `CAPIF_Logging_API_Invocation` and `CAPIF_Auditing` (TS 29.222 8.7, 8.8; sheet 1.9): API exposing functions report how
//! they were invoked, and the management function of their domain audits it. Each entry is sealed over the one before.

mod append;
mod audit;
mod cursor;
mod matching;

use store::StoreError;
use store::audit::Verification;
use store::capif::invocations;

pub(crate) use append::append;
pub(crate) use audit::{audit, fuzz_query};

use super::CcfServer;

/// Where logs are.
const PATH: &str = "/api-invocation-logs/v1";

impl CcfServer {
    /// Walks the chain of invocations and finds the first place that was edited, removed, inserted or reordered.
    ///
    /// # Errors
    /// The store fails.
    pub async fn verify_invocations(&self) -> Result<Verification, StoreError> {
        self.kit().store.read(|tx| Box::pin(async move { invocations::verify(tx).await })).await
    }
}
