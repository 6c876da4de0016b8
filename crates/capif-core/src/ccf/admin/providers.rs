//! `/capif/providers` of `admin`: domains of API providers, and the end of one by the operator.

use api_types::admin::{CapifFunction, CapifProvider, Page};
use api_types::capif::RegistrationId;
use api_types::capif::provider::APIProviderEnrolmentDetails;
use service_http::refusal::Refusal;
use store::capif::providers::{self, ProviderRow};
use store::capif::service_apis;
use store::{Sql, StoreError};

use super::{Part, absent, certificates_of, enrolment_of};
use crate::ccf::CcfServer;

impl CcfServer {
    /// Domains, by registration.
    ///
    /// # Errors
    /// The store fails.
    pub async fn providers(&self, part: Part<'_>) -> Result<Page<CapifProvider>, Refusal> {
        let (after, now_s) = (part.cursor.to_owned(), self.now_s());
        let most = part.with_one_more();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let mut shown = Vec::new();
                for row in providers::page(tx, &after, most).await? {
                    shown.push(show(tx, row, now_s).await?);
                }
                Ok(shown)
            })
        });
        Ok(part.page(read.await?, |one| one.registration_id.clone(), Ok)?)
    }

    /// One domain.
    ///
    /// # Errors
    /// There is none; the store fails.
    pub async fn provider(&self, registration: &RegistrationId) -> Result<CapifProvider, Refusal> {
        let (id, now_s) = (registration.as_str().to_owned(), self.now_s());
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                match providers::find(tx, &id).await? {
                    Some(row) => show(tx, row, now_s).await.map(Some),
                    None => Ok(None),
                }
            })
        });
        read.await?.ok_or_else(absent)
    }

    /// Ends the registration of a domain, with its functions, their certificates and what they published.
    ///
    /// # Errors
    /// There is none; the store fails.
    pub async fn deregister(&self, registration: &RegistrationId) -> Result<(), Refusal> {
        let (server, id) = (self.clone(), registration.as_str().to_owned());
        let epoch: Option<u64> = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let row = providers::find(tx, &id).await?.ok_or_else(absent)?;
                    let entries = server.remove_provider(tx, &row.registration_id).await?;
                    Ok::<_, Refusal>(server.note(tx, entries).await?)
                })
            })
            .await?;
        Ok(self.acknowledge(epoch).await?)
    }
}

async fn show(tx: &mut dyn Sql, row: ProviderRow, now_s: i64) -> Result<CapifProvider, StoreError> {
    let body: APIProviderEnrolmentDetails =
        serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("API provider"))?;
    let told = body.api_prov_funcs.unwrap_or_default();
    let mut functions = Vec::new();
    for function in providers::functions(tx, &row.registration_id).await? {
        let own = told.iter().find(|one| one.api_prov_func_id.as_deref() == Some(&function.function_id));
        functions.push(CapifFunction {
            information: own.and_then(|one| one.api_prov_func_info.clone()),
            certificates: certificates_of(tx, &function.function_id, now_s).await?,
            function_id: function.function_id,
            role: function.role,
        });
    }
    Ok(CapifProvider {
        api_prov_dom_id: row.domain_id,
        api_prov_name: body.api_prov_name,
        enrolment: enrolment_of(tx, &row.enrolment_id).await?,
        functions,
        published: service_apis::count(tx, &row.registration_id).await?,
        registration_id: row.registration_id,
    })
}
