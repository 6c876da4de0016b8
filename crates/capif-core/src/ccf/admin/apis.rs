//! `/capif/apis` of `admin`: what is published, and who may use it.

use api_types::DateTime;
use api_types::admin::{CapifApi, CapifNegotiated, CapifUser, Page};
use api_types::capif::{ApiName, ServiceApiId};
use service_http::refusal::Refusal;
use store::capif::service_apis::{self, ServiceApiRow};
use store::capif::{contexts, enrolments, invokers};
use store::{Sql, StoreError};

use super::{Part, absent, open_names};
use crate::ccf::allowed::allows;
use crate::ccf::{CcfServer, published};

impl CcfServer {
    /// Published service APIs, by identifier.
    ///
    /// # Errors
    /// The store fails.
    pub async fn service_apis(&self, part: Part<'_>) -> Result<Page<CapifApi>, Refusal> {
        let (after, server) = (part.cursor.to_owned(), self.clone());
        let most = part.with_one_more();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let open = open_names(&server, tx).await?;
                Ok((service_apis::page(tx, &after, most).await?, open))
            })
        });
        let (rows, open) = read.await?;
        Ok(part.page(rows, |row| row.api_id.clone(), |row| show(row, &open))?)
    }

    /// One published service API.
    ///
    /// # Errors
    /// There is none; the store fails.
    pub async fn service_api(&self, api: &ServiceApiId) -> Result<CapifApi, Refusal> {
        let (id, server) = (api.as_str().to_owned(), self.clone());
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let open = open_names(&server, tx).await?;
                service_apis::find(tx, &id).await?.map(|row| show(row, &open)).transpose()
            })
        });
        read.await?.ok_or_else(absent)
    }

    /// The API invokers whose enrolment allows a service API, with what they have negotiated. Of each page of API invokers
    /// those are shown that may: a page may be short and still name the next.
    ///
    /// # Errors
    /// There is no such API; the store fails.
    pub async fn users_of(&self, api: &ServiceApiId, part: Part<'_>) -> Result<Page<CapifUser>, Refusal> {
        let (id, after) = (api.as_str().to_owned(), part.cursor.to_owned());
        let most = part.with_one_more();
        let shown = part.limit as usize;
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let Some(api) = service_apis::find(tx, &id).await? else { return Ok(None) };
                let mut rows = invokers::page(tx, &after, most).await?;
                let more = rows.len() > shown;
                rows.truncate(shown);
                let next = rows.last().filter(|_| more).map(|row| row.invoker_id.clone());
                let mut items = Vec::new();
                for row in rows {
                    items.extend(user(tx, row, &api).await?);
                }
                Ok(Some(Page { items, next }))
            })
        });
        read.await?.ok_or_else(absent)
    }
}

async fn user(
    tx: &mut dyn Sql,
    row: invokers::InvokerRow,
    api: &ServiceApiRow,
) -> Result<Option<CapifUser>, StoreError> {
    // An enrolment that is not on record allows nothing.
    let Some(enrolment) = enrolments::find(tx, &row.enrolment_id).await? else { return Ok(None) };
    if !allows(&enrolment.apis, &api.api_name) {
        return Ok(None);
    }
    let entries = contexts::entries(tx, &row.invoker_id).await?;
    let negotiated = entries.into_iter().filter(|entry| entry.api_id == api.api_id);
    let negotiated = negotiated.map(|entry| CapifNegotiated { aef_id: entry.aef_id, method: entry.method });
    Ok(Some(CapifUser {
        api_invoker_id: row.invoker_id,
        name: enrolment.name,
        negotiated: negotiated.collect(),
    }))
}

fn show(row: ServiceApiRow, open: &[ApiName]) -> Result<CapifApi, StoreError> {
    let description = published::read(&row)?;
    Ok(CapifApi {
        open: open.iter().any(|name| name.as_str() == row.api_name),
        published_at: DateTime::from_unix(row.created_s),
        service_api_id: row.api_id,
        api_name: row.api_name,
        registration_id: row.registration_id,
        apf_id: row.apf_id,
        description,
    })
}
