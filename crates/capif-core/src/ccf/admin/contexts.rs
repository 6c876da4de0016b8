//! `/capif/contexts` of `admin`: what API invokers have negotiated.

use api_types::admin::{CapifContext, CapifContextEntry, Page};
use api_types::capif::ApiInvokerId;
use api_types::capif::security::ServiceSecurity;
use service_http::refusal::Refusal;
use store::capif::contexts::{self, ContextRow};
use store::{Sql, StoreError};

use super::{Part, absent};
use crate::ccf::CcfServer;

impl CcfServer {
    /// Security contexts, by API invoker.
    ///
    /// # Errors
    /// The store fails.
    pub async fn contexts(&self, part: Part<'_>) -> Result<Page<CapifContext>, Refusal> {
        let after = part.cursor.to_owned();
        let most = part.with_one_more();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let mut shown = Vec::new();
                for row in contexts::page(tx, &after, most).await? {
                    shown.push(show(tx, row).await?);
                }
                Ok(shown)
            })
        });
        Ok(part.page(read.await?, |one| one.api_invoker_id.clone(), Ok)?)
    }

    /// The security context of an API invoker.
    ///
    /// # Errors
    /// It has none; the store fails.
    pub async fn context(&self, invoker: &ApiInvokerId) -> Result<CapifContext, Refusal> {
        let id = invoker.as_str().to_owned();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                match contexts::find(tx, &id).await? {
                    Some(row) => show(tx, row).await.map(Some),
                    None => Ok(None),
                }
            })
        });
        read.await?.ok_or_else(absent)
    }
}

async fn show(tx: &mut dyn Sql, row: ContextRow) -> Result<CapifContext, StoreError> {
    let body: ServiceSecurity =
        serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("security context"))?;
    let mut security_info = body.security_info;
    for info in &mut security_info {
        // For the API exposing function alone.
        info.authentication_info = None;
        info.authorization_info = None;
    }
    let entries = contexts::entries(tx, &row.invoker_id).await?.into_iter().map(|entry| CapifContextEntry {
        aef_id: entry.aef_id,
        service_api_id: entry.api_id,
        api_name: entry.api_name,
        method: entry.method,
    });
    Ok(CapifContext {
        entries: entries.collect(),
        version: u64::try_from(row.version).unwrap_or_default(),
        api_invoker_id: row.invoker_id,
        security_info,
    })
}
