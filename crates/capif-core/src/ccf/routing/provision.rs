//! What the operator writes: routing rules of a service API at the function where invocations arrive.

use api_types::capif::routing::RoutingInfo;
use api_types::capif::{AefId, ServiceApiId};
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use service_http::refusal::Refusal;
use store::capif::routing;

use super::read;
use crate::ccf::CcfServer;
use crate::ccf::access_control::exposed_at;
use crate::ccf::events::{Happening, note};

impl CcfServer {
    /// Makes or replaces the rules of a service API at the function `aef`. Whether they were made; subscribers are told.
    ///
    /// # Errors
    /// Members at fault; no such service API at that function; the store fails.
    pub async fn put_routing(
        &self,
        api: &ServiceApiId,
        aef: &AefId,
        info: RoutingInfo,
    ) -> Result<bool, Refusal> {
        info.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
        let (server, api, aef) = (self.clone(), api.clone(), aef.clone());
        let body = serde_json::to_string(&info).map_err(|_| Refusal::open(Reason::StoreFailed))?;
        self.kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let found = exposed_at(tx, api.as_str(), aef.as_str()).await?;
                    let (_, at) = found.ok_or(Refusal::open(Reason::NotFound))?;
                    let version = routing::put(tx, api.as_str(), aef.as_str(), &body).await?;
                    let event = Happening::TopologyHidden { api: at, rules: info.routing_rules };
                    note(tx, &server, event).await?;
                    Ok::<_, Refusal>(version == 1)
                })
            })
            .await
    }

    /// Drops the rules of a service API at a function. `false`: there are none.
    ///
    /// # Errors
    /// The store fails.
    pub async fn delete_routing(&self, api: &ServiceApiId, aef: &AefId) -> Result<bool, Refusal> {
        let (server, api, aef) = (self.clone(), api.clone(), aef.clone());
        self.kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let Some(row) = routing::find(tx, api.as_str(), aef.as_str()).await? else {
                        return Ok(false);
                    };
                    routing::delete(tx, api.as_str(), aef.as_str()).await?;
                    if let Some((_, at)) = exposed_at(tx, api.as_str(), aef.as_str()).await? {
                        let rules = read(&row)?.routing_rules;
                        note(tx, &server, Happening::TopologyShown { api: at, rules }).await?;
                    }
                    Ok::<_, Refusal>(true)
                })
            })
            .await
    }

    /// The rules of a service API at a function.
    ///
    /// # Errors
    /// The store fails.
    pub async fn routing(&self, api: &ServiceApiId, aef: &AefId) -> Result<Option<RoutingInfo>, Refusal> {
        let (api, aef) = (api.clone(), aef.clone());
        let row = self
            .kit()
            .store
            .read(move |tx| Box::pin(async move { routing::find(tx, api.as_str(), aef.as_str()).await }))
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }
}
