//! What is the case when a subscription begins, told as if it happened now (`immRep`): service APIs that are available, API
//! invokers that are onboarded, policies and routing rules that are in force. Other events have no state.

use api_types::capif::events::{CAPIFEvent, EventSubscription};
use store::capif::{access_control, invokers, routing, service_apis};
use store::{Sql, StoreError};

use super::hearing::Hearer;
use super::note::{ApiAt, Happening};
use crate::ccf::{access_control as policies, published, routing as routes};

/// Most notifications that tell what is the case. Own value; whoever wants all of it discovers.
pub(crate) const MOST: usize = 200;

/// Rows that are read at once. Own value.
const PAGE: u32 = 500;

/// What is the case, for the events of a subscription, as far as its subscriber may hear of it.
pub(crate) async fn happenings(
    tx: &mut dyn Sql,
    hearer: &Hearer,
    body: &EventSubscription,
) -> Result<Vec<Happening>, StoreError> {
    use CAPIFEvent as E;
    let wants = |event: &CAPIFEvent| body.events.contains(event);
    let mut found = Vec::new();
    if wants(&E::ApiInvokerOnboarded) {
        for row in invokers::page(tx, "", PAGE).await? {
            let invoker = row.invoker_id.as_str().try_into();
            let onboarded = row.state == invokers::InvokerState::Onboarded;
            found.extend(
                invoker.ok().filter(|_| onboarded).map(|invoker| Happening::InvokerOnboarded { invoker }),
            );
        }
    }
    if wants(&E::ServiceApiAvailable)
        || wants(&E::AccessControlPolicyUpdate)
        || wants(&E::ApiTopologyHidingCreated)
    {
        for row in service_apis::page(tx, "", PAGE).await? {
            let api = published::read(&row)?;
            let Some(at) = ApiAt::of(&api) else { continue };
            for aef in &at.aefs {
                let here = (at.api.as_str(), aef.as_str());
                let at = ApiAt { api: at.api.clone(), aefs: vec![aef.clone()] };
                if wants(&E::AccessControlPolicyUpdate) {
                    let rows = access_control::list(tx, here).await?;
                    let policies = policies::of_rows(&rows)?;
                    if !rows.is_empty() {
                        found.push(Happening::AccessControlUpdated { api: at.clone(), policies });
                    }
                }
                if wants(&E::ApiTopologyHidingCreated)
                    && let Some(row) = routing::find(tx, here.0, here.1).await?
                {
                    let rules = routes::read(&row)?.routing_rules;
                    found.push(Happening::TopologyHidden { api: at, rules });
                }
            }
            if wants(&E::ServiceApiAvailable) {
                found.push(Happening::ServiceApiAvailable { api: Box::new(api) });
            }
        }
    }
    found.retain(|happening| hearer.hears(happening.clone()).is_some());
    Ok(found)
}
