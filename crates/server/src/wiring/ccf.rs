//! The CAPIF core function of this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use api_types::capif::resource_auth::DefaultDecision;
use api_types::function::Function;
use capif_core::ccf::{CcfConfig, CcfServer, UnknownResources};
use service_http::feed::RevocationLog;
use service_http::kit::FunctionKit;
use service_http::oauth::keys::SealedKeys;
use tokio::task::JoinHandle;

use super::CapifCertificates;
use super::federation::federation;
use super::function::Common;
use super::start::UPKEEP;
use crate::pki::CsrIssuer;

/// The core function, ready to be asked.
pub(super) async fn ccf_server(
    common: &Common<'_>,
    urls: &BTreeMap<String, String>,
) -> Result<(CcfServer, FunctionKit)> {
    let origin = urls.get("ccf").context("the ccf listener")?;
    let kit = common.kit(Function::Ccf, origin, None, vec![origin.clone()]).await?;
    let keys = SealedKeys::new(kit.store.clone(), common.kek, common.ambient.clone())?;
    let ambient = common.ambient.clone();
    let log = RevocationLog::open(kit.store.clone(), ambient, origin.clone(), None, Vec::new()).await?;
    let issuer = CsrIssuer::new(common.pki.clone(), common.ambient.clone());
    let certificates = Arc::new(CapifCertificates(Arc::new(issuer)));
    let config = CcfConfig {
        federation: federation(common)?,
        // Our servers tell of all that they have: what nobody has told of is not there, or still private.
        unknown_resources: UnknownResources::Deny,
        default_decision: match common.config.capif.ask_owners {
            true => DefaultDecision::AskOwner,
            false => DefaultDecision::Deny,
        },
        aef_egress: Some(common.egress_to_aefs(urls)?),
        ..CcfConfig::new(log, Arc::new(keys))
    };
    let ccf = CcfServer::new(kit.clone(), config, certificates);
    ccf.start().await?;
    Ok((ccf, kit))
}

/// Scheduled rotation and the forgetting of what has expired.
pub(super) fn keep_up(ccf: CcfServer) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            if let Err(error) = ccf.maintain().await {
                tracing::error!(%error, "upkeep of the CAPIF core function failed; it is tried again");
            }
        }
    })
}
