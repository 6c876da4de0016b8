//! What ends with a party: certificates, tokens, security contexts, published APIs, subscriptions. One transaction, and an
//! epoch that is acknowledged when no verifier of ours accepts anything of it any more (sheet 2.7).

use api_types::capif::AefId;
use api_types::capif::security::RevocationCause;
use authorization::revocation::Kind;
use authorization::token::LEEWAY_S;
use service_http::feed::NewEntry;
use service_http::peer::CertRole;
use store::capif::Write;
use store::capif::contexts::{ContextEntry, Gone};
use store::capif::{
    access_control, asks, certificates, contexts, invokers, providers, routing, service_apis, tokens,
};
use store::{Sql, StoreError};

use super::events::{Happening, aefs_of, note};
use super::security::notice::{self, By};
use super::{CcfServer, ended, published};

/// APIs of one publishing function that are ended at once; no more can be published. Own value.
const MOST_APIS: u32 = 10_000;

impl CcfServer {
    /// Withdraws the certificates of a party.
    pub(crate) async fn end_certificates(
        &self,
        tx: &mut dyn Sql,
        principal: &str,
    ) -> Result<Vec<NewEntry>, StoreError> {
        let gone = certificates::revoke_of(tx, principal, self.now_s()).await?;
        let entry = |value| NewEntry { kind: Kind::Certificate, value, expires_s: None };
        Ok(gone.into_iter().map(entry).collect())
    }

    /// Ends an API invoker: nothing of it is good after this transaction.
    pub(crate) async fn end_invoker(
        &self,
        tx: &mut dyn Sql,
        invoker: &str,
    ) -> Result<Vec<NewEntry>, StoreError> {
        let mut entries = self.end_certificates(tx, invoker).await?;
        entries.push(NewEntry { kind: Kind::Client, value: invoker.to_owned(), expires_s: self.until() });
        let had = contexts::entries(tx, invoker).await?;
        let gone = |entry: &ContextEntry| Gone { invoker_id: invoker.to_owned(), entry: entry.clone() };
        ended::authorizations(tx, self, &had.iter().map(gone).collect::<Vec<_>>()).await?;
        notice::queue_of(tx, self, invoker, had, &RevocationCause::OtherReason, By::Core).await?;
        contexts::delete(tx, invoker).await?;
        access_control::delete_invoker(tx, invoker).await?;
        asks::delete_invoker(tx, invoker).await?;
        entries.extend(self.end_tokens(self.end_resources_of(tx, invoker).await?));
        Ok(entries)
    }

    /// Offboards an API invoker: it ends, its record goes, and who may hear of it is told.
    pub(crate) async fn remove_invoker(
        &self,
        tx: &mut dyn Sql,
        invoker: &str,
    ) -> Result<Vec<NewEntry>, StoreError> {
        let entries = self.end_invoker(tx, invoker).await?;
        invokers::delete(tx, invoker).await?;
        let invoker = invoker.try_into().map_err(|_| StoreError::Damaged("an API invoker"))?;
        note(tx, self, Happening::InvokerOffboarded { invoker }).await?;
        Ok(entries)
    }

    /// Ends the registration of a domain with all its functions.
    pub(crate) async fn remove_provider(
        &self,
        tx: &mut dyn Sql,
        registration: &str,
    ) -> Result<Vec<NewEntry>, StoreError> {
        let mut entries = Vec::new();
        for function in providers::functions(tx, registration).await? {
            entries.extend(self.end_function(tx, &function.function_id).await?);
        }
        providers::delete(tx, registration).await?;
        Ok(entries)
    }

    /// Ends a function of a provider: its certificates; the APIs that it published, or that it alone exposed; tokens for
    /// them.
    pub(crate) async fn end_function(
        &self,
        tx: &mut dyn Sql,
        function: &str,
    ) -> Result<Vec<NewEntry>, StoreError> {
        let Some(row) = providers::function(tx, function).await? else { return Ok(Vec::new()) };
        let mut entries = self.end_certificates(tx, function).await?;
        match row.role.parse() {
            Ok(CertRole::Apf) => {
                for api in service_apis::of_apf(tx, function, MOST_APIS).await? {
                    entries.extend(self.end_api(tx, &api).await?);
                }
            }
            Ok(CertRole::Aef) => {
                let gone = contexts::remove_aef(tx, function).await?;
                notice::queue(tx, self, &gone, &RevocationCause::OtherReason, By::Aef).await?;
                ended::authorizations(tx, self, &gone).await?;
                self.end_resources_at(tx, function).await?;
                entries.extend(self.end_tokens(tokens::of_aef(tx, function, self.now_s()).await?));
                for api in service_apis::of_aef(tx, function).await? {
                    entries.extend(self.end_api_at(tx, api, function).await?);
                }
            }
            _ => {}
        }
        Ok(entries)
    }

    /// Unpublishes a service API: its tokens, entries of contexts, policies and routes end with it.
    pub(crate) async fn end_api(
        &self,
        tx: &mut dyn Sql,
        api: &service_apis::ServiceApiRow,
    ) -> Result<Vec<NewEntry>, StoreError> {
        let description = published::read(api)?;
        let mut lost = Vec::new();
        for profile in description.aef_profiles.iter().flatten() {
            lost.extend(tokens::of_any(tx, profile.aef_id.as_str(), &api.api_name, self.now_s()).await?);
        }
        let entries = self.end_tokens(lost);
        let gone = contexts::remove_api(tx, &api.api_id).await?;
        notice::queue(tx, self, &gone, &RevocationCause::OtherReason, By::Core).await?;
        ended::authorizations(tx, self, &gone).await?;
        if let Some(id) = &description.api_id {
            ended::provisioned(tx, self, id, &aefs_of(&description)).await?;
        }
        access_control::delete_api(tx, &api.api_id).await?;
        routing::delete_api(tx, &api.api_id).await?;
        service_apis::delete(tx, &api.api_id).await?;
        note(tx, self, Happening::ServiceApiUnavailable { api: Box::new(description) }).await?;
        Ok(entries)
    }

    /// Takes one function out of a service API; the last one takes the API with it.
    async fn end_api_at(
        &self,
        tx: &mut dyn Sql,
        row: service_apis::ServiceApiRow,
        aef: &str,
    ) -> Result<Vec<NewEntry>, StoreError> {
        let mut api = published::read(&row)?;
        let mut profiles = api.aef_profiles.take().unwrap_or_default();
        profiles.retain(|profile| profile.aef_id.as_str() != aef);
        if profiles.is_empty() {
            return self.end_api(tx, &row).await;
        }
        if let Some(status) = &mut api.api_status {
            status.aef_ids.retain(|active| active.as_str() != aef);
        }
        let aefs: Vec<String> = profiles.iter().map(|profile| profile.aef_id.as_str().to_owned()).collect();
        api.aef_profiles = Some(profiles);
        let body = serde_json::to_string(&api).map_err(|_| StoreError::Damaged("service API"))?;
        if let (Some(id), Ok(aef)) = (&api.api_id, AefId::try_from(aef)) {
            ended::provisioned(tx, self, id, &[aef]).await?;
        }
        let changed = service_apis::ServiceApiRow { body, ..row };
        if service_apis::update(tx, &changed, &aefs).await? != Write::Done {
            return Err(StoreError::Damaged("service API"));
        }
        note(tx, self, Happening::ServiceApiUpdated { api: Box::new(api) }).await?;
        Ok(Vec::new())
    }

    /// Revokes tokens.
    pub(crate) fn end_tokens(&self, jtis: Vec<String>) -> Vec<NewEntry> {
        let until = self.until();
        let entry = |value| NewEntry { kind: Kind::Token, value, expires_s: until };
        jtis.into_iter().map(entry).collect()
    }

    /// As long as a token that was issued until now may live.
    fn until(&self) -> Option<i64> {
        Some(self.now_s().saturating_add(self.config().access_token_s).saturating_add(LEEWAY_S))
    }

    /// Appends revocations in the transaction of the caller, who acknowledges the epoch after the commit; `None` when
    /// there is nothing to revoke.
    pub(crate) async fn note(
        &self,
        tx: &mut dyn Sql,
        entries: Vec<NewEntry>,
    ) -> Result<Option<u64>, StoreError> {
        if entries.is_empty() {
            return Ok(None);
        }
        self.revocations().append(tx, &entries).await.map(Some)
    }

    /// Answers when what was revoked up to `epoch` is accepted nowhere.
    pub(crate) async fn acknowledge(&self, epoch: Option<u64>) -> Result<(), StoreError> {
        match epoch {
            Some(epoch) => self.revocations().acknowledge(epoch).await.map(drop),
            None => Ok(()),
        }
    }
}
