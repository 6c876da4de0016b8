//! `/services/{serviceId}`, the part of the SIM-S: which scopes there are and which server they are for.

use api_types::Function;
use api_types::admin::{Page, Service};
use api_types::ids::ServiceId;
use service_http::refusal::Refusal;
use store::{StoreError, services};

use super::{MAX_PAGE, Versioned, Written, not_found, taken, valid, wrong};
use crate::sim_s::SimServer;
use crate::sim_s::directory::OPENID;
use crate::sim_s::world;

impl SimServer {
    /// Provisions or changes a service. Tokens with a scope that it had and no service has any more are revoked.
    ///
    /// # Errors
    /// Members at fault; 409 `ID_TAKEN` for a scope of another server.
    pub async fn put_service(&self, id: &ServiceId, body: Service) -> Result<Written<Service>, Refusal> {
        valid(&body)?;
        if !matches!(body.role, Function::San | Function::Sm) {
            return Err(wrong("/role", "must be a function that serves users"));
        }
        if body.scopes.is_empty() {
            return Err(wrong("/scopes", "needs at least one element"));
        }
        if body.scopes.iter().any(|scope| scope == OPENID) {
            return Err(wrong("/scopes", "must not name the scope of the login"));
        }
        let (name, at_ms, servers) = (id.clone(), self.kit().ambient.now_ms(), self.config().servers.clone());
        let new = Service { service_id: None, ..body.clone() };
        let put = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let directory = world::directory(tx, &servers).await?;
                    let mut others = new.scopes.iter().flat_map(|scope| directory.services_of(scope));
                    if others.any(|row| row.service != name && row.role != new.role) {
                        return Err(taken());
                    }
                    let text = serde_json::to_string(&new).map_err(|_| StoreError::Damaged("service"))?;
                    Ok(services::put(tx, name.as_str(), &text, at_ms).await?)
                })
            })
            .await?;
        self.policies_changed().await?;
        let body = Service { service_id: Some(id.clone()), ..body };
        Ok(Written { body, version: put.version, created: put.created })
    }

    /// A service.
    ///
    /// # Errors
    /// 404.
    pub async fn service(&self, id: &ServiceId) -> Result<Versioned<Service>, Refusal> {
        let name = id.as_str().to_owned();
        let found =
            self.kit().store.read(|tx| Box::pin(async move { services::find(tx, &name).await })).await?;
        let document = found.ok_or_else(not_found)?;
        Ok(Versioned { body: world::service(&document)?, version: document.version })
    }

    /// Services by name, after a name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn services(&self, after: &str, limit: u32) -> Result<Page<Service>, Refusal> {
        let (after, limit) = (after.to_owned(), limit.clamp(1, MAX_PAGE));
        let mut found = self
            .kit()
            .store
            .read(|tx| Box::pin(async move { services::page(tx, &after, limit + 1).await }))
            .await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Page { items: found.iter().map(world::service).collect::<Result<_, _>>()?, next })
    }

    /// Removes a service: its tokens are no longer issued, and those that are out are revoked.
    ///
    /// # Errors
    /// 404.
    pub async fn delete_service(&self, id: &ServiceId) -> Result<(), Refusal> {
        let name = id.as_str().to_owned();
        let gone: bool = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move { services::delete(tx, &name).await.map_err(Refusal::from) })
            })
            .await?;
        if !gone {
            return Err(not_found());
        }
        self.policies_changed().await
    }
}
