//! What subscribers are told of what ended: authorizations of API invokers, and what was provisioned for a service API.

use std::collections::BTreeMap;

use api_types::capif::{AefId, ServiceApiId};
use store::capif::contexts::Gone;
use store::capif::{access_control, routing};
use store::{Sql, StoreError, subscriptions};

use super::events::{ApiAt, FAMILY, Happening, note};
use super::{CcfServer, routing as routes};

/// Tells of entries of security contexts that are gone, by API invoker and function.
///
/// # Errors
/// The store fails.
pub(super) async fn authorizations(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    gone: &[Gone],
) -> Result<(), StoreError> {
    if gone.is_empty() || !subscriptions::any(tx, FAMILY).await? {
        return Ok(());
    }
    let damaged = |_| StoreError::Damaged("security context");
    let mut ended: BTreeMap<(&str, &str), Vec<ServiceApiId>> = BTreeMap::new();
    for Gone { invoker_id, entry } in gone {
        let api = entry.api_id.as_str().try_into().map_err(damaged)?;
        ended.entry((invoker_id, &entry.aef_id)).or_default().push(api);
    }
    for ((invoker, aef), apis) in ended {
        let invoker = invoker.try_into().map_err(damaged)?;
        let aef = Some(aef.try_into().map_err(damaged)?);
        note(tx, ccf, Happening::AuthorizationRevoked { invoker, aef, apis }).await?;
    }
    Ok(())
}

/// Ends the access control policies and routing rules of a service API at functions, and tells of it.
///
/// # Errors
/// The store fails.
pub(super) async fn provisioned(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    api: &ServiceApiId,
    aefs: &[AefId],
) -> Result<(), StoreError> {
    for aef in aefs {
        let here = (api.as_str(), aef.as_str());
        let at = || ApiAt { api: api.clone(), aefs: vec![aef.clone()] };
        let policies = access_control::list(tx, here).await?;
        for policy in &policies {
            access_control::delete(tx, here, policy.invoker_id.as_deref()).await?;
        }
        if !policies.is_empty() {
            note(tx, ccf, Happening::AccessControlGone { api: at() }).await?;
        }
        if let Some(row) = routing::find(tx, here.0, here.1).await? {
            routing::delete(tx, here.0, here.1).await?;
            let rules = routes::read(&row)?.routing_rules;
            note(tx, ccf, Happening::TopologyShown { api: at(), rules }).await?;
        }
    }
    Ok(())
}
