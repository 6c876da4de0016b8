//! `/capif/open-apis` of `admin`: which service APIs anybody may discover, who is not onboarded. What the operator has written
//! counts; before that, what the configuration says.

use api_types::admin::OpenApis;
use api_types::capif::ApiName;
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use service_http::refusal::Refusal;
use store::capif::open_apis;
use store::{Put, Sql, StoreError};

use super::{Versioned, absent};
use crate::ccf::CcfServer;

impl CcfServer {
    /// The list that counts. Version 0: it is that of the configuration.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_apis(&self) -> Result<Versioned<OpenApis>, Refusal> {
        let configured = self.config().open_apis.clone();
        let document = self.kit().store.read(|tx| Box::pin(open_apis::find(tx))).await?;
        Ok(match document {
            Some(document) => Versioned { body: read(&document.body)?, version: document.version },
            None => Versioned { body: OpenApis { names: configured }, version: 0 },
        })
    }

    /// Writes the list. It counts for the next discovery.
    ///
    /// # Errors
    /// Members at fault; the store fails.
    pub async fn put_open_apis(&self, list: &OpenApis) -> Result<Put, Refusal> {
        list.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
        let body = serde_json::to_string(list).map_err(|_| Refusal::open(Reason::StoreFailed))?;
        let at_ms = self.kit().ambient.now_ms();
        self.kit()
            .store
            .write(move |tx| {
                Box::pin(async move { open_apis::put(tx, &body, at_ms).await.map_err(Refusal::from) })
            })
            .await
    }

    /// Drops the list: what the configuration says counts again.
    ///
    /// # Errors
    /// None was written; the store fails.
    pub async fn delete_open_apis(&self) -> Result<(), Refusal> {
        let write = self
            .kit()
            .store
            .write(|tx| Box::pin(async move { open_apis::delete(tx).await.map_err(Refusal::from) }));
        let gone: bool = write.await?;
        if gone { Ok(()) } else { Err(absent()) }
    }
}

/// The names that count, in the snapshot of the caller.
///
/// # Errors
/// The store fails.
pub(crate) async fn open_names(ccf: &CcfServer, tx: &mut dyn Sql) -> Result<Vec<ApiName>, StoreError> {
    match open_apis::find(tx).await? {
        Some(document) => Ok(read(&document.body)?.names),
        None => Ok(ccf.config().open_apis.clone()),
    }
}

fn read(body: &str) -> Result<OpenApis, StoreError> {
    serde_json::from_str(body).map_err(|_| StoreError::Damaged("list of open service APIs"))
}
