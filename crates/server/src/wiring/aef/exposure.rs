//! What a registered server does as an API exposing function: access control, invocation log, withdrawn authorizations, and
//! where its API invokers may be called back.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use api_types::capif::ServiceApiId;
use capif_aef::{AefConfig, HostsOfBoth, InvokerHosts, OverLimitUsage, ServiceApi, StoreRecords};
use sdk::{CapifClient, HttpsClient, HttpsLimits};
use service_http::callback_hosts::HostSource;
use service_http::kit::FunctionKit;

use super::{Aef, description};
use crate::wiring::CORE_NAME;
use crate::wiring::function::Common;

/// Longest wait for the core function while an invocation waits. Own value.
const PATIENCE: Duration = Duration::from_secs(2);

/// Makes the server of `kit` the exposing function `aef`. The hosts at which its clients may be called back: those of the
/// SIM-S, and of the core function for its API invokers.
///
/// # Errors
/// The verifier does not know the core function; records cannot be read.
pub(in crate::wiring) async fn expose(
    common: &Common<'_>,
    kit: &FunctionKit,
    aef: Option<&Aef>,
    sim: Arc<dyn HostSource>,
) -> Result<Arc<dyn HostSource>> {
    let Some(aef) = aef else { return Ok(Arc::new(HostsOfBoth::new(sim, Vec::new()))) };
    let verifier = kit.verifier.as_ref().context("a server without a verifier")?;
    let issuer = verifier.issuer(&aef.issuer).ok().context("a core function that is no issuer")?;
    let limits = HttpsLimits { connect: PATIENCE, read: PATIENCE, total: PATIENCE };
    let https = HttpsClient::with_limits(&common.foreign_pem()?, Some(&aef.identity), limits)?;
    let over_limit = match common.config.capif.withdraw_over_limit {
        true => OverLimitUsage::Withdraw,
        false => OverLimitUsage::Refuse,
    };
    let exposing = capif_aef::Aef::new(AefConfig {
        id: aef.id.as_str().try_into()?,
        apis: aef.api_ids.iter().map(published).collect(),
        core: Arc::new(CapifClient::new(https, &aef.issuer)?),
        core_name: Some(CORE_NAME.to_owned()),
        issuer: Arc::clone(issuer),
        verifier: None,
        records: Arc::new(StoreRecords::new(kit.store.clone())),
        ambient: common.ambient.clone(),
        over_limit,
    })
    .await?;
    kit.exposed.set(Arc::new(exposing.clone()));
    let invokers: Arc<dyn HostSource> = Arc::new(InvokerHosts::new(exposing));
    Ok(Arc::new(HostsOfBoth::new(sim, vec![(aef.issuer.clone(), invokers)])))
}

fn published((name, id): (&String, &ServiceApiId)) -> (String, ServiceApi) {
    (name.clone(), ServiceApi { id: id.clone(), version: description::VERSION.to_owned() })
}
